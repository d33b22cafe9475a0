# SPDX-License-Identifier: Apache-2.0
"""What stands in the place of a bundle's files and is not hadeploy's: seen before anything is written, never replaced unasked.

A file is hadeploy's where an earlier apply remembered it, and nobody's where it says what is wanted or what a package brought.
All else is a person's own, until the person names it (the variable hadeploy_take_over_files).
"""

from __future__ import annotations

import hashlib
import os
import stat

from ansible.module_utils.hadeploy_files import (
    attributes_of,
    closed_to_others,
    differs,
    present_bytes,
    wanted_bytes,
)
from ansible.module_utils.hadeploy_kept import keep
from ansible.module_utils.hadeploy_obstacles import lacking_space, obstacle
from ansible.module_utils.hadeploy_owned import OWNED, load_owned
from ansible.module_utils.hadeploy_packaged import as_packaged
from ansible.module_utils.hadeploy_pending import STATE_DIRECTORY
from ansible.module_utils.hadeploy_shown import LARGEST, difference, plain, text_of

WRITTEN = "written"
"""Of a file that is remembered, the sums of what hadeploy wrote there: now, and before."""

BEGUN = "begun"
"""Said of a file until it is known to have been written."""


def is_accepted(accepted: list[str], name: str, host: str) -> bool:
    """Whether a person named it, for all hosts or for this one."""
    return name in accepted or f"{name}@{host}" in accepted


def look(module, owned: dict) -> dict:
    """What is in the way of a bundle: C(foreign) may be accepted, C(blocked) must be cleared away."""
    params = module.params
    wanted = [file for file in params["files"] if differs(file, params["secrets"])]
    blocked = {file["path"]: words for file in wanted if (words := obstacle(file["path"]))}
    open_ways = [file for file in wanted if file["path"] not in blocked]
    theirs = foreign(module, open_ways, owned)
    sizes = {file["path"]: len(wanted_bytes(file, params["secrets"])) for file in open_ways}
    kept = {f"{STATE_DIRECTORY}/{path}": os.lstat(path).st_size for path in theirs}
    return {
        "foreign": [_shown(file) for file in open_ways if file["path"] in theirs],
        "blocked": [
            *(f"{path}: {words}" for path, words in blocked.items()),
            *lacking_space({**sizes, **kept}),
        ],
        "notes": [],
    }


def foreign(module, files: list[dict], owned: dict) -> list[str]:
    """Paths of those that differ, where what is there is neither hadeploy's nor a package's."""
    secrets = module.params["secrets"]
    remembered = {*owned["files"], *_of_other_parts()}
    candidates = [
        file["path"]
        for file in files
        if os.path.lexists(file["path"])
        and file["path"] not in remembered
        and (os.path.islink(file["path"]) or present_bytes(file["path"]) != wanted_bytes(file, secrets))
    ]
    packaged = as_packaged(module, [path for path in candidates if not os.path.islink(path)])
    return [path for path in candidates if path not in packaged]


def drift(file: dict, owned: dict, secrets: dict[str, str]) -> str:
    """What a person did to a file since hadeploy wrote it; empty where nothing is known."""
    path = file["path"]
    entry = owned["files"].get(path, {})
    known = entry.get(WRITTEN)
    if not known:
        return ""
    if not os.path.lexists(path):
        return "" if entry.get(BEGUN) else f"{path} was removed since hadeploy wrote it"
    if os.path.islink(path):
        return f"{path} was replaced by a symbolic link since hadeploy wrote it"
    content = present_bytes(path)
    if content is None or digest(content) in known or content == wanted_bytes(file, secrets):
        return ""
    return f"{path} was edited since hadeploy wrote it"


def digest(content: bytes) -> str:
    """What is remembered of a content."""
    return hashlib.sha256(content).hexdigest()


def sums(path: str, owned: dict, content: bytes, *, begun: bool) -> dict:
    """What is remembered of a file; where its writing has begun also what was there before: an apply may end meanwhile."""
    before = [each for each in owned["files"].get(path, {}).get(WRITTEN, []) if each != digest(content)]
    return {WRITTEN: [*before[-1:], digest(content)], BEGUN: True} if begun else {WRITTEN: [digest(content)]}


def confirmed(owned: dict) -> dict:
    """The memory once all is written: what was there before is no longer hadeploy's."""
    files = {
        path: {key: value for key, value in entry.items() if key != BEGUN}
        | ({WRITTEN: entry[WRITTEN][-1:]} if entry.get(WRITTEN) else {})
        for path, entry in owned["files"].items()
    }
    return {**owned, "files": files}


def make_way(module, changed: list[dict], owned: dict) -> list[str]:
    """Keep copies of what is about to be replaced; sentences that say so. Fails before anything is written.

    Looked at once more, because somebody may have written a file since the host was observed. What was not there then, and
    came with the packages of this run, is theirs.
    """
    params = module.params
    accepted, host = params.get("accepted") or [], params.get("host", "")
    fresh = params.get("fresh") or []
    theirs = foreign(module, changed, owned)
    unasked = [path for path in theirs if not is_accepted(accepted, path, host) and path not in fresh]
    if unasked:
        module.fail_json(
            msg=f"APPLY094 {', '.join(unasked)}: written by somebody else since this apply looked, so it stays. Apply again",
            invocation={},
        )
    notes = []
    for file in changed:
        path = file["path"]
        edited = drift(file, owned, params["secrets"])
        if not os.path.lexists(path):
            notes += [f"{edited}: it is written again"] if edited else []
            continue
        unknown = path in owned["files"] and not owned["files"][path].get(WRITTEN)
        if not (edited or path in theirs or unknown) or present_bytes(path) == wanted_bytes(
            file, params["secrets"]
        ):
            continue
        notes.append(_kept(module, path, edited, taken=path in theirs))
    return notes


def make_way_for_removal(module, paths: list[str], owned: dict) -> list[str]:
    """The same of files that left the design, where a person edited them since."""
    notes = []
    for path in paths:
        known = owned["files"].get(path, {}).get(WRITTEN)
        content = present_bytes(path)
        if os.path.islink(path) or (known and content is not None and digest(content) not in known):
            notes.append(_kept(module, path, f"{path} was edited since hadeploy wrote it", taken=False))
    return notes


def _kept(module, path: str, edited: str, *, taken: bool) -> str:
    if module.check_mode:
        where = "a copy would be kept"
    else:
        try:
            where = f"a copy is kept in {keep(path)}"
        except OSError as error:
            module.fail_json(
                msg=f"{path} is not replaced, because no copy of it could be kept: {error}",
                invocation={},
            )
    if taken:
        return f"{path} was taken over, as it was accepted: {where}"
    return f"{edited or f'{path} was written by an earlier version, so whether it was edited since is not known'}: {where}"


def _of_other_parts() -> set[str]:
    """Files that the host has as an arbiter, or as a member: not this bundle's, but hadeploy's."""
    places = [os.path.join(STATE_DIRECTORY, OWNED), os.path.join(STATE_DIRECTORY, "arbiter", OWNED)]
    return {path for place in places for path in load_owned(place)["files"]}


def _shown(file: dict) -> dict:
    """One file as a person is asked about it."""
    path = file["path"]
    found = os.lstat(path)
    attributes = attributes_of(path)
    what = f"{' '.join(attributes)}, {found.st_size} bytes"
    if stat.S_ISLNK(found.st_mode):
        lines = [f"it is a symbolic link to {plain(os.readlink(path))}, and would become a file"]
    elif file["secrets"] or closed_to_others(attributes):
        lines = ["(not shown, because it is not readable by everybody on the host, or will hold a secret)"]
    elif found.st_size > LARGEST:
        lines = ["(not shown, because it is larger than 1 MiB)"]
    else:
        before, after = text_of(present_bytes(path) or b""), file["content"]
        lines = (
            ["(not text; not shown)"]
            if before is None
            else difference(before, after, (f"{path} (there now)", f"{path} (of the topology)"))
        )
    return {"path": path, "what": what, "lines": lines}
