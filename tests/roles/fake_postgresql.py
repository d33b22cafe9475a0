"""Members with databases in directories of their own: servers that are files, or PostgreSQL itself."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VERSION = "15"
USER = "hadeploy_replication"
PASSWORD = "s3:cr\\et"
PASSFILE = "*:*:*:" + USER + ":s3\\:cr\\\\et\n"
ADDRESS = "10.0.0.100"
ADDRESSES = {"n1": "10.0.1.11", "n2": "10.0.1.12"}
SETTINGS = "listen_addresses = '*'\n"


class FailedError(Exception):
    """fail_json."""


def database_in(root: Path, members: dict[str, str]) -> dict[str, Any]:
    """A database of one host, all of it below a directory."""
    return {
        "name": "main",
        "resource": "main-postgresql",
        "version": VERSION,
        "port": 5432,
        "programs": f"{root}/programs",
        "data": f"{root}/data",
        "places": f"{root}/*/data",
        "record": f"{root}/etc/record/main.json",
        "state": f"{root}/data.cluster",
        "settings": f"{root}/etc/postgresql.conf",
        "access": f"{root}/etc/pg_hba.conf",
        "passfile": f"{root}/etc/replication.pgpass",
        "socket": f"{root}/run",
        "user": USER,
        "address": ADDRESS,
        "well": ["PRI", "HS:sync", "HS:potential"],
        "members": members,
    }


@dataclass
class Host:
    """One host: what a server on its data would be, and what Pacemaker there knows."""

    database: dict[str, Any]
    pacemaker: bool = False
    resource: bool = False
    word: str = ""
    identifier: int = 0
    settings_at: float = 0.0
    errors: str = ""
    restart: str = ""
    verifier: str = ""
    allowed: str = "t"
    recovering: bool = False
    breaks: str = ""
    pending: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return Path(self.database["data"])

    @property
    def runs(self) -> bool:
        return (self.data / "postmaster.pid").exists()


class World:
    """All hosts, and everything that was done to them."""

    def __init__(self, root: Path, members: dict[str, str]) -> None:
        self.hosts = {name: Host(database_in(root / name, members)) for name in members}
        self.log: list[tuple[str, list[str]]] = []
        self.given: list[str] = []
        self.made = 0
        for host in self.hosts.values():
            programs = Path(host.database["programs"])
            programs.mkdir(parents=True)
            (programs / "postgres").touch(mode=0o755)

    def done(self, *programs: str) -> list[tuple[str, str]]:
        """Programs that were run, on whom."""
        found = [(host, Path(argv[0]).name, argv) for host, argv in self.log]
        return [
            (host, name if name != "pg_ctl" else f"pg_ctl {argv[1]}")
            for host, name, argv in found
            if name in programs
        ]

    def write_files(self, host: Host) -> None:
        """As the bundle does before data is made."""
        for key, text in (("settings", SETTINGS), ("access", "local all all peer\n"), ("passfile", PASSFILE)):
            path = Path(host.database[key])
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            os.utime(path, (1000, 1000))

    def fill(self, name: str, identifier: int, place: int = 1) -> None:
        """Data as it was before any run."""
        data = self.hosts[name].data
        (data / "global").mkdir(parents=True)
        (data / "PG_VERSION").write_text(f"{VERSION}\n")
        (data / "global" / "pg_control").write_bytes(identifier.to_bytes(8, "little") + bytes(8))
        (data / "place").write_text(str(place))
        (data / "rows").write_text(name)

    def start(self, name: str, *, standby: bool = False) -> None:
        """As the agent does."""
        host = self.hosts[name]
        host.pacemaker = host.resource = True
        host.recovering = standby
        config = Path(host.database["state"]) / "postgresql.conf"
        self.serve(host, f'"-c" "config_file={config}"')

    def serve(self, host: Host, options: str) -> None:
        (host.data / "postmaster.opts").write_text(f"postgres {options}\n")
        (host.data / "postmaster.pid").write_text("1\n")
        host.settings_at = host.settings_at or 2000.0

    def run(self, name: str, argv: list[str], given: str) -> tuple[int, str, str]:
        host = self.hosts[name]
        self.log.append((name, argv))
        self.given.append(given)
        program = Path(argv[0]).name
        if host.breaks == program:
            return 1, "", f"{program}: broken"
        return getattr(self, f"_{program.replace('-', '_')}")(host, argv[1:], given)

    def _systemctl(self, host, _rest, _given):
        return (0 if host.pacemaker else 3), "", ""

    def _crm_resource(self, host, _rest, _given):
        return (0 if host.resource else 105), "", ""

    def _crm_attribute(self, host, rest, _given):
        assert "--name=main-postgresql-status" in rest
        return (0, f"{host.word}\n", "") if host.word else (105, "", "")

    def _initdb(self, host, rest, _given):
        self.made += 1
        directory = Path(value_of(rest, "--pgdata"))
        assert list(directory.iterdir()) == []
        (directory / "global").mkdir()
        (directory / "PG_VERSION").write_text(f"{VERSION}\n")
        (directory / "global" / "pg_control").write_bytes((7000 + self.made).to_bytes(8, "little") + bytes(8))
        (directory / "place").write_text("1")
        return 0, "", ""

    def _postgres(self, host, rest, given):
        assert rest[0] == "--single"
        host.verifier = verifier_in(given)
        return 0, f'1: rolname = "{USER}" (typeid = 19)\n', ""

    def _pg_controldata(self, host, _rest, _given):
        place = (host.data / "place").read_text()
        return (
            0,
            f"Latest checkpoint location:           0/{place}000028\nLatest checkpoint's TimeLineID:       1\n",
            "",
        )

    def _pg_ctl(self, host, rest, _given):
        if rest[0] == "start":
            options = value_of(rest, "--options").split()
            self.serve(host, " ".join(f'"{each}"' for each in options))
        elif rest[0] == "stop":
            (host.data / "postmaster.pid").unlink()
        else:
            host.settings_at = time.time()
        return 0, "", ""

    def _psql(self, host, rest, given):
        if "--command=IDENTIFY_SYSTEM" in rest:
            served = self.at(value_of(rest, "--dbname").split()[0].removeprefix("host="))
            if served is None:
                return 2, "", "psql: error: connection refused"
            return 0, f"{served.identifier or identifier_of(served.data)}|1|0/0|\n", ""
        if not host.runs:
            return 2, "", "no server"
        if "ROLE" in given:
            host.verifier, host.allowed = verifier_in(given), "t"
            return 0, "", ""
        if "pg_hba_file_rules" in given:
            return 0, host.errors, ""
        recovering = "t" if host.recovering else "f"
        allowed = host.allowed if host.verifier else ""
        return 0, f"{recovering}|{host.settings_at}|{host.restart}|{allowed}|{host.verifier}\n", ""

    def _pg_basebackup(self, _host, rest, _given):
        served = self.at(value_of(rest, "--host"))
        directory = Path(value_of(rest, "--pgdata"))
        assert served is not None
        assert list(directory.iterdir()) == []
        (directory / "global").mkdir()
        for name in ("PG_VERSION", "global/pg_control", "place", "rows"):
            if (served.data / name).exists():
                (directory / name).write_bytes((served.data / name).read_bytes())
        return 0, "", ""

    def at(self, address: str) -> Host | None:
        """Who answers at an address."""
        for name, host in self.hosts.items():
            own = host.database["members"][name]
            cluster = host.runs and not host.recovering and "hadeploy_temporary" not in self.options(host)
            if (address == own and host.runs) or (address == ADDRESS and cluster):
                return host
        return None

    def options(self, host: Host) -> str:
        return (host.data / "postmaster.opts").read_text()


def value_of(rest: list[str], name: str) -> str:
    return next(each for each in rest if each.startswith(f"{name}=")).split("=", 1)[1]


def verifier_in(sql: str) -> str:
    return "SCRAM-SHA-256$" + sql.split("SCRAM-SHA-256$", 1)[1].split("'", 1)[0]


def identifier_of(data: Path) -> int:
    return int.from_bytes((data / "global" / "pg_control").read_bytes()[:8], "little")


class Module:
    """As much of AnsibleModule as the module uses, on one host."""

    def __init__(self, host: str, *, check: bool = False, world: World | None = None, **params: Any) -> None:
        self.world, self.host, self.check_mode = world, host, check
        self.params = {"host": host, "wipe": [], "seen": {}, **params}
        self.warnings: list[str] = []

    def get_bin_path(self, name: str, required: bool = False) -> str | None:
        return f"/usr/sbin/{name}" if self.world or name == "runuser" else None

    def run_command(
        self,
        argv: list[str],
        data: str = "",
        environ_update: dict[str, str] | None = None,
        cwd: str = "/",
        **_: Any,
    ) -> tuple[int, str, str]:
        if self.world:
            own = argv[4:] if argv[0].endswith("runuser") else argv
            return self.world.run(self.host, own, data)
        done = subprocess.run(
            argv,
            input=data,
            env={**os.environ, **(environ_update or {})},
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def warn(self, words: str) -> None:
        self.warnings.append(words)

    def fail_json(self, msg: str, **_: Any) -> None:
        raise FailedError(msg)
