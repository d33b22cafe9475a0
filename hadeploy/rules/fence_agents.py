"""What fence agents act on, where a rule must know."""

from __future__ import annotations

ON_BOARD = frozenset(
    {
        "fence_amt",
        "fence_amt_ws",
        "fence_drac",
        "fence_drac5",
        "fence_idrac",
        "fence_ilo",
        "fence_ilo2",
        "fence_ilo3",
        "fence_ilo3_ssh",
        "fence_ilo4",
        "fence_ilo4_ssh",
        "fence_ilo5",
        "fence_ilo5_ssh",
        "fence_ilo_mp",
        "fence_ilo_ssh",
        "fence_imm",
        "fence_ipmilan",
        "fence_ipmilanplus",
        "fence_redfish",
        "fence_rsa",
        "fence_rsb",
    }
)
"""Management controllers of one machine: whatever target Pacemaker names, they switch the machine that they sit in."""

POWER_SWITCHES = frozenset(
    {
        "fence_apc",
        "fence_apc_snmp",
        "fence_cyberpower_ssh",
        "fence_eaton_snmp",
        "fence_eaton_ssh",
        "fence_eps",
        "fence_ipdu",
        "fence_lindypdu",
        "fence_netio",
        "fence_powerman",
        "fence_raritan",
        "fence_raritan_px3",
        "fence_tripplite_snmp",
        "fence_wti",
    }
)
"""Switched outlets: they cut what is plugged in, and a second supply keeps the machine running."""

ONLY_ASKING = frozenset({"fence_dummy", "fence_heuristics_ping", "fence_heuristics_resource"})
"""They succeed without having stopped anything; beside a device of the same level they decide whether it is used."""

ONLY_SOMETIMES = frozenset({"fence_kdump"})
"""Sure of a machine that is writing its crash dump, and of no other."""
