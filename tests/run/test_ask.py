"""How SSH reaches hosts."""

from __future__ import annotations

import pytest

from hadeploy.run.ask import ANSWER_SECONDS, CONNECT_SECONDS, read_reaches


def reach(tmp_path, **wish):
    lines = "".join(f"        {key}: {value}\n" for key, value in wish.items())
    overlay = tmp_path / "overlay.yml"
    overlay.write_text(f"all:\n  hosts:\n    n1:\n        ansible_user: me\n{lines}")
    (found,) = read_reaches({"n1": "192.0.2.1"}, overlay)
    return found


def test_an_inventory_changes_how_a_host_is_reached(tmp_path):
    found = reach(tmp_path, ansible_host="192.0.2.9", ansible_ssh_common_args="-o A=b")
    argv = found.ssh("echo", "it's")
    assert argv[-3:] == ["--", "echo", "'it'\"'\"'s'"]
    assert "me@192.0.2.9" in argv
    assert argv[argv.index("A=b") - 1 : argv.index("A=b") + 1] == ["-o", "A=b"]


def test_slow_hosts_get_as_much_more_time_for_their_answer(tmp_path):
    found = reach(tmp_path, ansible_ssh_timeout=6 * CONNECT_SECONDS)
    assert f"ConnectTimeout={6 * CONNECT_SECONDS}" in found.ssh("true")
    assert found.answer_seconds == 6 * ANSWER_SECONDS


@pytest.mark.parametrize("wish", ["1", "soon", "-3"])
def test_less_than_usual_or_no_number_is_as_usual(tmp_path, wish):
    found = reach(tmp_path, ansible_ssh_timeout=wish)
    assert f"ConnectTimeout={CONNECT_SECONDS}" in found.ssh("true")
    assert found.answer_seconds == ANSWER_SECONDS
