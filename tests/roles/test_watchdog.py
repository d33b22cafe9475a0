"""What SBD needs of a node is looked at before its cluster cannot start without it."""

from __future__ import annotations

from pathlib import Path


def test_a_node_without_a_watchdog_is_refused(watchdog, tmp_path: Path):
    file = tmp_path / "watchdog"
    assert watchdog.without_watchdog(str(file)) == f"watchdog {file}: No such file or directory"
    file.touch()
    assert watchdog.without_watchdog(str(file)) == f"watchdog {file}: it is no character device"
    assert watchdog.without_watchdog("/dev/null") == ""


def test_a_disk_without_a_header_is_refused_with_the_word_of_sbd(watchdog):
    """The outcomes of sbd 1.5.1 on an empty disk, on none, and on one that ``sbd create`` has made."""
    noise = "==Header on disk /dev/loop0 NOT dumped\nsbd failed; please check the logs.\n"
    out = "==Dumping header on disk /dev/loop0\n"
    assert watchdog.unreadable("/dev/loop0", (1, out, noise)) == (
        "disk /dev/loop0: it has no header (make it: sbd -d DISK create)"
    )
    assert watchdog.unreadable("/dev/x", (1, out, "== disk /dev/x unreadable!\n" + noise)) == (
        "disk /dev/x: disk /dev/x unreadable!"
    )
    assert watchdog.unreadable("/dev/loop0", (0, out + "Header version     : 2.1\n", "")) == ""
