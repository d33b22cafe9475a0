"""Each fact with a host that violates it: what is found, on which host, and what is to be written."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface

import pytest

from hadeploy.diagnostics import Severity
from hadeploy.health.judge import judge_hosts
from hadeploy.observe.facts import Clock, Disk, Interface, Listening, Peer, Space, Unknown, Upkeep
from tests.health.conftest import INVENTORIES, mac

MIB = 1024 * 1024


def told(found):
    return [(problem.code, problem.host) for problem in found]


def with_interface(facts, which: str, /, **changes):
    interfaces = tuple(
        replace(interface, **changes) if interface.name == which else interface
        for interface in facts.interfaces
    )
    return replace(facts, interfaces=interfaces)


@pytest.mark.parametrize("example", sorted(folder.name for folder in INVENTORIES.iterdir()))
def test_hosts_as_the_topology_wants_them_are_well(design, hosts, example):
    wish = design(example)
    assert judge_hosts(wish, hosts(wish)) == ()


def test_what_was_not_asked_is_not_judged(design):
    from hadeploy.observe.facts import HostFacts

    assert judge_hosts(design(), {"n1": HostFacts(), "n2": HostFacts(host_name="n2")}) == ()


class TestInterfaces:
    def test_an_address_on_another_interface_is_told_with_what_to_write(self, design, hosts):
        """The standby whose NIC had another name: all was well until it had to take over."""
        wish = design()
        seen = hosts(wish)
        seen["n2"] = with_interface(seen["n2"], "lan0", name="ens18")
        (problem,) = judge_hosts(wish, seen)
        assert (problem.code, problem.host) == ("HOST020", "n2")
        assert problem.expected == "lan: lan0 with 10.71.1.12/24"
        assert problem.found == "10.71.1.12 on ens18; there is no lan0"
        assert problem.fix == "write nodes.n2.interfaces: {lan: ens18}"
        assert problem.is_error

    def test_an_alternative_name_is_not_enough(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        seen["n2"] = with_interface(seen["n2"], "lan0", name="ens18", aliases=("lan0",))
        (problem,) = judge_hosts(wish, seen)
        assert problem.found == "10.71.1.12 on ens18; lan0 is only an alternative name of ens18"

    def test_several_are_written_in_one_line(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        seen["n2"] = with_interface(with_interface(seen["n2"], "lan0", name="ens18"), "ring0", name="ens19")
        first, second = judge_hosts(wish, seen)
        assert first.fix == second.fix == "write nodes.n2.interfaces: {lan: ens18, ring: ens19}"

    def test_swapped_names_are_found(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        swapped = {"lan0": "ring0", "ring0": "lan0"}
        seen["n1"] = replace(
            seen["n1"],
            interfaces=tuple(
                replace(each, name=swapped.get(each.name, each.name)) for each in seen["n1"].interfaces
            ),
        )
        assert told(judge_hosts(wish, seen)) == [("HOST020", "n1"), ("HOST020", "n1")]

    def test_what_a_node_names_itself_is_kept_in_the_line(self, design, hosts):
        wish = design(
            "active-passive",
            ("addresses: {lan: 10.71.1.12", "interfaces: {lan: ens18}\n    addresses: {lan: 10.71.1.12"),
        )
        seen = hosts(wish)
        seen["n2"] = with_interface(seen["n2"], "ring0", name="ens19")
        (problem,) = judge_hosts(wish, seen)
        assert problem.fix == "write nodes.n2.interfaces: {lan: ens18, ring: ens19}"

    def test_an_address_that_is_nowhere_is_told_with_all_interfaces(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        seen["n2"] = with_interface(seen["n2"], "ring0", name="eth7", addresses=())
        (problem,) = judge_hosts(wish, seen)
        assert problem.code == "HOST022"
        assert "no interface has 10.71.2.12/24; there is no ring0" in problem.found
        assert "eth7 (no address)" in problem.found

    @pytest.mark.parametrize(
        ("change", "words"),
        [({"up": False, "carrier": False}, "down"), ({"carrier": False}, "without a link")],
    )
    def test_an_interface_without_a_link_is_told_once(self, design, hosts, change, words):
        wish = design()
        seen = hosts(wish)
        seen["n2"] = with_interface(seen["n2"], "ring0", **change)
        dead = {pair: replace(peer, small=False, large=False) for pair, peer in seen["n1"].peers.items()}
        seen["n1"] = replace(
            seen["n1"], peers=dead | {p: seen["n1"].peers[p] for p in dead if p[0].startswith("10.71.1.")}
        )
        (problem,) = judge_hosts(wish, seen)
        assert (problem.code, problem.host) == ("HOST021", "n2")
        assert words in problem.found

    def test_a_prefix_length_is_the_networks(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        seen["n1"] = with_interface(seen["n1"], "lan0", addresses=(ip_interface("10.71.1.11/16"),))
        (problem,) = judge_hosts(wish, seen)
        assert (problem.code, problem.expected, problem.found) == (
            "HOST023",
            "lan: 10.71.1.11/24 on lan0",
            "10.71.1.11/16",
        )

    def test_an_address_that_another_host_has_too_is_not_there(self, design, hosts):
        wish = design("active-active")
        seen = hosts(wish)
        first = wish.members[0]
        own = next(ip_interface(f"{address}/64") for address in first.on("lan") if ":" in address)
        seen[first.name] = with_interface(seen[first.name], first.interface("lan"), duplicates=(own,))
        (problem,) = judge_hosts(wish, seen)
        assert (problem.code, problem.host) == ("HOST022", first.name)
        assert "dadfailed" in problem.found

    def test_one_mtu_on_a_network_told_once(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        seen["n2"] = with_interface(seen["n2"], "ring0", mtu=9000)
        seen["n2"] = replace(
            seen["n2"],
            peers={
                p: replace(peer, large=False)
                for p, peer in seen["n2"].peers.items()
                if p[0].startswith("10.71.2.")
            },
        )
        (problem,) = judge_hosts(wish, seen)
        assert problem.code == "HOST024"


class TestReach:
    def test_a_link_that_is_cut_is_told_once_for_both_ends(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        for name in seen:
            seen[name] = replace(
                seen[name],
                peers={
                    pair: replace(peer, small=False, large=False) if pair[0].startswith("10.71.2.") else peer
                    for pair, peer in seen[name].peers.items()
                },
            )
        (problem,) = judge_hosts(wish, seen)
        assert problem.code == "HOST025"
        assert problem.expected == "ring: 10.71.2.11 reaches n2 at 10.71.2.12"

    def test_a_host_that_drops_pings_is_a_warning(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        pair = ("10.71.2.11", "10.71.2.12")
        seen["n1"] = replace(
            seen["n1"],
            peers={**seen["n1"].peers, pair: Peer(*pair, 1500, small=False, large=False)},
            owners={**seen["n1"].owners, "10.71.2.12": (mac(2, 1),)},
        )
        (problem,) = judge_hosts(wish, seen)
        assert (problem.code, problem.severity) == ("HOST026", Severity.WARNING)

    def test_large_packets_must_pass(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        pair = ("10.71.2.11", "10.71.2.12")
        seen["n1"] = replace(
            seen["n1"], peers={**seen["n1"].peers, pair: Peer(*pair, 1500, small=True, large=False)}
        )
        (problem,) = judge_hosts(wish, seen)
        assert problem.code == "HOST024"
        assert "1500 bytes" in problem.expected

    @pytest.mark.parametrize(
        ("pinged", "door", "well"),
        [
            (True, "no answer", True),
            (False, "", True),
            (False, "Connection refused", True),
            (False, "no answer", False),
            (False, "No route to host", False),
        ],
    )
    def test_the_arbiter_is_reached_by_a_ping_or_at_its_port(self, design, hosts, pinged, door, well):
        wish = design("quorum-device")
        seen = hosts(wish)
        address = wish.arbiter.address
        seen["n1"] = replace(
            seen["n1"],
            peers={**seen["n1"].peers, ("", address): Peer("", address, 1500, small=pinged, large=pinged)},
            fences={**seen["n1"].fences, f"quorum device {wish.arbiter.host}": door},
        )
        assert told(judge_hosts(wish, seen)) == ([] if well else [("HOST025", "n1")])

    def test_a_fence_device_is_asked_from_each_node_that_needs_it(self, design, hosts):
        wish = design("n-plus-1")
        seen = hosts(wish)
        device = wish.cluster.fencing.devices[0]
        for name in seen:
            if device.name in seen[name].fences:
                seen[name] = replace(seen[name], fences={**seen[name].fences, device.name: "no answer"})
        (problem,) = judge_hosts(wish, seen)
        assert problem.code == "HOST027"
        assert problem.host.split() == [name for name in seen if name not in device.avoids]
        assert "UDP port 623" in problem.expected

    def test_a_virtual_address_of_a_stranger_is_refused_and_one_of_the_cluster_is_not(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        seen["n2"] = replace(seen["n2"], owners={"10.71.1.100": (mac(1, 0),)})
        assert judge_hosts(wish, seen) == ()
        seen["n2"] = replace(seen["n2"], owners={"10.71.1.100": ("52:54:00:11:22:33",)})
        (problem,) = judge_hosts(wish, seen)
        assert problem.code == "HOST028"
        assert "52:54:00:11:22:33" in problem.found


class TestPorts:
    def listening(self, facts, *sockets):
        return replace(facts, listening=(*facts.listening, *sockets))

    def test_a_port_that_a_stranger_has_is_named_with_its_unit(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        seen["n1"] = self.listening(
            seen["n1"], Listening("tcp", ip_address("::"), 80, "apache2", "apache2.service")
        )
        (problem,) = judge_hosts(wish, seen)
        assert (problem.code, problem.host) == ("HOST029", "n1")
        assert problem.found == "apache2 (apache2.service) listens at [::]:80"

    def test_a_socket_that_systemd_holds_is_stopped_by_its_own_unit(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        held = Listening("tcp", ip_address("::"), 80, "systemd", "init.scope")
        seen["n1"] = self.listening(seen["n1"], held)
        (problem,) = judge_hosts(wish, seen)
        assert "systemctl list-sockets" in problem.fix
        assert "disable --now init.scope" not in problem.fix

    @pytest.mark.parametrize("unit", ["hadeploy-nginx@web-server.service", "pacemaker.service"])
    def test_what_is_ours_is_no_stranger(self, design, hosts, unit):
        wish = design()
        seen = hosts(wish)
        seen["n1"] = self.listening(seen["n1"], Listening("tcp", ip_address(0), 80, "nginx", unit))
        assert judge_hosts(wish, seen) == ()

    def test_another_address_of_the_same_port_is_no_conflict(self, design, hosts):
        wish = design("active-active")
        seen = hosts(wish)
        name = wish.members[0].name
        seen[name] = self.listening(
            seen[name], Listening("tcp", ip_address("127.0.0.1"), 80, "exim4", "exim4.service")
        )
        assert judge_hosts(wish, seen) == ()
        seen[name] = self.listening(
            seen[name], Listening("tcp", ip_address(0), 80, "lighttpd", "lighttpd.service")
        )
        assert told(judge_hosts(wish, seen)) == [("HOST029", name)]

    def test_what_an_earlier_apply_brought_is_ours(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        seen["n1"] = self.listening(
            seen["n1"], Listening("tcp", ip_address(0), 80, "nginx", "hadeploy-nginx@old.service")
        )
        assert told(judge_hosts(wish, seen)) == [("HOST029", "n1")]
        seen["n1"] = replace(seen["n1"], upkeep=Upkeep(owned_units=("hadeploy-nginx@old.service",)))
        assert judge_hosts(wish, seen) == ()


class TestMachine:
    def test_clocks_are_apart_only_where_that_is_certain(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        seen["n2"] = replace(seen["n2"], clock=Clock(-0.1, 30.0, synchronized=True))
        assert judge_hosts(wish, seen) == ()
        seen["n2"] = replace(seen["n2"], clock=Clock(3600.0, 3600.4, synchronized=True))
        (problem,) = judge_hosts(wish, seen)
        assert problem.code == "HOST018"
        assert "60 min ahead" in problem.found or "at least 60 min" in problem.found

    def test_of_three_the_one_apart_is_named(self, design, hosts):
        wish = design("n-plus-1")
        seen = hosts(wish)
        first = wish.members[0].name
        seen[first] = replace(seen[first], clock=Clock(-60.0, -59.6, synchronized=True))
        (problem,) = judge_hosts(wish, seen)
        assert (problem.code, problem.host) == ("HOST018", first)
        assert "behind" in problem.found

    def test_a_clock_that_nothing_keeps_is_a_warning(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        seen["n1"] = replace(seen["n1"], clock=Clock(-0.1, 0.1, synchronized=False))
        (problem,) = judge_hosts(wish, seen)
        assert (problem.code, problem.is_error) == ("HOST019", False)

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"release": "debian-11"}, "HOST012"),
            ({"release": "ubuntu-24.04"}, "HOST012"),
            ({"python": (3, 7, 3)}, "HOST014"),
            ({"root": False}, "HOST015"),
            ({"host_name": "n2.example.com"}, "HOST011"),
            ({"interfaces": Unknown("ip is not there")}, "HOST035"),
            ({"unread": (("pings", "PermissionError"),)}, "HOST035"),
        ],
    )
    def test_what_a_host_is(self, design, hosts, change, code):
        wish = design()
        seen = hosts(wish)
        seen["n2"] = replace(seen["n2"], **change)
        assert told(judge_hosts(wish, seen)) == [(code, "n2")]

    def test_of_a_host_that_is_another_node_nothing_else_is_told(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        seen["n1"], seen["n2"] = seen["n2"], seen["n1"]
        assert told(judge_hosts(wish, seen)) == [("HOST011", "n1"), ("HOST011", "n2")]

    @pytest.mark.parametrize(
        ("space", "code"),
        [
            (Space("/etc", 8 * MIB, 1024 * MIB, 5000, read_only=False), "HOST017"),
            (Space("/etc", 800 * MIB, 1024 * MIB, 10, read_only=False), "HOST017"),
            (Space("/etc", 800 * MIB, 1024 * MIB, None, read_only=False), None),
            (Space("/etc", 800 * MIB, 1024 * MIB, 5000, read_only=True), "HOST016"),
        ],
    )
    def test_room_to_write(self, design, hosts, space, code):
        wish = design()
        seen = hosts(wish)
        seen["n1"] = replace(seen["n1"], spaces={"/etc": space})
        assert told(judge_hosts(wish, seen)) == ([(code, "n1")] if code else [])

    def test_a_database_is_copied_between_machines_of_one_kind(self, design, hosts):
        wish = design("postgresql-streaming")
        seen = hosts(wish)
        last = wish.members[-1].name
        seen[last] = replace(seen[last], machine="aarch64")
        assert [code for code, _ in told(judge_hosts(wish, seen))] == ["HOST013"]


class TestStorage:
    @pytest.mark.parametrize(("version", "found"), [("", "no module"), ("9.2.8", "drbd 9.2.8")])
    def test_the_kernel_has_the_drbd_that_is_compiled_for(self, design, hosts, version, found):
        wish = design("active-passive-drbd")
        seen = hosts(wish)
        name = wish.members[0].name
        seen[name] = replace(seen[name], modules={"drbd": version})
        (problem,) = judge_hosts(wish, seen)
        assert (problem.code, problem.host) == ("HOST030", name)
        assert found in problem.found

    def test_disks_are_there_and_large_enough(self, design, hosts):
        wish = design("active-passive-drbd")
        for change in (Disk("", error="No such file or directory"), Disk("", 4 * MIB)):
            seen = hosts(wish)
            name = wish.members[0].name
            seen[name] = replace(
                seen[name], disks={path: replace(change, path=path) for path in seen[name].disks}
            )
            found = judge_hosts(wish, seen)
            assert {code for code, _ in told(found)} == {"HOST031"}


class TestUpkeep:
    def test_unattended_upgrades_of_the_cluster_are_a_warning_with_the_lines(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        for name in seen:
            seen[name] = replace(seen[name], upkeep=Upkeep(upgrades=True))
        (problem,) = judge_hosts(wish, seen)
        assert (problem.code, problem.host, problem.is_error) == ("HOST032", "n1 n2", False)
        assert '"^corosync$";' in problem.fix
        assert '"^pacemaker$";' in problem.fix
        assert "/etc/apt/apt.conf.d/" in problem.fix
        for name in seen:
            kept = Upkeep(upgrades=True, kept_back=("^corosync", "pacemaker", "^nginx", "nftables"))
            seen[name] = replace(seen[name], upkeep=kept)
        assert judge_hosts(wish, seen) == ()

    def test_needrestart_that_asks_nobody_is_a_warning_with_the_lines(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        seen["n1"] = replace(seen["n1"], upkeep=Upkeep(restarts=True, left_alone=("^nftables",)))
        (problem,) = judge_hosts(wish, seen)
        assert problem.code == "HOST033"
        assert "$nrconf{override_rc}{qr(^corosync)} = 0;" in problem.fix
        assert "nftables" not in problem.fix

    def test_a_power_key_matters_where_the_fence_device_is_in_the_machine(self, design, hosts):
        wish = design()
        seen = hosts(wish)
        seen["n1"] = replace(seen["n1"], upkeep=Upkeep(power_key="poweroff"))
        (problem,) = judge_hosts(wish, seen)
        assert (problem.code, problem.is_error) == ("HOST034", False)
        assert "HandlePowerKey=ignore" in problem.fix
        other = design("active-active")
        seen = hosts(other)
        name = other.members[0].name
        seen[name] = replace(seen[name], upkeep=Upkeep(power_key="poweroff"))
        assert judge_hosts(other, seen) == ()


class TestAccepted:
    RISK = "accept_risks:\n  - rule: {}\n    reason: the switch is replaced next week\n"

    def test_a_risk_that_is_accepted_by_its_code_is_a_warning(self, design, hosts):
        wish = design("active-passive", ("networks:\n", self.RISK.format("HOST024") + "networks:\n"))
        seen = hosts(wish)
        seen["n2"] = with_interface(seen["n2"], "ring0", mtu=9000)
        (problem,) = judge_hosts(wish, seen)
        assert (problem.code, problem.is_error, problem.accepted) == (
            "HOST024",
            False,
            "the switch is replaced next week",
        )

    def test_what_makes_a_takeover_impossible_is_not_accepted(self, design, hosts):
        wish = design("active-passive", ("networks:\n", self.RISK.format("HOST020") + "networks:\n"))
        seen = hosts(wish)
        seen["n2"] = with_interface(seen["n2"], "lan0", name="ens18")
        (problem,) = judge_hosts(wish, seen)
        assert problem.is_error
        assert isinstance(seen["n2"].interfaces[1], Interface)
