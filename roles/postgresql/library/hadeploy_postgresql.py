#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Make a database's data, copy it to standbys, and have changed settings read."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_postgresql
short_description: PostgreSQL's data on the members of a cluster
description:
  - Instances are started, promoted and stopped by Pacemaker's agent C(ocf:heartbeat:pgsql), never from here. Before it has
    them, one is started to be copied from, and ended afterwards.
  - Data is made on the first member where no member has any; a member without data gets a copy of the primary's.
  - Data that is there is destroyed only on a member that a person named under O(wipe), and never while it is in use or is
    the last. Directories appear whole or not at all, and an interrupted run is run again.
  - No password is in arguments or in a log.
version_added: 0.1.0
options:
  state:
    description:
      - C(observed) says what there is, and what there is to do.
      - C(checked) refuses what would lose data; nothing is changed.
      - C(recorded) writes down what each member holds, and what is to become of it, before the first step of it.
      - C(present) makes the agent's directory, and data where no member has any.
      - C(reloaded) has a running instance read settings that are younger than it, and lets in who is to copy from it.
      - C(serving) starts a temporary instance where a member needs a copy and no primary runs; has the replication role on
        the primary as it must be.
      - C(copied) copies the data to a member that has none, or was named under O(wipe).
      - C(ended) ends a temporary instance.
      - C(followed) says what is still waited for until there is a primary that this host's instance is or follows.
    type: str
    choices: [observed, checked, recorded, present, reloaded, serving, copied, ended, followed]
    required: true
  host:
    description: This host's name in the databases' members.
    type: str
    required: true
  databases:
    description: All databases of the design.
    type: list
    elements: dict
    required: true
  wipe:
    description: Members whose data may be destroyed and copied anew, as C(database@host); other names are ignored.
    type: list
    elements: str
    default: []
  seen:
    description: What RV(databases) was on each host in the state before, by host.
    type: dict
    default: {}
  run:
    description: Which run this is a step of; said by the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Nothing is made; what would be refused is.
  diff_mode:
    support: full
    description: One line for each thing that is done.
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: See what databases lack
  hadeploy_postgresql:
    state: observed
    host: "{{ hadeploy_node }}"
    databases: "{{ hadeploy_databases }}"
"""

RETURN = r"""
databases:
  description: What each database is on this host (data, identifier, role, started_by, stale, and more).
  type: dict
  returned: success
pending:
  description: What there is to do on this host, by database.
  type: dict
  returned: state is observed
anything:
  description: Whether there is anything to do.
  type: bool
  returned: state is observed
waiting:
  description: What is still waited for, a sentence a database.
  type: list
  elements: str
  returned: state is followed
told:
  description: What was done, or in check mode would be.
  type: list
  elements: str
  returned: state is not observed
"""

import contextlib
import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_lock import RUN, under_lock
from ansible.module_utils.hadeploy_postgresql import FILE_ERRORS, Server, without_statements
from ansible.module_utils.hadeploy_postgresql_choice import Choice
from ansible.module_utils.hadeploy_postgresql_disk import (
    alone,
    destroy,
    fresh_directory,
    make_socket_directory,
    place,
    prepare,
    unlock,
)
from ansible.module_utils.hadeploy_postgresql_facts import data_of, not_in_the_future
from ansible.module_utils.hadeploy_postgresql_login import read_password, statement
from ansible.module_utils.hadeploy_postgresql_record import held_by, store

UNLOGGED = "SET synchronous_commit = local; SET log_statement = none; "
"""A standby that is away must not hold it up, and what the server keeps of a password is in no log."""

RELOAD_SECONDS = 30
POLL_SECONDS = 0.2


def lacking(found: dict) -> list[str]:
    """What a database lacks on its host."""
    if not found["installed"]:
        return ["PostgreSQL is not there yet"]
    reasons = [] if found["data"] == "present" else ["no data"]
    reasons += [] if found["recorded"] else ["what it holds, or what was begun with it, is to be recorded"]
    reasons += [] if found["prepared"] else ["the agent's directory is not as it must be"]
    reasons += ["an instance of an interrupted copy still runs"] if found["started_by"] == "temporary" else []
    reasons += ["Pacemaker did not start the instance that runs"] if found["started_by"] == "other" else []
    reasons += ["settings that were not read yet"] if found["stale"] else []
    if found["role"] == "primary" and found["login"] not in ("", "right"):
        reasons.append("the replication role is not as it must be")
    return reasons


class Member:
    """One database on this host."""

    def __init__(self, module: AnsibleModule, database: dict, told: list[str]) -> None:
        self.module = module
        self.database = database
        self.name = database["name"]
        self.told = told
        self.host = module.params["host"]
        self.server = Server(module, database)

    def fail(self, message: str) -> None:
        """End the task."""
        self.module.fail_json(msg=message, told=self.told, invocation={})

    def does(self, words: str) -> bool:
        """Say what is done, and whether it really is."""
        self.told.append(f"{self.name}: {words}")
        return not self.module.check_mode

    def look(self) -> dict:
        """What the database is here, and whether it was made in this run. In check mode, what it would be by now."""
        seen = self.module.params["seen"].get(self.host, {}).get(self.name, {})
        found = dict(seen) if self.module.check_mode and seen else self.server.facts()
        found["made"] = seen.get("made", False)
        found["managed"] = self.server.managed()
        if "position" not in found:
            found["position"] = self.server.position() if found["installed"] and found["identifier"] else []
        return found

    def choice(self, found: dict) -> Choice:
        """What all members decide; ends the task where that is to do nothing."""
        params = self.module.params
        seen = {**params["seen"], self.host: {**params["seen"].get(self.host, {}), self.name: found}}
        choice = Choice(self.database, seen, params["wipe"])
        refusals = choice.refusals(self.host)
        if refusals:
            self.fail("\n".join(refusals))
        return choice

    def checked(self) -> dict:
        """Refuse what would lose data."""
        found = self.look()
        self.choice(found)
        return found

    def recorded(self) -> dict:
        """What this host holds, and what is to become of it; where a run is interrupted, the next one reads it on all hosts."""
        found = self.look()
        begun = self.choice(found).begin(self.host)
        held = found["record"].get("held", {}) if begun or found["data"] != "present" else self.holds(found)
        different = (held or begun) and found["record"] != {"held": held, "begun": begun}
        if different and (begun or self.does(f"recorded that {held['data']} holds its data")):
            self.remember(held, begun)
        return found | {"record": {"held": held, "begun": begun}}

    def holds(self, found: dict) -> dict:
        """What there is to remember of data that is complete."""
        return held_by(found, data_of(self.database))

    def remember(self, held: dict, begun: dict) -> None:
        """On disk, except in check mode."""
        if self.module.check_mode:
            return
        try:
            store(self.database, held, begun)
        except OSError as error:
            self.fail(
                f"{self.name}: what becomes of its data on {self.host} cannot be recorded, so nothing more is done to it:"
                f" {error}. Make {self.database['record']} writable (df -h /var/lib/hadeploy), and apply again"
            )

    def present(self) -> dict:
        """The agent's directory, and data where no member has any."""
        found = self.look()
        if not found["installed"] and not self.module.check_mode:
            self.fail(
                f"{self.name}: there is no {self.database['programs']}/postgres: install PostgreSQL first"
            )
        if found["started_by"] == "temporary":
            self._end()
            found |= {"running": False, "role": "", "started_by": ""}
        choice = self.choice(found)
        if not found["prepared"]:
            if self.does(f"{self.database['state']} prepared for the agent"):
                prepare(self.database)
            found["prepared"] = True
        if choice.maker() == self.host:
            return self._make(found, choice)
        return found

    def _make(self, found: dict, choice: Choice) -> dict:
        """New data, whole with its role or not there."""
        if not self.does(f"new data in {self.database['data']}"):
            return found | {"data": "present", "identifier": "new", "position": [1, 0], "made": True}
        user = self.database["user"]
        with self.alone():
            fresh = fresh_directory(self.database)
            self.server.initdb(fresh)
            self.server.make_role(fresh, statement("CREATE", user, self.password()), user)
            if found["data"] == "foreign":
                destroy(self.database)
                self.remember(found["record"].get("held", {}), choice.begin(self.host) | {"destroys": False})
            place(self.database, fresh)
        unlock(self.database)
        made = self.again() | {"made": True}
        self.remember(self.holds(made), {})
        return made

    @contextlib.contextmanager
    def alone(self):
        """Keep another run away; ends the task where there is one."""
        try:
            with alone(self.database):
                yield
        except BlockingIOError:
            self.fail(f"{self.name}: another run is still at work on {self.host}: wait until it has ended")

    def again(self) -> dict:
        """Look once more, after something was done."""
        found = self.server.facts()
        return found | {"managed": self.server.managed(), "position": self.server.position()}

    def password(self) -> str:
        """Of the replication role."""
        found = read_password(self.database["passfile"])
        if not found:
            self.fail(
                f"{self.name}: {self.database['passfile']} has no password: it is written before data is made"
            )
        return found

    def reloaded(self) -> dict:
        """Settings read that are younger than the instance; a file with errors is left unread."""
        found = self.server.facts()
        if found["stale"] and found["started_by"] == "cluster":
            code, errors = self.server.psql(FILE_ERRORS)
            if code != 0 or errors:
                self.fail(f"{self.name}: the changed settings have errors, and were not read:\n{errors}")
            if self.does("settings read"):
                not_in_the_future(self.database)
                self.server.reload()
                found = self._wait_read()
        if found["restart"]:
            self.module.warn(
                f"{self.name} on {self.host}: {', '.join(found['restart'])} will change only when the instance is restarted"
            )
        return found

    def waits_for(self) -> str:
        """What is missing until this instance is the primary, or may take over from it; empty where nothing is."""
        word = self.server.word(self.host)
        if word in self.database["well"]:
            return ""
        return f"{self.name} on {self.host} is neither primary nor follows it ({word or 'it does not run'})"

    def _wait_read(self) -> dict:
        """Until the server has; a signal is all that it was given."""
        deadline = time.monotonic() + RELOAD_SECONDS
        while (found := self.server.facts())["stale"]:
            if time.monotonic() > deadline:
                self.fail(
                    f"{self.name}: settings were not read within {RELOAD_SECONDS} s: see the server's log"
                )
            time.sleep(POLL_SECONDS)
        return found

    def serving(self) -> dict:
        """Somebody to copy from, where somebody needs a copy, with a role to copy as."""
        found = self.look()
        choice = self.choice(found)
        if choice.needy() and not choice.primaries() and choice.server() == self.host:
            address = self.database["members"][self.host]
            if not self.does(f"served on {address} while it is copied"):
                return found | {"role": "primary", "started_by": "temporary"}
            make_socket_directory(self.database)
            self.server.start_temporarily(address, os.path.join(self.database["state"], "temporary.log"))
            if len(choice.holders()) == 1:
                unlock(self.database)
            found = self.again() | {"made": found["made"]}
        if found["role"] == "primary" and found["login"] not in ("", "right"):
            self._have_login(found["login"])
        return found

    def _have_login(self, login: str) -> None:
        """The replication role, with the password of the password file."""
        if not self.does(f"replication role {'made' if login == 'missing' else 'changed'}"):
            return
        verb = "CREATE" if login == "missing" else "ALTER"
        code, words = self.server.psql(UNLOGGED + statement(verb, self.database["user"], self.password()))
        if code != 0:
            self.server.fail("psql", code, "", without_statements(words))

    def copied(self) -> dict:
        """A copy, where this member needs one."""
        found = self.look()
        choice = self.choice(found)
        if self.host not in choice.needy():
            return found
        server = choice.server()
        if not self.does(f"data copied from {server} ({choice.source()}) to {self.database['data']}"):
            return found
        source = choice.seen[server]["identifier"]
        self._see_source(choice.source(), source)
        begun = {"what": "copy", "from": server, "identifier": source, "destroys": found["data"] != "absent"}
        held = found["record"].get("held", {})
        self.remember(held, begun)
        with self.alone():
            if found["data"] != "absent":
                destroy(self.database)
            self.remember(held, begun | {"destroys": False})
            fresh = fresh_directory(self.database)
            self.server.copy(choice.source(), fresh)
            place(self.database, fresh)
        unlock(self.database)
        complete = self.again()
        self.remember(self.holds(complete), {})
        if found["managed"]:
            self.server.look_again(self.host)
        return complete

    def _see_source(self, address: str, expected: str) -> None:
        """Nothing is destroyed for a copy that cannot be had, or is of something else."""
        identifier = self.server.identify(address)
        if identifier != expected:
            self.fail(
                f"{self.name}: at {address} answers a database with system identifier {identifier}, not {expected}:"
                " it is not copied; see who has that address"
            )

    def ended(self) -> dict:
        """Nothing runs that was started to be copied from."""
        found = self.server.facts()
        if found["started_by"] == "temporary":
            self._end()
            return found | {"running": False, "role": "", "started_by": ""}
        return found

    def _end(self) -> None:
        if self.does("temporary instance ended"):
            self.server.stop()


def observed(members: list[Member]) -> dict:
    """What there is, and what there is to do."""
    found = {member.name: member.server.facts() for member in members}
    pending = {name: reasons for name, facts in found.items() if (reasons := lacking(facts))}
    return {"changed": False, "databases": found, "pending": pending, "anything": bool(pending)}


def followed(members: list[Member]) -> dict:
    """What is still waited for; in check mode nothing was started, so nothing is."""
    waiting = [words for member in members if (words := member.waits_for())]
    return {"changed": False, "waiting": [] if members and members[0].module.check_mode else waiting}


def done(module: AnsibleModule, members: list[Member], told: list[str]) -> dict:
    """One step on all databases of this host."""
    state = module.params["state"]
    found = {member.name: getattr(member, state)() for member in members}
    lines = "".join(f"{line}\n" for line in told)
    diff = {"before_header": "databases", "after_header": "databases", "before": "", "after": lines}
    return {"changed": bool(told), "databases": found, "told": told, "diff": [diff] if told else []}


STATES = ["observed", "checked", "recorded", "present", "reloaded", "serving", "copied", "ended", "followed"]
LOOKS = {"observed": observed, "followed": followed}


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": STATES, "required": True},
            "host": {"type": "str", "required": True},
            "databases": {"type": "list", "elements": "dict", "required": True},
            "wipe": {"type": "list", "elements": "str", "default": []},
            "seen": {"type": "dict", "default": {}},
            **RUN,
        },
        supports_check_mode=True,
    )
    under_lock(module)
    state, host, told = module.params["state"], module.params["host"], []
    members = [Member(module, each, told) for each in module.params["databases"] if host in each["members"]]
    result = LOOKS[state](members) if state in LOOKS else done(module, members, told)
    module.exit_json(**result, invocation={"module_args": {"state": state}})


if __name__ == "__main__":
    main()
