"""Run by a Python of its own, in namespaces of its own: plays a member, so that its files' parsers can judge them here.

Reads one JSON plan on stdin, prints one JSON answer. It makes the member's name, interfaces and users, lays the files
down below /run, and runs each parser. With a root, the parsers are those of that tree. Whatever it changes ends with
it. Kept to the standard library, because it runs beside hadeploy, not in it.
"""

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

STAGE = "/run/hadeploy-check"
SECONDS = 60
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STAND_IN = "/usr/bin/true"
SCRATCH = ("/run", "/tmp", "/var/lib/nginx", "/var/log")  # noqa: S108 (where memory is mounted)
"""Folders that parsers write to: memory stands there instead."""


class UnplayableError(Exception):
    """This machine, or this user, cannot play the member."""


def _must(*argv: str) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=SECONDS)
    except OSError as error:
        raise UnplayableError(f"{argv[0]}: {error.strerror}") from error
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise UnplayableError(f"{' '.join(argv[:4])}: {words[-1] if words else done.returncode}")


def isolate(plan: dict[str, Any]) -> None:
    """Make the room: folders in memory, the member's name, its interfaces, and then the parsers' root."""
    root = plan["root"]
    if root:
        _must("mount", "--bind", root, root)
        _must("mount", "-o", "remount,bind,ro", root)
        _must("mount", "-t", "proc", "proc", f"{root}/proc")
        _must("mount", "--rbind", "/dev", f"{root}/dev")
    _name(plan)
    for folder in SCRATCH:
        if Path(root + folder).is_dir():
            _must("mount", "-t", "tmpfs", "room", root + folder)
    if root:
        os.chroot(root)
        os.chdir("/")
    Path(STAGE).mkdir(mode=0o755)
    _users(plan["users"])


def _name(plan: dict[str, Any]) -> None:
    """Name and interfaces, with this machine's own programs: the tree's may have none."""
    _must("hostname", plan["host"])
    _must("ip", "link", "set", "lo", "up")
    # Without a right to low ports a parser that opens what it is told to listen on would refuse a good file.
    Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0", encoding="ascii")
    for number, (interface, addresses) in enumerate(plan["interfaces"]):
        _must("ip", "link", "add", interface, "type", "veth", "peer", "name", f"room{number}")
        for address in addresses:
            family = "-6" if ":" in address else "-4"
            once = ["nodad"] if ":" in address else []
            _must("ip", family, "address", "add", address, "dev", interface, *once)
        _must("ip", "link", "set", interface, "up")


def missing_users(users: list[str]) -> list[str]:
    """Those of the users whom nobody here knows."""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return [user for user in users if user not in known]


def _users(users: list[str]) -> None:
    """The member's users, in a copy of this machine's list that only the room sees."""
    missing = missing_users(users)
    if not missing:
        return
    for name, line in (
        ("passwd", "{}:x:{}:{}::/nonexistent:/usr/sbin/nologin\n"),
        ("group", "{}:x:{}:\n"),
    ):
        copy = Path(STAGE) / name
        text = Path("/etc", name).read_text(encoding="utf-8")
        text += "".join(line.format(user, 60_000 + n, 60_000 + n) for n, user in enumerate(missing))
        copy.write_text(text, encoding="utf-8")
        _must("mount", "--bind", str(copy), f"/etc/{name}")


def lay_down(plan: dict[str, Any], stage: str) -> tuple[dict[str, str], list[str]]:
    """All files, each path in them turned to where it lies; a program that only the member has is stood in for."""
    places = {file["path"]: stage + file["path"] for file in plan["files"]}
    absent = [program for program in plan["programs"] if not Path(program).exists()]
    turned = {**places, **dict.fromkeys(absent, STAND_IN)}
    for file in plan["files"]:
        place = Path(places[file["path"]])
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(redirect(file["content"], turned), encoding="utf-8")
    for folder, _, names in os.walk(stage):
        Path(folder).chmod(0o755)
        for name in names:
            (Path(folder) / name).chmod(0o644)
    return places, absent


def redirect(text: str, turned: dict[str, str]) -> str:
    """Replace whole paths, the longest first."""
    if not turned:
        return text
    paths = "|".join(re.escape(path) for path in sorted(turned, key=len, reverse=True))
    return re.sub(rf"(?<![\w./-])(?:{paths})(?![\w/-])", lambda match: turned[match.group()], text)


def judge(check: dict[str, Any], place: str, stage: str, plan: dict[str, Any]) -> dict[str, Any]:
    """Run one parser on one file."""
    answer = {"check": check["check"], "code": 0, "words": "", "version": "", "missing": ""}
    program = check["parser"]
    if shutil.which(program, path=PATH) is None:
        return {**answer, "missing": f"{program} is not installed here"}
    for need in check["needs"]:
        if not Path(need).exists():
            return {**answer, "missing": f"{need} is not here"}
    argv = [part.replace("{staged}", place).replace("{stage}", stage) for part in check["argv"]]
    if check["user"] != "root" and plan["isolated"]:
        argv = [*_as(check["user"], ordinary=plan["ordinary"]), *argv]
    code, words = _say(argv)
    known, version = _say(check["version"])
    words = words.replace(stage, "")
    return {**answer, "code": code, "words": words, "version": "" if known else version}


def _as(user: str, *, ordinary: bool) -> list[str]:
    """Another user; where there is but one, the same without the rights of root."""
    if not ordinary:
        return ["runuser", "-u", user, "--"]
    number = str(pwd.getpwnam(user).pw_uid)
    return ["unshare", "--user", f"--map-user={number}", f"--map-group={number}", "--"]


def _say(argv: list[str]) -> tuple[int, str]:
    tool = shutil.which("setpriv", path=PATH)
    tied = [tool, "--pdeathsig", "KILL", "--"] if tool else []
    try:
        done = subprocess.run(
            [*tied, *argv],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": PATH, "LC_ALL": "C"},
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return 124, f"it took more than {SECONDS} s"
    except OSError as error:
        return 127, f"{argv[0]}: {error.strerror}"
    return done.returncode, f"{done.stdout}\n{done.stderr}".strip()


def play(plan: dict[str, Any]) -> dict[str, Any]:
    """The whole of it."""
    stage = plan["stage"] or STAGE
    strangers = [] if plan["isolated"] else missing_users(plan["users"])
    if strangers:
        return {"problem": f"there is no user {', '.join(strangers)}"}
    try:
        if plan["isolated"]:
            isolate(plan)
    except (UnplayableError, OSError) as problem:
        return {"problem": str(problem)}
    places, absent = lay_down(plan, stage)
    answers = [judge(check, places[check["path"]], stage, plan) for check in plan["checks"]]
    return {"problem": "", "answers": answers, "stood_in": absent}


if __name__ == "__main__":
    json.dump(play(json.load(sys.stdin)), sys.stdout)
