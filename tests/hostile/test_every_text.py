"""A topology is data: whatever text stands anywhere in it, it is refused where it stands, or it is one value of each file."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, core, given, settings
from hypothesis import strategies as st

from hadeploy.app.check import check_design, own_judges
from hadeploy.app.validate import load_judged, load_valid
from hadeploy.daemons.registry import cluster_information_base, shares
from hadeploy.design.patterns import expand
from hadeploy.project.build import project_files
from hadeploy.project.dump import Expression, load_variables
from hadeploy.project.inventory import play_variables
from hadeploy.proof.parsers import State, in_state
from hadeploy.run.accepted import AcceptedAnswers
from hadeploy.spec.load import LoadedTopology
from tests.hostile.bases import bases
from tests.hostile.fields import KEY, fields, with_value
from tests.hostile.shapes import shape
from tests.hostile.values import HOSTILE, LEGAL
from tests.project.test_data_is_no_template import templated

BENIGN = (
    "benign",
    "/srv/benign",
    "/dev/benign",
    "benign.example.com",
    "192.0.2.78",
    "192.0.2.128/25",
    "9101",
    "1",
    "30s",
    "256MiB",
    "1MiB/s",
    "HA998",
    "another reason of ten characters",
    "ocf:heartbeat:Delay",
    "fence_benign",
)
"""What a field is compared with: the first that it takes."""

TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.sampled_from(LEGAL),
    st.text(max_size=12),
    st.text(st.sampled_from("/aä 'ü\"\\${}%#;:=,\n-._@"), min_size=1, max_size=12),
    st.text(st.sampled_from("aä 'ü\"\\${}%#;:=,-._@"), max_size=12).map(lambda text: f"/{text}"),
)
COMMON = settings(
    deadline=None,
    database=None,
    derandomize=core.global_force_seed is None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),  # texts are short: what fails can be read as it is
)
"""The same draw each time; another one with --hypothesis-seed."""


def as_file(data: Any, file: Path) -> int:
    """Write a topology, each value on a line of its own; JSON is YAML that says what it means."""
    file.write_text(json.dumps(data, indent=1, ensure_ascii=True), encoding="utf-8")
    return file.stat().st_size


@cache
def sites(path: tuple[str, ...]) -> tuple[str, ...]:
    """The topologies in which a field can be written, those first in which a benign value is taken."""
    return tuple(name for name, data in bases().items() if with_value(data, path, "x") is not None)


def has_text(base: Any, path: tuple[str, ...]) -> bool:
    """Whether a topology has a text where a field is."""
    found = with_value(base, path, "x")
    if found is None or path[-1] == KEY:
        return found is not None
    holder = base
    for step in found[1][:-1]:
        holder = holder[step]
    last = found[1][-1]
    if isinstance(holder, list):
        return len(holder) > 0 and isinstance(holder[0], str)
    return isinstance(holder.get(last), str)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


class Judge:
    """Judges topologies in one folder, and remembers the shapes of benign ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "topology.yaml"
        self.canary = folder / "canary"
        self.answers = AcceptedAnswers(folder / "answers")
        self.known: dict[tuple[str, ...], tuple[str, dict[str, Any]] | None] = {}

    def taken(self, data: Any) -> LoadedTopology | None:
        as_file(data, self.file)
        return load_valid(self.file)[0]

    def files(self, loaded: LoadedTopology) -> dict[str, bytes]:
        design = expand(loaded.topology)
        parts, cib = shares(design), cluster_information_base(design)
        files = project_files(design, parts, cib)
        self.is_data(files, play_variables(design, parts, cib))
        return files

    def is_data(self, files: dict[str, bytes], wanted: dict[str, Any]) -> None:
        """Ansible sees the variables as they were compiled."""
        evaluated = {name for name, value in wanted.items() if isinstance(value, Expression)}
        ours = {name: value for name, value in wanted.items() if name not in evaluated}
        text = files["vars/hadeploy.yml"].decode()
        assert templated(text, self.folder / "v.yml", evaluated) == ours
        inventory = files["inventory.yml"].decode()
        assert templated(inventory, self.folder / "i.yml") == load_variables(inventory)

    def benign(self, path: tuple[str, ...]) -> tuple[str, dict[str, Any]] | None:
        """A topology that takes a benign value at a field, and the shape of what is compiled from it."""
        if path not in self.known:
            self.known[path] = self._benign(path)
        return self.known[path]

    def _benign(self, path: tuple[str, ...]) -> tuple[str, dict[str, Any]] | None:
        """The text that a topology has there anyhow; where none has one, the first that any takes."""
        for name in sites(path):
            if has_text(bases()[name], path):
                return name, self.shape_of(name)
        for name in sites(path)[:2]:
            for value in BENIGN:
                found = with_value(bases()[name], path, value)
                loaded = self.taken(found[0]) if found is not None else None
                if loaded is not None:
                    return name, shape(self.files(loaded))
        return None

    def shape_of(self, name: str) -> dict[str, Any]:
        """Of a topology that is not changed."""
        if (name,) not in self.known:
            loaded = self.taken(bases()[name])
            assert loaded is not None
            self.known[name,] = name, shape(self.files(loaded))
        found = self.known[name,]
        assert found is not None
        return found[1]

    def judge(self, path: tuple[str, ...], text: str) -> None:
        """Raises nothing where the text is refused where it stands, or is one value of each file."""
        benign = self.benign(path)
        name = benign[0] if benign is not None else sites(path)[0]
        text = text.replace("CANARY", str(self.canary))
        found = with_value(bases()[name], path, text)
        assert found is not None
        data, _ = found
        as_file(data, self.file)
        loaded, findings = load_valid(self.file)
        for finding in findings:
            assert "Traceback" not in f"{finding.summary}{finding.detail}{finding.mend}"
            assert "\n" not in finding.summary, finding
        if loaded is None:
            errors = [each for each in findings if each.severity.value == "error"]
            assert errors
            assert all(each.span is not None and each.span.file == str(self.file) for each in errors), errors
            return
        load_judged(self.file)
        if benign is not None:
            assert shape(self.files(loaded)) == benign[1]
        else:
            self.files(loaded)
        assert not self.canary.exists()

    def parse(self, path: tuple[str, ...], text: str) -> None:
        """Raises nothing where the text is refused, or every daemon's own parser takes each file and Pacemaker's the CIB."""
        benign = self.benign(path)
        name = benign[0] if benign is not None else sites(path)[0]
        found = with_value(bases()[name], path, text.replace("CANARY", str(self.canary)))
        assert found is not None
        as_file(found[0], self.file)
        judged, _ = load_judged(self.file)
        if judged is None:
            return
        design = judged[1]
        verdicts = check_design(design, own_judges(design.release.name), self.answers).verdicts
        assert in_state(verdicts, State.REFUSED) == ()
        assert not self.canary.exists()


@pytest.fixture(scope="module")
def judge(folder: Path) -> Judge:
    return Judge(folder)


def test_every_field_has_a_place():
    assert [path for path in fields() if not sites(path)] == [], "write it into tests/hostile/bases.py"


def test_each_topology_that_is_changed_is_valid(judge: Judge):
    for name, data in bases().items():
        as_file(data, judge.file)
        loaded, findings = load_valid(judge.file)
        assert loaded is not None, (name, [each.summary for each in findings])


@settings(COMMON, max_examples=120)
@given(path=st.sampled_from(fields()), text=TEXTS)
def test_a_text_is_refused_or_one_value(judge: Judge, path: tuple[str, ...], text: str):
    judge.judge(path, text)


@pytest.mark.programs
@settings(COMMON, max_examples=3000)
@given(path=st.sampled_from(fields()), text=TEXTS)
def test_many_texts_are_refused_or_one_value(judge: Judge, path: tuple[str, ...], text: str):
    judge.judge(path, text)


def judged_fields() -> list[tuple[str, ...]]:
    """All but a database's settings: only the server knows which there are, and what each of them takes."""
    return [path for path in fields() if path[:3] != ("databases", "{}", "settings")]


@pytest.mark.native
@pytest.mark.programs
@settings(COMMON, max_examples=2500)
@given(path=st.sampled_from(judged_fields()), text=st.one_of(st.sampled_from(LEGAL), TEXTS))
def test_what_is_taken_is_taken_by_every_parser(judge: Judge, path: tuple[str, ...], text: str):
    judge.parse(path, text)
