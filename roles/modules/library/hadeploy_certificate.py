#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Certificates of a quorum device and its members, made with corosync's own tools."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_certificate
short_description: Certificates between corosync-qnetd and corosync-qdevice
description:
  - Uses C(corosync-qnetd-certutil) and C(corosync-qdevice-net-certutil).
  - Every member makes a key of its own, which never leaves it; the arbiter signs each member's request.
  - What is right already is left alone. A member whose authority is another one than the arbiter's starts anew.
version_added: 0.1.0
options:
  state:
    description:
      - C(authority), on the arbiter, makes the authority and the server's certificate where there are none.
      - C(requested), on a member, makes a key and a request where the member has no certificate of this authority.
      - C(signed), on the arbiter, signs a request.
      - C(imported), on a member, takes the signed certificate.
    type: str
    choices: [authority, requested, signed, imported]
    required: true
  cluster:
    description: The cluster's name, which the certificate must bear; the arbiter compares them.
    type: str
    default: ""
  authority:
    description: The arbiter's own certificate, PEM.
    type: str
    default: ""
  request:
    description: What to sign, base64.
    type: str
    default: ""
  certificate:
    description: What to import, base64.
    type: str
    default: ""
  run:
    description: Which run this is a step of; said by the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Nothing is made; whether something would be is RV(changed).
  diff_mode:
    support: none
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: Make a key and a request where there is no certificate
  hadeploy_certificate:
    state: requested
    cluster: demo
    authority: "{{ authority.authority }}"
  register: request
"""

RETURN = r"""
authority:
  description: The arbiter's own certificate, PEM; empty where there is none yet.
  type: str
  returned: state is authority
request:
  description: The request, base64; empty where none is needed.
  type: str
  returned: state is requested
certificate:
  description: The signed certificate, base64.
  type: str
  returned: state is signed
notes:
  description: Where the copy is of a database that was made anew.
  type: list
  elements: str
  returned: state is requested
why:
  description: Why the member needs a certificate.
  type: str
  returned: state is requested
"""

import base64
import binascii
import contextlib
import os
import re
import shutil
import ssl
import stat
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_kept import keep_folder
from ansible.module_utils.hadeploy_lock import RUN, under_lock
from ansible.module_utils.hadeploy_pending import keep_apart, load, merged, save

ARBITER_DATABASE = "/etc/corosync/qnetd/nssdb"
MEMBER_DATABASE = "/etc/corosync/qdevice/net/nssdb"
AUTHORITY_NAME = "QNet CA"
MEMBER_NAME = "Cluster Cert"
ARBITER_UNIT = "corosync-qnetd.service"
MEMBER_UNIT = "corosync-qdevice.service"
ARBITER_GROUP = "coroqnetd"
"""Debian's corosync-qnetd runs as this user; its package opens these to the group, and so must a later database."""

REQUEST = MEMBER_DATABASE + "/qdevice-net-node.crq"
LEFTOVERS = (REQUEST, MEMBER_DATABASE + "/qdevice-net-node.p12")
"""The tool leaves the request, and the key once more in a file without a password, for other members to share."""

PRIVATE = 0o077


def subject_of(text: str) -> str:
    """The common name in ``certutil -L -n``'s long form."""
    found = re.search(r'^\s*Subject: "CN=([^",]*)"', text, re.MULTILINE)
    return found.group(1) if found else ""


def has_key(text: str) -> bool:
    """Whether ``certutil -K`` lists the key of the member's certificate; asked for by name, it finds none."""
    return re.search(rf"^<\s*\d+>.*:{MEMBER_NAME}\s*$", text, re.MULTILINE) is not None


def same_certificate(first: str, second: str) -> bool:
    """Whether two PEM texts hold the same certificate, however they are broken into lines."""
    try:
        return ssl.PEM_cert_to_DER_cert(_only(first)) == ssl.PEM_cert_to_DER_cert(_only(second))
    except (ValueError, binascii.Error):
        return False


def _only(pem: str) -> str:
    found = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem, re.DOTALL)
    if found is None:
        raise ValueError("no certificate")
    return found.group()


def lacking(facts: dict, authority: str, cluster: str) -> str:
    """Why a member needs a new certificate; empty where it has a good one."""
    if not facts["database"]:
        return "it has no certificates yet"
    if not authority or not same_certificate(facts["authority"], authority):
        return "its certificates are of another authority than the arbiter's"
    if facts["subject"] != cluster:
        return f"its certificate is for {facts['subject'] or 'nobody'}, not for {cluster}"
    if not facts["key"]:
        return "the key of its certificate is missing"
    if not facts["valid"]:
        return "its certificate is not valid"
    if facts["open"]:
        return "others could read its key"
    return ""


def database_exists(directory: str) -> bool:
    """Whether NSS has made its files there."""
    return os.path.isfile(os.path.join(directory, "cert9.db"))


def is_open(directory: str) -> bool:
    """Whether others can reach what is in there."""
    try:
        return bool(stat.S_IMODE(os.stat(directory).st_mode) & 0o007)
    except FileNotFoundError:
        return False


def certutil(module: AnsibleModule, database: str, *arguments: str) -> tuple[int, str]:
    """NSS's own tool, with the empty password that corosync's tools give their databases."""
    argv = [module.get_bin_path("certutil", required=True), *arguments, "-d", database]
    code, out, _ = module.run_command(argv, environ_update={"LC_ALL": "C"}, umask=PRIVATE)
    return code, out


def member_facts(module: AnsibleModule) -> dict:
    """What a member has."""
    if not database_exists(MEMBER_DATABASE) or not module.get_bin_path("certutil"):
        return {"database": False}
    password = os.path.join(MEMBER_DATABASE, "pwdfile.txt")
    _, authority = certutil(module, MEMBER_DATABASE, "-L", "-n", AUTHORITY_NAME, "-a")
    _, text = certutil(module, MEMBER_DATABASE, "-L", "-n", MEMBER_NAME)
    _, keys = certutil(module, MEMBER_DATABASE, "-K", "-f", password)
    valid, _ = certutil(module, MEMBER_DATABASE, "-V", "-n", MEMBER_NAME, "-u", "C", "-e", "-f", password)
    return {
        "database": True,
        "authority": authority,
        "subject": subject_of(text),
        "key": has_key(keys),
        "valid": valid == 0,
        "open": is_open(MEMBER_DATABASE),
    }


def remember_restart(unit: str) -> None:
    """A daemon reads its database once; told to start anew even where this run ends before it comes to that."""
    memory = load()
    save({**memory, "units": merged(memory["units"], {unit: "restart"})})


def tool(module: AnsibleModule, program: str, *arguments: str) -> str:
    """One of corosync's tools; its words are for an error alone, since its exit code says little."""
    argv = [module.get_bin_path(program, required=True), *arguments]
    code, out, err = module.run_command(argv, environ_update={"LC_ALL": "C"}, umask=PRIVATE)
    words = "\n".join(part.strip() for part in (out, err) if part.strip())
    if code != 0:
        module.fail_json(msg=f"{program} {' '.join(arguments[:1])} ended with {code}:\n{words}")
    return words


@contextlib.contextmanager
def private_file(content: bytes):
    """A file for one of the tools, ours alone, gone afterwards."""
    descriptor, path = tempfile.mkstemp(prefix="hadeploy-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        yield path
    finally:
        os.unlink(path)


def read_and_remove(module: AnsibleModule, path: str, words: str) -> bytes:
    """What a tool wrote."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        content = b""
    if not content:
        module.fail_json(msg=f"{path} was not written:\n{words}")
    os.unlink(path)
    return content


def make_authority(module: AnsibleModule) -> dict:
    """Debian's package makes one when it is installed; here where it was lost, or another package does not."""
    changed = not database_exists(ARBITER_DATABASE)
    if changed and not module.check_mode:
        keep_apart("arbiter")
        remember_restart(ARBITER_UNIT)
        words = tool(module, "corosync-qnetd-certutil", "-i", "-G")
        if not database_exists(ARBITER_DATABASE):
            module.fail_json(msg=f"{ARBITER_DATABASE} was not made:\n{words}")
        for name in ("", "cert9.db", "key4.db"):
            shutil.chown(os.path.join(ARBITER_DATABASE, name), group=ARBITER_GROUP)
    authority = ""
    if database_exists(ARBITER_DATABASE) and module.get_bin_path("certutil"):
        code, text = certutil(module, ARBITER_DATABASE, "-L", "-n", AUTHORITY_NAME, "-a")
        authority = text.strip() if code == 0 else ""
        if not authority:
            module.fail_json(
                msg=f"{ARBITER_DATABASE} holds no {AUTHORITY_NAME}: remove it to have it made anew"
            )
    return {"changed": changed, "authority": authority}


def make_request(module: AnsibleModule) -> dict:
    """A new database with a key of its own, where the present one will not do."""
    authority, cluster = module.params["authority"], module.params["cluster"]
    why = lacking(member_facts(module), authority, cluster)
    if not why or module.check_mode:
        return {"changed": bool(why), "why": why, "request": ""}
    if not authority:
        module.fail_json(msg="the arbiter has no authority yet")
    # It may be a person's own, of another quorum device: its keys exist nowhere else.
    try:
        where = keep_folder(MEMBER_DATABASE)
    except (OSError, shutil.Error) as error:
        module.fail_json(
            msg=f"{MEMBER_DATABASE} is not replaced, because no copy of it could be kept: {error}"
        )
    notes = [f"{MEMBER_DATABASE} is made anew ({why}): a copy is kept in {where}"] if where else []
    remember_restart(MEMBER_UNIT)
    shutil.rmtree(MEMBER_DATABASE, ignore_errors=True)
    with private_file(authority.encode() + b"\n") as path:
        tool(module, "corosync-qdevice-net-certutil", "-i", "-c", path)
    words = tool(module, "corosync-qdevice-net-certutil", "-r", "-n", cluster)
    request = read_and_remove(module, REQUEST, words)
    return {"changed": True, "why": why, "notes": notes, "request": base64.b64encode(request).decode()}


def sign(module: AnsibleModule) -> dict:
    """The arbiter's authority signs; whose name is in the request was decided by the one who applies."""
    if module.check_mode:
        return {"changed": True, "certificate": ""}
    cluster = module.params["cluster"]
    written = f"{ARBITER_DATABASE}/cluster-{cluster}.crt"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(written)
    with private_file(base64.b64decode(module.params["request"], validate=True)) as path:
        words = tool(module, "corosync-qnetd-certutil", "-s", "-G", "-c", path, "-n", cluster)
    certificate = read_and_remove(module, written, words)
    return {"changed": True, "certificate": base64.b64encode(certificate).decode()}


def take(module: AnsibleModule) -> dict:
    """The signed certificate beside its key, and nothing of the key beside the database."""
    if module.check_mode:
        return {"changed": True}
    with private_file(base64.b64decode(module.params["certificate"], validate=True)) as path:
        tool(module, "corosync-qdevice-net-certutil", "-M", "-c", path)
    for leftover in LEFTOVERS:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(leftover)
    why = lacking(member_facts(module), module.params["authority"], module.params["cluster"])
    if why:
        module.fail_json(msg=f"after the import {why}")
    return {"changed": True}


STATES = {"authority": make_authority, "requested": make_request, "signed": sign, "imported": take}


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": list(STATES), "required": True},
            "cluster": {"type": "str", "default": ""},
            "authority": {"type": "str", "default": ""},
            "request": {"type": "str", "default": ""},
            "certificate": {"type": "str", "default": ""},
            **RUN,
        },
        supports_check_mode=True,
    )
    under_lock(module)
    module.exit_json(**STATES[module.params["state"]](module))


if __name__ == "__main__":
    main()
