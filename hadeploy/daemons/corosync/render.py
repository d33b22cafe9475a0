"""corosync.conf's model to text, and the key's reference.

``config_version`` is left out. Its default 0 switches the comparison of versions off (corosync.conf(5)); any other
value must rise with every change, which needs a memory that a pure compile has not: the same topology must give the
same bytes. Stale configurations are kept out by the apply itself, which writes to all members or to none.
"""

from __future__ import annotations

from hadeploy.daemons.artifact import Artifact
from hadeploy.daemons.corosync.check import CHECK, fixed
from hadeploy.daemons.corosync.config import CorosyncConfig, QuorumConfig, QuorumDeviceConfig
from hadeploy.daemons.corosync.section import Section
from hadeploy.design.secrets import Secret

CONFIG_PATH = "/etc/corosync/corosync.conf"
KEY_PATH = "/etc/corosync/authkey"
UNIT = "corosync.service"

AUTHKEY = Secret(name="corosync-authkey", source="generated", reference="hadeploy_corosync_authkey")
"""128 to 4096 random bytes, base64 in the vault (corosync-keygen(8))."""


def render_corosync(config: CorosyncConfig, host: str) -> tuple[Artifact, ...]:
    """The file and the key, byte for byte the same on every member; only what is asked of the running one differs."""
    return (
        Artifact(
            host=host,
            path=KEY_PATH,
            content=AUTHKEY.placeholder,
            mode="0400",
            unit=UNIT,
            on_change="corosync-reload",
            secrets=(AUTHKEY,),
            encoding="base64",
        ),
        Artifact(
            host=host,
            path=CONFIG_PATH,
            content=render_text(config),
            unit=UNIT,
            on_change="corosync-reload",
            check=CHECK,
            fixed=fixed(config, host),
        ),
    )


def render_text(config: CorosyncConfig) -> str:
    """corosync.conf."""
    sections = (_totem(config), _nodelist(config), _quorum(config.quorum), _logging())
    return "\n".join((f"# {config.notice}", *(section.text().rstrip("\n") for section in sections))) + "\n"


def _totem(config: CorosyncConfig) -> Section:
    knet = config.transport == "knet"
    passive = (("link_mode", "passive"),) if knet and len(config.interfaces) > 1 else ()
    keyfile = (("keyfile", KEY_PATH),) if config.hash != "none" else ()
    interfaces = (
        Section(
            "interface",
            (
                ("linknumber", str(interface.link_number)),
                ("knet_link_priority", str(interface.knet_link_priority)),
            ),
        )
        for interface in config.interfaces
        if knet
    )
    return Section(
        "totem",
        (
            ("version", "2"),
            ("cluster_name", config.cluster_name),
            ("transport", config.transport),
            *passive,
            ("crypto_cipher", config.cipher),
            ("crypto_hash", config.hash),
            *keyfile,
            ("token", str(config.token_ms)),
            ("token_coefficient", str(config.token_coefficient_ms)),
            ("consensus", str(config.consensus_ms)),
            *interfaces,
        ),
    )


def _nodelist(config: CorosyncConfig) -> Section:
    return Section(
        "nodelist",
        tuple(
            Section(
                "node",
                (
                    ("name", node.name),
                    ("nodeid", str(node.node_id)),
                    *((f"ring{number}_addr", address) for number, address in enumerate(node.addresses)),
                    *((("quorum_votes", str(node.votes)),) if node.votes != 1 else ()),
                ),
            )
            for node in config.nodes
        ),
    )


def _quorum(quorum: QuorumConfig) -> Section:
    """An option is written where it is on; wait_for_all also where it is off, because two_node would switch it on."""
    entries: list[tuple[str, str] | Section] = [("provider", "corosync_votequorum")]
    if quorum.expected_votes is not None:
        entries.append(("expected_votes", str(quorum.expected_votes)))
    if quorum.two_node:
        entries.append(("two_node", "1"))
    if quorum.wait_for_all or quorum.two_node:
        entries.append(("wait_for_all", str(int(quorum.wait_for_all))))
    if quorum.last_man_standing:
        entries.append(("last_man_standing", "1"))
    entries += _milliseconds(("last_man_standing_window", quorum.last_man_standing_window_ms))
    if quorum.auto_tie_breaker:
        entries += [("auto_tie_breaker", "1"), ("auto_tie_breaker_node", quorum.auto_tie_breaker)]
    if quorum.device is not None:
        entries.append(_device(quorum.device))
    return Section("quorum", tuple(entries))


def _milliseconds(*options: tuple[str, int | None]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in options if value is not None]


def _device(device: QuorumDeviceConfig) -> Section:
    votes = () if device.votes is None else (("votes", str(device.votes)),)
    breaker = (("tie_breaker", device.tie_breaker),) if device.tie_breaker else ()
    net = Section(
        "net",
        (
            ("host", device.host),
            ("port", str(device.port)),
            ("algorithm", device.algorithm),
            *breaker,
            ("tls", device.tls),
        ),
    )
    timeouts = _milliseconds(("timeout", device.timeout_ms), ("sync_timeout", device.sync_timeout_ms))
    return Section("device", (("model", "net"), *votes, *timeouts, net))


def _logging() -> Section:
    return Section("logging", (("to_syslog", "yes"), ("to_stderr", "no"), ("to_logfile", "no")))
