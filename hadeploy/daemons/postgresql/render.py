"""PostgreSQL's model to text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hadeploy.daemons.artifact import Artifact, HostCheck
from hadeploy.daemons.postgresql import keep_wal
from hadeploy.daemons.postgresql.config import InstanceConfig, PostgresqlConfig
from hadeploy.daemons.templates import print_view

USER = "postgres"

FUNCTIONS = "/usr/lib/ocf/lib/hadeploy"
"""What the agent sources, and the kept one in place of resource-agents' own functions."""

SCRIPTS = (
    ("ocf-shellfuncs", f"{FUNCTIONS}/ocf-shellfuncs", "0644"),
    ("follow", f"{FUNCTIONS}/follow", "0644"),
    ("address", f"{FUNCTIONS}/address", "0644"),
    ("pgsql", "/usr/lib/ocf/resource.d/hadeploy/pgsql", "0755"),
)
"""Template, path and mode of ``ocf:hadeploy:pgsql``: the kept agent, and what that leaves to a person."""


def render_postgresql(config: PostgresqlConfig, host: str) -> tuple[Artifact, ...]:
    """The agent, and of each instance its files, with the word that keeps Debian's own unit from starting it."""
    check = HostCheck(argv=("sh", "-n", "{staged}"))
    scripts = (
        Artifact(
            host=host, path=path, content=print_view(f"postgresql/{name}.j2", config), mode=mode, check=check
        )
        for name, path, mode in SCRIPTS
    )
    keeper = Artifact(
        host=host,
        path=f"{FUNCTIONS}/keep-wal",
        content=keeper_text(config.notice),
        check=HostCheck(argv=("python3", "-m", "ast", "{staged}")),
    )
    return (
        *scripts,
        keeper,
        *(artifact for instance in config.instances for artifact in _files(instance, host)),
    )


def keeper_text(notice: str) -> str:
    """The program that keeps WAL: it runs by the host's own Python."""
    return f"# {notice}\n{Path(keep_wal.__file__).read_text(encoding='utf-8')}"


def _files(instance: InstanceConfig, host: str) -> tuple[Artifact, ...]:
    directory = instance.directory
    return (
        *(replace(_printed(instance, host, name), mode="0640") for name in ("pg_hba.conf", "pg_ident.conf")),
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
        replace(_printed(instance, host, "postgresql.conf"), check=instance.check),
    )


def _printed(instance: InstanceConfig, host: str, name: str) -> Artifact:
    return Artifact(
        host=host,
        path=f"{instance.directory}/{name}",
        content=print_view(f"postgresql/{name}.j2", instance),
        owner=USER,
        group=USER,
    )
