from __future__ import annotations

from dataclasses import replace

import pytest

from hadeploy.daemons.haproxy import share as haproxy
from hadeploy.design.balancing import BalancedServer, ServerTls

PATH = "/etc/haproxy/haproxy.cfg"

BACKENDS = """\
backend sites
    mode http
    balance roundrobin
    timeout check 1000ms
    option forwardfor
    retry-on conn-failure empty-response
    http-request disable-l7-retry if !{ method GET HEAD OPTIONS }
    option httpchk
    http-check send meth GET uri /healthz
    http-check expect status 200
    stick-table type ipv6 size 100k expire 30m peers hadeploy
    stick on src
    default-server check inter 1000ms fall 2 rise 2
    server n1 198.51.100.1:8080 weight 100
    server n2 [2001:db8::2]:8080 weight 100 backup

backend raw
    mode tcp
    balance leastconn
    timeout check 400ms
    default-server check inter 500ms fall 3 rise 1
    server n1 198.51.100.1:5432 weight 100
"""


def text(design, find, number=0):
    return find(haproxy.share(design, design.members[number]), PATH).content


def without_sticking(design):
    backends = tuple(replace(backend, stick_on_source=False) for backend in design.balancer.backends)
    return replace(design, balancer=replace(design.balancer, backends=backends))


def test_backends_text(active_active, find):
    assert text(active_active, find).endswith(BACKENDS)


def test_frontends_text(active_active, find):
    expected = (
        "frontend www\n    mode http\n    option httplog\n    bind 198.51.100.100:80\n"
        "    bind [2001:db8::100]:80\n    default_backend sites\n"
    )
    assert expected in text(active_active, find)


def test_each_member_is_a_peer_under_its_own_name(active_active, find):
    peers = "peers hadeploy\n    peer n1 198.51.100.1:10000\n    peer n2 198.51.100.2:10000\n"
    for number, name in enumerate(("n1", "n2")):
        content = text(active_active, find, number)
        assert peers in content
        assert f"localpeer {name}\n" in content


def test_peers_only_where_something_sticks(active_active, find):
    content = text(without_sticking(active_active), find)
    assert "peers hadeploy" not in content
    assert "stick" not in content


def test_every_timeout_is_set(active_active, find):
    content = text(active_active, find)
    for name in ("connect", "client", "server", "queue", "http-request", "check"):
        assert f"timeout {name} " in content


def test_statistics_listen_on_the_members_own_address(active_active, find):
    assert "bind 198.51.100.2:8404\n" in text(active_active, find, 1)


def test_without_balancer_there_is_no_haproxy(two_nodes):
    assert haproxy.share(two_nodes, two_nodes.members[0]) is None


def with_everything(design):
    """Every setting that a topology can change, changed."""
    sites, raw = design.balancer.backends
    sites = replace(
        sites,
        check=replace(sites.check, fast_interval_ms=200, port=9200, tls=True, host="example.org"),
        tls=ServerTls("required", "@system-ca", "backend.example.org"),
        shares_table=False,
        closes_sessions=True,
        servers=(
            *sites.servers,
            BalancedServer(
                "cloud", "backend.example.org", 443, 10, backup=False, checked=False, maxconn=50, resolve=True
            ),
        ),
    )
    raw = replace(raw, check=replace(raw.check, kind="pgsql", user="checker"))
    other = [
        replace(raw, name=kind, check=replace(raw.check, kind=kind)) for kind in ("mysql", "redis", "none")
    ]
    plan = replace(
        design.balancer,
        backends=(sites, raw, *other),
        queue_ms=500,
        retries=1,
        redispatch=False,
        hard_stop_ms=60_500,
        bind="transparent",
        open_files=10_000,
        resolvers=("198.51.100.53", "2001:db8::53"),
    )
    return replace(design, balancer=plan)


def lines_of(content, section):
    """The settings of a section, without their indentation."""
    return [line.strip() for line in content.split(f"\n{section}\n")[1].split("\n\n")[0].splitlines()]


def test_everything_that_can_be_written_is_written(active_active, find):
    content = text(with_everything(active_active), find)
    for line in ("ulimit-n 10000", "hard-stop-after 60500ms"):
        assert line in lines_of(content, "global")
    for line in ("timeout queue 500ms", "retries 1", "no option redispatch"):
        assert line in lines_of(content, "defaults")
    assert "option redispatch 1" not in content
    assert "bind 198.51.100.100:80 transparent" in lines_of(content, "frontend www")
    sites = lines_of(content, "backend sites")
    assert "http-check send meth GET uri /healthz hdr Host example.org" in sites
    assert "stick-table type ipv6 size 100k expire 30m" in sites
    assert "peers hadeploy" not in content
    assert (
        "default-server check inter 1000ms fastinter 200ms fall 2 rise 2 port 9200 check-ssl ssl verify required "
        "ca-file @system-ca verifyhost backend.example.org sni str(backend.example.org) check-sni "
        "backend.example.org on-marked-down shutdown-sessions"
    ) in sites
    assert sites[-1] == (
        "server cloud backend.example.org:443 weight 10 no-check maxconn 50 init-addr last,none "
        "resolvers hadeploy"
    )
    assert "option pgsql-check user checker" in lines_of(content, "backend raw")
    assert "option mysql-check user checker" in lines_of(content, "backend mysql")
    assert "option redis-check" in lines_of(content, "backend redis")
    assert "check" not in " ".join(lines_of(content, "backend none")[3:])
    assert lines_of(content, "resolvers hadeploy")[:2] == [
        "nameserver dns1 198.51.100.53:53",
        "nameserver dns2 [2001:db8::53]:53",
    ]


@pytest.mark.native
@pytest.mark.parametrize("change", [lambda design: design, without_sticking, with_everything])
def test_parser_takes_it(change, active_active, parser_host, find):
    artifact = find(haproxy.share(change(active_active), active_active.members[0]), PATH)
    # the host of the test has no way out, and a name server must be reachable
    content = artifact.content.replace("198.51.100.53:53", "127.0.0.1:53").replace("[2001:db8::53]", "[::1]")
    good, said = parser_host.judge(artifact.check, content)
    assert good, said


@pytest.mark.native
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("default_backend sites", "default_backend sights"),
        ("    timeout client 30000ms\n", ""),
        ("localpeer n1", "localpeer n9"),
        ("balance roundrobin", "balance roundrobbing"),
    ],
)
def test_parser_refuses_what_is_broken(old, new, active_active, parser_host, find):
    artifact = find(haproxy.share(active_active, active_active.members[0]), PATH)
    assert old in artifact.content
    good, said = parser_host.judge(artifact.check, artifact.content.replace(old, new))
    assert not good, said
