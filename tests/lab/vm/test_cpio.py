"""Archives for an initrd."""

from __future__ import annotations

from hadeploy.lab.vm.cpio import append, archive


def unpack(data: bytes) -> list[tuple[str, int, bytes]]:
    """What a reader of the format finds: names, modes and contents in order (cpio(5), "New ASCII Format")."""
    found = []
    at = 0
    while True:
        assert data[at : at + 6] == b"070701"
        fields = [int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = data[at + 110 : at + 110 + name_size - 1].decode()
        begin = at + 110 + name_size
        begin += -begin % 4
        if name == "TRAILER!!!":
            return found
        found.append((name, mode, data[begin : begin + size]))
        at = begin + size
        at += -at % 4


def test_a_reader_of_the_format_finds_files_behind_their_folders():
    data = archive({"etc/ssh/key": (b"secret\n", 0o600), "name": (b"", 0o644), "etc/x": (b"12345", 0o755)})
    assert unpack(data) == [
        ("etc", 0o040755, b""),
        ("etc/ssh", 0o040755, b""),
        ("etc/ssh/key", 0o100600, b"secret\n"),
        ("name", 0o100644, b""),
        ("etc/x", 0o100755, b"12345"),
    ]
    assert len(data) % 4 == 0


def test_the_kernel_finds_an_archive_at_a_multiple_of_four():
    more = archive({"a": (b"x", 0o644)})
    assert append(b"12345", more) == b"12345\0\0\0" + more
    assert append(b"1234", more) == b"1234" + more
