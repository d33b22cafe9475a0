"""Which member makes the data, which needs a copy, from whom, and what is refused: decided from what all of them saw.

Every member decides by itself and comes to the same answer, because all are given the same C(seen).
"""

from __future__ import annotations

from ansible.module_utils.hadeploy_postgresql_doubt import doubts_of


class Choice:
    """One database, as all its members are."""

    def __init__(self, database: dict, seen: dict, wipe: list[str]) -> None:
        self.database = database
        self.name = database["name"]
        self.members = list(database["members"])
        self.seen = {host: seen[host][self.name] for host in self.members if self.name in seen.get(host, {})}
        self.wiped = [each.split("@", 1)[1] for each in wipe if each.startswith(f"{self.name}@")]
        self.wiped = [host for host in self.wiped if not self.seen.get(host, {}).get("made")]

    def holding(self) -> list[str]:
        """Members with data, whether it is to stay or not."""
        return [host for host, found in self.seen.items() if found["data"] == "present"]

    def holders(self) -> list[str]:
        """Members whose data stays."""
        return [host for host in self.holding() if host not in self.wiped]

    def primaries(self) -> list[str]:
        """Members with a primary that the cluster runs."""
        return [
            host
            for host, found in self.seen.items()
            if found["role"] == "primary" and found["started_by"] != "temporary"
        ]

    def maker(self) -> str:
        """Who makes the data; nobody where there is some."""
        return "" if self.holding() else self.members[0]

    def needy(self) -> list[str]:
        """Members that need a copy."""
        kept = self.holders() or [self.maker()]
        return [host for host in self.members if host not in kept]

    def server(self) -> str:
        """Who serves the data to be copied: the primary, else the one that came furthest, the topology's first among equals."""
        if self.primaries():
            return self.primaries()[0]
        return max(self.holders(), key=lambda host: self.seen[host]["position"], default="")

    def source(self) -> str:
        """Address of who serves: its host's, which neither moves nor is changed by the apply that is under way."""
        return str(self.database["members"][self.server()])

    def identifiers(self) -> dict[str, list[str]]:
        """Members whose data stays, by the identifier of it."""
        found: dict[str, list[str]] = {}
        for host in self.holders():
            found.setdefault(self.seen[host]["identifier"], []).append(host)
        return found

    def refusals(self, host: str) -> list[str]:
        """Why nothing may be done, in words that say what to do instead; nothing where it may."""
        missing = [each for each in self.members if each not in self.seen]
        strangers = [each for each in self.wiped if each not in self.members]
        if missing:
            return [f"{self.name}: nothing is known of {', '.join(missing)}: run on all members together"]
        if strangers:
            return [
                f"{self.name}: {', '.join(strangers)} is no member: name one of {', '.join(self.members)}"
            ]
        doubts = doubts_of(self)
        if doubts:
            return [f"{self.name}: {words}" for words in doubts]
        return [f"{self.name}: {words}" for words in (*self._of_host(host), *self._of_all(host)) if words]

    def begin(self, host: str) -> dict:
        """What is to become of this host's data, to be recorded before the first step of it; empty where it stays."""
        if host == self.maker():
            return {
                "what": "make",
                "from": host,
                "identifier": "",
                "destroys": self.seen[host]["data"] != "absent",
            }
        if host in self.needy():
            return {
                "what": "copy",
                "from": (self.primaries() or self.holders() or [self.maker()])[0],
                "identifier": self.identifier(),
                "destroys": self.seen[host]["data"] != "absent",
            }
        return {}

    def identifier(self) -> str:
        """Of the data that stays, where it is one database's; empty where there is none yet."""
        return next(iter(self.identifiers())) if len(self.identifiers()) == 1 else ""

    def _of_host(self, host: str) -> list[str]:
        """What stands in the way on this host."""
        own, data = self.seen[host], self.database["data"]
        destroyed = host in self.needy() or host == self.maker()
        found = []
        if own["data"] == "foreign" and host not in self.wiped:
            found.append(
                f"{data} on {host} holds {own['holds']}."
                f" Move it away, or destroy it with --wipe {self.name}@{host}"
            )
        if own["mounted"] and destroyed:
            found.append(
                f"{data} on {host} is a mount point, and data is put in place whole or not at all:"
                " mount the filesystem at a directory above"
            )
        if own["started_by"] == "other":
            found.append(
                f"PostgreSQL runs on {data} of {host}, and Pacemaker did not start it:"
                " stop it and keep it from starting at boot (systemctl disable --now postgresql@...)"
            )
        elif host in self.wiped and own["role"] and own["started_by"] != "temporary":
            found.append(self._still_runs(host, own["role"]))
        return found

    def _still_runs(self, host: str, role: str) -> str:
        """Why a member that runs is not wiped."""
        standby = f"crm_attribute --node {host} --name standby --update on"
        if role == "primary":
            return (
                f"{host} runs the primary, whose data is what all others are copied from: it is never wiped."
                f" Have another member promoted first ({standby}), or leave --wipe {self.name}@{host} away"
            )
        return (
            f"{host} still runs a standby, and data that is in use is not destroyed: stop it first ({standby}),"
            " and let the node back in afterwards (--update off)"
        )

    def _of_all(self, host: str) -> list[str]:
        """What stands in the way wherever one looks."""
        return [self._same_data(), self._last_data(), self._one_primary(), self._served(host)]

    def _same_data(self) -> str:
        found = self.identifiers()
        if len(found) < 2:
            return ""
        sides = "; ".join(f"{' and '.join(hosts)}: {identifier}" for identifier, hosts in found.items())
        return (
            f"members hold data of different databases (system identifiers {sides})."
            f" Name each member whose data may be destroyed with --wipe {self.name}@HOST"
        )

    def _last_data(self) -> str:
        if not self.holding() or self.holders():
            return ""
        return (
            f"there is no data but that of {' and '.join(self.holding())}, and --wipe would leave none to copy from:"
            " leave one member's away"
        )

    def _one_primary(self) -> str:
        if len(self.primaries()) < 2:
            return ""
        return (
            f"{' and '.join(self.primaries())} both run a primary: decide whose data stays, stop the other"
            " (crm_attribute --node HOST --name standby --update on)"
        )

    def _served(self, host: str) -> str:
        """Pacemaker and a temporary instance would both be masters of the same data."""
        if not self.seen[host]["managed"] or self.primaries() or not (self.needy() or self.maker()):
            return ""
        if self.maker():
            return (
                "no member holds data, although Pacemaker manages it. Restore a backup on one member; for a new, empty"
                " database stop Pacemaker on all members first (systemctl stop pacemaker)"
            )
        return (
            f"no primary runs that {' and '.join(self.needy())} could be copied from."
            f" Pacemaker manages it: bring the cluster up first (crm_mon; crm_resource --cleanup --resource"
            f" {self.database['resource']}), then apply again"
        )
