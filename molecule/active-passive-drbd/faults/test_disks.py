"""What befalls a node's kernel, its disk or its copy: the data outlives each."""

from __future__ import annotations

import pytest

from hadeploy.design.recovery import Breakage, Mishap
from hadeploy.drill.fault import Fault
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.observer import Probe

pytestmark = pytest.mark.timeout(1500)  # machines in software

ADDRESS = "10.81.1.100"
WEB = Probe("web", ADDRESS, 80, timeout=2.0)

PANIC = "sysctl -qw kernel.panic=0 kernel.sysrq=1; (sleep 1; echo c > /proc/sysrq-trigger) >/dev/null 2>&1 &"

FILL = """cd /srv/data
fallocate -l $(($(stat -f -c '%f * %S' .))) .fill || true
dd if=/dev/zero of=.fill-up bs=4k 2>/dev/null || true
sync
"""
EMPTY = "rm -f /srv/data/.fill /srv/data/.fill-up; sync"

DISK = "/dev/disk/by-id/virtio-data"
# Unattended meanwhile: Pacemaker moves the service off a node that has no disk for a moment.
MAPPED = f"""set -e
crm_attribute --name maintenance-mode --update true
modprobe dm_mod
disk=$(readlink -f {DISK})
echo $disk > /run/failing-disk
drbdadm detach data
dmsetup create --noudevsync failing --table "0 $(blockdev --getsz $disk) linear $disk 0"
ln -sfn $(readlink -f /dev/mapper/failing) {DISK}
drbdadm attach data
until drbdadm dstate data | grep -q ^UpToDate/; do sleep 0.2; done
crm_attribute --name maintenance-mode --delete
"""
FAILS = """set -e
dmsetup suspend --noflush failing
dmsetup reload failing --table "0 $(blockdev --getsz $(cat /run/failing-disk)) error"
dmsetup resume --noudevsync failing
"""
WORKS = """set -e
disk=$(cat /run/failing-disk)
dmsetup suspend --noflush failing
dmsetup reload failing --table "0 $(blockdev --getsz $disk) linear $disk 0"
dmsetup resume --noudevsync failing
drbdadm attach data
"""
UNMAPPED = f"""set -e
crm_attribute --name maintenance-mode --update true
until drbdadm dstate data | grep -q ^UpToDate/; do sleep 0.2; done
drbdadm detach data
dmsetup remove --noudevsync failing
ln -sfn $(cat /run/failing-disk) {DISK}
drbdadm attach data
until drbdadm dstate data | grep -q ^UpToDate/; do sleep 0.2; done
crm_attribute --name maintenance-mode --delete
"""

WRITE_APART = """set -e
crm_attribute --name maintenance-mode --update true
drbdadm disk-options --fencing=dont-care data
drbdadm disconnect data
drbdadm primary --force data
mount /dev/drbd/by-res/data /mnt 2>/dev/null || mount "$(drbdadm sh-dev data)" /mnt
echo apart > /mnt/written-apart
umount /mnt
drbdadm secondary data
"""
"""Against all that hadeploy set up: a person promotes the other copy by force, and writes."""

MEET = "drbdadm connect data || true"
DISCARD = "drbdadm disconnect data || true; drbdadm connect --discard-my-data data"
KEEP = "drbdadm disconnect data || true; drbdadm connect data"
UNATTENDED = """set -e
until drbdadm dstate data | grep -q ^UpToDate/UpToDate; do sleep 0.5; done
drbdadm adjust data
crm_attribute --name maintenance-mode --delete
"""


def shell(script):
    """The same on whichever node a fault strikes."""
    return lambda state, node: exec_in_node(state, node, "sh", "-c", script, seconds=240)


def test_a_kernel_that_panics_is_fenced_and_followed(strike, holder, worst_seconds, kept_records, other):
    victim = holder("web")
    fault = Fault("kernel panic", shell(PANIC), lambda _state, _node: None)
    verdict = strike(
        fault, victim, [WEB], until=lambda status: status.addresses[0].holders == (other(victim),)
    )
    kept_records(verdict)
    assert verdict.fenced_before_takeover(ADDRESS)
    assert verdict.outages["web"].seconds <= worst_seconds(Mishap(Breakage.HUNG_NODE, victim))


def test_a_full_disk_refuses_writes_and_moves_nothing(strike, holder, kept_records, shots):
    """What cannot be kept is not acknowledged; the service goes on, and writes again once there is room."""
    primary = holder("web")
    verdict = strike(Fault("full disk", shell(FILL), shell(EMPTY)), primary, [WEB], hold_seconds=15)
    kept_records(verdict)
    assert verdict.moved == {}
    assert not shots(verdict)
    assert verdict.ownership[ADDRESS].sequence == (primary,)


@pytest.fixture
def with_failing_disk(lab, holder):
    """Whoever has the volume, its backing disk behind a map that can be made to fail."""
    primary = holder("web")
    shell(MAPPED)(lab, primary)
    yield primary
    shell(UNMAPPED)(lab, primary)


def test_a_disk_that_fails_under_the_primary_loses_nothing(
    strike, with_failing_disk, lab, kept_records, shots
):
    """It goes on with the other's copy, until Pacemaker moves the service to where the copy is."""

    def detached(_status):
        return exec_in_node(lab, with_failing_disk, "drbdadm", "dstate", "data").startswith(
            ("Diskless", "Failed")
        )

    fault = Fault("disk error", shell(FAILS), shell(WORKS))
    verdict = strike(fault, with_failing_disk, [WEB], until=detached, hold_seconds=15)
    kept_records(verdict)
    assert not shots(verdict)


def test_a_split_brain_is_told_and_a_person_ends_it(strike, holder, lab, kept_records, shots, other):
    """By the procedure of docs/volumes.md; the side that is kept loses nothing."""
    primary = holder("web")

    def split(state, node):
        shell(WRITE_APART)(state, node)
        shell(MEET)(state, node)
        shell(MEET)(state, other(node))

    def mend(state, node):
        shell(DISCARD)(state, node)
        shell(KEEP)(state, other(node))
        shell(UNATTENDED)(state, node)

    verdict = strike(
        Fault("split brain", split, mend),
        other(primary),
        [WEB],
        until=lambda status: any("StandAlone" in problem for problem in status.problems),
    )
    kept_records(verdict)
    assert verdict.moved == {}
    assert not shots(verdict)
    assert verdict.ownership[ADDRESS].sequence == (primary,)
    seen = exec_in_node(lab, primary, "ls", "/srv/data")
    assert "written-apart" not in seen.split()
