"""What a host sees of one of its volumes."""

from __future__ import annotations

import secrets

from ansible.module_utils.hadeploy_drbd_look import (
    content,
    identity,
    is_device,
    is_free,
    judge,
    kinds,
    metadata_bytes,
    size_of,
)


def look(drbd, volume: dict, replica: dict, known: dict, intention: dict | None, params: dict) -> dict:
    """What this host sees of a volume, for a decision with all hosts in sight.

    Args:
        drbd: DRBD's programs.
        volume: of the topology.
        replica: the host's share of it.
        known: what is remembered of the volume's disk here.
        intention: what is recorded here about the volume.
        params: of the module.
    """
    name, disk = volume["name"], replica["disk"]
    same = bool(known) and identity(known["disk"]) == identity(disk)
    seen = {
        "disk": disk,
        "holds": "nothing",
        "below": "",
        "words": "",
        "held": [],
        "metadata": False,
        "fresh": False,
        "whole": False,
        "uuids": [],
        "making": bool(same and known.get("making")),
        "done": "",
        "moved": "",
        "record": intention,
        "proposal": secrets.token_hex(8),
    }
    state = drbd.state(name)
    if not state["attached"]:
        seen |= _moved(drbd, volume, known, params["generation"], same=same)
        if not is_device(disk):
            return seen
    found = drbd.signatures(disk)
    seen["held"] = sorted(f"{each['type']}:{each['uuid']}" for each in found if each["type"] != "drbd")
    verdict = "ours" if state["attached"] else judge(found, known, same=same)
    seen["words"] = kinds(found, ours=verdict == "ours")
    if verdict in ("ours", "stranger"):
        generations = drbd.generations(
            volume, disk, running=state["attached"], generation=params["generation"]
        )
        seen["done"] = known.get("done", "") if verdict == "ours" and same else ""
        whole = state["disk"] == "UpToDate" if state["attached"] else generations["whole"]
        seen |= generations | {"whole": whole, "metadata": True}
        # What create-md left half written is no replica.
        seen["fresh"] = seen["fresh"] or (seen["making"] and not seen["uuids"])
    end = size_of(disk) - metadata_bytes(size_of(disk), len(volume["replicas"]) - 1)
    # What this intention has begun on this disk was proven then. Any other may be another disk, or may have been used since.
    begun = seen["making"] or (intention and seen["done"] == intention["id"])
    seconds = 0 if begun else params["prove_blank_seconds"]
    if verdict == "none":
        # What an interrupted create-md wrote lies at the end.
        seen["holds"], seen["words"] = content(disk, seconds, end if seen["making"] else None)
    elif verdict == "ours" and seen["fresh"]:
        seen["holds"] = "made"
        seen["below"], words = ("data", "") if seen["held"] else content(disk, seconds, end)
        seen["words"] = words or seen["words"]
    else:
        seen["holds"] = {"ours": "replica"}.get(verdict, verdict)
    return seen


def _moved(drbd, volume: dict, known: dict, generation: str, *, same: bool) -> dict:
    """The disk that holds the volume's replica, where the topology has come to name another."""
    if not known or same or not is_device(known["disk"]) or not is_free(known["disk"]):
        return {}
    found = drbd.signatures(known["disk"])
    if judge(found, known, same=True) != "ours":
        return {}
    generations = drbd.generations(volume, known["disk"], running=False, generation=generation)
    return {} if generations["fresh"] else {"moved": known["disk"], "uuids": generations["uuids"]}
