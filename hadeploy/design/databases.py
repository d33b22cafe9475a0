"""Databases that replicate by themselves: paths, addresses and names, derived once. Times in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.promotable import RoleOperation
from hadeploy.design.secrets import Secret

SOCKETS = "/var/run/postgresql"
"""Where Debian's clients look; its package has it made at boot."""

PRIMARY = "PRI"
"""The agent's word for the instance that is promoted."""

REPLICATION_USER = "hadeploy_replication"
"""The role by which standbys log in; it can read what is replicated, and nothing else."""


@dataclass(frozen=True, slots=True)
class Login:
    """One line of pg_hba.conf; ``sources`` are subnets."""

    database: str
    user: str
    sources: tuple[str, ...]
    method: str
    tls: bool


@dataclass(frozen=True, slots=True)
class ReplicatedDatabase:
    """One PostgreSQL: a primary, and standbys that follow it.

    Attributes:
        name: of the topology.
        group: the service that is where the primary is.
        version: major.
        port: TCP.
        members: name and the address that copies come from and go to, in the order of the topology.
        primary_address: virtual, where standbys find the primary.
        synchronous: whether a commit waits for a standby's disk.
        settings: further lines of postgresql.conf.
        logins: who may log in besides the replication itself.
        secret: the replication role's password.
        operations: of the instances.
        failure_timeout_ms: after so long without a failure, the count starts anew.
        was: its former name, whose data it takes over; empty for none.
    """

    name: str
    group: str
    version: int
    port: int
    members: tuple[tuple[str, str], ...]
    primary_address: str
    synchronous: bool
    settings: tuple[tuple[str, str], ...]
    logins: tuple[Login, ...]
    secret: Secret
    operations: tuple[RoleOperation, ...]
    failure_timeout_ms: int
    was: str = ""

    @property
    def loss_window_ms(self) -> int | None:
        """The longest span of acknowledged commits that any one failure may take with it; None without a bound."""
        return 0 if self.synchronous else None

    @property
    def crash_loss_ms(self) -> int | None:
        """The same of a primary that dies at once."""
        return self.loss_window_ms

    @property
    def resource(self) -> str:
        """Pacemaker's id of the instances."""
        return f"{self.name}-postgresql"

    @property
    def clone(self) -> str:
        """Pacemaker's id of the instances together."""
        return f"{self.name}-postgresql-clone"

    @property
    def names(self) -> tuple[str, ...]:
        """Members that have a copy."""
        return tuple(name for name, _ in self.members)

    @property
    def well(self) -> tuple[str, ...]:
        """The agent's words for instances that are as they must be, the primary's first (ocf_heartbeat_pgsql(7))."""
        return (PRIMARY, *(("HS:sync", "HS:potential") if self.synchronous else ("HS:sync", "HS:async")))

    @property
    def programs(self) -> str:
        """Where this version's programs are (Debian's postgresql-common)."""
        return f"/usr/lib/postgresql/{self.version}/bin"

    @property
    def data(self) -> str:
        """The data directory."""
        return f"/var/lib/postgresql/{self.version}/{self.name}"

    @property
    def places(self) -> str:
        """Where data of this database is in any version, as a pattern of paths."""
        return f"/var/lib/postgresql/*/{self.name}"

    @property
    def record(self) -> str:
        """What a node remembers of the data; apart from it, so that it is there when the data is not."""
        return f"/var/lib/hadeploy/databases/{self.name}.json"

    @property
    def state(self) -> str:
        """What the agent writes itself: who is synchronous, where the primary is, the mark of an unclean end."""
        return f"{self.data}.cluster"

    @property
    def kept_wal(self) -> str:
        """Where WAL goes that only one instance has, before pg_rewind discards it (templates/postgresql/follow.j2)."""
        return f"{self.state}/kept-wal"

    @property
    def configuration(self) -> str:
        """The directory of the files that hadeploy writes; Debian's programs look for instances here, too."""
        return f"/etc/postgresql/{self.version}/{self.name}"

    @property
    def passfile(self) -> str:
        """The replication role's password, as libpq reads it."""
        return f"{self.configuration}/replication.pgpass"

    @property
    def log(self) -> str:
        """What the server says before its own logging is up, and with Debian's settings all of it."""
        return f"/var/log/postgresql/postgresql-{self.version}-{self.name}.log"
