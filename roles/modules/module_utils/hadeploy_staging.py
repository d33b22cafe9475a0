# SPDX-License-Identifier: Apache-2.0
"""A bundle as it would be, in a directory of its own: read there by the daemons' own parsers, before anything is written."""

from __future__ import annotations

import os
import re
import shutil
import tempfile

from ansible.module_utils.hadeploy_check import verdict
from ansible.module_utils.hadeploy_files import differs, ids, wanted_bytes, write_new
from ansible.module_utils.hadeploy_killed import OWNER, STAGES, mark


def stage(module) -> dict:
    """Check what would be written. Copies of the whole bundle stand together, so that new files find each other."""
    files, secrets = module.params["files"], module.params["secrets"]
    changed = [file for file in files if differs(file, secrets)]
    suspects = [file for file in changed if file["check"]]
    if not suspects:
        return {"changed": False, "checked": [], "unchecked": []}
    os.makedirs(STAGES, mode=0o711, exist_ok=True)
    directory = tempfile.mkdtemp(prefix="stage-", dir=STAGES)
    try:
        with open(os.path.join(directory, OWNER), "w", encoding="ascii") as stream:
            stream.write(mark())
        os.chmod(directory, 0o711)
        staged = {file["path"]: directory + file["path"] for file in files}
        for file in files:
            _write_copy(module, file, secrets, directory, staged)
        return _run_checks(module, suspects, directory, staged)
    finally:
        # Under /run, so gone with the next boot at the latest: what the parsers said is worth more than what cannot be removed.
        shutil.rmtree(directory, ignore_errors=True)


def _write_copy(module, file: dict, secrets: dict[str, str], directory: str, staged: dict[str, str]) -> None:
    path = staged[file["path"]]
    _make_directories(os.path.dirname(path), 0o711, above=directory)
    content = wanted_bytes(file, secrets)
    if file["encoding"] == "text":
        content = redirect(content.decode("utf-8"), staged).encode("utf-8")
    try:
        owner, group = ids(file)
    except KeyError:
        # In check mode the package that brings the user may not be installed yet; root's copy checks as well.
        if not module.check_mode:
            raise
        owner, group = 0, 0
    write_new(path, content, owner, group, int(file["mode"], 8))


def _make_directories(path: str, mode: int, above: str) -> None:
    missing = []
    while path != above and not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for each in reversed(missing):
        os.mkdir(each)
        os.chmod(each, mode)


def _run_checks(module, suspects: list[dict], directory: str, staged: dict[str, str]) -> dict:
    checked, unchecked, failures = [], [], []
    for file in suspects:
        check = file["check"]
        program = module.get_bin_path(check["argv"][0])
        if program is None:
            if not module.check_mode:
                failures.append(f"{file['path']}: its parser {check['argv'][0]} is not installed")
            else:
                unchecked.append(f"{file['path']}: {check['argv'][0]} is not installed yet")
            continue
        argv = [program, *(part.replace("{staged}", staged[file["path"]]) for part in check["argv"][1:])]
        if check["user"] != "root":
            argv = [module.get_bin_path("runuser", required=True), "-u", check["user"], "--", *argv]
        code, out, err = module.run_command(argv, cwd="/", environ_update={"LC_ALL": "C"})
        words = "\n".join(part for part in (out.strip(), err.strip()) if part).replace(directory, "")
        words = masked(words, module.params["secrets"])
        if verdict(check, code, words):
            checked.append(file["path"])
        else:
            failures.append(f"{file['path']}: {check['argv'][0]} refuses it (exit {code}):\n{words}")
    failures += [words for file in suspects if (words := _not_taken(module, file))]
    if failures:
        module.fail_json(msg="\n".join(failures), invocation={})
    return {"changed": False, "checked": checked, "unchecked": unchecked}


def redirect(text: str, staged: dict[str, str]) -> str:
    """Replace each path of the bundle by where it is staged, the longest first, whole paths only."""
    if not staged:
        return text
    paths = "|".join(re.escape(path) for path in sorted(staged, key=len, reverse=True))
    return re.sub(rf"(?<![\w./-])(?:{paths})(?![\w/-])", lambda match: staged[match.group()], text)


def masked(words: str, secrets: dict[str, str]) -> str:
    """A parser may repeat what it read."""
    for value in sorted(secrets.values(), key=len, reverse=True):
        words = words.replace(value, "(secret)")
    return words


def _not_taken(module, file: dict) -> str:
    """What the daemon that runs takes only when it starts, and holds otherwise; empty where nothing, or none runs."""
    fixed = file.get("fixed")
    program = module.get_bin_path(fixed["argv"][0]) if fixed else None
    if program is None:
        return ""
    code, out, _ = module.run_command([program, *fixed["argv"][1:]], environ_update={"LC_ALL": "C"})
    if code != 0:
        return ""
    holds = dict(re.findall(r"^(\S+) \(\w+\) = (.*)$", out, re.MULTILINE))
    wrong = [
        f"{key} is {holds[key]} in the daemon that runs, {value} in the file"
        for key, value in fixed["values"].items()
        if holds.get(key, value) != value
    ]
    if not wrong:
        return ""
    return (
        f"{file['path']}: {'; '.join(wrong)}. It takes this only when it starts: stop pacemaker and corosync on every "
        "member (services stop meanwhile), then apply again"
    )
