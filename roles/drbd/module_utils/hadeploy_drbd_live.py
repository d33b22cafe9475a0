"""What of a running volume's configuration must not change under it.

``drbdadm adjust`` of DRBD 8.4 compares the names of backing disks as text: another name of the same disk detaches it, and
another disk detaches a good replica. It cannot give a running device another minor number at all.
"""

from __future__ import annotations

from ansible.module_utils.hadeploy_drbd_look import identity


def changed_while_live(held: dict, volume: dict, replica: dict, known: dict, host: str) -> str:
    """Why a running volume cannot follow the topology; empty where it can.

    Args:
        held: what the kernel runs it with (C(minor), C(disk)); empty where it does not say.
        volume: of the topology.
        replica: the host's share of it.
        known: what is remembered of the volume's disk on this host.
        host: its name.
    """
    name, disk = volume["name"], replica["disk"]
    running = held.get("disk") or known.get("disk")
    if held.get("minor", volume["minor"]) != volume["minor"]:
        return (
            f"{name}: it runs on {host} as minor {held['minor']}, the topology says {volume['minor']}."
            f" A running device keeps its number: write `minor: {held['minor']}`"
        )
    if running is None:
        return (
            f"{name}: it runs on {host}, and which disk it runs on cannot be read (drbdsetup show {name})."
            f" Put {host} in standby, and apply again"
        )
    if running == disk:
        return ""
    if identity(running) == identity(disk):
        return (
            f"{name}: {disk} is the disk that the running volume on {host} has attached as {running}; under another name DRBD"
            f" would detach it. Write `{host}: {running}`, or change the name on one node after the"
            f" other: put {host} in standby, apply, and end its standby"
        )
    return (
        f"{name}: the running volume has {running} attached on {host}, the topology says {disk}, which is another disk: the"
        f" replica on {running} would be detached. Write `{host}: {running}`; or, to move the replica,"
        f" put {host} in standby, apply with --wipe {name}@{host} (the other node's content is copied to {disk}), and end its"
        f" standby"
    )
