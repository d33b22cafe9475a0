"""HA069: what keepalived runs, and as whom."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

WRITABLE_BY_OTHERS = ("/tmp", "/var/tmp", "/dev/shm", "/home", "/run/user", "/run/lock")  # noqa: S108 - to refuse them


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.vrrp
    if plan is None:
        return
    if not plan.script_security and (plan.scripts or plan.processes or plan.notify):
        yield Found("script security is off", ("vrrp", "script_security"), "leave out vrrp.script_security")
    programs = [
        *((s.name, s.path, s.user, ("vrrp", "track_scripts", s.name)) for s in plan.scripts),
        *((("notify", plan.notify, plan.notify_user, ("vrrp",)),) if plan.notify else ()),
    ]
    for name, path, user, place in programs:
        user_key, path_key = ("notify_user", "notify") if name == "notify" else ("user", "path")
        if user == "root":
            yield Found(
                f"{name} runs as root", (*place, user_key), "leave out the user, or name one without rights"
            )
        if any(path.startswith(f"{folder}/") for folder in WRITABLE_BY_OTHERS):
            yield Found(
                f"{path} can be replaced by others than root",
                (*place, path_key),
                "put it into /usr/local/sbin",
            )


RULE = Rule(
    code="HA069",
    family=Family.VRRP,
    severity=Severity.ERROR,
    title="Scripts run as a user without rights, from a place that only root can write to",
    reason="keepalived is root: whoever can change such a script is root, too; with script security it does not run it, and"
    " the address goes",
    mend="put scripts into /usr/local/sbin and leave out user and script_security",
    source="keepalived.conf(5), enable_script_security and script_user; keepalived -t 2.2.7, exit codes 5 and 6",
    check=_check,
)
