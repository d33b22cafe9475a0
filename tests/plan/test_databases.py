"""What the agent tells by attributes, and what is made of it."""

from __future__ import annotations

import pytest

from hadeploy.plan.databases import KeptWal, judge_databases, kept_wal
from hadeploy.plan.observed import parse_crm_mon


@pytest.fixture
def design(design_of):
    return design_of("postgresql-streaming")


def said(status: str, data: str) -> dict[str, str]:
    return {"orders-postgresql-status": status, "orders-postgresql-data-status": data}


def test_all_well(design):
    statuses, problems = judge_databases(
        design, {"n1": said("PRI", "LATEST"), "n2": said("HS:sync", "STREAMING|SYNC")}
    )
    assert problems == ()
    assert [(each.member, each.state, each.well) for each in statuses] == [
        ("n1", "primary", True),
        ("n2", "standby, synchronous", True),
    ]


@pytest.mark.parametrize(
    ("n1", "n2", "word"),
    [
        (
            said("PRI", "LATEST"),
            said("HS:async", "STREAMING|ASYNC"),
            "may not take over: standby, asynchronous",
        ),
        (said("PRI", "LATEST"), said("STOP", "DISCONNECT"), "hadeploy apply --wipe orders@n2"),
        (said("PRI", "LATEST"), {}, "not running"),
        (said("PRI", "LATEST"), said("PRI", "LATEST"), "primary on n1 and n2 at once"),
        (said("HS:alone", "LATEST"), said("HS:alone", "STREAMING|SYNC"), "primary nowhere"),
    ],
)
def test_what_is_wrong_is_said(design, n1, n2, word):
    _, problems = judge_databases(design, {"n1": n1, "n2": n2})
    assert any(word in problem for problem in problems), problems


def test_nothing_is_to_be_wiped_while_there_is_no_primary(design):
    _, problems = judge_databases(design, {"n1": said("STOP", "LATEST"), "n2": said("STOP", "DISCONNECT")})
    assert not any("--wipe" in problem for problem in problems)


def test_attributes_are_read():
    view = parse_crm_mon(
        '<pacemaker-result><summary><current_dc name="n1" with_quorum="true"/></summary><node_attributes>'
        '<node name="n1"><attribute name="orders-postgresql-status" value="PRI"/></node></node_attributes>'
        "</pacemaker-result>"
    )
    assert view is not None
    assert view.attributes == {"n1": {"orders-postgresql-status": "PRI"}}


def test_kept_wal_is_told_of_its_database(design):
    own = "/var/lib/postgresql/15/orders.cluster/kept-wal/20261130T120000Z"
    seen = {"n1": (own, own.replace("orders", "others")), "n2": ()}
    assert kept_wal(design, seen) == (KeptWal("orders", "n1", own),)
