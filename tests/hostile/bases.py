"""Topologies that hold, together, everything that a topology may hold: examples, with what they leave out written in."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"

EVERYWHERE = """
$schema: ./topology.schema.json
firewall:
  allow: [{port: 9100, from: [192.0.2.0/24], why: metrics}]
  close: [{port: "8000-8100"}]
  ssh_from: [10.0.0.0/8]
accept_risks: [{rule: HA999, reason: a reason of ten characters}]
drill: {probes: {ADDRESS: {path: /healthz}}}
secrets_vault: secrets.vault.yml
"""

MORE: dict[str, str] = {
    "active-active": """
networks: {lan: {failure_domain: switch-a, round_trip: 2ms, bandwidth: 100MiB/s}}
nodes:
  lb1: {interfaces: {lan: lan0}, failure_domain: rack-1, region: here, capacity: {slots: 1}, inventory_name: lb1.example.com}
vrrp:
  notify: /usr/local/bin/notify
  authentication: {password: {env: VRRP_PASSWORD}}
  bfd: {router: {address: 10.72.1.1}}
  track_networks: [lan]
  track_scripts: {look: {path: /usr/local/bin/look}}
  gratuitous_arp: {refresh: 60s}
  sync_groups: {both: [site-a, site-b]}
  addresses: {site-a: {priorities: {lb1: 150, lb2: 100}}}
load_balancer:
  statistics_network: lan
  hard_stop_after: 30s
  resolvers: [192.0.2.53]
  timeouts: {queue: 2s}
  frontends: {http: {clients_from: [10.0.0.0/8]}}
  backends:
    web:
      check: {host: www.example.com, user: haproxy, fast_interval: 200ms}
      tls: {ca_file: /etc/ssl/certs/ca.pem, server_name: www.example.com}
      servers:
        web1: {network: lan}
        web3: {hostname: web3.example.com, port: 8080}
        web4: {address: 192.0.2.4, port: 8080}
local_services:
  other:
    kind: systemd
    name: other
    unit: other
    packages: [other]
    operations: {start: 1min, stop: 1min, monitor: 1min, monitor_interval: 10s}
""",
    "active-passive": """
nodes:
  n1:
    addresses: {lan: [10.71.1.11]}
    interfaces: {lan: lan0}
    failure_domain: rack-1
    region: here
    capacity: {slots: 3}
    inventory_name: n1.example.com
networks: {lan: {failure_domain: switch-a, round_trip: 2ms, bandwidth: 100MiB/s}}
cluster: {quorum: {last_man_standing_window: 10s}, longest_pause: 100ms, token_coefficient: 650ms}
policy: {recheck_interval: 15min, properties: {stop-all-resources: false}}
fencing:
  priority_delay: 15s
  levels: {n1: [[ipmi-n1]], n2: [[ipmi-n2]]}
  devices:
    ipmi-n1: {delay: {n1: 2s}, random_delay: 3s, timeout: 60s, monitor_interval: 60s, parameters: {privlvl: administrator}}
services:
  web: {demand: {slots: 1}, failure_timeout: 1h, locations: {n1: 50}, meta: {description: a service}, prefers: n1}
  third: {on_top_of: [web], members: [{kind: systemd, name: third-unit, unit: third}]}
  fourth: {together_with: [web], members: [{kind: systemd, name: fourth-unit, unit: fourth}]}
  fifth: {apart_from: [web], members: [{kind: systemd, name: fifth-unit, unit: fifth}]}
  other:
    clients_from: [10.0.0.0/8]
    after: [web]
    members:
      - {kind: systemd, name: unit, unit: other, packages: [other], operations: {start: 100s, stop: 100s, monitor: 100s}}
      - {kind: ocf, name: of-file, agent: "ocf:heartbeat:Dummy", parameters: {fake: {file: secret}}}
      - {kind: ocf, name: of-vault, agent: "ocf:heartbeat:Dummy", parameters: {fake: {vault: secret}}}
      - {kind: ocf, name: of-environment, agent: "ocf:heartbeat:Dummy", parameters: {fake: {env: SECRET}}}
      - kind: ocf
        name: agent
        agent: ocf:heartbeat:Dummy
        packages: [resource-agents]
        units: [another]
        parameters: {fake: a value}
        operations: {start: 20s, stop: 20s, monitor: 20s, monitor_interval: 10s}
""",
    "active-passive-drbd": """
volumes:
  data:
    disks: {n2: {volume_group: vg, logical_volume: data}}
    mount_options: noatime
    directories: [a/b]
    send_buffer: 1MiB
    verify: {schedule: "Sun *-*-01..07 02:00:00"}
    resync: {max_rate: 100MiB/s, min_rate: 10MiB/s, plan_ahead: 2s}
    timing: {ping_interval: 2s, ping_timeout: 1s, timeout: 1500ms, connect_interval: 2s}
    operations:
      {start: 240s, promote: 90s, demote: 90s, stop: 100s, monitor: 20s, promoted_interval: 10s, unpromoted_interval: 20s}
    was: former
""",
    "n-plus-1": """
fencing:
  watchdog: {device: /dev/watchdog, timeout: 5s, disks: [/dev/disk/by-id/shared], message_wait: 10s}
services:
  app-a: {apart_from: [app-b]}
""",
    "postgresql-streaming": """
databases:
  orders:
    nodes: [n1, n2]
    address: db
    was: former
    settings: {application_name: orders}
    operations:
      {start: 600s, promote: 300s, demote: 120s, stop: 120s, monitor: 60s, promoted_interval: 4s, unpromoted_interval: 7s}
""",
    "quorum-device": """
cluster:
  quorum: {auto_tie_breaker: [n1]}
  quorum_device:
    inventory_name: arbiter.example.com
    addresses: {lan: [10.74.1.50]}
    address: 10.74.1.50
    managed: false
    timeout: 10s
    sync_timeout: 30s
    failure_domain: elsewhere
    authority: {env: AUTHORITY}
    certificate: {file: certificate}
""",
    "mariadb-drbd": "",
    "nfs": "",
}


@cache
def _text(example: str) -> str:
    return (INVENTORIES / example / "topology.yaml").read_text(encoding="utf-8")


@cache
def bases() -> dict[str, Any]:
    """Each example as it is, and with what it leaves out."""
    found: dict[str, Any] = {}
    for example, more in MORE.items():
        found[example] = yaml.safe_load(_text(example))
        address = next(iter(found[example]["virtual_addresses"]))
        whole = _merged(
            yaml.safe_load(_text(example)), yaml.safe_load(EVERYWHERE.replace("ADDRESS", address))
        )
        found[f"{example}, whole"] = _merged(whole, yaml.safe_load(more) or {})
    return found


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {
            **one,
            **{key: _merged(one[key], inner) if key in one else inner for key, inner in other.items()},
        }
    return other
