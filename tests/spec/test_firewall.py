"""``firewall:`` is a switch or a mapping, typed narrowly; one mistake, one message."""

from __future__ import annotations

import json

import pytest
from pydantic import TypeAdapter

from hadeploy.spec.firewall import Firewall, SwitchedFirewall

READ = TypeAdapter(SwitchedFirewall)


def test_a_switch():
    assert READ.validate_python(True) == Firewall()
    assert READ.validate_python(False) is None


def test_what_is_added():
    found = READ.validate_python(
        {
            "allow": [
                {"port": 9100, "from": ["10.0.0.0/8", "2001:db8::1"], "why": "exporter"},
                {"port": "8000-8100", "protocol": "udp"},
            ],
            "close": [{"port": "111"}],
            "ssh_from": ["192.0.2.7"],
        }
    )
    assert [(each.port, each.protocol, each.from_) for each in found.allow] == [
        ("9100", "tcp", ("10.0.0.0/8", "2001:db8::1/128")),
        ("8000-8100", "udp", None),
    ]
    assert found.allow[1].numbers == range(8000, 8101)
    assert found.close[0].numbers == range(111, 112)
    assert found.ssh_from == ("192.0.2.7/32",)


@pytest.mark.parametrize(
    "wrong",
    [
        "yes",
        1,
        ["allow"],
        {"alow": []},
        {"allow": [{"port": 0}]},
        {"allow": [{"port": 65536}]},
        {"allow": [{"port": True}]},
        {"allow": [{"port": 80.5}]},
        {"allow": [{"port": "8100-8000"}]},
        {"allow": [{"port": "22; drop"}]},
        {"allow": [{"port": "2\u0662"}]},
        {"allow": [{"port": 80, "protocol": "sctp"}]},
        {"allow": [{"port": 80, "from": []}]},
        {"allow": [{"port": 80, "from": ["10.0.0.1/8"]}]},
        {"allow": [{"port": 80, "from": ["example.org"]}]},
        {"allow": [{"port": 80, "why": "a\nb"}]},
        {"close": [{"port": 80, "from": ["10.0.0.0/8"]}]},
        {"ssh_from": []},
        {"ssh_from": ["10.0.0.0/33"]},
    ],
)
def test_anything_else_is_one_mistake(wrong, example, findings):
    text = example("active-passive")
    assert findings(text) == []
    found = findings(f"{text}\nfirewall: {json.dumps(wrong)}\n")
    assert [code for code, _, _ in found] in (["SPEC012"], ["SPEC015"], ["SPEC016"], ["SPEC017"], ["SPEC122"])
    assert found[0][1] == len(text.splitlines()) + 2
