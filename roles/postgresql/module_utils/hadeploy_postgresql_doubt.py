"""What was recorded on the members, and what they hold elsewhere, against what would be done now: any contradiction refuses."""

from __future__ import annotations

from collections.abc import Iterator


def doubts_of(choice) -> list[str]:
    """Why nothing may be done, most basic first; one mistake gives one message.

    Args:
        choice: of all members (Choice).
    """
    for doubt in (_unreadable, _elsewhere, _begun, _lost, _another):
        words = list(doubt(choice))
        if words:
            return words
    return []


def _record(choice, host: str) -> dict:
    return choice.seen[host]["record"]


def _unreadable(choice) -> Iterator[str]:
    hosts = [host for host in choice.seen if _record(choice, host).get("unreadable")]
    if hosts:
        yield (
            f"{choice.database['record']} on {' and '.join(hosts)} cannot be read, and says what was begun with the data there."
            " Look at the data of all nodes, then remove that file"
        )


def _elsewhere(choice) -> Iterator[str]:
    """A new version, or another path, must not make an empty database beside one that holds data."""
    places = [
        (host, place["data"], place["version"])
        for host, found in choice.seen.items()
        for place in found["elsewhere"]
    ]
    unsure = [host for host in choice.holders() if not _sure(choice, host)]
    if not places or not (choice.maker() or unsure):
        return
    data, version = choice.database["data"], choice.database["version"]
    there = "; ".join(f"{path} on {host} (PostgreSQL {found})" for host, path, found in places)
    others = sorted({found for _, _, found in places} - {version})
    keep = f"Write `version: {others[0]}` at the database to keep it as it is. " if others else ""
    upgrade = (
        f"To upgrade, move the data to {version} by hand (pg_upgrade), then rename the old directories"
        if others
        else f"To move it, stop the cluster and rename it to {data}"
    )
    what = f"a new, empty database in {data} would hide it" if choice.maker() else f"so does {data}"
    yield f"data of this database is in {there}, and {what}. {keep}{upgrade}, and apply again"


def _sure(choice, host: str) -> bool:
    """Whether the data of a host is known to be this database's: it was recorded, or the cluster runs it."""
    found = choice.seen[host]
    held = _record(choice, host).get("held", {})
    known = held.get("identifier") == found["identifier"] and held.get("version") == found["version"]
    return bool(known) or found["started_by"] == "cluster"


def _begun(choice) -> Iterator[str]:
    """What an interrupted run began is completed from the same source, or not at all."""
    for host in choice.seen:
        begun = _record(choice, host).get("begun", {})
        if not begun or host in choice.wiped:
            continue
        source, expected = begun["from"], begun["identifier"]
        again = (
            f"Complete it with --wipe {choice.name}@{host}, which destroys what is there for a copy of what others hold now;"
            f" or look at the data and give it up: remove {choice.database['record']} on {host}"
        )
        copying = f"a copy of database {expected} from {source} to {host} was begun"
        now = " and ".join(choice.identifiers())
        if begun["destroys"] and choice.seen[host]["data"] != "absent":
            yield f"an apply that was told to destroy the data on {host} ended before it did. {again}"
        elif begun["what"] == "make":
            continue
        elif choice.maker() and source not in choice.members:
            yield f"a copy of the data on {source} to {host} was begun, and {source} is no member any more. {again}"
        elif choice.maker() and expected:
            yield f"{copying}, and no node holds that now. {again}"
        elif expected and now and expected not in choice.identifiers():
            yield f"{copying}; now database {now} would be copied. {again}"


def _lost(choice) -> Iterator[str]:
    """No new, empty database in place of one that some member held: its filesystem may only not be mounted."""
    lost = {
        host: held
        for host in choice.seen
        if (held := _record(choice, host).get("held"))
        and host not in choice.wiped
        and not _goes_on(choice, host)
    }
    if not choice.maker() or not lost:
        return
    held = "; ".join(
        f"{host} held it in {each['data']} ({each['identifier']})" for host, each in lost.items()
    )
    names = " ".join(f"--wipe {choice.name}@{host}" for host in lost)
    yield (
        f"no node holds data of this database now, and it was there before: {held}. Mount its filesystem, or restore a backup"
        f" on one node. For a new, empty database: {names}"
    )


def _another(choice) -> Iterator[str]:
    """A member whose own data is not there must not get another database's without a word."""
    now = choice.identifier()
    for host in choice.needy() if now else ():
        held = _record(choice, host).get("held", {})
        if held and held["identifier"] != now and host not in choice.wiped and not _goes_on(choice, host):
            yield (
                f"{host} held database {held['identifier']} in {held['data']}, and would get a copy of database {now} from"
                f" {' or '.join(choice.holders())}. Mount its filesystem if that is missing, or name it:"
                f" --wipe {choice.name}@{host}"
            )


def _goes_on(choice, host: str) -> bool:
    """Whether a run that was told so has begun it."""
    return bool(_record(choice, host).get("begun"))
