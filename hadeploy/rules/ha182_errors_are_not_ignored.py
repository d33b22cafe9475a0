"""HA182: a damaged filesystem is not written on."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.mounts import FILESYSTEM_AGENT, options_of
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import OcfMember
from hadeploy.spec.source import KeyPath

IGNORED = "errors=continue"


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None:
        return
    written: list[tuple[str, str, KeyPath]] = [
        (name, volume.mount_options, ("volumes", name, "mount_options"))
        for name, volume in topology.volumes.items()
    ]
    for group, service in topology.services.items():
        for index, member in enumerate(service.members):
            if isinstance(member, OcfMember) and member.agent == FILESYSTEM_AGENT:
                place: KeyPath = ("services", group, "members", index, "parameters", "options")
                written.append((member.name, str(member.parameters.get("options", "")), place))
    for name, options, place in written:
        if IGNORED in options_of(options):
            yield Found(f"{name} is written on after an error ({IGNORED})", place)


RULE = Rule(
    code="HA182",
    family=Family.WORKLOADS,
    severity=Severity.ERROR,
    title="A damaged filesystem is written on",
    reason="what is acknowledged after that goes into a damaged filesystem, on every copy of it, and no monitor sees anything: "
    "nothing fails over",
    mend="leave errors out (remount-ro then), or errors=panic",
    source="ext4(5), errors; ocf_heartbeat_Filesystem(7), OCF_CHECK_LEVEL 20",
    check=_check,
)
