from __future__ import annotations

from dataclasses import replace

import pytest

from hadeploy.daemons.nginx import share as nginx

PATH = "/etc/hadeploy/nginx/web.conf"


def test_site(two_nodes, find):
    site = find(nginx.share(two_nodes, two_nodes.members[0]), PATH)
    assert site.unit == "hadeploy-nginx@web.service"
    assert "pid /run/hadeploy-nginx-web.pid;" in site.content
    assert "listen 8080 default_server;\n        listen [::]:8080 default_server;" in site.content
    assert "root /var/www/html;" in site.content
    assert "add_header X-Served-By $hostname always;" in site.content


def test_no_ipv6_socket_without_ipv6_networks(two_nodes, find):
    segments = tuple(replace(segment, subnets=segment.subnets[:1]) for segment in two_nodes.segments)
    site = find(nginx.share(replace(two_nodes, segments=segments), two_nodes.members[0]), PATH)
    assert "[::]" not in site.content


def test_template_unit_names_the_same_files(two_nodes, find):
    unit = find(nginx.share(two_nodes, two_nodes.members[0]), "/etc/systemd/system/hadeploy-nginx@.service")
    assert "ExecStart=/usr/sbin/nginx -c /etc/hadeploy/nginx/%i.conf" in unit.content
    assert "PIDFile=/run/hadeploy-nginx-%i.pid" in unit.content


def test_debians_own_unit_stays_off(two_nodes):
    (unit,) = nginx.share(two_nodes, two_nodes.members[0]).units
    assert (unit.name, unit.enabled, unit.running) == ("nginx.service", False, False)


def test_only_on_members_of_the_site(two_nodes):
    site = replace(two_nodes.sites[0], members=("n2",))
    design = replace(two_nodes, sites=(site,))
    assert nginx.share(design, design.members[0]) is None
    assert nginx.share(design, design.members[1]) is not None


@pytest.mark.native
def test_parser_takes_it(two_nodes, parser_host, find):
    site = find(nginx.share(two_nodes, two_nodes.members[0]), PATH)
    good, said = parser_host.judge(site.check, site.content)
    assert good, said


@pytest.mark.native
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("listen 8080", "listen 80800"),
        ("worker_processes auto;", "worker_processes auto"),
        ("root ", "roots "),
    ],
)
def test_parser_refuses_what_is_broken(old, new, two_nodes, parser_host, find):
    site = find(nginx.share(two_nodes, two_nodes.members[0]), PATH)
    assert old in site.content
    good, said = parser_host.judge(site.check, site.content.replace(old, new))
    assert not good, said
