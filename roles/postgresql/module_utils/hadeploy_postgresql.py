"""PostgreSQL's and Pacemaker's programs on this host, in the words of a module."""

from __future__ import annotations

import os
import re
import shlex
import time

from ansible.module_utils.hadeploy_input import may_stay_unread
from ansible.module_utils.hadeploy_postgresql_facts import (
    OWNER,
    TEMPORARY,
    data_of,
    files_of,
    read,
    written_at,
)
from ansible.module_utils.hadeploy_postgresql_login import allowed, literal, matches, read_password

PATIENCE_SECONDS = 86400
"""How long a server may recover or stop: an instance that is given up is no better than one that is waited for."""

SKEW_SECONDS = 5.0
"""Less is no clock that was set back, but one that is kept right."""

NO_SUCH_OBJECT = 105
"""Pacemaker's exit code for a resource that the CIB does not know."""

CONNECTION = "connect_timeout=10 keepalives_idle=10 keepalives_interval=10 keepalives_count=6"
"""A host that vanishes in the middle of a copy ends it after a minute, not after the kernel's two hours."""

ROLE = "SELECT {} FROM pg_authid WHERE rolname = {}"
STATE = (
    "SELECT pg_is_in_recovery(), extract(epoch FROM pg_conf_load_time()),"
    " (SELECT string_agg(name, ',' ORDER BY name) FROM pg_settings WHERE pending_restart),"
    " ({allowed}), ({password})"
)
FILE_ERRORS = (
    "DO $$ BEGIN PERFORM FROM pg_file_settings; END $$;"
    " SELECT concat_ws(': ', concat(sourcefile, ' line ', sourceline), name, error) FROM pg_file_settings"
    " WHERE error IS NOT NULL"
    " AND (name IS NULL OR name NOT IN (SELECT name FROM pg_settings WHERE pending_restart))"
    " UNION ALL SELECT concat('access rules, line ', line_number, ': ', error) FROM pg_hba_file_rules"
    " WHERE error IS NOT NULL"
)
"""What a reload would stumble over. A setting that waits for a restart is no error; which ones do is known once the file was
looked at."""


def without_statements(words: str) -> str:
    """What a server says of an error, less the statement that it repeats."""
    return "\n".join(line for line in words.splitlines() if "SCRAM-SHA-256$" not in line)


class Server:
    """One database's programs."""

    def __init__(self, module, database: dict) -> None:
        self.module = module
        self.database = database

    def run(self, program: str, *arguments: str, data: str = "", **environment: str) -> tuple[int, str, str]:
        """A program of PostgreSQL, as its user, at a place and with a home that this user may enter."""
        argv = [self.module.get_bin_path("runuser", required=True), "-u", OWNER, "--"]
        argv += [os.path.join(self.database["programs"], program), *arguments]
        known = {"LC_ALL": "C", "HOME": "/", "PGCONNECT_TIMEOUT": "10", **environment}
        return self.module.run_command(
            argv, data=data, environ_update=known, cwd="/", before_communicate_callback=may_stay_unread
        )

    def demand(self, program: str, *arguments: str, data: str = "", **environment: str) -> str:
        """A program that must succeed. What it was given on its standard input is not told to anybody."""
        code, out, err = self.run(program, *arguments, data=data, **environment)
        if code != 0:
            self.fail(program, code, out, err)
        return out

    def fail(self, program: str, code: int, out: str, err: str) -> None:
        """End the task with a program's last words."""
        words = "\n".join(part.strip() for part in (out, err) if part.strip())
        self.module.fail_json(
            msg=f"{self.database['name']}: {program} ended with {code}:\n{words}", invocation={}
        )

    def psql(self, sql: str) -> tuple[int, str]:
        """Ask the instance on this host, as its owner."""
        code, out, err = self.run(
            "psql",
            *("--no-psqlrc", "--no-password", "--tuples-only", "--no-align", "--quiet"),
            *(
                "--set=ON_ERROR_STOP=1",
                f"--host={self.database['socket']}",
                f"--port={self.database['port']}",
            ),
            *(f"--username={OWNER}", "--dbname=postgres", "--file=-"),
            data=f"{sql};\n",
        )
        return code, out.strip() if code == 0 else err.strip()

    def facts(self) -> dict:
        """All that is known of this host; the server is asked where it runs."""
        found = files_of(self.database)
        found |= {"role": "", "loaded": 0.0, "stale": False, "restart": [], "login": ""}
        if found["running"]:
            found |= self._state()
        return found

    def _state(self) -> dict:
        user = literal(self.database["user"])
        sql = STATE.format(
            allowed=ROLE.format(allowed(), user),
            password=ROLE.format("rolpassword", user),
        )
        code, out = self.psql(sql)
        parts = out.split("|")
        if code != 0 or len(parts) != 5:
            return {"role": "unknown"}
        recovering, loaded, restart, may, kept = parts
        return {
            "role": "standby" if recovering == "t" else "primary",
            "loaded": float(loaded),
            # What was read at a time that is still to come was read before the clock was set back: no file can be compared.
            "stale": float(loaded) < written_at(self.database) or float(loaded) > time.time() + SKEW_SECONDS,
            "restart": restart.split(",") if restart else [],
            "login": self._login(may, kept),
        }

    def _login(self, may: str, kept: str) -> str:
        """Whether the replication role is C(right), C(missing) or C(other) than it should be; empty where nobody knows."""
        password = read_password(self.database["passfile"])
        if not password:
            return ""
        if not may:
            return "missing"
        return "right" if may == "t" and matches(password, kept) else "other"

    def position(self) -> list[int]:
        """How far the data came: timeline, and place of the last checkpoint in the log."""
        code, out, _ = self.run("pg_controldata", data_of(self.database))
        timeline = re.search(r"^Latest checkpoint's TimeLineID:\s*(\d+)", out, re.MULTILINE)
        place = re.search(r"^Latest checkpoint location:\s*([0-9A-F]+)/([0-9A-F]+)", out, re.MULTILINE)
        if code != 0 or timeline is None or place is None:
            return []
        return [int(timeline[1]), (int(place[1], 16) << 32) + int(place[2], 16)]

    def initdb(self, directory: str) -> None:
        """New data; the server's own user comes in through the socket, everybody else with a password."""
        self.demand(
            "initdb",
            *(f"--pgdata={directory}", f"--username={OWNER}", "--data-checksums", "--encoding=UTF8"),
            *("--locale=C.UTF-8", "--auth-local=peer", "--auth-host=scram-sha-256"),
        )

    def make_role(self, directory: str, sql: str, role: str) -> None:
        """Make a role where no server runs. The program ends with 0 whatever happens: it is asked for the role afterwards."""
        question = ROLE.format("rolname", literal(role)) + f" AND {allowed()}"
        code, out, err = self.run(
            "postgres", "--single", "-D", directory, "postgres", data=f"{sql};\n{question};\n"
        )
        if code != 0 or f'"{role}"' not in out:
            self.fail("postgres --single", code, "", without_statements(err))

    def start_temporarily(self, address: str, log: str) -> None:
        """An instance to be copied from, on this host's own address; nothing that was cluster-wide before is."""
        options = {
            "config_file": self.database["settings"],
            "listen_addresses": address,
            "cluster_name": TEMPORARY,
        }
        words = " ".join(f"-c {shlex.quote(f'{key}={value}')}" for key, value in options.items())
        code, out, err = self.run(
            "pg_ctl",
            *("start", "--silent", "--wait", f"--timeout={PATIENCE_SECONDS}"),
            *(f"--pgdata={data_of(self.database)}", f"--log={log}", f"--options={words}"),
        )
        if code != 0:
            self.fail("pg_ctl start", code, out, "\n".join([err, *read(log).splitlines()[-10:]]))

    def stop(self) -> None:
        """End it, with a last checkpoint."""
        self.demand(
            "pg_ctl",
            *("stop", "--silent", "--wait", "--mode=fast", f"--timeout={PATIENCE_SECONDS}"),
            f"--pgdata={data_of(self.database)}",
        )

    def reload(self) -> None:
        """Have it read its files."""
        self.demand("pg_ctl", "reload", "--silent", f"--pgdata={data_of(self.database)}")

    def identify(self, address: str) -> str:
        """System identifier of the instance at an address, asked for as a standby would."""
        target = f"host={address} port={self.database['port']} user={self.database['user']} replication=true"
        out = self.demand(
            "psql",
            *("--no-psqlrc", "--no-password", "--tuples-only", "--no-align"),
            *("--command=IDENTIFY_SYSTEM", f"--dbname={target} {CONNECTION}"),
            PGPASSFILE=self.database["passfile"],
        )
        return out.strip().split("|")[0]

    def copy(self, address: str, directory: str) -> None:
        """All data, and the log that was written meanwhile; on disk before this returns."""
        self.demand(
            "pg_basebackup",
            *(f"--pgdata={directory}", "--wal-method=stream", "--checkpoint=fast", "--no-password"),
            *(f"--host={address}", f"--port={self.database['port']}", f"--username={self.database['user']}"),
            f"--dbname={CONNECTION}",
            PGPASSFILE=self.database["passfile"],
        )

    def managed(self) -> bool:
        """Whether Pacemaker runs here and has the resource; also where it cannot say so."""
        code, _, _ = self._cluster("systemctl", "is-active", "--quiet", "pacemaker.service")
        if code != 0:
            return False
        code, _, _ = self._cluster(
            "crm_resource", f"--resource={self.database['resource']}", "--query-xml-raw"
        )
        return code != NO_SUCH_OBJECT

    def word(self, host: str) -> str:
        """What the agent says of the instance on a host; empty where it says nothing."""
        name = f"{self.database['resource']}-status"
        code, out, _ = self._cluster(
            "crm_attribute", "--lifetime=reboot", f"--node={host}", f"--name={name}", "--query", "--quiet"
        )
        return out.strip() if code == 0 else ""

    def look_again(self, host: str) -> None:
        """A node whose data was missing has failed starts on its account: Pacemaker is to look again."""
        self._cluster(
            "crm_resource", "--cleanup", f"--resource={self.database['resource']}", f"--node={host}"
        )

    def _cluster(self, program: str, *arguments: str) -> tuple[int, str, str]:
        path = self.module.get_bin_path(program)
        if path is None:
            return 127, "", f"{program} is not installed"
        return self.module.run_command([path, *arguments], environ_update={"LC_ALL": "C"})
