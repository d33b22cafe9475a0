# SPDX-License-Identifier: Apache-2.0
"""One refusal for all that is in the way on all hosts, with what to write where it should be replaced."""

from __future__ import annotations

BLOCKED = "APPLY091"
FOREIGN = "APPLY090"
UNITS = "APPLY095"
UNKNOWN = "APPLY092"


def refusal(seen: dict[str, dict], files: list[str], units: list[str], known: dict[str, list[str]]) -> str:
    """Why the apply must not go on; empty where it may.

    Args:
        seen: what each host found, by its name.
        files: paths that a person accepted, as C(path) or C(path@host).
        units: units that a person accepted, in the same way.
        known: paths of the topology's files, by host.
    """
    paragraphs = [_unknown(files, known), _blocked(seen), _foreign(seen, files), _units(seen, units)]
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


def _named(name: str, host: str, accepted: list[str]) -> bool:
    return name in accepted or f"{name}@{host}" in accepted
