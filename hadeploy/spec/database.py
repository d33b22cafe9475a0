"""Databases that carry their own data over: one primary, and standbys that follow it by streaming replication."""

from typing import Annotated, Literal

from pydantic import Field

from hadeploy.spec.names import LoginName
from hadeploy.spec.promotable import PromotableOperations
from hadeploy.spec.scalars import AS_TEXT, Scalar, Switch, Text, Whole
from hadeploy.spec.values import Duration, Name, Port, SpecModel


class AccessRule(SpecModel):
    """One line of pg_hba.conf: who may log in, from where, and how that is proved."""

    network: Annotated[
        Text, Field(description="a network of the topology by its name, or a subnet such as 192.0.2.0/24")
    ]
    database: LoginName = "all"
    user: LoginName = "all"
    method: Literal["scram-sha-256", "cert", "ldap", "radius", "gss", "reject"] = "scram-sha-256"
    tls: Annotated[Switch, Field(description="connections without TLS are refused")] = False


class DatabaseOperations(PromotableOperations):
    """Operation timeouts and intervals of the database's instances; what is left out follows the agent's advice.

    The primary's monitor is also what takes a lost standby out of the commits' way, so its interval is how long writes
    may stand still then.
    """

    start: Annotated[
        Duration,
        Field(description="with the time in which an instance that was primary is compared and rewound"),
    ] = 600_000
    promoted_interval: Duration = 4_000
    unpromoted_interval: Duration = 7_000


class Database(SpecModel):
    """A PostgreSQL with streaming replication; a service names it in ``databases``."""

    kind: Literal["postgresql"]
    nodes: Annotated[tuple[Name, ...], Field(description="who has a copy; default: every node")] = ()
    address: Annotated[
        Name | None,
        Field(
            description="virtual address at which standbys find the primary; default: the first of its service"
        ),
    ] = None
    version: Annotated[
        Whole | None,
        Field(ge=15, le=99, description="major version; default: the one that the release brings"),
    ] = None
    replication: Annotated[
        Literal["synchronous", "asynchronous"],
        Field(
            description="when a commit is acknowledged: once a standby has it on its disk, or once the primary has"
        ),
    ] = "synchronous"
    port: Port = 5432
    access: Annotated[
        tuple[AccessRule, ...], Field(description="who may log in; without any, nobody from outside")
    ] = ()
    settings: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$"), AS_TEXT], Scalar],
        Field(description="further lines of postgresql.conf"),
    ] = {}
    operations: DatabaseOperations = DatabaseOperations()
    was: Annotated[
        Name | None, Field(description="its name before: the database of that name is renamed, with its data")
    ] = None
