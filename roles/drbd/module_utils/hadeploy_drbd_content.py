"""Whose content a new volume gets: decided from what the disks of all hosts were, the same on each of them."""

from __future__ import annotations


def source_of(volume: dict, disks: dict) -> str:
    """The host whose content a new volume gets: the one that was adopted, else the first with a disk."""
    name = volume["name"]
    holders = [host for host, replica in volume["replicas"].items() if replica["disk"]]
    adopted = [host for host in holders if disks.get(host, {}).get(name, {}).get("adopted")]
    return adopted[0] if adopted else holders[0]


def first_content(volume: dict, disks: dict) -> str:
    """What a volume's copies say together.

    Returns:
        C(none): at least one copy holds data, which DRBD brings to the others by itself; C(blank): all are new and all
        disks are proven to be zeros, so that there is nothing to synchronise; C(one): all are new, one is to become the
        truth; C(two): two contents were adopted.
    """
    name = volume["name"]
    found = [disks.get(host, {}).get(name) for host, replica in volume["replicas"].items() if replica["disk"]]
    if any(each is None or not each["fresh"] for each in found):
        return "none"
    if sum(1 for each in found if each["adopted"]) > 1:
        return "two"
    return "blank" if all(each["blank"] for each in found) else "one"
