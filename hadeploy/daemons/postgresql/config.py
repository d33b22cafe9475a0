"""PostgreSQL's files, typed."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.daemons.artifact import HostCheck
from hadeploy.design.secrets import Secret


@dataclass(frozen=True, slots=True)
class LoginLine:
    """One line of pg_hba.conf; ``source`` is empty for the local socket."""

    kind: str
    database: str
    user: str
    source: str
    method: str


@dataclass(frozen=True, slots=True)
class InstanceConfig:
    """One instance on one member.

    Attributes:
        directory: of its files.
        settings: of postgresql.conf, quoted as it wants them.
        logins: of pg_hba.conf; the first that fits decides.
        user: of the replication.
        secret: the replication role's password.
        check: postgresql.conf's own reader.
    """

    notice: str
    directory: str
    settings: tuple[tuple[str, str], ...]
    logins: tuple[LoginLine, ...]
    user: str
    secret: Secret
    check: HostCheck


@dataclass(frozen=True, slots=True)
class PostgresqlConfig:
    """All instances of one member, and the packages that bring their programs."""

    notice: str
    instances: tuple[InstanceConfig, ...]
    packages: tuple[str, ...]
