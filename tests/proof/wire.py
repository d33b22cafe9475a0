"""Members of a design as network namespaces on one switch, with real keepalived processes in them.

Everything is awaited by an event: a check is known to have failed when keepalived says so, and an election to be over when
so many adverts in a row come from the same members that every backup would have lost its patience meanwhile.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hadeploy.daemons.keepalived import share as keepalived
from hadeploy.design.design import Design
from hadeploy.design.vrrp import VrrpInstance

PATIENCE = 5
"""Adverts in a row, a master: a backup waits for less than four (Master_Down_Interval)."""

DEADLINE = 30.0
"""Seconds after which an event is not awaited any more."""

VRRP_PROTOCOL = 112
CLONE_NEWNET = 0x40000000
ETH_P_IP = 0x0800
SEGMENT_INTERFACE = "lan0"


class StuckError(AssertionError):
    """Something that was to happen did not."""


def run(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout


@dataclass
class Events:
    """What was seen so far, in order; waiting ends when something more is seen."""

    lines: dict[str, list[str]] = field(default_factory=dict)
    adverts: list[tuple[int, str]] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def await_(self, what: str, seen: Callable[[], bool]) -> None:
        """Wait until ``seen`` says so; it is asked after each event."""
        end = time.monotonic() + DEADLINE
        with self.news:
            while not seen():
                left = end - time.monotonic()
                if left <= 0 or not self.news.wait(left):
                    tails = {name: lines[-6:] for name, lines in self.lines.items()}
                    raise StuckError(f"{what} did not happen; last words: {json.dumps(tails, indent=1)}")

    def say(self, member: str, line: str) -> None:
        with self.news:
            self.lines.setdefault(member, []).append(line)
            self.news.notify_all()

    def hear(self, router: int, source: str) -> None:
        with self.news:
            self.adverts.append((router, source))
            self.news.notify_all()


class Wire:
    """One design on one switch; a context manager that takes everything away again."""

    def __init__(self, name: str, design: Design) -> None:
        """No keepalived runs before ``start``."""
        self.name, self.design, self.events = name, design, Events()
        self.members = [member.name for member in design.members]
        self.addresses = {member.name: member.on("lan") for member in design.members}
        self.by_address = {a: name for name, own in self.addresses.items() for a in own}
        self.folder = Path(tempfile.mkdtemp(prefix="hadeploy-wire-", dir="/run"))
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.watchers: list[subprocess.Popen[str]] = []
        self.threads: list[threading.Thread] = []
        self.closing = threading.Event()

    def namespace(self, member: str) -> str:
        return f"{self.name}-{member}"

    def __enter__(self) -> Wire:
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _build(self) -> None:
        self.folder.chmod(0o755)  # scripts run as nobody
        switch = self.namespace("switch")
        run("ip", "netns", "add", switch)
        run("ip", "-n", switch, "link", "add", "br0", "type", "bridge")
        run("ip", "-n", switch, "link", "set", "br0", "up", "promisc", "on")
        for member in self.members:
            space = self.namespace(member)
            run("ip", "netns", "add", space)
            peer = ("type", "veth", "peer", "name", SEGMENT_INTERFACE, "netns", space)
            run("ip", "-n", switch, "link", "add", f"to-{member}", *peer)
            run("ip", "-n", switch, "link", "set", f"to-{member}", "master", "br0", "up")
            run("ip", "-n", space, "link", "set", "lo", "up")
            run("ip", "-n", space, "link", "set", SEGMENT_INTERFACE, "up")
            for address in self.addresses[member]:
                if ":" not in address:
                    run("ip", "-n", space, "address", "add", f"{address}/24", "dev", SEGMENT_INTERFACE)
            self._write(member)
            self.events.say(member, "(*) Entering FAULT STATE: not started")
            self._watch(member)
        self._listen(switch)

    def _write(self, member: str) -> None:
        """The rendered file, with checks of this member's own in the place of the design's."""
        folder = self.folder / member
        folder.mkdir()
        share = keepalived.share(self.design, self.design.member(member))
        assert share is not None
        content = share.artifacts[0].content
        assert self.design.vrrp is not None
        for script in self.design.vrrp.scripts:
            check = folder / script.name
            check.write_text(f"#!/bin/sh\ntest ! -e {folder}/{script.name}.failed\n", encoding="ascii")
            check.chmod(0o755)
            content = content.replace(f'"{script.path}"', f'"{check}"')
        (folder / "keepalived.conf").write_text(content, encoding="ascii")

    def start(self, member: str) -> None:
        folder = self.folder / member
        options = ("-n", "-l", "-D", "-P", "-f", f"{folder}/keepalived.conf")
        files = ("-p", f"{folder}/keepalived.pid", "-r", f"{folder}/vrrp.pid")
        start = len(self.events.lines.get(member, ()))
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.namespace(member), "keepalived", *options, *files],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes[member] = process
        self.events.say(member, "(*) Entering INIT STATE: started")
        self._thread(lambda: [self.events.say(member, line.strip()) for line in process.stdout or ()])
        self._await_line(member, r"Startup complete", start)
        assert self.design.vrrp is not None
        for script in self.design.vrrp.scripts:
            self._await_line(member, rf"VRRP_Script\({script.name}\) (succeeded|failed)", start)

    def stop(self, member: str) -> None:
        """As systemd does: it says farewell."""
        process = self.processes.pop(member)
        process.terminate()
        process.wait(DEADLINE)
        self.events.say(member, "(*) Entering FAULT STATE: stopped")

    def kill(self, member: str) -> None:
        """At once, parent and child; what it left in the kernel goes as its unit's ExecStopPost takes it."""
        process = self.processes.pop(member)
        child = int((self.folder / member / "vrrp.pid").read_text(encoding="ascii"))
        # the child first: it would see its parent die, and say farewell
        os.kill(child, signal.SIGKILL)
        process.kill()
        process.wait(DEADLINE)
        run("ip", "-n", self.namespace(member), "-4", "address", "flush", "dev", SEGMENT_INTERFACE)
        run(
            "ip",
            "-n",
            self.namespace(member),
            "address",
            "add",
            f"{self._own(member)}/24",
            "dev",
            SEGMENT_INTERFACE,
        )
        self.events.say(member, "(*) Entering FAULT STATE: killed")

    def _own(self, member: str) -> str:
        return next(address for address in self.addresses[member] if ":" not in address)

    def fail(self, member: str, check: str) -> None:
        start = len(self.events.lines[member])
        (self.folder / member / f"{check}.failed").touch()
        self._await_line(member, rf"VRRP_Script\({check}\) failed", start)

    def mend(self, member: str, check: str) -> None:
        start = len(self.events.lines[member])
        (self.folder / member / f"{check}.failed").unlink()
        self._await_line(member, rf"VRRP_Script\({check}\) succeeded", start)
        assert self.design.vrrp is not None
        if (
            dict(self.design.vrrp.weights)[check] == 0
        ):  # it was barred, and says a moment later that it is not
            for instance in self.design.vrrp.instances:
                self._await_line(member, rf"\({instance.name}\) Entering BACKUP STATE", start)

    def unplug(self, member: str) -> None:
        """The interface loses its carrier."""
        start = len(self.events.lines[member])
        run("ip", "-n", self.namespace("switch"), "link", "set", f"to-{member}", "down")
        self._await_line(member, r"Entering FAULT STATE", start)

    def plug(self, member: str) -> None:
        start = len(self.events.lines[member])
        run("ip", "-n", self.namespace("switch"), "link", "set", f"to-{member}", "up")
        self._await_line(member, r"Entering BACKUP STATE", start)

    def isolate(self, *members: str) -> None:
        """Ports that reach no other isolated port: the members keep their carrier, and do not hear each other."""
        for member in members:
            run(
                *("ip", "netns", "exec", self.namespace("switch"), "bridge", "link", "set"),
                *("dev", f"to-{member}", "isolated", "on"),
            )

    def join(self, *members: str) -> None:
        for member in members:
            run(
                *("ip", "netns", "exec", self.namespace("switch"), "bridge", "link", "set"),
                *("dev", f"to-{member}", "isolated", "off"),
            )

    def owners(self, instances: tuple[VrrpInstance, ...]) -> dict[str, frozenset[str]]:
        """Who sends adverts, and has the address: the same members, once every election is over."""
        start = len(self.events.adverts)
        return {instance.name: self._owners(instance, start) for instance in instances}

    def _owners(self, instance: VrrpInstance, start: int) -> frozenset[str]:
        found: list[frozenset[str]] = []

        def over() -> bool:
            senders = self._senders(instance, start)
            found.append(senders or frozenset())
            return senders is not None

        self.events.await_(f"an end of the election of {instance.name}", over)
        senders = found[-1]
        # who says that it takes no part has the address for a moment more
        self.events.await_(
            f"{instance.name} with {set(senders)} alone", lambda: self._holders(instance) == senders
        )
        return senders

    def _senders(self, instance: VrrpInstance, start: int) -> frozenset[str] | None:
        """Members that send adverts; None before that is certain.

        One alone has sent so many in a row. Several must each have gone on for twice as long: when one takes over from another
        they answer each other a few times.
        """
        if self._all_out(instance):
            return frozenset()
        sources = [
            source for router, source in self.events.adverts[start:] if router == instance.virtual_router_id
        ]
        recent = set(sources[-PATIENCE:])
        window = PATIENCE if len(recent) == 1 else 2 * PATIENCE * len(recent)
        if not recent or len(sources) < window:
            return None
        last = sources[-window:]
        halves = (set(last[: window // 2]), set(last[window // 2 :]))
        return frozenset(self.by_address[source] for source in recent) if halves == (recent, recent) else None

    def _all_out(self, instance: VrrpInstance) -> bool:
        """Whether every member has said that it takes no part."""
        states = re.compile(rf"\((?:{instance.name}|\*)\) Entering (\w+) STATE")
        for member in self.members:
            said = [found[1] for line in self.events.lines[member] if (found := states.search(line))]
            if not said or said[-1] != "FAULT":
                return False
        return True

    def _holders(self, instance: VrrpInstance) -> frozenset[str]:
        """Members whose kernel has the address."""
        address = instance.addresses[0].partition("/")[0]
        found = set()
        for member in self.members:
            shown = json.loads(
                run("ip", "-n", self.namespace(member), "-j", "address", "show", SEGMENT_INTERFACE)
            )
            if any(one["local"] == address for link in shown for one in link.get("addr_info", ())):
                found.add(member)
        return frozenset(found)

    def _watch(self, member: str) -> None:
        """Tell of every address that comes or goes."""
        watcher = subprocess.Popen(
            ["ip", "-n", self.namespace(member), "monitor", "address"], stdout=subprocess.PIPE, text=True
        )
        self.watchers.append(watcher)
        self._thread(lambda: [self.events.say(f"{member} addresses", line) for line in watcher.stdout or ()])

    def _await_line(self, member: str, pattern: str, start: int) -> None:
        wanted = re.compile(pattern)

        def seen() -> bool:
            lines = self.events.lines.get(member, [])
            return any(wanted.search(line) for line in lines[start:])

        self.events.await_(f"{pattern} at {member}", seen)

    def _thread(self, work: Callable[[], object]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self.threads.append(thread)

    def _listen(self, namespace: str) -> None:
        """A raw socket opened in the switch's namespace, which only the thread that opens it enters."""
        ready = threading.Event()

        def listen() -> None:
            libc = ctypes.CDLL(None, use_errno=True)
            with Path(f"/run/netns/{namespace}").open("rb") as handle:
                if libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP)) as tap:
                tap.bind(("br0", ETH_P_IP))
                tap.settimeout(0.5)
                ready.set()
                while not self.closing.is_set():
                    try:
                        frame = tap.recv(2048)
                    except TimeoutError:
                        continue
                    self._take(frame[14:])

        self._thread(listen)
        if not ready.wait(DEADLINE):
            raise StuckError("no socket on the switch")

    def _take(self, packet: bytes) -> None:
        """An advert with priority 0 is a farewell, no claim."""
        if len(packet) < 24 or packet[9] != VRRP_PROTOCOL:
            return
        header = (packet[0] & 0x0F) * 4
        _, router, priority = struct.unpack_from("!BBB", packet, header)
        if priority:
            self.events.hear(router, socket.inet_ntoa(packet[12:16]))

    def close(self) -> None:
        ours = [*self.processes.values(), *self.watchers]
        for process in ours:
            process.terminate()
        for process in ours:
            try:
                process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(DEADLINE)
        self.closing.set()
        for thread in self.threads:
            thread.join(DEADLINE)
        for member in (*self.members, "switch"):
            subprocess.run(["ip", "netns", "del", self.namespace(member)], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)
