"""PostgreSQL's model to text."""

from __future__ import annotations

from hadeploy.daemons.artifact import Artifact, HostCheck
from hadeploy.daemons.postgresql.config import InstanceConfig, PostgresqlConfig
from hadeploy.daemons.templates import print_view

USER = "postgres"


AGENT = "/usr/lib/ocf/resource.d/hadeploy/pgsql"
"""``ocf:hadeploy:pgsql``: the kept agent, and what it leaves to a person."""


FUNCTIONS = "/usr/lib/ocf/lib/hadeploy"
"""What the agent sources, and the kept one in place of resource-agents' own functions."""


def render_postgresql(config: PostgresqlConfig, host: str) -> tuple[Artifact, ...]:
    """The agent, and of each instance its files, with the word that keeps Debian's own unit from starting it."""
    check = HostCheck(argv=("sh", "-n", "{staged}"))
    agent = (
        *(
            Artifact(
                host=host,
                path=f"{FUNCTIONS}/{name}",
                content=print_view(f"postgresql/{name}.j2", config),
                check=check,
            )
            for name in ("ocf-shellfuncs", "follow")
        ),
        Artifact(
            host=host,
            path=AGENT,
            content=print_view("postgresql/pgsql.j2", config),
            mode="0755",
            check=check,
        ),
    )
    return (*agent, *(artifact for instance in config.instances for artifact in _files(instance, host)))


def _files(instance: InstanceConfig, host: str) -> tuple[Artifact, ...]:
    directory = instance.directory
    return (
        Artifact(
            host=host,
            path=f"{directory}/pg_hba.conf",
            content=print_view("postgresql/pg_hba.conf.j2", instance),
            owner=USER,
            group=USER,
            mode="0640",
        ),
        Artifact(
            host=host,
            path=f"{directory}/pg_ident.conf",
            content=print_view("postgresql/pg_ident.conf.j2", instance),
            owner=USER,
            group=USER,
            mode="0640",
        ),
        Artifact(
            host=host,
            path=f"{directory}/replication.pgpass",
            content=f"*:*:*:{instance.user}:{instance.secret.placeholder}\n",
            owner=USER,
            group=USER,
            mode="0600",
            secrets=(instance.secret,),
        ),
        Artifact(host=host, path=f"{directory}/start.conf", content="disabled\n"),
        Artifact(
            host=host,
            path=f"{directory}/postgresql.conf",
            content=print_view("postgresql/postgresql.conf.j2", instance),
            owner=USER,
            group=USER,
            check=instance.check,
        ),
    )
