"""A drill on real hosts: by SSH, and by the fence devices that the cluster itself would use."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from hadeploy.design.design import Design
from hadeploy.design.fencing import levels_of
from hadeploy.design.recovery import Breakage, Mishap
from hadeploy.drill.drill import Watch
from hadeploy.drill.errors import DrillError
from hadeploy.drill.lab_world import MOVE_SECONDS, move_group, unit_of
from hadeploy.drill.records import RecordWriter
from hadeploy.drill.verdict import PowerEvent
from hadeploy.drill.world import RECOVERY_SECONDS
from hadeploy.lab.observer import Observer, Probe
from hadeploy.run import drill_hand
from hadeploy.run.ask import Reach, ask_hosts

LINK_SECONDS = 120
"""A cut link mends itself after so long, whatever becomes of the drill."""

CRASHES = (Breakage.SERVICE_CRASH, Breakage.DAEMON_CRASH, Breakage.BACKEND_DEATH)


class HostsWorld:
    """The hosts of a design, within what its topology allows."""

    name = "hosts"
    sees_fencing = False
    recovery_seconds = RECOVERY_SECONDS

    def __init__(self, design: Design, reaches: Sequence[Reach], allowed: Collection[str]) -> None:
        self._design = design
        self._reaches = {reach.host: reach for reach in reaches}
        self._allowed = frozenset(allowed)

    def why_not(self, mishap: Mishap) -> str:
        """What cannot be undone from afar is not begun."""
        match mishap.breakage:
            case Breakage.HUNG_NODE:
                return "a hung host cannot be brought about and undone over SSH"
            case Breakage.ISOLATION:
                return "an isolated host cannot be reached to undo it"
        if mishap.breakage not in self._allowed:
            return f"drill.breakages does not allow {mishap.breakage}"
        if mishap.breakage is Breakage.LINK_CUT and mishap.subject == self._design.management_segment:
            return "SSH comes over this network"
        if mishap.breakage is Breakage.POWER_CUT and not self._switches(mishap.member):
            return f"no power switch of {mishap.member} is known"
        return ""

    def strike(self, mishap: Mishap) -> None:
        """Bring it about."""
        match mishap.breakage:
            case Breakage.POWER_CUT:
                self._power("off", mishap.member)
            case Breakage.LINK_CUT:
                interface = self._design.member(mishap.member).interface(mishap.subject)
                self._do(mishap.member, "cut", interface, str(LINK_SECONDS))
            case _:
                self._do(mishap.member, "kill", unit_of(self._design, mishap))

    def restore(self, mishap: Mishap) -> None:
        """Undo it; crashes are mended by systemd or by the cluster."""
        match mishap.breakage:
            case Breakage.POWER_CUT:
                self._power("on", mishap.member)
            case Breakage.LINK_CUT:
                self._do(mishap.member, "mend")

    def rescue(self) -> None:
        """Links are mended everywhere, and power is on; what else is wrong is for a person."""
        for member in self._reaches:
            if Breakage.LINK_CUT in self._allowed:
                with suppress(DrillError):
                    self._do(member, "mend")
            if Breakage.POWER_CUT in self._allowed and self._switches(member):
                with suppress(DrillError):
                    self._power("on", member)

    def watch(self, addresses: dict[str, str], probes: Sequence[Probe]) -> Watch:  # noqa: ARG002 (a World's)
        """Ask as a client only: who answers ARP is seen on the hosts' own network alone."""
        return Observer(None, {}, probes)

    def writers(self) -> Mapping[str, RecordWriter]:
        """Real volumes hold what is somebody's: a drill adds nothing to it."""
        return {}

    def power_events(self, since: float) -> list[PowerEvent]:  # noqa: ARG002 (a World's)
        """Real switches keep no journal that could be read."""
        return []

    def bring_home(self, group: str, member: str) -> None:
        """Move a group and leave no constraint behind."""
        move_group(lambda *argv: self._ask(member, argv, ""), group, member, MOVE_SECONDS)

    def _switches(self, member: str) -> tuple[str, ...]:
        cluster = self._design.cluster
        levels = levels_of(cluster.fencing, member) if cluster is not None and cluster.fencing.enabled else ()
        return tuple(levels[0]) if levels else ()

    def _power(self, action: str, member: str) -> None:
        """By any other member that answers."""
        errors = []
        for peer in self._reaches:
            if peer == member:
                continue
            try:
                self._do(peer, "power", action, member, *self._switches(member))
            except DrillError as error:
                errors.append(f"{peer}: {error.message}")
            else:
                return
        raise DrillError(
            "DRILL010",
            f"the power of {member} cannot be switched {action}: {'; '.join(errors)}",
            f"switch {member} on by hand" if action == "on" else "",
        )

    def _do(self, member: str, *argv: str) -> None:
        script = Path(drill_hand.__file__).read_text(encoding="utf-8")
        self._ask(member, ("python3", "-", *argv), script)

    def _ask(self, member: str, argv: tuple[str, ...], given: str) -> None:
        answer = ask_hosts({member: (self._reaches[member], argv)}, given)[member]
        if answer.error:
            raise DrillError("DRILL011", f"{member}: {answer.error}")
