"""One change to a valid example, one finding, at its place."""

from __future__ import annotations

import pytest

CASES = [
    # (pattern, what is written, what stands there instead, code, text whose place is expected)
    ("active-passive", "release: debian-12", "release: debian-11", "SPEC015", "debian-11"),
    ("active-passive", "pattern: active-passive", "pattern: activ-passive", "SPEC011", "activ-passive"),
    ("active-passive", "pattern: active-passive", "pattern: multi-region", "SPEC011", "multi-region"),
    ("active-passive", "  token: 1s ", "  token: 1000 ", "SPEC016", "1000 "),
    ("active-passive", "  token: 1s ", "  tokken: 1s ", "SPEC012", "tokken"),
    ("active-passive", "lan: 10.71.1.12", "lan: 10.71.1.412", "SPEC016", "10.71.1.412"),
    ("active-passive", "lan: 10.71.1.12", "lan: 10.99.1.12", "SPEC031", "10.99.1.12"),
    ("active-passive", "lan: 10.71.1.12", "lan: 10.71.1.11", "SPEC032", None),
    (
        "active-passive",
        "{env: HADEPLOY_IPMI_PASSWORD}\n    ipmi-n2",
        "hunter2\n    ipmi-n2",
        "SPEC020",
        "hunter2",
    ),
    ("active-passive", "targets: [n2]", "targets: [n3]", "SPEC030", "n3]"),
    (
        "active-passive",
        "targets: [n2]",
        "targets: n2",
        "SPEC017",
        "n2\n      parameters:\n        ip: 10.71.9.112",
    ),
    ("active-passive", "management_network: lan", "management_network: lann", "SPEC030", "lann"),
    ("active-passive", "address: 10.71.1.100/24", "address: 10.71.1.100", "SPEC016", "10.71.1.100\n"),
    ("active-passive", "address: 10.71.1.100/24", "address: 10.71.1.100/16", "SPEC031", "10.71.1.100/16"),
    ("active-passive", "address: 10.71.1.100/24", "address: 10.71.1.255/24", "SPEC034", "10.71.1.255/24"),
    ("active-passive", "address: 10.71.1.100/24", "address: 10.71.1.11/24", "SPEC032", "10.71.1.11/24"),
    ("active-passive", "    addresses: [web]\n", "", "SPEC035", "web:\n    address"),
    ("active-passive", "kind: nginx", "kind: nginxx", "SPEC014", "nginxx"),
    ("active-passive", "name: web-server", "name: 007", "SPEC016", "007\n        port"),
    ("active-passive", "port: 80", "port: 80000", "SPEC017", "80000"),
    ("active-passive", "  rto: 30s", "  rto: 30s\n  rto: 40s", "SPEC007", "rto: 40s"),
    ("active-passive", "interface: lan0", "interfaces: lan0", "SPEC012", "interfaces"),
    ("quorum-device", "addresses: {lan: 10.74.1.50}", "addresses: {}", "SPEC090", "quorum_device:"),
    ("quorum-device", "algorithm: ffsplit", "authority: {env: CA}", "SPEC091", "{env: CA}"),
    (
        "quorum-device",
        "addresses: {lan: 10.74.1.50}",
        "addresses: {wan: 10.74.1.50}",
        "SPEC030",
        "wan: 10.74.1.50",
    ),
    (
        "quorum-device",
        "addresses: {lan: 10.74.1.50}",
        "addresses: {lan: 10.75.1.50}",
        "SPEC031",
        "10.75.1.50",
    ),
    ("n-plus-1", "spare: s1", "spare: s2", "SPEC030", "s2"),
    (
        "n-plus-1",
        "cluster:\n",
        "cluster:\n  quorum: {auto_tie_breaker: [a1, a9]}\n",
        "SPEC030",
        "a9]",
    ),
    ("n-plus-1", "token: 1s", "token: 1s\n  crypto: {cipher: rot13}", "SPEC015", "rot13"),
    (
        "n-plus-1",
        "token: 1s",
        "token: 1s\n  quorum: {auto_tie_breaker: middle}",
        "SPEC015",
        "middle",
    ),
    ("n-plus-1", "prefers: a2", "prefers: s1", "SPEC038", None),
    ("active-active", "backend: web", "backend: webb", "SPEC030", "webb"),
    ("active-active", "web2: {node: lb2,", "web2: {node: lb3,", "SPEC030", "lb3"),
    ("active-active", "web2: {node: lb2,", "web2: {", "SPEC042", "{ port: 8080}"),
    ("active-active", "site-b: {master: lb2}", "site-c: {master: lb2}", "SPEC030", "site-c: {master"),
]


@pytest.mark.parametrize(
    ("pattern", "old", "new", "code", "at"), CASES, ids=[f"{c[3]}-{i}" for i, c in enumerate(CASES)]
)
def test_one_mistake(mistaken, findings, pattern, old, new, code, at):
    broken, line, column = mistaken(pattern, old, new, at or "")
    found = findings(broken)
    assert code in [c for c, _, _ in found]
    if at is not None:
        assert (code, line, column) in found


@pytest.mark.parametrize("pattern", ["active-passive", "active-active", "n-plus-1"])
def test_examples_and_starters_have_no_finding(example, findings, pattern):
    from hadeploy.spec.starter import starter_text

    assert findings(example(pattern)) == []
    assert findings(starter_text(pattern)) == []


def test_all_problems_at_once(example, findings):
    text = (
        example("active-passive")
        .replace("debian-12", "debian-9")
        .replace("port: 80", "port: x")
        .replace("token: 1s", "token: 1")
    )
    assert [code for code, _, _ in findings(text)] == ["SPEC015", "SPEC016", "SPEC120"]


def test_a_secret_is_never_repeated(example, tmp_path):
    from hadeploy.app.validate import load_valid

    file = tmp_path / "t.yaml"
    file.write_text(
        example("active-passive").replace("{env: HADEPLOY_IPMI_PASSWORD}", "hunter2"), encoding="utf-8"
    )
    _, found = load_valid(file)
    assert len(found) == 2
    assert "hunter2" not in repr(found)


def test_schema_holds_the_examples(example):
    import jsonschema
    import yaml

    from hadeploy.spec.schema import json_schema

    for pattern in ("active-passive", "active-active", "n-plus-1"):
        jsonschema.validate(yaml.safe_load(example(pattern)), json_schema())
    broken = yaml.safe_load(example("n-plus-1")) | {"release": "debian-9"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, json_schema())


@pytest.mark.parametrize(
    ("pattern", "old", "new", "place"),
    [
        ("active-passive", "{env: HADEPLOY_IPMI_PASSWORD}", "{envv: X}", "{envv"),
        ("active-passive", "{env: HADEPLOY_IPMI_PASSWORD}", "{env: not-a-name}", "{env: not"),
        ("active-passive", "{env: HADEPLOY_IPMI_PASSWORD}", "{env: A, file: b}", "{env: A"),
        ("active-passive", "{env: HADEPLOY_IPMI_PASSWORD}", "{file: ''}", "{file"),
        ("active-passive", "username: admin", "username: {a: b}", "{a: b}"),
        ("quorum-device", "algorithm: ffsplit", "authority: hello", "hello"),
    ],
)
def test_what_is_no_reference_is_one_mistake(example, findings, pattern, old, new, place):
    text = example(pattern).replace(old, new, 1)
    before, _, _ = text.partition(place)
    found = findings(text)
    assert found == [("SPEC017", before.count("\n") + 1, len(before) - before.rfind("\n"))]
