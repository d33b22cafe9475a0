"""nginx's sites to text: a configuration each, and one template unit."""

from __future__ import annotations

from hadeploy.daemons.artifact import Artifact
from hadeploy.daemons.nginx.check import CHECK
from hadeploy.daemons.nginx.config import NginxConfig
from hadeploy.daemons.templates import print_view

UNIT_PATH = "/etc/systemd/system/hadeploy-nginx@.service"


def render_nginx(config: NginxConfig, host: str) -> tuple[Artifact, ...]:
    """The template unit is told to nobody: systemd reads it anew (daemon-reload), running sites stay as they are."""
    return (
        Artifact(host=host, path=UNIT_PATH, content=print_view("nginx/hadeploy-nginx@.service.j2", config)),
        *(
            Artifact(
                host=host,
                path=f"{config.directory}/{site.name}.conf",
                content=print_view("nginx/site.conf.j2", site),
                unit=site.unit,
                on_change="reload",
                check=CHECK,
            )
            for site in config.sites
        ),
    )
