# SPDX-License-Identifier: Apache-2.0
"""One refusal for all that is in the way on all hosts, with what to write where it should be replaced."""

from __future__ import annotations

BLOCKED = "APPLY091"
FOREIGN = "APPLY090"
UNITS = "APPLY095"
UNKNOWN = "APPLY092"
CLOSING = "APPLY082"
SHUT_OUT = "APPLY084"


def refusal(
    seen: dict[str, dict],
    files: list[str],
    units: list[str],
    known: dict[str, list[str]],
    closed: list[dict] | tuple = (),
) -> str:
    """Why the apply must not go on; empty where it may.

    Args:
        seen: what each host found, by its name.
        files: paths that a person accepted, as C(path) or C(path@host).
        units: units that a person accepted, in the same way.
        known: paths of the topology's files, by host.
        closed: ports that may be closed although something listens there (protocol, port, and host for one host alone).
    """
    paragraphs = [
        _unknown(files, known),
        _blocked(seen),
        _foreign(seen, files),
        _units(seen, units),
        _shut_out(seen),
        _closing(seen, closed),
    ]
    return "\n".join(part for part in paragraphs if part)


def _unknown(accepted: list[str], known: dict[str, list[str]]) -> str:
    every = {path for paths in known.values() for path in paths}
    named = every | {f"{path}@{host}" for host, paths in known.items() for path in paths}
    wrong = [each for each in accepted if each not in named]
    if not wrong:
        return ""
    return f"{UNKNOWN} there is no such file in this topology: {', '.join(wrong)}. It has {', '.join(sorted(every))}"


def _blocked(seen: dict[str, dict]) -> str:
    found: dict[str, list[str]] = {}
    for host, views in seen.items():
        for words in views["blocked"]:
            found.setdefault(words, []).append(host)
    if not found:
        return ""
    lines = [f"  {', '.join(hosts)}: {words}" for words, hosts in found.items()]
    return "\n".join(
        [f"{BLOCKED} files cannot be written, or units cannot be started. Then apply again:", *lines]
    )


def _foreign(seen: dict[str, dict], accepted: list[str]) -> str:
    found: dict[tuple[str, str, str], list[str]] = {}
    for host, views in seen.items():
        for each in views["foreign"]:
            if "path" in each and not _named(each["path"], host, accepted):
                key = (each["path"], each["what"], "\n".join(each["lines"]))
                found.setdefault(key, []).append(host)
    if not found:
        return ""
    lines = []
    for (path, what, shown), hosts in found.items():
        lines += [
            f"  {path} on {', '.join(hosts)} ({what}):",
            *(f"    {line}" for line in shown.splitlines()),
        ]
    paths = list(dict.fromkeys(path for path, _, _ in found))
    options = " ".join(f"--take-over-file {path}" for path in paths)
    listed = ", ".join(f'"{path}"' for path in paths)
    one = f"--take-over-file {paths[0]}@{next(iter(found.values()))[0]}"
    return "\n".join(
        [
            f"{FOREIGN} files that are not hadeploy's stand where it writes its own, and would no longer be in force:",
            *lines,
            "  Move what must stay in force to the topology, or to another file. Then accept that they are replaced; a copy",
            f"  is kept on each host in /var/lib/hadeploy/kept: {options} (on one host alone: {one})",
            f"  With plain ansible-playbook: -e '{{\"hadeploy_take_over_files\": [{listed}]}}'",
        ]
    )


def _units(seen: dict[str, dict], accepted: list[str]) -> str:
    found: dict[str, list[str]] = {}
    for host, views in seen.items():
        for each in views["foreign"]:
            if "unit" in each and not _named(each["unit"], host, accepted):
                found.setdefault(each["unit"], []).append(host)
    if not found:
        return ""
    listed = ", ".join(f'"{name}"' for name in found)
    return "\n".join(
        [
            f"{UNITS} units run that hadeploy did not start, and would be stopped, because others take their place:",
            *(f"  {name} on {', '.join(hosts)}" for name, hosts in found.items()),
            "  To have them stopped and disabled: " + " ".join(f"--take-over-unit {name}" for name in found),
            f"  With plain ansible-playbook: -e '{{\"hadeploy_take_over_units\": [{listed}]}}'",
        ]
    )


def _shut_out(seen: dict[str, dict]) -> str:
    views = {
        host: view["firewall"] for host, view in seen.items() if view.get("firewall", {}).get("shut_out")
    }
    if not views:
        return ""
    found = [
        f"{host} is reached from {view['client']}" if view["client"] else f"{host} is not reached by SSH"
        for host, view in views.items()
    ]
    return "\n".join(
        [
            f"{SHUT_OUT} firewall.ssh_from does not hold the address that this apply comes from:",
            *(f"  {words}" for words in found),
            "  Nobody could connect from there any more. Add it to firewall.ssh_from, or apply from an address that is in it",
        ]
    )


def _closing(seen: dict[str, dict], closed: list[dict]) -> str:
    found = [
        (host, each)
        for host, view in seen.items()
        for each in view.get("firewall", {}).get("closing", [])
        if not _may_be_closed(host, each, closed)
    ]
    if not found:
        return ""
    ports = dict.fromkeys((each["protocol"], each["port"]) for _, each in found)
    entries = ", ".join(f"{{port: {port}, protocol: {protocol}}}" for protocol, port in ports)
    return "\n".join(
        [
            f"{CLOSING} what listens today would be closed by the firewall:",
            *(f"  {host}: {each['protocol']}/{each['port']} {each['process']}" for host, each in found),
            f"  To let it in, write (with from: [SUBNET] for some clients alone): firewall: {{allow: [{entries}]}}",
            f"  To have it closed, write: firewall: {{close: [{entries}]}}",
        ]
    )


def _may_be_closed(host: str, socket: dict, closed: list[dict]) -> bool:
    for each in closed:
        first, _, last = str(each["port"]).partition("-")
        inside = int(first) <= int(socket["port"]) <= int(last or first)
        if inside and each["protocol"] == socket["protocol"] and each.get("host", host) == host:
            return True
    return False


def _named(name: str, host: str, accepted: list[str]) -> bool:
    return name in accepted or f"{name}@{host}" in accepted
