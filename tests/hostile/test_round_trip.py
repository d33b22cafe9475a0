"""Legal text comes back equal from the daemon's own parser: what a topology says is what the daemon reads."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from hadeploy.daemons.drbd.compile import compile_drbd
from hadeploy.daemons.drbd.generation import GENERATIONS
from hadeploy.daemons.drbd.render import render_text
from hadeploy.daemons.haproxy.words import word
from hadeploy.daemons.keepalived.compile import program_word
from hadeploy.daemons.nginx.compile import quoted
from hadeploy.daemons.pacemaker.check import with_members_online
from hadeploy.daemons.pacemaker.compile import compile_cib
from hadeploy.daemons.pacemaker.render import render_cib
from hadeploy.daemons.postgresql.compile import compile_postgresql
from hadeploy.daemons.postgresql.render import render_postgresql
from hadeploy.design.design import Design
from hadeploy.spec.names import DocumentRoot, ProgramPath, UrlPath

pytestmark = pytest.mark.programs

TEXTS = [
    "O'Brien",
    "ü",
    "100% %n",
    "$HOME ${x}",
    "#1 ;2",
    "the \"best\" 'one'",
    "back\\slash \\n \\'",
    "a{b};}c",
    "x' fsync=off #",
]
POSTGRES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))), Path("postgres"))


def taken(kind: object, text: str) -> bool:
    try:
        TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("text", TEXTS)
def test_postgresql_reads_a_setting(design_of: Callable[..., Design], tmp_path: Path, text: str):
    design = design_of("postgresql-streaming")
    design = replace(
        design,
        databases=tuple(
            replace(each, settings=(("cluster_name", "a"), ("log_line_prefix", text)))
            for each in design.databases
        ),
    )
    config = compile_postgresql(design, design.members[0])
    assert config is not None
    (content,) = (
        each.content for each in render_postgresql(config, "n1") if each.path.endswith("/postgresql.conf")
    )
    file = tmp_path / "postgresql.conf"
    lines = [
        line
        for line in content.split("\n")
        if not line.startswith(("data_directory", "hba_file", "ident_file"))
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "PG_VERSION").write_text(f"{POSTGRES.parts[-3]}\n")
    for each in (
        tmp_path,
        *(above for above in tmp_path.parents if above.name.startswith(("pytest-", "popen-"))),
    ):
        each.chmod(0o755)
    os.chown(tmp_path / "data", 65534, 65534)
    for setting, wanted in (("log_line_prefix", text), ("fsync", "on")):
        argv = [str(POSTGRES), "-C", setting, "-D", str(tmp_path / "data"), "-c", f"config_file={file}"]
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", *argv],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        assert done.stdout == f"{wanted}\n", done.stderr


@pytest.mark.parametrize("text", TEXTS)
def test_pacemaker_reads_a_parameter(design_of: Callable[..., Design], tmp_path: Path, text: str):
    config = compile_cib(design_of("active-passive"))
    assert config is not None
    first, *others = config.fence_devices
    device = replace(first, parameters=tuple(({**dict(first.parameters), "username": text}).items()))
    file = tmp_path / "cib.xml"
    file.write_text(
        with_members_online(render_cib(replace(config, fence_devices=(device, *others)))), encoding="utf-8"
    )
    environment = {**os.environ, "CIB_file": str(file), "LC_ALL": "C.UTF-8"}
    argv = ["crm_resource", "--resource", device.name, "--get-parameter", "username"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout == f"{text}\n", done.stderr
    judged = subprocess.run(
        ["crm_verify", "--xml-file", str(file)], capture_output=True, text=True, check=False
    )
    assert judged.returncode == 0, judged.stderr


PATHS = ["/healthz", "/a?b=c&d=%20e", "/O'Brien", "/$HOME", "/100%25", "/(a)*;b,c!"]


@pytest.mark.parametrize("path", PATHS)
def test_haproxy_asks_for_a_path(tmp_path: Path, path: str):
    """A health check of a running HAProxy, as the server sees it."""
    assert taken(UrlPath, path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        seen: list[bytes] = []

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                seen.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")

        asked = threading.Thread(target=answer)
        asked.start()
        file = tmp_path / "haproxy.cfg"
        file.write_text(
            "defaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n"
            f"frontend f\n  bind unix@{tmp_path}/socket\n  default_backend b\n"
            f"backend b\n  option httpchk\n  http-check send meth GET uri {word(path)} hdr Host x\n"
            f"  server s 127.0.0.1:{server.getsockname()[1]} check inter 1s\n"
        )
        running = subprocess.Popen(
            ["haproxy", "-db", "-f", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            asked.join()
        finally:
            running.terminate()
            running.wait()
    assert seen[0].split(b" ")[:2] == [b"GET", path.encode()]


@pytest.mark.parametrize("name", TEXTS)
def test_nginx_serves_a_folder(tmp_path: Path, name: str):
    """A running nginx answers with what is in the folder; what it has no way to write, no topology says."""
    folder = tmp_path / name
    if "$" in name:
        assert not taken(DocumentRoot, str(folder))
        return
    assert taken(DocumentRoot, str(folder))
    folder.mkdir()
    (folder / "index.html").write_text("here")
    folder.chmod(0o755)
    for each in (
        tmp_path,
        *(above for above in tmp_path.parents if above.name.startswith(("pytest-", "popen-"))),
    ):
        each.chmod(0o755)
    file = tmp_path / "nginx.conf"
    file.write_text(
        f"user root; daemon off; pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}}\n"
        f"http {{ access_log off; server {{ listen unix:{tmp_path}/web; root {quoted(str(folder))}; }} }}\n",
        encoding="utf-8",
    )
    subprocess.run(["nginx", "-t", "-q", "-c", str(file)], check=True)
    running = subprocess.Popen(
        ["nginx", "-c", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        words = ["curl", "-sS", "--retry", "30", "--retry-all-errors", "--retry-delay", "1"]
        done = subprocess.run(
            [*words, "--unix-socket", f"{tmp_path}/web", "http://x/index.html"],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        running.terminate()
        running.wait()
    assert done.stdout == "here", done.stderr


@pytest.mark.parametrize("name", TEXTS)
def test_keepalived_finds_a_program(tmp_path: Path, name: str):
    """It says of a program that is not there that it is not; what its versions read differently, no topology says."""
    program = tmp_path / name
    if not taken(ProgramPath, str(program)):
        assert set(name) & set("'\"\\")
        return
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    said = {}
    for path in (program, tmp_path / "not there"):
        file = tmp_path / "keepalived.conf"
        file.write_text(
            "global_defs {\n  script_user root\n  enable_script_security\n}\n"
            f'vrrp_script s {{\n  script "{program_word(str(path))}"\n  interval 1\n}}\n'
            f'vrrp_instance a {{\n  interface lo\n  virtual_router_id 3\n  notify "{program_word(str(path))}" root\n'
            "  virtual_ipaddress {\n    192.0.2.1/32\n  }\n  track_script {\n    s\n  }\n}\n",
            encoding="utf-8",
        )
        done = subprocess.run(
            ["keepalived", "-t", "-f", str(file)], capture_output=True, text=True, check=False
        )
        words = done.stdout + done.stderr
        said[path] = "not found" in words, "quote" in words.lower() or "terminating" in words
    assert said == {program: (False, False), tmp_path / "not there": (True, False)}


@pytest.mark.parametrize(
    "path", ["/dev/disk/by-id/a=b#c", "/dev/vg+1/data", "/dev/disk/by-path/pci-0000:00:1f.2-ata-1"]
)
def test_drbdadm_reads_a_disk(design_of: Callable[..., Design], tmp_path: Path, path: str):
    design = design_of("active-passive-drbd", ("/dev/disk/by-id/virtio-data", path))
    config = compile_drbd(design, design.members[0])
    assert config is not None
    file = tmp_path / "drbd.conf"
    file.write_text(render_text(config.resources[0]), encoding="utf-8")
    argv = [GENERATIONS[config.generation].parser, f"--config-file={file}", "sh-ll-dev", "data"]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env={**os.environ, "__DRBD_NODE__": "n1"}
    )
    assert done.stdout == f"{path}\n", done.stderr
