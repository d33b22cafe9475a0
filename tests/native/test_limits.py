"""The limits that are judged beforehand are those of the daemons that are installed here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from hadeploy.spec.limits import DRBD_RATES, KNET_NODE_ID, SHORTEST_CONSENSUS_MS, SHORTEST_TOKEN_MS

pytestmark = pytest.mark.native


def corosync_takes(folder: Path, *, token: int = 1000, consensus: int = 1200, node_id: int = 1) -> bool:
    file = folder / "corosync.conf"
    file.write_text(
        f"totem {{\n version: 2\n cluster_name: x\n transport: knet\n token: {token}\n token_coefficient: 0\n"
        f" consensus: {consensus}\n}}\nnodelist {{\n"
        f" node {{\n name: limits\n nodeid: {node_id}\n ring0_addr: 192.0.2.1\n }}\n"
        " node {\n name: other\n nodeid: 2\n ring0_addr: 192.0.2.2\n }\n}\n"
        "quorum {\n provider: corosync_votequorum\n}\n",
        encoding="utf-8",
    )
    # corosync looks for its own name in the list of nodes
    script = f"hostname limits && corosync -t -c {file}"
    done = subprocess.run(
        ["unshare", "--uts", "sh", "-c", script], capture_output=True, check=False, timeout=60
    )
    return done.returncode == 0


@pytest.mark.parametrize(
    ("key", "taken", "refused"),
    [
        ("token", SHORTEST_TOKEN_MS, SHORTEST_TOKEN_MS - 1),
        ("consensus", SHORTEST_CONSENSUS_MS, SHORTEST_CONSENSUS_MS - 1),
        ("node_id", KNET_NODE_ID, KNET_NODE_ID + 1),
    ],
)
def test_corosync(key: str, taken: int, refused: int, tmp_path: Path) -> None:
    assert corosync_takes(tmp_path, **{key: taken})
    assert not corosync_takes(tmp_path, **{key: refused})


def test_drbd() -> None:
    told = subprocess.run(
        ["drbdsetup", "help", "peer-device-options"], capture_output=True, text=True, check=True
    ).stdout
    for option, key in (
        ("c-max-rate", "max_rate"),
        ("c-min-rate", "min_rate"),
        ("resync-rate", "fixed_rate"),
    ):
        bounds = re.search(rf"--{option}=\((\d+) \.\.\. (\d+)\)", told)
        assert bounds is not None
        assert int(bounds[2]) * 1024 == DRBD_RATES[key][0]


def test_pacemaker_takes_an_id_once(tmp_path: Path) -> None:
    def verified(name: str) -> bool:
        file = tmp_path / "cib.xml"
        file.write_text(
            '<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">'
            '<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">'
            '<nvpair id="enabled" name="stonith-enabled" value="false"/></cluster_property_set></crm_config><nodes/>'
            f'<resources><primitive id="{name}" class="ocf" provider="pacemaker" type="Dummy"/></resources><constraints/>'
            "</configuration><status/></cib>",
            encoding="utf-8",
        )
        done = subprocess.run(["crm_verify", "-x", str(file)], capture_output=True, check=False, timeout=60)
        return done.returncode == 0

    assert verified("dummy")
    assert not verified("cib-bootstrap-options")
