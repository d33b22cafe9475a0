#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Compare, check and write everything that hadeploy compiled for a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_bundle
short_description: Compare, check and write a host's bundle of configuration files
description:
  - A bundle is all files, packages and unit states that hadeploy compiled for one host.
  - The action plugin of the same name reads it from the project on the controller and resolves its secrets.
  - Contents of files that hold secrets never appear in a diff, a log or a result.
version_added: 0.1.0
options:
  state:
    description:
      - C(observed) compares and changes nothing.
      - C(staged) runs each changed file's native check on copies, before anything is written.
      - C(present) writes what differs, each file in one step, and remembers which units must be told. Files that left
        the design are removed here where their unit stays, which is told of it.
      - C(units_removed) stops and disables units that an earlier apply brought and that left the design.
      - C(files_removed) removes the files of such units.
    type: str
    choices: [observed, staged, present, units_removed, files_removed]
    required: true
  files:
    description: The files, with their contents still holding placeholders of secrets.
    type: list
    elements: dict
    default: []
  secrets:
    description: Values of the placeholders.
    type: dict
    default: {}
  units:
    description: States that units must be in.
    type: list
    elements: dict
    default: []
  packages:
    description: Packages that must be installed, by the daemon that wants them.
    type: dict
    default: {}
  users:
    description: System users that must exist.
    type: list
    elements: str
    default: []
  addresses:
    description: Floating addresses; whether the host holds one is reported as RV(active).
    type: list
    elements: str
    default: []
  part:
    description: Which part of the host's this bundle is, C(arbiter) or empty for a member; their memories are kept apart.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Nothing is written; what would be is reported, and checked as far as the parsers are installed.
  diff_mode:
    support: full
    description: One diff a file.
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: Compare the host with its bundle
  hadeploy_bundle:
    state: observed
  register: bundle_observed
"""

RETURN = r"""
pending:
  description: What differs, by kind (packages, users, files, units, tell, leftovers).
  type: dict
  returned: state is observed
daemons:
  description: >-
    Daemons with anything pending; C(packages) where packages or users are missing, C(leftovers) where something left
    the design.
  type: list
  elements: str
  returned: state is observed
active:
  description: Whether the host holds a floating address.
  type: bool
  returned: state is observed
tell:
  description: Unit to what it must be told.
  type: dict
  returned: state is present
checked:
  description: Files whose native check passed.
  type: list
  elements: str
  returned: state is staged
removed:
  description: Units and files that left the design and were removed.
  type: list
  elements: str
  returned: state is units_removed or files_removed
unchecked:
  description: Files whose parser is not installed yet, with the reason; only in check mode.
  type: list
  elements: str
  returned: state is staged
"""

import base64
import binascii
import grp
import json
import os
import pwd
import re
import shutil
import stat
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_owned import brought, leftovers, load_owned, merged_owned, save_owned
from ansible.module_utils.hadeploy_pending import keep_apart, load, merged, save, sync_directory
from ansible.module_utils.hadeploy_systemd import is_active, is_enabled, show, wishes

STAGES = "/run/hadeploy"
UNIT_DIRECTORIES = ("/etc/systemd/system/", "/usr/local/lib/systemd/system/")
HIDDEN = "(holds secrets; not shown)\n"
NOT_TEXT = "(not text; not shown)\n"


def resolve(text: str, secrets: dict[str, str]) -> str:
    """Put values where placeholders stand."""
    for name, value in secrets.items():
        text = text.replace(f"@@hadeploy:{name}@@", value)
    return text


def wanted_bytes(file: dict, secrets: dict[str, str]) -> bytes:
    """What the file must hold."""
    text = resolve(file["content"], {name: secrets[name] for name in file["secrets"]})
    if file["encoding"] == "base64":
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except binascii.Error as error:
            raise ValueError(f"{file['path']}: the secret that it is made of is not base64") from error
    return text.encode("utf-8")


def present_bytes(path: str) -> bytes | None:
    """What the file holds; None where there is no regular file (a symlink is replaced, not followed)."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        with open(path, "rb") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def attributes_of(path: str) -> tuple[str, str, str] | None:
    """Owner, group and mode as the bundle names them."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _name(pwd.getpwuid, found.st_uid), _name(grp.getgrgid, found.st_gid), mode_text(found.st_mode)


def _name(database, number: int) -> str:
    try:
        return database(number)[0]
    except KeyError:
        return str(number)


def mode_text(mode: int) -> str:
    """Octal, four digits."""
    return format(stat.S_IMODE(mode), "04o")


def differs(file: dict, secrets: dict[str, str]) -> bool:
    """Whether content, owner or mode is another one."""
    if attributes_of(file["path"]) != (file["owner"], file["group"], file["mode"].zfill(4)):
        return True
    found = present_bytes(file["path"])
    return found is None or found != wanted_bytes(file, secrets)


def file_diff(file: dict, before: bytes | None, after: bytes) -> dict[str, str]:
    """Both sides as a person may see them. What others could not read on the host is not shown to others here."""
    attributes = attributes_of(file["path"])
    hidden = bool(file["secrets"]) or (attributes is not None and not int(attributes[2], 8) & 0o004)
    wanted = (file["owner"], file["group"], file["mode"].zfill(4))
    if before == after:
        before = after = b""
        hidden = False
    return {
        "before_header": f"{file['path']} ({' '.join(attributes) if attributes else 'absent'})",
        "after_header": f"{file['path']} ({' '.join(wanted)})",
        "before": _side(before, hidden=hidden, mark="before"),
        "after": _side(after, hidden=hidden, mark="after"),
    }


def _side(content: bytes | None, *, hidden: bool, mark: str) -> str:
    if content is None:
        return ""
    if hidden:
        return f"{mark} {HIDDEN}"
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return NOT_TEXT


def redirect(text: str, staged: dict[str, str]) -> str:
    """Replace each path of the bundle by where it is staged, the longest first, whole paths only."""
    if not staged:
        return text
    paths = "|".join(re.escape(path) for path in sorted(staged, key=len, reverse=True))
    return re.sub(rf"(?<![\w./-])(?:{paths})(?![\w/-])", lambda match: staged[match.group()], text)


def verdict(check: dict, code: int, words: str) -> bool:
    """Whether a parser's outcome means valid."""
    return code in check["accept"] and not any(
        re.search(pattern, words) for pattern in check["reject_output"]
    )


def masked(words: str, secrets: dict[str, str]) -> str:
    """A parser may repeat what it read."""
    for value in sorted(secrets.values(), key=len, reverse=True):
        words = words.replace(value, "(secret)")
    return words


def tell_of(changed: list[dict], secrets: dict[str, str]) -> dict[str, str]:
    """Units to be told of changed files. Another owner or mode alone changes nothing for who has read the file."""
    found: dict[str, str] = {}
    for file in changed:
        if file["unit"] and present_bytes(file["path"]) != wanted_bytes(file, secrets):
            found = merged(found, {file["unit"]: file["on_change"]})
    return found


def is_unit_file(path: str) -> bool:
    """Whether systemd itself must read it anew."""
    return path.startswith(UNIT_DIRECTORIES)


def missing_packages(module: AnsibleModule, packages: dict[str, list[str]]) -> dict[str, list[str]]:
    """Packages that are not installed, asked of dpkg, else of rpm."""
    names = sorted({name for wanted in packages.values() for name in wanted})
    if not names:
        return {}
    dpkg = module.get_bin_path("dpkg-query")
    if dpkg:
        template = "${Package} ${db:Status-Status}\n"
        _, out, _ = module.run_command([dpkg, "--show", f"--showformat={template}", "--", *names])
        installed = {line.split()[0] for line in out.splitlines() if line.endswith(" installed")}
    else:
        rpm = module.get_bin_path("rpm", required=True)
        _, out, _ = module.run_command([rpm, "--query", "--queryformat=%{NAME}\n", "--", *names])
        installed = set(out.split())
    lacking = {daemon: [n for n in wanted if n not in installed] for daemon, wanted in packages.items()}
    return {daemon: names for daemon, names in lacking.items() if names}


def missing_users(users: list[str]) -> list[str]:
    """Users that do not exist."""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return [user for user in users if user not in known]


def holds_address(module: AnsibleModule, addresses: list[str]) -> bool:
    """Whether the host holds a floating address now: it is told last."""
    if not addresses:
        return False
    ip = module.get_bin_path("ip")
    if not ip:
        return False
    _, out, _ = module.run_command([ip, "-json", "address", "show"])
    try:
        links = json.loads(out or "[]")
    except ValueError:
        return False
    return any(info.get("local") in addresses for link in links for info in link.get("addr_info", []))


def observe(module: AnsibleModule) -> dict:
    """Everything that differs, and whom it concerns."""
    params = module.params
    units = {unit["name"]: unit for unit in params["units"]}
    owner = {file["unit"]: file["daemon"] for file in params["files"]} | {
        name: unit["daemon"] for name, unit in units.items()
    }
    packages = missing_packages(module, params["packages"])
    users = missing_users(params["users"])
    files = [file for file in params["files"] if differs(file, params["secrets"])]
    states = show(module, list(units))
    wished = {name: found for name, unit in units.items() if (found := wishes(unit, states.get(name, {})))}
    remembered = load()
    # A unit that no longer reads anything of the bundle has nobody to tell it, nor anything to be told.
    tell = merged(
        {unit: what for unit, what in remembered["units"].items() if unit in owner},
        tell_of(files, params["secrets"]),
    )
    daemons = {"packages"} if packages or users else set()
    daemons |= {file["daemon"] for file in files} | {units[name]["daemon"] for name in wished}
    daemons |= {owner[unit] for unit in tell}
    left = leftovers(load_owned(), params["files"], params["units"])
    daemons |= {"leftovers"} if left["files"] or left["units"] else set()
    pending = {
        "packages": sorted({name for names in packages.values() for name in names}),
        "users": users,
        "files": [file["path"] for file in files],
        "units": wished,
        "tell": tell,
        "daemon_reload": remembered["daemon_reload"],
        "leftovers": [*left["units"], *left["files"]],
    }
    anything = any(pending.values())
    return {
        "changed": False,
        "pending": pending,
        "anything": anything,
        "daemons": sorted(daemons),
        "active": anything and holds_address(module, params["addresses"]),
    }


def stage(module: AnsibleModule) -> dict:
    """Check what would be written. Copies of the whole bundle stand together, so that new files find each other."""
    files, secrets = module.params["files"], module.params["secrets"]
    changed = [file for file in files if differs(file, secrets)]
    suspects = [file for file in changed if file["check"]]
    if not suspects:
        return {"changed": False, "checked": [], "unchecked": []}
    os.makedirs(STAGES, mode=0o711, exist_ok=True)
    directory = tempfile.mkdtemp(prefix="stage-", dir=STAGES)
    try:
        os.chmod(directory, 0o711)
        staged = {file["path"]: directory + file["path"] for file in files}
        for file in files:
            _write_copy(module, file, secrets, directory, staged)
        return _run_checks(module, suspects, directory, staged)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _write_copy(module, file: dict, secrets: dict[str, str], directory: str, staged: dict[str, str]) -> None:
    path = staged[file["path"]]
    _make_directories(os.path.dirname(path), 0o711, above=directory)
    content = wanted_bytes(file, secrets)
    if file["encoding"] == "text":
        content = redirect(content.decode("utf-8"), staged).encode("utf-8")
    try:
        owner, group = _ids(file)
    except KeyError:
        # In check mode the package that brings the user may not be installed yet; root's copy checks as well.
        if not module.check_mode:
            raise
        owner, group = 0, 0
    _write_new(path, content, owner, group, int(file["mode"], 8))


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
        module.fail_json(msg="\n".join(["Nothing was written.", *failures]), invocation={})
    return {"changed": False, "checked": checked, "unchecked": unchecked}


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


def _ids(file: dict) -> tuple[int, int]:
    return pwd.getpwnam(file["owner"]).pw_uid, grp.getgrnam(file["group"]).gr_gid


def _write_new(path: str, content: bytes, owner: int, group: int, mode: int) -> None:
    """A new file, closed to others until it is whole, on disk before this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        os.fchown(stream.fileno(), owner, group)
        os.fchmod(stream.fileno(), mode)
        stream.flush()
        os.fsync(stream.fileno())


def write(file: dict, content: bytes) -> None:
    """Replace the file in one step: a reader sees the old one or the new one, whole, with its final owner and mode."""
    directory, name = os.path.split(file["path"])
    os.makedirs(directory, mode=0o755, exist_ok=True)
    fresh = os.path.join(directory, f".{name}.hadeploy-{os.getpid()}")
    owner, group = _ids(file)
    try:
        _write_new(fresh, content, owner, group, int(file["mode"], 8))
        os.replace(fresh, file["path"])
    except BaseException:
        if os.path.lexists(fresh):
            os.unlink(fresh)
        raise
    sync_directory(directory)


def establish(module: AnsibleModule) -> dict:
    """Write what differs. What must be told is remembered first, so that no end of this run can lose it."""
    files, secrets = module.params["files"], module.params["secrets"]
    changed = [file for file in files if differs(file, secrets)]
    diffs = [file_diff(file, present_bytes(file["path"]), wanted_bytes(file, secrets)) for file in changed]
    remembered = load()
    readers = {file["unit"] for file in files} | {unit["name"] for unit in module.params["units"]}
    known = {unit: what for unit, what in remembered["units"].items() if unit in readers}
    owned = load_owned()
    gone = _gone_while_unit_stays(owned, files, module.params["units"])
    units = merged(merged(known, tell_of(changed, secrets)), _tell_of_gone(owned, gone))
    touched = [*(file["path"] for file in changed), *gone]
    daemon_reload = remembered["daemon_reload"] or any(is_unit_file(path) for path in touched)
    result = {
        "changed": bool(touched) or daemon_reload,
        "diff": [*diffs, *map(_removal_diff, gone)],
        "tell": units,
        "written": [file["path"] for file in changed],
        "removed": gone,
    }
    if module.check_mode:
        return result
    # Known as ours before it is there: an apply that ends in between leaves nothing that nobody would remove.
    remember = merged_owned(owned, brought(files, module.params["units"]))
    if remember != owned:
        save_owned(remember)
    if not result["changed"]:
        return result
    save({"units": units, "daemon_reload": daemon_reload})
    for file in changed:
        try:
            write(file, wanted_bytes(file, secrets))
        except (OSError, KeyError) as error:
            module.fail_json(msg=f"{file['path']} could not be written: {error}", invocation={})
    _remove_files(module, gone)
    if daemon_reload:
        module.run_command([module.get_bin_path("systemctl", required=True), "daemon-reload"], check_rc=True)
        save({"units": units, "daemon_reload": False})
    return result


def _gone_while_unit_stays(owned: dict, files: list[dict], units: list[dict]) -> list[str]:
    """Files that left the design, of units that did not: these are told in this run. The others go with their unit."""
    staying = {unit["name"] for unit in units} | {file["unit"] for file in files}
    gone = leftovers(owned, files, units)["files"]
    return [path for path in gone if owned["files"][path].get("unit") in staying]


def _tell_of_gone(owned: dict, gone: list[str]) -> dict[str, str]:
    tell: dict[str, str] = {}
    for path in gone:
        entry = owned["files"][path]
        if entry.get("unit"):
            tell = merged(tell, {entry["unit"]: entry.get("on_change", "none")})
    return tell


def _removal_diff(path: str) -> dict[str, str]:
    attributes = attributes_of(path)
    hidden = attributes is not None and not int(attributes[2], 8) & 0o004
    return {
        "before_header": f"{path} ({' '.join(attributes) if attributes else 'absent'})",
        "after_header": f"{path} (absent)",
        "before": _side(present_bytes(path), hidden=hidden, mark="before"),
        "after": "",
    }


def _remove_files(module: AnsibleModule, paths: list[str]) -> None:
    """Remove what an earlier bundle brought, and forget it."""
    for path in paths:
        try:
            if os.path.isfile(path) or os.path.islink(path):
                os.unlink(path)
                sync_directory(os.path.dirname(path))
        except OSError as error:
            module.fail_json(msg=f"{path} could not be removed: {error}", invocation={})
    if paths:
        owned = load_owned()
        owned["files"] = {path: entry for path, entry in owned["files"].items() if path not in paths}
        save_owned(owned)


def remove_units(module: AnsibleModule) -> dict:
    """Stop and disable units that left the design, the last started first."""
    gone = leftovers(load_owned(), module.params["files"], module.params["units"])["units"]
    states = show(module, gone)
    verbs = [
        (verb, name)
        for name in gone
        for verb, needed in (
            ("stop", is_active(states.get(name, {}))),
            ("disable", is_enabled(states.get(name, {}))),
        )
        if needed
    ]
    removed = [f"{verb} {name}" for verb, name in verbs]
    if not module.check_mode:
        for verb, name in verbs:
            module.run_command(
                [module.get_bin_path("systemctl", required=True), verb, "--", name], check_rc=True
            )
        if gone:
            # One that ended badly while it was stopped would stay in `systemctl --failed`, where nobody would mend it.
            module.run_command([module.get_bin_path("systemctl", required=True), "reset-failed", "--", *gone])
            owned = load_owned()
            owned["units"] = {name: entry for name, entry in owned["units"].items() if name not in gone}
            save_owned(owned)
    return {"changed": bool(removed), "removed": removed, "diff": _words_diff("units", removed)}


def remove_files(module: AnsibleModule) -> dict:
    """Remove the files of units that left the design."""
    gone = leftovers(load_owned(), module.params["files"], module.params["units"])["files"]
    there = [path for path in gone if os.path.lexists(path)]
    result = {"changed": bool(there), "removed": there, "diff": [_removal_diff(path) for path in there]}
    if not module.check_mode:
        _remove_files(module, gone)
        if any(is_unit_file(path) for path in there):
            systemctl = module.get_bin_path("systemctl", required=True)
            module.run_command([systemctl, "daemon-reload"], check_rc=True)
    return result


def _words_diff(header: str, words: list[str]) -> list[dict[str, str]]:
    if not words:
        return []
    after = "".join(f"{word}\n" for word in words)
    return [{"before_header": header, "after_header": header, "before": "", "after": after}]


STATES = {
    "observed": observe,
    "staged": stage,
    "present": establish,
    "units_removed": remove_units,
    "files_removed": remove_files,
}


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": list(STATES), "required": True},
            "files": {"type": "list", "elements": "dict", "default": []},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "units": {"type": "list", "elements": "dict", "default": []},
            "packages": {"type": "dict", "default": {}},
            "users": {"type": "list", "elements": "str", "default": []},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "part": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    keep_apart(module.params["part"])
    try:
        result = STATES[module.params["state"]](module)
    except ValueError as error:
        module.fail_json(msg=str(error), invocation={})
    # The invocation would repeat every file's content in every result.
    module.exit_json(invocation={"module_args": {"state": module.params["state"]}}, **result)


if __name__ == "__main__":
    main()
