"""Labs from topologies: the topology stays unchanged, the lab is laid out as it says."""

from __future__ import annotations

import os
from pathlib import Path

from hadeploy.app.validate import load_valid
from hadeploy.design.design import Design
from hadeploy.design.patterns import expand
from hadeploy.design.secrets import Secret, Value
from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.lab.plan import LabBmc, LabNetwork, LabNode, LabPlan

LAB_FENCE_AGENTS = ("fence_ipmilan",)
"""Agents whose device the lab has: a BMC emulator. Others need hardware that no lab can have."""


def plan_lab(path: Path) -> tuple[LabPlan | None, Diagnostics]:
    """Read a topology and lay out its lab."""
    loaded, findings = load_valid(path)
    if loaded is None:
        return None, findings
    design = expand(loaded.topology)
    bmcs, found = _bmcs(design, path.parent)
    findings += found
    if findings.has_errors:
        return None, findings
    plan = LabPlan(
        name=design.name,
        networks=tuple(LabNetwork(s.name, s.subnets, s.interface) for s in design.segments),
        nodes=tuple(
            LabNode(
                name=member.name,
                release=design.release.name,
                addresses=member.addresses,
                management_address=member.management_address,
            )
            for member in design.members
        ),
        bmcs=bmcs,
    )
    return plan, findings


def _bmcs(design: Design, folder: Path) -> tuple[tuple[LabBmc, ...], Diagnostics]:
    if design.cluster is None:
        return (), Diagnostics()
    bmcs = []
    findings = []
    for device in design.cluster.fencing.devices:
        parameters = dict(device.parameters)
        if device.agent not in LAB_FENCE_AGENTS or len(device.targets) != 1 or "ip" not in parameters:
            findings.append(
                Diagnostic(
                    "LAB001",
                    f"the lab has no emulator for fencing device {device.name} ({device.agent})",
                    detail="a lab fences for real, so a device that it cannot emulate would fail every fencing",
                    mend="use fence_ipmilan with an ip and one target in a topology that a lab should run",
                )
            )
            continue
        values = {
            key: _resolve(parameters[key], folder)
            for key in ("ip", "username", "password")
            if key in parameters
        }
        missing = [key for key in ("username", "password") if values.get(key) is None]
        if missing:
            findings.append(
                Diagnostic(
                    "LAB002",
                    f"fencing device {device.name} has no value for {' and '.join(missing)}",
                    detail="the lab's BMC emulator asks for the same credentials as the real one",
                    mend=_how_to_give(parameters, missing),
                )
            )
            continue
        bmcs.append(
            LabBmc(
                address=values["ip"] or "",
                node=device.targets[0],
                username=values["username"] or "",
                password=values["password"] or "",
                port=int(str(parameters.get("ipport", 623))),
            )
        )
    return tuple(bmcs), Diagnostics.of(findings)


def _resolve(value: Value, folder: Path) -> str | None:
    """The value of a reference as far as the lab can read it; vault variables are for an apply alone."""
    if isinstance(value, str):
        return value
    if value.source == "env":
        return os.environ.get(value.reference)
    if value.source == "file":
        file = folder / value.reference
        return file.read_text(encoding="utf-8").splitlines()[0] if file.is_file() else None
    return None


def _how_to_give(parameters: dict[str, Value], missing: list[str]) -> str:
    ways = []
    for key in missing:
        value = parameters.get(key)
        if not isinstance(value, Secret):
            ways.append(f"write the parameter {key}")
        elif value.source == "env":
            ways.append(f"export {value.reference}=...")
        elif value.source == "file":
            ways.append(f"write it to {value.reference}")
        else:
            ways.append(f"the lab cannot read vault variables: refer to {key} by env or file")
    return "; ".join(ways)
