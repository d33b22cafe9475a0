"""What the fault scenarios share: the lab that `create` brought up, and how to ask it how it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hadeploy.app.status import StatusReader
from hadeploy.design.design import Design
from hadeploy.drill.drill import run_fault, wait_until_well
from hadeploy.drill.fault import Fault
from hadeploy.drill.verdict import Verdict
from hadeploy.lab.observer import Probe
from hadeploy.lab.state import LabState, load_state
from hadeploy.plan.status import Status

PROJECT = Path(__file__).resolve().parent.parent

PATIENCE_SECONDS = float(os.environ.get("HADEPLOY_PATIENCE", "120"))
"""How long a cluster may take to be well again; short where it is known not to come."""


@pytest.fixture(scope="session")
def reader(request: pytest.FixtureRequest) -> StatusReader:
    scenario = Path(request.config.args[0]).resolve().parent.name
    return StatusReader.for_lab(PROJECT / "inventories" / scenario / "topology.yaml")


@pytest.fixture(scope="session")
def design(reader: StatusReader) -> Design:
    return reader.design


@pytest.fixture(scope="session")
def lab(design: Design) -> LabState:
    return load_state(design.name)


@pytest.fixture(scope="session")
def read_status(reader: StatusReader) -> Callable[[], Status]:
    return reader.read


@pytest.fixture
def holder(read_status: Callable[[], Status]) -> Callable[[str], str]:
    """Who holds a virtual address, once all is well."""

    def of(name: str) -> str:
        status = wait_until_well(read_status, PATIENCE_SECONDS)
        (only,) = next(address for address in status.addresses if address.name == name).holders
        return only

    return of


@pytest.fixture
def strike(lab: LabState, design: Design, read_status: Callable[[], Status]) -> Callable[..., Verdict]:
    def run(fault: Fault, victim: str, probes: list[Probe], **options: object) -> Verdict:
        verdict = run_fault(
            lab,
            design,
            fault,
            victim,
            probes=probes,
            read_status=read_status,
            recovery_seconds=PATIENCE_SECONDS,
            **options,
        )
        for outage in verdict.outages.values():
            print(
                f"{fault.name} at {victim}: {outage.name} out {outage.seconds:.2f} s, {outage.failed} failed"
            )
        assert verdict.double_owners == []
        assert [outage.name for outage in verdict.outages.values() if not outage.over] == []
        return verdict

    return run
