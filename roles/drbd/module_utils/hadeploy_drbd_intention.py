"""What is to become of a volume's disks: decided from what all hosts saw, the same on each of them.

A decision that makes or destroys anything is an intention: it has an id, names the source of the first synchronization, and
is recorded on every host of the volume before any of them writes to a disk. A later run continues it, from whichever
controller and whatever it was asked for, or refuses; it never chooses another source.
"""

from __future__ import annotations

from ansible.module_utils.hadeploy_drbd_memory import PHASES, intention_file

KEPT = ("replica",)
"""What a disk holds where nothing is to be made on it."""

NAMEABLE = {
    "data": "holds {words}",
    "stranger": "holds {words}",
    "unsigned": "holds data without a signature (as encrypted data does)",
    "unproven": "is not proven to be empty: {words}",
}
"""What a person must decide about, in words."""

Reasons = dict[str, list[str]]


def decide(volume: dict, seen: dict, wipe: list[str], adopt: list[str]) -> tuple[dict | None, Reasons]:
    """The intention for a volume, None where there is nothing to make; and why not, by the host that says so.

    Args:
        volume: with its replicas.
        seen: host to what it saw of the volume (C(look) of the disk module).
        wipe: disks whose content may be destroyed, as C(volume@host).
        adopt: disks whose content becomes the volume's.
    """
    return Decision(volume, seen, wipe, adopt).made()


def complete(seen: dict, hosts: list[str]) -> bool:
    """Whether every replica has content and is up to date: a first synchronization has nothing left to do."""
    return all(
        host in seen and seen[host]["holds"] in KEPT and not seen[host]["fresh"] and seen[host]["whole"]
        for host in hosts
    )


class Decision:
    """About one volume."""

    def __init__(self, volume: dict, seen: dict, wipe: list[str], adopt: list[str]) -> None:
        self.volume, self.name = volume, volume["name"]
        self.hosts = [host for host, replica in volume["replicas"].items() if replica["disk"]]
        self.seen = {host: found for host, found in seen.items() if host in self.hosts}
        self.wipe = [host for host in self.hosts if f"{self.name}@{host}" in wipe]
        self.adopt = [host for host in self.hosts if f"{self.name}@{host}" in adopt]
        self.reasons: Reasons = {}

    def refuse(self, host: str, reason: str) -> None:
        """One more reason; it is said once, by the host that it is about."""
        self.reasons.setdefault(host, []).append(f"{self.name}: {reason}")

    def made(self) -> tuple[dict | None, Reasons]:
        """Continue what is recorded, else decide."""
        record = self.record()
        if self.reasons:
            return None, self.reasons
        absent = [host for host in self.hosts if host not in self.seen]
        if absent:
            idle = not record and not self.wipe and not self.adopt
            if not self.seen or (idle and all(each["holds"] in KEPT for each in self.seen.values())):
                return None, {}
            self.refuse(
                next(iter(self.seen)),
                f"{' and '.join(absent)} was not looked at, and what becomes of a disk is decided with all nodes of the"
                f" volume in sight: start {' and '.join(absent)}, and leave --limit away",
            )
            return None, self.reasons
        if record and record["filesystem"] in ("keep", "made") and complete(self.seen, self.hosts):
            record = None
        if record and self.is_decided_anew(record):
            record = None
        intention = self.continued(record) if record else self.fresh()
        return (None if self.reasons else intention), self.reasons

    def is_decided_anew(self, record: dict) -> bool:
        """Whether a replica is to be wiped whose first synchronization has not ended, of a source that has all content.

        Its disk may have failed meanwhile. What the source has is then the volume's content whatever was recorded, and the
        wipe is judged like any other.
        """
        source = record["source"]
        if not self.wipe or self.adopt or source in self.wipe or set(record["fates"]) != set(self.hosts):
            return False
        return (
            any(record["fates"][host] != "wipe" for host in self.wipe)
            and record["filesystem"] in ("keep", "made")
            and source in self.hosts
            and complete(self.seen, [source])
        )

    def record(self) -> dict | None:
        """The one intention that is recorded on any host."""
        found = {host: each["record"] for host, each in self.seen.items() if each["record"]}
        replaced = {each.get("replaces") for each in found.values()}
        current = {host: each for host, each in found.items() if each["id"] not in replaced}
        ids = {each["id"] for each in current.values()}
        if len(ids) > 1:
            words = "; ".join(
                f"{host}: synchronized from {each['source'] or 'the up-to-date replica'}"
                for host, each in current.items()
            )
            self.refuse(
                next(iter(current)),
                f"the nodes have different intentions recorded ({words}). Decide which node's content is to stay, remove"
                f" {intention_file(self.name)} on the nodes whose record is wrong, and apply again",
            )
            return None
        if not current:
            return None
        one = dict(next(iter(current.values())))
        # What one host knows of the progress, all know.
        if any(each["sync"] == "full" for each in current.values()):
            one["sync"] = "full"
        one["filesystem"] = max((each["filesystem"] for each in current.values()), key=PHASES.index)
        return one

    # --- a decision that is made now

    def fresh(self) -> dict | None:
        """From what the disks hold and what a person named."""
        fates = {host: self.fate(host) for host in self.hosts}
        if self.reasons:
            return None
        contents = [host for host in self.hosts if self.has_content(host, fates[host])]
        adopted = [host for host in self.hosts if fates[host] == "adopt" and host not in contents]
        self.only_replica(fates, contents)
        self.one_content(contents, adopted)
        if self.reasons or all(fate == "keep" for fate in fates.values()):
            return None
        blank = all(fates[host] == "new" and self.seen[host]["holds"] == "zeros" for host in self.hosts)
        whole = [host for host in contents if self.seen[host]["whole"]]
        old = [each["record"]["id"] for each in self.seen.values() if each["record"]]
        return {
            "id": self.seen[self.hosts[0]]["proposal"],
            "source": (whole or contents or [""])[0] if contents else (adopted or self.hosts)[0],
            "decided": "metadata" if contents else "here",
            "sync": "none" if blank else "full",
            "filesystem": "keep" if contents or adopted else "make",
            "fates": fates,
            "held": {host: self.seen[host]["held"] for host in self.hosts},
        } | ({"replaces": old[0]} if old else {})

    def fate(self, host: str) -> str:
        """C(keep), C(new), C(logical), C(wipe) or C(adopt)."""
        found = self.seen[host]
        if found["moved"] and host not in self.wipe:
            self.refuse(
                host,
                f"the replica on {host} is on {found['moved']}, the topology says {found['disk']}. To"
                f" keep the replica, write `{host}: {found['moved']}` again; to make a new one on {found['disk']} from the"
                f" other node's content, apply with --wipe {self.name}@{host}",
            )
            return "keep"
        if host in self.wipe and (found["holds"] not in ("nothing", "zeros") or found["moved"]):
            return "wipe"
        if found["holds"] in KEPT:
            return "keep"
        if found["holds"] == "nothing":
            return "logical"
        if found["holds"] == "zeros" or (found["holds"] == "made" and found["below"] == "zeros"):
            return "new"
        if host in self.adopt and found["holds"] != "unproven" and found["below"] != "zeros":
            return self.adopted(host)
        kind = found["below"] if found["holds"] == "made" else found["holds"]
        self.refuse(
            host,
            f"{found['disk']} on {host} {NAMEABLE[kind].format(words=found['words'])}."
            f" Destroy it with --wipe {self.name}@{host}"
            + (
                f", or make it the volume's content with --adopt {self.name}@{host}"
                if kind in ("data", "stranger")
                else ""
            )
            + (
                f" (where it may be the only good replica of a volume, run `wipefs --all {found['disk']}` first)"
                if kind == "stranger" and not found["fresh"]
                else ""
            ),
        )
        return "keep"

    def adopted(self, host: str) -> str:
        """Content without the volume's filesystem could not be mounted, and none is made over it."""
        found, wanted = self.seen[host], self.volume["filesystem"]
        types = [each.partition(":")[0] for each in found["held"]]
        if found["holds"] != "stranger" and wanted not in types:
            what = " and ".join(types) if types else "no filesystem that is known"
            self.refuse(
                host,
                f"{found['disk']} on {host} holds {what}, the topology wants {wanted}."
                + (f" Write `filesystem: {types[0]}`, or d" if types else " D")
                + f"estroy it with --wipe {self.name}@{host}",
            )
        return "adopt"

    def has_content(self, host: str, fate: str) -> bool:
        """Whether DRBD's own metadata says that there is data under it, and it stays."""
        found = self.seen[host]
        return fate in ("keep", "adopt") and found["metadata"] and not found["fresh"]

    def only_replica(self, fates: dict[str, str], contents: list[str]) -> None:
        """A replica is destroyed only where another node has all that is on it."""
        for host, fate in fates.items():
            mine = self.seen[host]
            if fate != "wipe" or not (mine["moved"] or (mine["metadata"] and not mine["fresh"])):
                continue
            others = [other for other in contents if self.seen[other]["whole"] and self.has_all(other, host)]
            if not others:
                strange = [other for other in contents if self.seen[other]["whole"]]
                states = "; ".join(
                    f"{other}: {self.state_words(other, fates[other])}"
                    for other in self.hosts
                    if other != host
                )
                self.refuse(
                    host,
                    f"--wipe {self.name}@{host} would destroy the only good replica ({states}). "
                    + self.way_out(host, strange),
                )

    def way_out(self, host: str, strange: list[str]) -> str:
        """What to do where a replica is not wiped; ``strange`` are nodes with other data that is up to date."""
        disk = self.seen[host]["moved"] or self.seen[host]["disk"]
        if strange:
            return (
                f"{' and '.join(strange)} does not have what is on {disk}. Look at it; if nothing of it is to be kept, run"
                f" `wipefs --all {disk}` on {host} only, and apply again with --wipe {self.name}@{host}"
            )
        return (
            "Bring the other node's replica up to date first (hadeploy status shows it). To destroy the volume itself, stop it"
            f" and run `wipefs --all {disk}` on each node, then apply with --wipe"
            + (
                f"; to leave {disk} as it is, give the new volume another name"
                if self.seen[host]["moved"]
                else ""
            )
        )

    def has_all(self, other: str, host: str) -> bool:
        """Whether a replica has every write of another: the same data generation, or one that came after it."""
        theirs, mine = self.seen[other]["uuids"], self.seen[host]["uuids"]
        return not mine or (bool(theirs) and mine[0] in theirs)

    def state_words(self, host: str, fate: str) -> str:
        """What another node's replica is, for people."""
        found = self.seen[host]
        if fate == "wipe":
            return "to be wiped as well"
        if fate not in ("keep", "adopt") or not found["metadata"] or found["fresh"]:
            return "no data"
        return "up to date, but with other data" if found["whole"] else "not up to date"

    def one_content(self, contents: list[str], adopted: list[str]) -> None:
        """DRBD would overwrite what is adopted by what it knows; two contents cannot both stay."""
        if contents and adopted:
            self.refuse(
                adopted[0],
                f"{contents[0]} holds the volume's content, which would overwrite what is on {adopted[0]}."
                f" Copy away what is needed of it, then apply with --wipe {self.name}@{adopted[0]}",
            )
        elif len(adopted) > 1:
            self.refuse(
                adopted[0],
                f"two contents are to be kept ({' and '.join(adopted)}). Name the one to be destroyed"
                f" with --wipe {self.name}@... and the other with --adopt",
            )

    # --- a decision that was made before

    def continued(self, record: dict) -> dict:
        """The recorded intention, where everything is as it was when it was decided, or as this intention has made it."""
        self.contradictions(record)
        if self.reasons:
            return record
        given = [host for host in self.hosts if self.seen[host]["metadata"] and not self.seen[host]["fresh"]]
        source = record["source"]
        if record["decided"] == "here" and given and source not in given and self.was_made(source, record):
            self.doubt(
                source, record, f"{' and '.join(given)} has content and {source}, the source, has none"
            )
            return record
        for host in self.hosts:
            if not self.was_made(host, record):
                self.expected(host, record)
            elif self.seen[host]["holds"] not in ("made", "replica"):
                self.doubt(host, record, f"{self.holds(host)}, and had metadata of this volume")
        left = {
            host: fate if not self.was_made(host, record) else "keep"
            for host, fate in record["fates"].items()
        }
        self.only_replica(left, [host for host in given if left[host] != "wipe"])
        untouched = all(self.seen[host]["holds"] == "zeros" for host in self.hosts)
        return record if untouched else record | {"sync": "full"}

    def was_made(self, host: str, record: dict) -> bool:
        """Whether this intention has nothing left to do to a disk."""
        return bool(self.seen[host]["done"] == record["id"])

    def holds(self, host: str) -> str:
        """What a disk holds, for people."""
        found = self.seen[host]
        return f"{found['disk']} on {host} holds {found['words'] or 'nothing'}"

    def contradictions(self, record: dict) -> None:
        """What a person asks for now, against what is recorded."""
        fates = record["fates"]
        against = [f"--wipe {self.name}@{host}" for host in self.wipe if fates.get(host) != "wipe"]
        against += [
            f"--adopt {self.name}@{host}" for host in self.adopt if fates.get(host) not in ("adopt", "keep")
        ]
        if set(fates) != set(self.hosts):
            against.append(f"a volume on {' and '.join(self.hosts)} instead of {' and '.join(fates)}")
        if against:
            self.doubt(
                record["source"] if record["source"] in self.hosts else self.hosts[0],
                record,
                f"{' and '.join(against)} contradicts it; without that option an apply completes what was begun",
            )

    def expected(self, host: str, record: dict) -> None:
        """Refuse a disk that is no longer what it was, nor what this intention was about to make of it."""
        found, fate, held = self.seen[host], record["fates"][host], record["held"].get(host, [])
        was = " and ".join(each.partition(":")[0] for each in held) or "data without a signature"
        if fate == "wipe":
            self.still_to_wipe(host, record)
        elif found["moved"]:
            self.doubt(host, record, f"the replica on {host} is on {found['moved']}, not on {found['disk']}")
        elif fate == "keep" and found["holds"] != "replica":
            self.doubt(host, record, f"{self.holds(host)}, and held a replica")
        elif fate == "adopt" and sorted(found["held"]) != sorted(held):
            self.doubt(host, record, f"{self.holds(host)}, and held {was}")
        elif fate in ("new", "logical") and not self.still_empty(found, fate):
            self.doubt(host, record, f"{self.holds(host)}, and was empty")

    def still_to_wipe(self, host: str, record: dict) -> None:
        """What was not begun may have been decided otherwise since: whoever wants it says so once more."""
        found = self.seen[host]
        begun = found["making"] and not found["held"] and found["holds"] not in ("stranger", "replica")
        if host not in self.wipe and not begun and found["holds"] not in ("zeros", "nothing"):
            self.doubt(
                host,
                record,
                f"{self.holds(host)}, which was to be destroyed and is still there;"
                f" --wipe {self.name}@{host} once more does it",
            )

    @staticmethod
    def still_empty(found: dict, fate: str) -> bool:
        """A logical volume that was made here holds what its extents held before: only a signature is somebody's."""
        if found["held"] or found["holds"] in ("stranger", "replica"):
            return False
        if fate == "logical" and found["making"]:
            return True
        kind = found["below"] if found["holds"] == "made" else found["holds"]
        # Where it was begun, the whole disk was proven to be zeros before, and now its beginning, end and samples were read.
        return kind in ("zeros", "nothing") or (kind == "unproven" and found["making"])

    def doubt(self, host: str, record: dict, reason: str) -> None:
        """Refuse to go on with a recorded intention, and say how a person takes it back."""
        source = record["source"] or "the replica that is up to date"
        self.refuse(
            host,
            f"an earlier apply recorded that this volume is first synchronized from {source}, which is not complete."
            f" {reason[0].upper()}{reason[1:]}. To decide anew, look at the disks of"
            f" {' and '.join(self.hosts)}, remove {intention_file(self.name)} on each of them, and apply again with"
            f" --adopt {self.name}@NODE for the content to keep",
        )
