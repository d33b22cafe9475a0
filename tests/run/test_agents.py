"""Agents of this machine are asked to describe themselves."""

from __future__ import annotations

import pytest

from hadeploy.run import agents
from hadeploy.run.agents import ask_agent


@pytest.fixture
def install(tmp_path):
    """Install an agent into a file system of its own."""

    def write(path: str, script: str) -> None:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)

    return write


def test_nothing_is_installed(tmp_path):
    assert ask_agent("fence_example", root=tmp_path) is None
    assert ask_agent("ocf:example:ledger", root=tmp_path) is None
    (tmp_path / "usr/lib/ocf/resource.d/example").mkdir(parents=True)
    assert ask_agent("ocf:example:..", root=tmp_path) is None


def test_a_resource_agent(tmp_path, install):
    install(
        "usr/lib/ocf/resource.d/example/ledger",
        'echo "$1 $OCF_ROOT $OCF_RESOURCE_PROVIDER:$OCF_RESOURCE_TYPE"',
    )
    assert (
        ask_agent("ocf:example:ledger", root=tmp_path) == f"meta-data {tmp_path}/usr/lib/ocf example:ledger\n"
    )


def test_a_fence_agent(tmp_path, install):
    install("usr/sbin/fence_example", 'echo "$@"; echo noise >&2')
    assert ask_agent("fence_example", root=tmp_path) == "-o metadata\n"


def test_an_agent_that_hangs_is_not_waited_for(tmp_path, install, monkeypatch):
    monkeypatch.setattr(agents, "SECONDS", 0.2)
    install("usr/sbin/fence_example", "read line < /dev/zero")
    assert ask_agent("fence_example", root=tmp_path) == ""
