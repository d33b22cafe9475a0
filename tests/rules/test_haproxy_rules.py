"""What the rules of HAProxy find beyond their cases: other ways to break them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.rules.test_rules import judge

WEB = "load_balancer.backends.web"
TLS = {f"{WEB}.tls": {"ca_file": "@system-ca", "server_name": "web.example.org"}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({f"{WEB}.check.kind": "none"}, {"HA076"}),
        ({f"{WEB}.servers.web1.check": False}, {"HA076"}),
        (
            {f"{WEB}.mode": "tcp", f"{WEB}.check.kind": "tcp", "load_balancer.frontends.http.mode": "tcp"},
            set(),
        ),
        # 500 ms + 4 x 100 ms + 1 s, and without a fast interval half a second more than the objective
        (
            {
                f"{WEB}.check.fall": 5,
                f"{WEB}.check.fast_interval": "100ms",
                f"{WEB}.check.timeout": "1s",
                "objectives.rto": "2s",
            },
            set(),
        ),
        ({f"{WEB}.check.fall": 3, f"{WEB}.check.timeout": "1s", "objectives.rto": "2s"}, {"HA077"}),
        ({f"{WEB}.check.fall": 3, "objectives.rto": None}, set()),
        ({"load_balancer.retries": 0}, {"HA078"}),
        ({"load_balancer.redispatch": False}, {"HA078"}),
        (
            {
                f"{WEB}.mode": "tcp",
                f"{WEB}.check.kind": "pgsql",
                "load_balancer.frontends.http.mode": "tcp",
            },
            {"HA078"},
        ),
        (
            {
                f"{WEB}.mode": "tcp",
                f"{WEB}.check.kind": "pgsql",
                f"{WEB}.close_sessions_of_dead": True,
                "load_balancer.frontends.http.mode": "tcp",
            },
            set(),
        ),
        ({"load_balancer.timeouts": {"queue": "0s"}}, set()),  # to HAProxy that is timeouts.connect
        ({"load_balancer.timeouts": {"http_request": "0s"}}, {"HA079"}),
        ({f"{WEB}.check.timeout": "0s"}, {"HA079"}),
        ({f"{WEB}.share_table": False}, set()),  # nothing sticks
        ({"load_balancer.hard_stop_after": "0s"}, {"HA082"}),
        ({"load_balancer.timeouts": {"client": "10min"}}, set()),  # derived: as long
        (TLS, set()),
        ({f"{WEB}.tls": {"verify": "none"}}, {"HA083"}),
        ({f"{WEB}.tls": {"server_name": "web.example.org"}}, {"HA083"}),
        ({**TLS, f"{WEB}.check.port": 9200}, {"HA083"}),
        ({**TLS, f"{WEB}.check.port": 9200, f"{WEB}.check.tls": False}, set()),
        ({**TLS, f"{WEB}.check.tls": False}, {"HA083"}),
        ({"load_balancer.maxconn": 300_000}, {"HA084"}),
        ({f"{WEB}.servers.web1.maxconn": 100}, set()),  # the other takes any number
        ({f"{WEB}.servers.web1.maxconn": 100, f"{WEB}.servers.web2.maxconn": 100}, {"HA084"}),
        ({f"{WEB}.servers.cloud": {"hostname": "web.example.org", "port": 80}}, {"HA084"}),
        (
            {
                f"{WEB}.servers.cloud": {"hostname": "web.example.org", "port": 80},
                "load_balancer.resolvers": ["10.72.1.1"],
            },
            set(),
        ),
    ],
)
def test_ways_to_break_them(changes: dict[str, Any], expected: set[str], tmp_path: Path) -> None:
    _, findings = judge(tmp_path, "active-active", changes)
    assert {finding.code for finding in findings} == expected
