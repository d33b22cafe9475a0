"""Agents and what a topology asks of them: are they known, are their parameters right, are their operations long enough."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hadeploy.diagnostics import Diagnostic, Diagnostics, Severity
from hadeploy.spec.catalogue import Agent, agent_names, find_agent, releases
from hadeploy.spec.fencing import SBD_AGENT, Fencing, FencingDevice
from hadeploy.spec.handed_over import check_handed_over
from hadeploy.spec.load import LoadedTopology
from hadeploy.spec.parameters import check_parameters
from hadeploy.spec.scalars import Scalar
from hadeploy.spec.secret import SecretReference
from hadeploy.spec.service import OcfMember, Operations
from hadeploy.spec.source import KeyPath, SourceMap
from hadeploy.spec.topology import ActiveActive

DEFAULT_MS = 20_000
"""Pacemaker's own default for an operation without a timeout."""

SYSTEMD_MS = 100_000
"""Above systemd's DefaultTimeoutStartSec of 90 s, so that systemd gives its verdict before Pacemaker does."""

FENCE_MS = 60_000
"""Pacemaker's default for pcmk_monitor_timeout (pacemaker-fenced(7)); fence agents advise nothing themselves."""

CLOSE = 0.85
"""How alike two names must be for one to be a slip of the other (difflib's ratio)."""

AskAgent = Callable[[str], str | None]
"""Gives the metadata that an agent of this machine prints, or None where it is not installed."""


def advised_timeout(release: str, agent: str, action: str) -> int:
    """The timeout that an agent advises for an action, in milliseconds; never shorter than Pacemaker's default."""
    if agent.startswith("systemd:"):
        return SYSTEMD_MS
    if agent.startswith("fence_"):
        return FENCE_MS
    known = find_agent(release, agent)
    return max(DEFAULT_MS, known.timeout_ms(action) if known else 0)


@dataclass(frozen=True, slots=True)
class _Use:
    """One place where a topology names an agent.

    Attributes:
        owner: of what the finding tells ("fencing device x", "member y").
        agent: its name.
        path: of the mapping that names it.
        parameters: as written.
        operations: as written; None for fencing devices.
    """

    owner: str
    agent: str
    path: KeyPath
    parameters: dict[str, Scalar | SecretReference]
    operations: Operations | None


def check_agents(loaded: LoadedTopology, ask: AskAgent = lambda _: None) -> Diagnostics:
    """Every finding about every agent.

    Args:
        loaded: a typed topology.
        ask: asks an agent that no package of the release brings for its own metadata.
    """
    release, source = loaded.topology.release, loaded.source
    found: list[Diagnostic] = []
    for use in _uses(loaded):
        found += check_handed_over(use.owner, use.agent, use.parameters, source, use.path)
        agent = find_agent(release, use.agent)
        asked = False
        if agent is None:
            agent, problem = _ask(release, use, ask, source)
            asked = agent is not None
            if problem is not None:
                found.append(problem)
        if agent is None:
            continue
        found += check_parameters(
            agent, find_agent(release, "pacemaker-fenced"), use.owner, use.parameters, source, use.path
        )
        if use.operations is not None:
            found += _operations(agent, use, use.operations, source, must_be_written=asked)
    return Diagnostics.of(found)


def _uses(loaded: LoadedTopology) -> Iterator[_Use]:
    topology = loaded.topology
    if isinstance(topology, ActiveActive):
        return
    for name, device in topology.fencing.devices.items() if topology.fencing else ():
        written = _with_disks(device, topology.fencing)
        yield _Use(f"fencing device {name}", device.agent, ("fencing", "devices", name), written, None)
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            if isinstance(member, OcfMember):
                path = ("services", name, "members", index)
                yield _Use(member.name, member.agent, path, member.parameters, member.operations)


def _with_disks(device: FencingDevice, fencing: Fencing | None) -> dict[str, Scalar | SecretReference]:
    """SBD's disks stand at the watchdog, and follow from there."""
    watchdog = fencing.watchdog if fencing is not None else None
    if device.agent != SBD_AGENT or watchdog is None or not watchdog.disks:
        return device.parameters
    return {"devices": ",".join(watchdog.disks), **device.parameters}


def _ask(release: str, use: _Use, ask: AskAgent, source: SourceMap) -> tuple[Agent | None, Diagnostic | None]:
    """What the agent says of itself where it is installed; else what to make of its name."""
    place = source.span(*use.path, "agent")
    text = ask(use.agent)
    if text is None:
        return None, _unknown_agent(release, use, source)
    # Reading XML is for the few who have agents of their own.
    from hadeploy.spec.catalogue.metadata import parse_metadata

    try:
        return parse_metadata(use.agent, text), None
    except ValueError as error:
        return None, Diagnostic(
            "SPEC067",
            f"{use.owner}: parameters are not checked: {use.agent} does not describe itself",
            place,
            detail=str(error),
            severity=Severity.WARNING,
        )


def _unknown_agent(release: str, use: _Use, source: SourceMap) -> Diagnostic:
    place = source.span(*use.path, "agent")
    elsewhere = [other for other in releases() if other != release and find_agent(other, use.agent)]
    meant = None if elsewhere else _meant(use.agent, agent_names(release))
    if meant:
        return Diagnostic(
            "SPEC066",
            f"{use.owner}: there is no agent {use.agent}",
            place,
            detail=f"no package of {release} brings it, and it is not installed here",
            mend=f"did you mean {meant}? An agent of your own is known once it is installed on this machine",
        )
    return Diagnostic(
        "SPEC067",
        f"{use.owner}: parameters are not checked: {use.agent} is not known here",
        place,
        detail=f"no package of {release} brings it"
        + (f" (that of {' and '.join(elsewhere)} does)" if elsewhere else "")
        + ", and it is not installed on this machine to be asked",
        mend="install it here to have it checked, and see that every member gets it",
        severity=Severity.WARNING,
    )


def _meant(name: str, known: tuple[str, ...]) -> str | None:
    """The agent that a name is a slip of, or None: a provider of one's own may call its agents as it likes."""
    if name.startswith("fence_"):
        return _closest(name, [each for each in known if each.startswith("fence_")])
    provider, kind = name.split(":")[1:]
    kinds = {each: each.split(":")[2] for each in known if each.startswith("ocf:")}
    providers = sorted({each.split(":")[1] for each in kinds})
    if provider not in providers:
        slip = _closest(provider, providers)
        full = f"ocf:{slip}:{kind}"
        return full if slip and full in kinds else None
    same = [each for each, other in kinds.items() if other.lower() == kind.lower()]
    if same:
        return same[0]
    here = {each.split(":")[2]: each for each in kinds if each.split(":")[1] == provider}
    close = _closest(kind, list(here))
    return here[close] if close else None


def _closest(word: str, known: list[str]) -> str | None:
    close = difflib.get_close_matches(word, known, n=1, cutoff=CLOSE)
    # Other figures are no slip: fence_ilo9 may be a later generation than those that are known.
    return close[0] if close and _letters(close[0]) != _letters(word) else None


def _letters(word: str) -> str:
    return re.sub(r"\d", "", word)


def _operations(
    agent: Agent, use: _Use, wish: Operations, source: SourceMap, *, must_be_written: bool
) -> Iterator[Diagnostic]:
    """Timeouts that are shorter than the agent asks for.

    Args:
        agent: with its advice.
        use: where it is named.
        wish: what is written there.
        source: where that stands.
        must_be_written: the agent is known on this machine alone, so that what is left out comes to Pacemaker's default
            and not to the agent's advice: the result must not depend on the machine that compiles.
    """
    for action in ("start", "stop", "monitor"):
        written: int | None = getattr(wish, action)
        advised = agent.timeout_ms(action)
        given = DEFAULT_MS if written is None and must_be_written else written
        if given is not None and given < advised:
            yield Diagnostic(
                "SPEC060",
                f"{use.owner}: {action} may take {given / 1000:g} s, {agent.name} advises {advised / 1000:g} s",
                source.key_span(*use.path, "operations", action)
                if written is not None
                else source.span(*use.path, "agent"),
                detail="an operation that is cut short counts as failed; a failed stop is answered by fencing",
                mend=f"{action}: {advised / 1000:g}s" + (", or leave it out" if not must_be_written else ""),
            )
