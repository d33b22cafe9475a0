"""Make somebody's own hosts of a lab's bare nodes, as in the page "Use your own hosts"; and the way in to them.

Only what a lab must add stands here: where its keys are, and that its bastion is reached through its namespace.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.state import LabState, load_state

LAB = "shop"
NODES = ("web1", "web2")
BASTION = "jump"
SSH_PORT = 2222

USER = """
useradd --create-home --shell /bin/bash ops
printf 'echo "Welcome to $(uname -n)."\\n' > /home/ops/.bashrc
install -d -m 700 -o ops -g ops /home/ops/.ssh
install -m 600 -o ops -g ops /etc/ssh/lab/authorized_keys /home/ops/.ssh/authorized_keys
printf 'Match User ops\\n  AuthorizedKeysFile .ssh/authorized_keys\\n' > /etc/ssh/sshd_config.d/zz-ops.conf
systemctl reload ssh.service
"""

OWN = """
printf 'ops:%s\\n' PASSWORD | chpasswd
printf 'Defaults lecture=always\\nops ALL=(ALL:ALL) ALL\\n' > /etc/sudoers.d/ops
chmod 440 /etc/sudoers.d/ops

mkdir -p /srv/metrics
printf 'node_load1 0.1\\n' > /srv/metrics/metrics
cat > /etc/systemd/system/node-exporter.service <<'END'
[Service]
ExecStart=/usr/bin/python3 -m http.server 9100 --directory /srv/metrics
[Install]
WantedBy=multi-user.target
END

cat > /etc/nftables.conf <<'END'
#!/usr/sbin/nft -f
flush ruleset
table inet own {
    chain input {
        type filter hook input priority 10; policy accept;
        tcp dport 9100 counter accept comment "exporter"
    }
}
END
systemctl daemon-reload
systemctl enable -q --now node-exporter.service nftables.service
systemctl reload nftables.service

printf 'Port PORT\\nPermitRootLogin no\\n' > /etc/ssh/sshd_config.d/own.conf
systemctl restart ssh.service
"""

OWN_HAPROXY = """
cat > /etc/haproxy/haproxy.cfg <<'END'
# by hand, long ago
global
    maxconn 100
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend old
    bind 127.0.0.1:8888
END
"""


def own() -> str:
    """The script with its values."""
    return OWN.replace("PASSWORD", shlex.quote(os.environ["OPS_SUDO_PASSWORD"])).replace(
        "PORT", str(SSH_PORT)
    )


def make_own(state: LabState) -> None:
    """Set the nodes up by their console, beside SSH."""
    exec_in_node(state, BASTION, "sh", "-ec", USER)
    for node in NODES:
        exec_in_node(state, node, "sh", "-ec", USER + own())
    exec_in_node(state, NODES[0], "sh", "-ec", OWN_HAPROXY)


def write_way_in(state: LabState, folder: Path) -> Path:
    """An ssh_config with the lab's key and host keys; its bastion is reached through the lab's namespace."""
    folder.mkdir(parents=True, exist_ok=True)
    known = []
    for node in state.plan.nodes:
        public = (
            (state.ssh_folder(node.name) / "ssh_host_ed25519_key.pub").read_text(encoding="ascii").split()
        )
        place = node.management_address
        known.append(" ".join((place if node.name == BASTION else f"[{place}]:{SSH_PORT}", *public[:2])))
    (folder / "known_hosts").write_text("\n".join(known) + "\n", encoding="ascii")
    config = folder / "ssh_config"
    config.write_text(
        f"Host {state.plan.node(BASTION).management_address}\n"
        f"  ProxyCommand nsenter --net=/proc/{state.holder.pid}/ns/net socat - TCP:%h:%p,nodelay\n"
        "Host *\n"
        f"  IdentityFile {state.key}\n"
        "  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder / 'known_hosts'}\n"
        "  GlobalKnownHostsFile /dev/null\n"
        "  StrictHostKeyChecking yes\n",
        encoding="utf-8",
    )
    return config


if __name__ == "__main__":
    lab = load_state(LAB)
    make_own(lab)
    print(write_way_in(lab, Path(sys.argv[1])))
