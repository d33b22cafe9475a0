from __future__ import annotations

import pytest

from hadeploy.design.loss import losses_of


def test_protocol_c_loses_nothing(design_of):
    (loss,) = losses_of(design_of("active-passive-drbd"))
    assert (loss.service, loss.window_ms) == ("web", 0)
    assert "protocol C" in loss.why


def test_protocol_a_over_a_link_of_unknown_bandwidth_is_bounded_by_nothing(design_of):
    (loss,) = losses_of(design_of("active-passive-drbd", ("protocol: C", "protocol: A")))
    assert loss.window_ms is None
    assert loss.why == "data is replicated by protocol A, and networks.repl.bandwidth is not written"


def test_protocol_a_loses_what_its_send_buffer_holds(design_of):
    bandwidth = ("interface: repl0", "interface: repl0\n    bandwidth: 256KiB/s")
    (loss,) = losses_of(design_of("active-passive-drbd", ("protocol: C", "protocol: A"), bandwidth))
    assert loss.window_ms == 7000


@pytest.mark.parametrize(
    ("fencing", "lost", "why"),
    [
        ("resource-only", 77_000, "and a primary that is cut off goes on until it is shot"),
        ("dont-care", None, "and a primary goes on alone while its peer may take over"),
    ],
)
def test_a_primary_that_does_not_wait_for_fencing_may_lose_what_it_takes_alone(design_of, fencing, lost, why):
    (loss,) = losses_of(
        design_of("active-passive-drbd", ("protocol: C", f"protocol: C\n    fencing: {fencing}"))
    )
    assert (loss.window_ms, loss.why) == (lost, f"data is replicated by protocol C, {why}")


def test_nothing_is_carried_over_without_a_copy(design_of):
    assert [loss.window_ms for loss in losses_of(design_of("n-plus-1"))] == [None, None]


def test_shared_storage_is_a_copy_that_needs_none(design_of):
    shared = (
        "    addresses: [web]",
        """      - kind: ocf
        name: disk
        agent: ocf:heartbeat:Filesystem
        parameters: {device: /dev/sdz, directory: /srv, fstype: xfs}
    addresses: [web]""",
    )
    (loss,) = losses_of(design_of("active-passive", shared))
    assert loss.window_ms == 0


def test_load_balancers_keep_nothing(design_of):
    assert losses_of(design_of("active-active")) == ()
