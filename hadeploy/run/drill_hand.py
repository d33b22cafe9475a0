"""Sent to a member over SSH and run there by its own Python: the hand of a drill on real hosts.

``power off|on TARGET DEVICE...`` runs the fence agents of a member's first level as the cluster would, with the parameters
that the cluster information base holds: credentials never leave the host. ``kill UNIT`` kills every process of a unit.
``cut INTERFACE SECONDS`` drops what goes over an interface, and undoes that by itself; ``mend`` undoes it at once.

Kept to the standard library, because it runs on hosts that have nothing of hadeploy.
"""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

TABLE = "hadeploy_drill"
TIMER = "hadeploy-drill-mend"
AGENTS = Path("/usr/sbin")
CGROUPS = Path("/sys/fs/cgroup")
SECONDS = 120
SECRETS = Path("/var/lib/pacemaker/lrm/secrets")
IN_FILES = "lrm://"
PLUGS = ("plug", "port")


def run(argv: list[str], given: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a program to its end, or to the end of its time."""
    return subprocess.run(argv, input=given, capture_output=True, text=True, timeout=SECONDS, check=False)


def fail(words: str) -> None:
    """End with a sentence."""
    sys.stderr.write(f"{words}\n")
    raise SystemExit(1)


def agent_input(resources: str, metadata: str, device: str, target: str, action: str) -> str:
    """What the fence daemon itself would give the agent on its standard input.

    Args:
        resources: the cluster information base's, as XML.
        metadata: of the agent.
        device: resource id.
        target: who is fenced.
        action: ``on`` or ``off``.

    Raises:
        LookupError: there is no such device.
        OSError: a parameter is kept in a file, which cannot be read.
    """
    primitive = device_of(resources, device)
    pairs = {pair.get("name", ""): pair.get("value", "") for pair in primitive.iter("nvpair")}
    pairs = {name: secret(device, name) if value == IN_FILES else value for name, value in pairs.items()}
    mapped = dict(part.split(":", 1) for part in pairs.get("pcmk_host_map", "").split(";") if ":" in part)
    own = {name: value for name, value in pairs.items() if not name.startswith("pcmk_")}
    known = {node.get("name", "") for node in parsed(metadata).iter("parameter")}
    plug = next((name for name in PLUGS if name in known), "")
    if plug and not any(name in own for name in PLUGS):
        own[plug] = mapped.get(target, target)
    return "".join(
        f"{name}={value}\n"
        for name, value in (("action", action), ("nodename", target), *sorted(own.items()))
    )


def secret(device: str, name: str) -> str:
    """A parameter that the cluster information base does not hold, from where the fence daemon reads it (cibsecret(8))."""
    return (SECRETS / device / name).read_text(encoding="utf-8").splitlines()[0]


def parsed(text: str) -> ElementTree.Element:
    """What the host's own programs print; a library that is safer than the standard one is not there."""
    return ElementTree.fromstring(text.strip())  # noqa: S314


def device_of(resources: str, device: str) -> ElementTree.Element:
    """The primitive of a fence device.

    Raises:
        LookupError: there is none.
    """
    for primitive in parsed(resources).iter("primitive"):
        if primitive.get("id") == device and primitive.get("class") == "stonith":
            return primitive
    raise LookupError(f"there is no fence device {device}")


def power(action: str, target: str, devices: list[str]) -> None:
    """All devices of one level."""
    resources = run(["cibadmin", "--query", "--scope", "resources"])
    if resources.returncode != 0:
        fail(f"the cluster information base cannot be read: {resources.stderr.strip()}")
    for device in devices:
        try:
            agent = str(AGENTS / (device_of(resources.stdout, device).get("type") or ""))
            metadata = run([agent, "-o", "metadata"]).stdout
            given = agent_input(resources.stdout, metadata, device, target, action)
        except (LookupError, OSError, ElementTree.ParseError) as error:
            fail(str(error))
        done = run([agent], given)
        if done.returncode != 0:
            fail(f"{device}: {done.stderr.strip()[-200:]}")


def kill(unit: str) -> None:
    """Children first: what crashed has no last word."""
    group = run(["systemctl", "show", "--property=ControlGroup", "--value", unit]).stdout.strip()
    if not group:
        fail(f"{unit} does not run")
    root = CGROUPS if (CGROUPS / "cgroup.controllers").exists() else CGROUPS / "systemd"
    pids = (root / group.lstrip("/") / "cgroup.procs").read_text(encoding="ascii").split()
    run(["kill", "-KILL", *sorted(pids, key=int, reverse=True)])


def cut(interface: str, seconds: str) -> None:
    """The undoing is started first: whatever happens to this connection, the link comes back."""
    run(["systemctl", "stop", f"{TIMER}.timer"])
    timer = run(
        [
            "systemd-run",
            "--quiet",
            f"--unit={TIMER}",
            f"--on-active={seconds}",
            "nft",
            "delete",
            "table",
            "inet",
            TABLE,
        ]
    )
    if timer.returncode != 0:
        fail(f"no timer could be set that mends the link: {timer.stderr.strip()}")
    rules = (
        f"table inet {TABLE} {{\n"
        f" chain from {{ type filter hook input priority -300; iifname {interface} drop; }}\n"
        f" chain to {{ type filter hook output priority -300; oifname {interface} drop; }}\n}}\n"
    )
    done = run(["nft", "-f", "-"], rules)
    if done.returncode != 0:
        fail(f"the link cannot be cut: {done.stderr.strip()}")


def mend() -> None:
    """Does no harm where nothing is cut."""
    run(["nft", "delete", "table", "inet", TABLE])
    run(["systemctl", "stop", f"{TIMER}.timer"])


def main() -> None:
    """The first argument is the verb."""
    verb, *arguments = sys.argv[1:]
    if verb == "power":
        power(arguments[0], arguments[1], arguments[2:])
    elif verb == "kill":
        kill(arguments[0])
    elif verb == "cut":
        cut(*arguments)
    elif verb == "mend":
        mend()
    else:
        fail(f"no verb {verb}")


if __name__ == "__main__":
    main()
