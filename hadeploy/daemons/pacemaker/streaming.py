"""Databases that replicate by themselves in the CIB: who is promoted, and that the address stays until it is demoted."""

from __future__ import annotations

from hadeploy.daemons.pacemaker.config import CibClone, CibColocation, CibLocation, CibOrder, Primitive
from hadeploy.daemons.pacemaker.notation import score
from hadeploy.daemons.pacemaker.replication import ReplicationConfig, promotable_clone, role_operation
from hadeploy.design.databases import REPLICATION_USER, SOCKETS, ReplicatedDatabase
from hadeploy.design.design import Design
from hadeploy.design.resources import INFINITY

PATIENCE = "connect_timeout=5 keepalives_idle=5 keepalives_interval=2 keepalives_count=3"
"""Of a standby that asks the primary: an address that moved answers nothing on the old connection."""


def compile_streaming(design: Design) -> ReplicationConfig:
    """The address goes after the primary: over it standbys get the last write, and without that none may take over."""
    promoted = design.release.promoted_role
    return ReplicationConfig(
        clones=tuple(_clone(database, promoted) for database in design.databases),
        locations=tuple(
            CibLocation(database.clone, member.name, score(-INFINITY))
            for database in design.databases
            for member in design.members
            if member.name not in database.names
        ),
        colocations=tuple(
            CibColocation(database.group, database.clone, score(INFINITY), promoted)
            for database in design.databases
        ),
        orders=tuple(
            order
            for database in design.databases
            for order in (
                CibOrder(database.clone, "promote", database.group, "start", symmetrical=False),
                CibOrder(
                    database.clone, "demote", database.group, "stop", symmetrical=False, mandatory=False
                ),
            )
        ),
    )


def _clone(database: ReplicatedDatabase, promoted: str) -> CibClone:
    """One failure is enough: while a primary is started again, a standby that has all of it could serve already."""
    return promotable_clone(
        database.clone,
        Primitive(
            name=database.resource,
            standard="ocf",
            provider="hadeploy",
            type="pgsql",
            parameters=_parameters(database),
            operations=tuple(role_operation(operation, promoted) for operation in database.operations),
        ),
        copies=len(database.members),
        failure_timeout_ms=database.failure_timeout_ms,
        migration_threshold=1,
    )


def _parameters(database: ReplicatedDatabase) -> tuple[tuple[str, str], ...]:
    parameters = {
        "config": f"{database.state}/postgresql.conf",
        "logfile": database.log,
        "master_ip": database.primary_address,
        "node_list": " ".join(database.names),
        "pgctl": f"{database.programs}/pg_ctl",
        "pgdata": database.data,
        "pgport": str(database.port),
        "primary_conninfo_opt": f"passfile={database.passfile} {PATIENCE}",
        "psql": f"{database.programs}/psql",
        "rep_mode": "sync" if database.synchronous else "async",
        "repuser": REPLICATION_USER,
        "socketdir": SOCKETS,
        "tmpdir": database.state,
    }
    return tuple(sorted(parameters.items()))
