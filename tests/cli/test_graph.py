"""hadeploy graph: everything of the design is in every picture, and no name breaks out of its place."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest
from lxml import etree
from typer.testing import CliRunner

from hadeploy.app.validate import load_design
from hadeploy.cli import command_line
from hadeploy.cli.drawing import TextRow, draw
from hadeploy.cli.graph_parts import Bond, Joint, Kind, Parts, Thing, homes, parts_of
from hadeploy.cli.graph_text import ARROWS, COLOURS, SHAPES, as_dot, as_mermaid

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"
EXAMPLES = sorted(file.parent.name for file in INVENTORIES.glob("*/topology.yaml"))
SVG = "{http://www.w3.org/2000/svg}"


def graph(example: str, form: str) -> str:
    done = CliRunner().invoke(
        command_line(), ["graph", str(INVENTORIES / example / "topology.yaml"), "--format", form]
    )
    assert done.exit_code == 0, done.stderr
    return done.stdout


def names_of(example: str) -> set[str]:
    design, _ = load_design(INVENTORIES / example / "topology.yaml")
    assert design is not None
    found = {member.name for member in design.members} | {segment.name for segment in design.segments}
    found |= {address.address for address in design.virtual_addresses}
    found |= {address for member in design.members for _, address in member.addresses}
    found |= {volume.name for volume in design.volumes}
    if design.cluster is not None:
        found |= {device.name for device in design.cluster.fencing.devices}
        found |= {group.name for group in design.cluster.resources.groups}
    if design.balancer is not None:
        found |= {each.name for each in (*design.balancer.frontends, *design.balancer.backends)}
        found |= {server.name for backend in design.balancer.backends for server in backend.servers}
    return found


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg"])
@pytest.mark.parametrize("example", EXAMPLES)
def test_everything_is_in_the_picture(example, form):
    picture = graph(example, form)
    assert {name for name in names_of(example) if name not in picture} == set()
    assert graph(example, form) == picture


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_svg_stands_alone_and_nothing_leaves_it(example):
    root = etree.fromstring(graph(example, "svg").encode())
    width, height = float(root.get("width")), float(root.get("height"))
    boxes = [
        tuple(float(box.get(key)) for key in ("x", "y", "width", "height"))
        for box in root.iter(f"{SVG}rect")
        if box.get("class") != "ground"
    ]
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in boxes)
    for (x1, y1, w1, h1), (x2, y2, w2, h2) in combinations(boxes, 2):
        assert x1 + w1 <= x2 or x2 + w2 <= x1 or y1 + h1 <= y2 or y2 + h2 <= y1
    assert not [element.tag for element in root.iter(f"{SVG}script", f"{SVG}image", f"{SVG}link")]


@pytest.mark.parametrize("example", EXAMPLES)
def test_texts_stay_inside_their_drawing(example):
    root = etree.fromstring(graph(example, "svg").encode())
    for label in root.iter(f"{SVG}text"):
        anchor, x, length = label.get("text-anchor"), float(label.get("x")), len(label.text or "") * 6
        assert x - {"end": length, "middle": length / 2}.get(anchor, 0) >= 0, label.text


def test_the_mermaid_of_an_example():
    assert graph("active-active", "mermaid").split("  classDef")[0] == (
        "---\n"
        "title: active-active\n"
        "---\n"
        "flowchart TB\n"
        '  n0(["site-a<br>10.72.1.100/24"]):::address\n'
        '  n1(["site-b<br>10.72.1.101/24"]):::address\n'
        '  n2[/"http<br>http :80"\\]:::frontend\n'
        '  n3[["web<br>http, roundrobin"]]:::backend\n'
        '  n4["lb1"]:::member\n'
        '  n5["lb2"]:::member\n'
        '  n6["lan<br>10.72.1.0/24<br>fd00:72:1::/64"]:::network\n'
        '  n0 ==>|"VRRP 200"| n4\n'
        '  n0 -.->|"VRRP 150"| n5\n'
        '  n1 -.->|"VRRP 150"| n4\n'
        '  n1 ==>|"VRRP 200"| n5\n'
        "  n0 --> n2\n"
        "  n1 --> n2\n"
        "  n2 --> n3\n"
        '  n3 ==>|"web1 :8080"| n4\n'
        '  n3 ==>|"web2 :8080"| n5\n'
        '  n4 ---|"10.72.1.11, fd00:72:1::11"| n6\n'
        '  n5 ---|"10.72.1.12, fd00:72:1::12"| n6\n'
    )


def test_a_service_is_at_home_and_may_go_to_its_spare(design_of):
    design = design_of("n-plus-1")
    assert homes(design) == {"app-a": ("a1", "s1"), "app-b": ("a2", "s1")}
    joints = {(j.source, j.target): j.bond for j in parts_of(design).joints}
    assert joints["service app-a", "member a1"] is Bond.HOME
    assert joints["service app-a", "member s1"] is Bond.MAY
    assert ("service app-a", "member a2") not in joints
    assert joints["member a1", "network ring"] is Bond.LINK
    assert joints["member a1", "network bmc"] is Bond.JOINED
    assert joints["fence ipmi-a1", "member a1"] is Bond.FENCES


def test_an_arbiter_votes(design_of):
    device = "  quorum_device: {host: arbiter, address: 10.71.1.250}\n  token: 1s"
    parts = parts_of(design_of("active-passive", ("  token: 1s", device)))
    assert Thing("arbiter", Kind.ARBITER, ("arbiter", "arbiter, ffsplit")) in parts.things
    assert [j.target for j in parts.joints if j.bond is Bond.VOTES] == ["member n1", "member n2"]


def test_every_kind_has_its_look():
    assert set(SHAPES) == set(COLOURS) == set(Kind)
    assert set(ARROWS) == set(Bond)


NASTY = 'a"]; b --> c %% <script> #quot; \\" `x`\\'


def test_no_label_breaks_out_of_its_place():
    parts = Parts("x", (Thing("a", Kind.MEMBER, (NASTY, NASTY)),), (Joint("a", "a", Bond.MAY, NASTY),))
    (box,) = [line for line in as_mermaid(parts).splitlines() if line.startswith("  n0[")]
    assert re.fullmatch(r'  n0\["[^"`]*<br>[^"`]*"\]:::member', box)
    assert "<script" not in box
    (node,) = [line for line in as_dot(parts).splitlines() if line.startswith("  n0 [label")]
    assert re.match(r'  n0 \[label="(?:[^"\\]|\\.)*" shape=', node)


def test_fence_devices_never_cover_each_other(design_of):
    both = "    pdu:\n      agent: fence_dummy\n      targets: [n1, n2]\n    ipmi-n2:"
    design = design_of("active-passive", ("    ipmi-n2:", both))
    drawing = draw(design, {member.name: (TextRow("x", "service"),) for member in design.members})
    devices = [box for box in drawing.boxes if box.style == "device"]
    assert len(devices) == 3
    for one, other in combinations(devices, 2):
        assert one.y != other.y or abs(one.x - other.x) >= one.width


def test_a_design_that_a_rule_refuses_is_drawn_all_the_same(tmp_path):
    text = (INVENTORIES / "active-passive/topology.yaml").read_text(encoding="utf-8")
    file = tmp_path / "topology.yaml"
    file.write_text(text.replace("links: [ring, lan]", "links: [ring]"), encoding="utf-8")
    out = tmp_path / "x.svg"
    done = CliRunner().invoke(command_line(), ["graph", str(file), "--format", "svg", "--out", str(out)])
    assert done.exit_code == 0
    assert etree.fromstring(out.read_bytes()).tag == f"{SVG}svg"
    file.write_text("name: x\n", encoding="utf-8")
    done = CliRunner().invoke(command_line(), ["graph", str(file)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "SPEC010" in done.stderr


def test_an_svg_tells_whom_vrrp_prefers_and_what_may_come():
    root = etree.fromstring(graph("active-active", "svg").encode())
    styles = {label.text: label.get("class") for label in root.iter(f"{SVG}text")}
    assert (styles["site-a VRRP 200"], styles["site-a VRRP 150"]) == ("service", "faint")
    root = etree.fromstring(graph("n-plus-1", "svg").encode())
    assert [label.text for label in root.iter(f"{SVG}text")].count("may run app-a") == 1
    assert [box.get("class") for box in root.iter(f"{SVG}rect")].count("member idle") == 1
