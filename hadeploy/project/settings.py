"""ansible.cfg and README.md of the project."""

from __future__ import annotations

from hashlib import sha256

from hadeploy.design.design import Design

LEAST_FORKS = 5


def ansible_settings(design: Design) -> str:
    """Host keys are always checked; one SSH connection a host; every module in one round trip."""
    return f"""# Written by hadeploy.
[defaults]
inventory = inventory.yml
roles_path = roles
forks = {max(LEAST_FORKS, len(design.members))}
gathering = explicit
host_key_checking = True
interpreter_python = /usr/bin/python3
nocows = True
retry_files_enabled = False
any_errors_fatal = True
timeout = 10

[connection]
pipelining = True

[ssh_connection]
# A member that falls silent in the middle of a task is noticed after 15 s, also on a connection that stood before.
ssh_args = -C -o ControlMaster=auto -o ControlPersist=60s -o ServerAliveInterval=5 -o ServerAliveCountMax=3
# Connections are told apart by address alone: another project with the same addresses must not find these.
control_path_dir = ~/.ansible/cp/{sha256(design.name.encode()).hexdigest()[:12]}
"""


def readme(design: Design, *, vault: bool) -> str:
    """How to run the project without hadeploy."""
    vault_arguments = " -e @/path/to/secrets.vault.yml --ask-vault-pass" if vault else ""
    return f"""# {design.name}

Compiled by hadeploy for {design.release.title}: {", ".join(member.name for member in design.members)}.
Written anew by every `hadeploy compile`; change the topology, not these files.

    ansible-playbook site.yml --check --diff{vault_arguments}
    ansible-playbook site.yml{vault_arguments}

With an inventory of your own, which says how the hosts are reached, give it after the project's:

    ansible-playbook -i inventory.yml -i /path/to/hosts.ini site.yml{vault_arguments}

| What | Where |
|---|---|
| files for each host, as they will stand there | `files/<host>/rootfs/` |
| what is read by which unit, and which parser checks it | `files/<host>/bundle.yml` |
| Pacemaker's configuration | `files/cib.xml` |
| where secrets come from | `vars/hadeploy.yml` |
| the order of an apply | `site.yml` |
| sha256 of all of it | `manifest.json` |

Secrets are not in here: `@@hadeploy:...@@` marks where they go. Those referred to by file are looked for beside this
playbook; say otherwise with `-e hadeploy_secrets_directory=/path/to/topology`. Those that are `generated` are made once, in the
topology's vault, by `hadeploy secrets init TOPOLOGY`, which also says what else is missing, and the whole command.

All of `site.yml` is run, on all hosts: `--tags`, `--skip-tags`, `--start-at-task` and `--limit` are refused.
"""
