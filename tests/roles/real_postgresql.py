"""PostgreSQL itself on one machine: a member is a directory, an address of the loopback interface and a server."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

from tests.roles.fake_postgresql import PASSFILE, database_in

INSTALLED = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin/postgres"))
PROGRAMS = INSTALLED[-1].parent if INSTALLED else Path("/nowhere")
MEMBERS = {"n1": "127.0.0.11", "n2": "127.0.0.12"}


def as_owner(program: str, *arguments: str, given: str = "") -> str:
    argv = ["runuser", "-u", "postgres", "--", str(PROGRAMS / program), *arguments]
    done = subprocess.run(argv, input=given, capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def database(root: Path, host: str, port: int) -> dict:
    own = root / host
    (own / "etc").mkdir(parents=True)
    (own / "run").mkdir()
    found = database_in(own, MEMBERS) | {
        "port": port,
        "programs": str(PROGRAMS),
        "version": PROGRAMS.parent.name,
    }
    settings = [
        f"data_directory = '{found['data']}'",
        f"hba_file = '{found['access']}'",
        f"unix_socket_directories = '{found['socket']}'",
        f"port = {port}",
        "fsync = off",
    ]
    Path(found["settings"]).write_text("".join(f"{line}\n" for line in settings))
    Path(found["access"]).write_text(
        f"local all postgres peer\nhost replication {found['user']} 127.0.0.0/8 scram-sha-256\n"
    )
    Path(found["passfile"]).write_text(PASSFILE)
    for path in (own, own / "run", Path(found["passfile"])):
        shutil.chown(path, "postgres")
    Path(found["passfile"]).chmod(0o600)
    return found


def sql(found: dict, statement: str) -> str:
    return as_owner(
        "psql",
        *("-XAtq", "--host", found["socket"], "--port", str(found["port"]), "--dbname=postgres", "--file=-"),
        given=statement,
    ).strip()


def start(found: dict, address: str) -> None:
    """As the agent does."""
    config = f"{found['state']}/postgresql.conf"
    options = f"-c config_file={config} -c listen_addresses={address}"
    as_owner("pg_ctl", "start", "-w", "-s", "-D", found["data"], "-l", f"{found['state']}/log", "-o", options)
