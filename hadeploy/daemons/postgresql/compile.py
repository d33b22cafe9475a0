"""Design to PostgreSQL's files."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from hadeploy.daemons.notice import notice
from hadeploy.daemons.postgresql.check import settings_check
from hadeploy.daemons.postgresql.config import InstanceConfig, LoginLine, PostgresqlConfig
from hadeploy.design.databases import REPLICATION_USER, SOCKETS, Login, ReplicatedDatabase
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
"""What postgresql.conf takes without quotes."""

PLAIN_NAME = re.compile(r"[A-Za-z0-9_$-]+")


def compile_postgresql(design: Design, member: Member) -> PostgresqlConfig | None:
    """The instances of one member, None where it has none."""
    databases = [each for each in design.databases if member.name in each.names]
    if not databases:
        return None
    return PostgresqlConfig(
        notice=notice(design),
        instances=tuple(_instance(design, database) for database in databases),
        packages=tuple(dict.fromkeys(f"postgresql-{database.version}" for database in databases)),
    )


def _instance(design: Design, database: ReplicatedDatabase) -> InstanceConfig:
    return InstanceConfig(
        notice=notice(design),
        directory=database.configuration,
        settings=tuple((key, _quoted(value)) for key, value in _settings(database).items()),
        logins=tuple(_logins(database)),
        user=REPLICATION_USER,
        secret=database.secret,
        check=settings_check(database.programs),
    )


def _settings(database: ReplicatedDatabase) -> dict[str, str]:
    """What replication under a cluster needs; a person's own come last.

    A lost peer is noticed within ``wal_*_timeout``: until then a synchronous commit waits for it. A server that crashed
    stays down (restart_after_crash): what becomes of it the cluster decides. Marks of changed pages (wal_log_hints) are
    what pg_rewind needs.
    """
    return {
        "data_directory": database.data,
        "hba_file": f"{database.configuration}/pg_hba.conf",
        "ident_file": f"{database.configuration}/pg_ident.conf",
        "listen_addresses": "*",
        "port": str(database.port),
        "unix_socket_directories": SOCKETS,
        "wal_level": "replica",
        "hot_standby": "on",
        "synchronous_commit": "on",
        "max_wal_senders": str(max(10, 2 * len(database.members))),
        "wal_keep_size": "1GB",
        "wal_log_hints": "on",
        "wal_sender_timeout": "5s",
        "wal_receiver_timeout": "5s",
        "wal_receiver_status_interval": "1s",
        "restart_after_crash": "off",
        "password_encryption": "scram-sha-256",
        **dict(database.settings),
    }


def _quoted(value: str) -> str:
    """Between quotes a backslash begins an escape (PostgreSQL documentation, 20.1.2; guc-file.l)."""
    return value if PLAIN.fullmatch(value) else "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _logins(database: ReplicatedDatabase) -> Iterator[LoginLine]:
    """The system's own users by the socket, members for the replication, then whom the topology names."""
    yield LoginLine("local", "all", "all", "", "peer")
    for _, address in database.members:
        for what in ("replication", "postgres"):  # to follow, and to be compared with (pg_rewind)
            yield LoginLine("host", what, REPLICATION_USER, _one(address), "scram-sha-256")
    for login in database.logins:
        yield from _lines(login)


def _word(name: str) -> str:
    """A name of pg_hba.conf; in quotes a keyword is a name (PostgreSQL documentation, 21.1), so plain ones are left alone."""
    return name if PLAIN_NAME.fullmatch(name) else f'"{name}"'


def _one(address: str) -> str:
    return str(ipaddress.ip_network(address))


def _lines(login: Login) -> Iterator[LoginLine]:
    kind = "hostssl" if login.tls or login.method == "cert" else "host"
    for source in login.sources:
        yield LoginLine(kind, _word(login.database), _word(login.user), source, login.method)
