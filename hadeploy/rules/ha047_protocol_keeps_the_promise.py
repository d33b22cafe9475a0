"""HA047: the replication protocol keeps the promise of objectives.rpo."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.volumes import ReplicatedVolume
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    promised = case.loaded.topology.objectives.rpo
    for volume in case.design.volumes:
        if volume.protocol == "C":
            continue
        place = ("volumes", volume.name, "protocol")
        window, dying = volume.loss_window_ms, volume.crash_loss_ms
        if not promised:
            yield Found(
                f"volume {volume.name} acknowledges writes that only one disk has (protocol {volume.protocol}),"
                f" and objectives.rpo {'is 0 s' if promised == 0 else 'is not written'}",
                place,
                "protocol: C" + ("" if promised == 0 else "; or write under objectives.rpo what may be lost"),
            )
        elif dying is None:
            yield Found(
                f"nothing tells how much volume {volume.name} may lose: protocol A acknowledges what is in the send buffer,"
                f" and how fast network {volume.segment} empties it is not written;"
                f" objectives.rpo is {promised / 1000:g} s",
                place,
                f"protocol: C; or networks: {{{volume.segment}: {{bandwidth: ...}}}}, what the link carries at the least",
            )
        elif window is not None and window > promised:
            yield Found(
                f"volume {volume.name} may lose {window / 1000:g} s of acknowledged writes: {_sum(volume)};"
                f" objectives.rpo is {promised / 1000:g} s",
                place,
                f"protocol: C; or lower {_what_to_lower(volume, promised)}",
            )


def _sum(volume: ReplicatedVolume) -> str:
    buffered = (
        f"what its send buffer of {volume.send_buffer // 1024} KiB holds at {volume.bandwidth / 1024:g} KiB/s, and "
        if volume.protocol == "A"
        else ""
    )
    if volume.fencing.alone_ms:
        return f"{buffered}{volume.fencing.alone_ms / 1000:g} s until a primary that nobody hears is shot, at the longest"
    return f"{buffered}{volume.timing.detection_ms / 1000:g} s in which a dead link goes unnoticed"


def _what_to_lower(volume: ReplicatedVolume, promised: int) -> str:
    """Fencing's share is seconds at the least, whatever the volume says."""
    if volume.fencing.alone_ms and volume.fencing.alone_ms > promised:
        return "timeout of the fencing devices, or write a longer objectives.rpo"
    return f"send_buffer or timing of {volume.name}"


RULE = Rule(
    code="HA047",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="Protocol C where nothing may be lost; A and B only where objectives.rpo says how much may be",
    reason="A acknowledges what is in the send buffer, B what is in the peer's memory: a failure at that "
    "moment takes acknowledged writes with it. DRBD's timeouts do not bound it: a peer that answers late, all the while, is"
    " never given up. Where it does not wait for fencing, a primary that is cut off acknowledges until it is shot",
    mend="protocol: C",
    source="drbd.conf(5), protocol, sndbuf-size and on-congestion: a send buffer that is full blocks the writer, so nothing"
    " older than what it holds is outstanding",
    check=_check,
)
