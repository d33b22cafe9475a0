"""Names and paths that would be an option, a second word or a second line is refused where it stands; legal ones are taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from hadeploy.app.validate import load_valid
from hadeploy.spec import names
from hadeploy.spec.service import with_suffix

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"
MEMBER = "      - kind: nginx\n        name: web-server\n        port: 80\n"
SYSTEMD = '      - {kind: systemd, name: web-server, unit: "%s", packages: ["%s"]}\n'


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., list[tuple[str, bool, bool]]]:
    """Each error: its code, whether it is on the line of what was written, and whether at its beginning."""

    def check(example: str, old: str, new: str, at: str) -> list[tuple[str, bool, bool]]:
        text = (INVENTORIES / example / "topology.yaml").read_text(encoding="utf-8")
        assert old in text
        text = text.replace(old, new, 1)
        file = tmp_path / "topology.yaml"
        file.write_text(text, encoding="utf-8")
        before = text[: text.index(at)]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        _, findings = load_valid(file)
        errors = [each for each in findings if each.severity.value == "error"]
        assert all(each.span is not None for each in errors)
        return [
            (each.code, each.span.line == line, each.span.column == column) for each in errors if each.span
        ]

    return check


@pytest.mark.parametrize(
    ("example", "old", "new", "at"),
    [
        ("active-passive", MEMBER, SYSTEMD % ("web", "; rm -rf /"), '"; rm'),
        ("active-passive", MEMBER, SYSTEMD % ("web", "--foo"), '"--foo'),
        ("active-passive", MEMBER, SYSTEMD % ("--foo", "web"), '"--foo'),
        ("active-passive", MEMBER, SYSTEMD % ("a b", "web"), '"a b'),
        ("active-passive", "interface: lan0", 'interface: "--foo"', '"--foo'),
        ("active-passive", "username: admin", '"user=x": admin', '"user=x'),
        ("active-passive", "username: admin", r'username: "a\nip=10.0.0.1"', r'"a\nip'),
        ("active-active", "track_processes: [haproxy]", r'track_processes: ["haproxy\n}"]', r'"haproxy\n'),
        ("active-active", "track_processes: [haproxy]", 'track_processes: ["a b"]', '"a b'),
        ("active-active", "track_processes: [haproxy]", 'track_processes: [".*"]', '".*'),
        ("active-active", "path: /healthz", "path: '/a\" b'", "'/a\""),
        ("active-active", "path: /healthz", 'path: "/ü"', '"/ü'),
        ("active-active", "10.72.1.11,", '"fe80::1%x y",', '"fe80'),
        ("active-passive", "port: 80\n", 'port: 80\n        document_root: "/a$b"\n', '"/a$b'),
        ("active-passive-drbd", "mount: /srv/data", "mount: \"/srv/{{lookup('pipe','id')}}\"", '"/srv/{{'),
        ("active-passive-drbd", "mount: /srv/data", 'mount: "/srv/a b"', '"/srv/a b'),
    ],
)
def test_what_would_be_something_else_is_refused_where_it_stands(
    refused, example: str, old: str, new: str, at: str
):
    assert [(line, column) for _, line, column in refused(example, old, new, at)] == [(True, True)]


@pytest.mark.parametrize(
    ("example", "old", "new"),
    [
        ("active-passive", MEMBER, SYSTEMD % ("php8.2-fpm", "php8.2-fpm")),
        ("active-passive", MEMBER, SYSTEMD % ("postgresql@15-main.service", "libstdc++6")),
        (
            "active-passive",
            "port: 80\n",
            "port: 80\n        document_root: \"/srv/O'Brien's #1; 100% {ü}\"\n",
        ),
        ("active-active", "track_processes: [haproxy]", "track_processes: [haproxy, c++, a.out]"),
        ("active-active", "path: /healthz", 'path: "/O\'Brien?a=$b&c=%20d;e"'),
        ("active-active", "preempt: true ", 'preempt: true\n  notify: "/srv/two words/ü #1 $x"\n'),
        ("active-passive-drbd", "mount: /srv/data", 'mount: "/srv/O\'Brien/ü"'),
    ],
)
def test_legal_names_are_taken(refused, example: str, old: str, new: str):
    assert refused(example, old, new, new.strip()[:3]) == []


@pytest.mark.parametrize(
    ("kind", "value", "legal"),
    [
        (names.PackageName, "libstdc++6", True),
        (names.PackageName, "-y", False),
        (names.PackageName, "a", False),
        (names.PackageName, "A", False),
        (names.UnitName, "dev-x\\x2dy.device", True),
        (names.UnitName, ".x", False),
        (names.UnitName, "a/b", False),
        (names.ProgramPath, "/a'b", False),
        (names.ProgramPath, "relative", False),
        (names.DevicePath, "/dev/disk/by-id/x=y#1", True),
        (names.DevicePath, "/etc/passwd", False),
        (names.LoginName, "O'Brien ü", True),
        (names.LoginName, "@/etc/passwd", False),
        (names.LoginName, "+admins", False),
        (names.LoginName, 'a"b', False),
        (names.FilePath, "/x" * 3000, False),
    ],
)
def test_a_type_takes_what_its_reader_takes(kind: object, value: str, legal: bool):
    try:
        taken = TypeAdapter(kind).validate_python(value) == value
    except ValidationError:
        taken = False
    assert taken is legal


def test_a_dot_is_part_of_a_unit_s_name():
    """systemctl, too, takes php8.2-fpm for php8.2-fpm.service."""
    units = ("nginx", "php8.2-fpm", "nginx.service", "data.mount", "service")
    assert [with_suffix(unit) for unit in units] == [
        "nginx.service",
        "php8.2-fpm.service",
        "nginx.service",
        "data.mount",
        "service.service",
    ]
