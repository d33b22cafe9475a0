"""Records and who writes them, with a file system instead of a volume and a shell instead of SSH."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from hadeploy.lab import record_file, record_sql, writer
from hadeploy.lab.errors import LabError
from hadeploy.lab.writer import Recorder, Writer, file_recorder, sql_recorder

MOUNTED = "/dev/shm"  # noqa: S108 (a mount point that every Linux has)


@pytest.fixture
def file():
    name = f".hadeploy-test-{os.getpid()}"
    yield name
    if os.path.exists(f"{MOUNTED}/{name}"):
        os.unlink(f"{MOUNTED}/{name}")


class TestRecordFile:
    def test_each_number_comes_back_once_it_is_written(self, file):
        recorder = file_recorder(MOUNTED, file)
        command = [sys.executable, *recorder.write[1:]]
        done = subprocess.run(command, input="1\n2\n5\n", capture_output=True, text=True, check=True)
        assert done.stdout == "1\n2\n5\n"
        assert record_file.read_records(MOUNTED, file) == [1, 2, 5]

    def test_synchronised_before_it_is_acknowledged(self, file, monkeypatch):
        synchronised = []
        monkeypatch.setattr(record_file.os, "fsync", lambda fd: synchronised.append(os.fstat(fd).st_size))
        record_file.write_record(MOUNTED, file, 1)
        assert len(synchronised) == 2
        assert synchronised[0] > len(record_file.PADDING), "before the record was in it"

    def test_a_torn_record_spoils_neither_itself_nor_the_next(self, file):
        record_file.write_record(MOUNTED, file, 1)
        record_file.write_record(MOUNTED, file, 2)
        with open(f"{MOUNTED}/{file}", "r+b") as stream:
            stream.truncate(os.fstat(stream.fileno()).st_size - 100)
            stream.seek(0, os.SEEK_END)
            stream.write(b"\0" * 50)
        record_file.write_record(MOUNTED, file, 3)
        assert record_file.read_records(MOUNTED, file) == [1, 3]

    def test_what_does_not_fit_is_not_acknowledged(self, file):
        """A limit on the file's size stands in for a disk that runs full: both take a part of the record first."""
        recorder = file_recorder(MOUNTED, file)
        one = len(record_file.PADDING) + 4

        def limited():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (one + one // 2, one + one // 2))

        command = [sys.executable, *recorder.write[1:]]
        done = subprocess.run(
            command, input="1\n2\n", capture_output=True, text=True, check=False, preexec_fn=limited
        )
        assert os.stat(f"{MOUNTED}/{file}").st_size == one + one // 2, "no part of it was taken"
        assert done.stdout == "1\n"
        assert done.returncode != 0
        assert record_file.read_records(MOUNTED, file) == [1]

    def test_nothing_is_written_below_a_mount_point(self, tmp_path):
        with pytest.raises(SystemExit, match="not mounted"):
            record_file.write_record(str(tmp_path), "records", 1)
        assert list(tmp_path.iterdir()) == []


FAKE_CLIENT = """
import re, sys
for line in sys.stdin:
    open(sys.argv[1], "a").write(line)
    found = re.search(r"SELECT ([0-9]+)", line)
    if found and int(found[1]) >= 3:
        sys.exit(1)
    if found:
        print(found[1], flush=True)
"""


class TestRecordSql:
    """The statements that reach a client; real ones are asked in the scenarios on machines."""

    def test_a_number_comes_back_once_its_statement_was_answered(self, tmp_path, monkeypatch, capsys):
        asked = tmp_path / "asked"
        client = (sys.executable, "-c", FAKE_CLIENT, str(asked))
        monkeypatch.setattr(sys, "stdin", iter(["1\n", "2\n", "3\n", "4\n"]))
        assert record_sql.write_records(client, "t") == 1, "the client ended with an error"
        assert capsys.readouterr().out == "1\n2\n", "what was not answered is not acknowledged"
        create, *inserted = asked.read_text().splitlines()
        assert create.startswith("CREATE TABLE IF NOT EXISTS t ")
        assert [line.split(";")[1] for line in inserted] == [" SELECT 1", " SELECT 2", " SELECT 3"]

    def test_the_far_end_needs_nothing_of_hadeploy(self):
        recorder = sql_recorder("postgresql", "records_1")
        assert recorder.write[-3:] == ("write", "postgresql", "records_1")
        assert "import hadeploy" not in recorder.write[2]


FAR_END = """
n=$(cat "$1/logins" 2>/dev/null || echo 0); n=$((n + 1)); echo $n > "$1/logins"
[ $n -gt "$2" ] || exit 255
while read number; do
  echo $number >> "$1/records"; echo $number
  [ $((number % 5)) -ne 0 ] || exit 1
done
"""


class TestWriter:
    @pytest.fixture
    def far_end(self, machines, monkeypatch, tmp_path):
        """A way in that ends after five records, or before the first for some logins."""
        machines.known_hosts.write_text("10.0.0.1 ssh-ed25519 ONE\n10.0.0.2 ssh-ed25519 TWO\n")
        place = tmp_path / "far"
        place.mkdir()
        ssh = place / "ssh"

        def make(refusals=0):
            ssh.write_text(f"#!/bin/sh\nset -- {place} {refusals}\n{FAR_END}")
            ssh.chmod(0o755)
            return Writer(machines, "data", "10.0.0.100", Recorder(("write",), ("read",)))

        monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
        monkeypatch.setattr(writer, "AGAIN_SECONDS", 0.01)
        yield make
        shutil.rmtree(place)

    def test_it_logs_in_again_and_sends_no_number_twice(self, far_end, tmp_path):
        with far_end(refusals=2) as writing:
            while len(writing.acknowledged) < 12:
                writing._stop.wait(0.01)
        numbers = [each.number for each in writing.acknowledged]
        there = [int(line) for line in (tmp_path / "far" / "records").read_text().split()]
        assert numbers == sorted(set(numbers))
        assert len(there) == len(set(there))
        assert set(numbers) <= set(there)

    def test_either_node_may_answer_at_the_address(self, far_end, machines):
        with far_end():
            hosts = (machines.folder / "known_hosts.data").read_text()
        assert hosts == "10.0.0.100 ssh-ed25519 ONE\n10.0.0.100 ssh-ed25519 TWO\n"
        assert not (machines.folder / "known_hosts.data").exists()

    @pytest.mark.parametrize(("accelerator", "pauses"), [("tcg", True), ("kvm", False)])
    def test_only_emulated_machines_get_a_pause_between_records(
        self, far_end, machines, monkeypatch, accelerator, pauses
    ):
        monkeypatch.setattr(writer, "EMULATED_PAUSE_SECONDS", 3600.0)
        monkeypatch.setattr(writer, "START_RECORDS", 1)
        writing = far_end()
        writing._state = replace(machines, accelerator=accelerator)
        with writing:
            if not pauses:
                while len(writing.acknowledged) < 5:
                    writing._stop.wait(0.01)
        assert (len(writing.acknowledged) == 1) == pauses

    def test_nobody_who_takes_a_record_is_an_error(self, far_end, monkeypatch):
        monkeypatch.setattr(writer, "START_SECONDS", 0.2)
        with pytest.raises(LabError, match="nothing can be written") as error, far_end(refusals=10**6):
            pass
        assert error.value.code == "LAB068"
