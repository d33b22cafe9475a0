"""A cluster that an earlier version set up takes this one by one apply, while a client is served and another writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from hadeploy.app.drill import probes_of
from hadeploy.app.status import StatusReader
from hadeploy.app.validate import load_judged
from hadeploy.design.design import Design
from hadeploy.drill.drill import placement, read_power_events, wait_until_well
from hadeploy.drill.lab_world import LabWorld, record_writers
from hadeploy.drill.ownership import OwnerSample, read_ownership
from hadeploy.drill.records import judge_records
from hadeploy.lab import lab
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.observer import Observer
from hadeploy.lab.state import LabState, load_state
from hadeploy.plan.status import watched_units
from hadeploy.spec.load import LoadedTopology

PROJECT = Path(__file__).resolve().parents[2]
FORMER = "5e4f116801cfb9b98fd63b44f2b6fe23b548bd58"
"""The version that clusters were set up with."""

ENVIRONMENT = {
    **os.environ,
    "HADEPLOY_IPMI_PASSWORD": "a lab's own",
    "HADEPLOY_VAULT_PASSWORD": "a lab's own too",
    "NO_COLOR": "1",
}
CALM_SECONDS = 1.0
"""A stretch before and after the apply in which the clients are served: what they notice is the apply's doing."""

SILENCE_SECONDS = 3.0
"""Between two commits. Nothing stops for that long but a busy machine; a promotion takes longer, and no process is new."""

REQUEST_SECONDS = 3.0
"""A request is late on a busy machine, and refused at once where nobody listens: only the latter is a failure."""

IDENTITY = """
cat /proc/sys/kernel/random/boot_id
for unit in "$@"; do systemctl show --property=Id,InvocationID,ExecMainPID "$unit" | sort | tr '\\n' ' '; echo; done
for file in /var/lib/postgresql/*/*/postmaster.pid; do test ! -e "$file" || echo "$file $(head -n 1 "$file")"; done
"""
"""Which boot of a node, which start of each of its units, and which process each database is."""

RELOADED = ("haproxy.service",)
"""A reload gives it another main process, and keeps what it has accepted."""


@pytest.fixture(scope="session")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the former version is installed, from a wheel of its commit."""
    top = tmp_path_factory.mktemp("former")
    source, archive = top / "source", top / "source.tar"
    done = subprocess.run(
        ["git", "-C", str(PROJECT), "archive", "--output", str(archive), FORMER],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"the commit {FORMER} is not in this clone (git fetch --unshallow): {done.stderr}")
    with tarfile.open(archive) as opened:
        opened.extractall(source, filter="data")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    build = (*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(top), str(source))
    subprocess.run(build, cwd=top, check=True)
    (wheel,) = top.glob("hadeploy-*.whl")
    install = (*pip, "install", "--no-deps", "--no-index", "--target", str(top / "site"), str(wheel))
    subprocess.run(install, cwd=top, check=True)
    return top


class Cluster:
    """A lab, applied by either version in the same way."""

    def __init__(self, folder: Path, former: Path, pattern: str, *, machines: bool) -> None:
        self.folder = folder
        self.topology = folder / "topology.yaml"
        self._former = former
        self._machines = machines
        document = yaml.safe_load((former / "source/inventories" / pattern / "topology.yaml").read_text())
        self.name = f"upgrade-{pattern}"
        self.topology.write_text(yaml.safe_dump(document | {"name": self.name}, sort_keys=False))

    def up(self) -> None:
        more = ["--backend", "vm"] if self._machines else ["--installed"]
        self._hadeploy("lab", "up", str(self.topology), *more)

    def apply(self, *, former: bool = False) -> dict[str, Any]:
        """What came of it, with the exit code."""
        # An emulated machine has a project at its own pace; others are reached as any hosts are.
        reached = ["--lab"] if self._machines else ["--inventory", str(load_state(self.name).overlay)]
        out = "build-former" if former else "build"
        path = {"PYTHONPATH": str(self._former / "site")} if former else {}
        done = self._hadeploy(
            "apply", str(self.topology), *reached, "--yes", "--json", "--out", out, check=False, **path
        )
        return {**json.loads(done.stdout), "code": done.returncode}

    def reader(self, design: Design) -> StatusReader:
        """Reads the status of hosts that are reached as :meth:`apply` reaches them."""
        if self._machines:
            return StatusReader.for_lab(self.topology)
        return StatusReader.for_hosts(design, load_state(self.name).overlay)

    def version(self, **path: str) -> Path:
        """The file of the package that ``python -m hadeploy`` runs."""
        done = self._python("-c", "import hadeploy; print(hadeploy.__file__)", **path)
        return Path(done.stdout.strip())

    def _hadeploy(self, *words: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        return self._python("-m", "hadeploy", *words, check=check, **more)

    def _python(self, *words: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env={**ENVIRONMENT, **more},
            stdout=subprocess.PIPE,
            text=True,
            check=check,
        )


@pytest.fixture
def cluster(former: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The lab of a pattern, set up by the former version."""
    pattern, machines = request.param
    made = Cluster(tmp_path, former, pattern, machines=machines)
    try:
        made.up()
        site = str(former / "site")
        assert made.version(PYTHONPATH=site).is_relative_to(site)
        assert not made.version().is_relative_to(site)
        done = made.apply(former=True)
        assert done["code"] == 0, done
        yield made
    finally:
        lab.down(made.name)


def identities(state: LabState, design: Design) -> dict[str, list[str]]:
    """Of each node: its boot, and the processes that serve."""
    found = {}
    for member in design.members:
        units = watched_units(design, member.name)
        lines = exec_in_node(state, member.name, "sh", "-c", IDENTITY, "sh", *units).splitlines()
        found[member.name] = [_without_reload(line) for line in lines]
    return found


def _without_reload(line: str) -> str:
    words = line.split()
    return " ".join(
        word
        for word in words
        if not word.startswith("ExecMainPID=") or not any(f"Id={unit}" in words for unit in RELOADED)
    )


def upgraded(made: Cluster, loaded: LoadedTopology, design: Design) -> None:
    """One apply of this version, watched."""
    state = load_state(made.name)
    reader = made.reader(design)
    seconds = LabWorld(state, design).recovery_seconds
    before = placement(wait_until_well(reader.read, seconds))
    running = identities(state, design)
    asked, _ = probes_of(loaded, design)
    probes = [
        type(each)(each.name, each.address, each.port, each.protocol, each.path, REQUEST_SECONDS)
        for each in asked
    ]
    addresses = {each.address: each.segment for each in design.virtual_addresses if ":" not in each.address}
    writers = record_writers(state, design)
    with ExitStack() as stack:
        for writer in writers.values():
            stack.enter_context(writer)
        watch = stack.enter_context(Observer(state, addresses, probes))
        began = time.monotonic()
        time.sleep(CALM_SECONDS)
        done = made.apply()
        after = placement(wait_until_well(made.reader(design).read, seconds))
        time.sleep(CALM_SECONDS)

    assert done["code"] == 0, done
    assert after == before
    assert identities(state, design) == running
    assert read_power_events(state, began) == []
    samples = [OwnerSample(each.at, each.address, each.owners) for each in watch.owners]
    for address in addresses:
        seen = read_ownership(address, samples)
        assert (len(seen.sequence), seen.double) == (1, ()), seen
    for probe in probes:
        answers = [each.ok for each in watch.probes if each.name == probe.name]
        assert len(answers) > 50
        assert answers.count(False) == 0, f"{probe.name}: {answers.count(False)} of {len(answers)} failed"
    for name, writer in writers.items():
        kept = judge_records(name, writer.acknowledged, writer.found(after[f"address {name}"]))
        assert kept.lost == ()
        assert kept.silence <= SILENCE_SECONDS, kept


def judged(topology: Path) -> tuple[LoadedTopology, Design]:
    found, findings = load_judged(topology)
    assert found is not None, [each.summary for each in findings]
    return found


def upgrade(made: Cluster) -> None:
    """The first apply disturbs nobody, and leaves nothing to a second one."""
    upgraded(made, *judged(made.topology))
    again = made.apply()
    assert (again["code"], again["changed"]) == (0, False), again


def container(pattern: str, *marks: pytest.MarkDecorator) -> Any:
    lab_mark = pytest.mark.lab(f"upgrade-{pattern}")
    return pytest.param((pattern, False), marks=[lab_mark, *marks], id=pattern)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "cluster",
    [
        container("postgresql-streaming"),
        container("active-active"),
        container("active-passive", pytest.mark.extended),
        container("n-plus-1", pytest.mark.extended),
        container("quorum-device", pytest.mark.extended),
    ],
    indirect=True,
)
def test_one_apply_brings_a_former_cluster_to_this_version_without_an_outage(cluster: Cluster) -> None:
    upgrade(cluster)


@pytest.mark.machines
@pytest.mark.timeout(5400)
@pytest.mark.parametrize(
    "cluster",
    [("active-passive-drbd", True), ("postgresql-drbd", True)],
    indirect=True,
    ids=lambda each: each[0],
)
def test_the_same_on_machines_whose_volumes_are_replicated(cluster: Cluster) -> None:
    upgrade(cluster)
