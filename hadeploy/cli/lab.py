"""hadeploy lab: real nodes on this machine, and what can be done to them."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hadeploy.cli.findings import stop_on_errors
from hadeploy.cli.terminal import echo

app = typer.Typer(
    no_args_is_help=True,
    help="Real nodes on this machine: containers or virtual machines, networks as the topology names them, BMCs that fence.",
)

LabName = Annotated[
    str, typer.Argument(help="A topology file, or the name of a lab that is up.", metavar="LAB")
]


class PowerVerb(StrEnum):
    """What can be done to a node's power."""

    CUT = "cut"
    BOOT = "boot"
    FREEZE = "freeze"
    THAW = "thaw"


class LinkVerb(StrEnum):
    """What can be done to a node's link."""

    DROP = "drop"
    DROP_IN = "drop-in"
    DROP_OUT = "drop-out"
    RESTORE = "restore"


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


def _name(lab: str) -> str:
    """The lab's name: of the topology where a file is given, whose lab it must be."""
    from hadeploy.app.deployment import refuse_another
    from hadeploy.lab.state import lab_exists, load_state

    if lab_exists(lab):
        return lab
    if not Path(lab).is_file():
        return lab
    from hadeploy.app.validate import load_valid

    loaded, findings = load_valid(Path(lab))
    stop_on_errors(findings)
    if loaded is None:
        return lab
    name = loaded.topology.name
    if lab_exists(name):
        refuse_another(load_state(name), Path(lab))
    return name


class BackendName(StrEnum):
    """Kinds of nodes."""

    CONTAINER = "container"
    VM = "vm"


@app.command()
def up(
    topology: Annotated[Path, typer.Argument(help="Topology file.")],
    backend: Annotated[
        BackendName,
        typer.Option(help="container: seconds to start; vm: a kernel (DRBD) and disks of their own."),
    ] = BackendName.CONTAINER,
    disk: Annotated[
        list[str] | None,
        typer.Option(help="Spare disk in every machine, as name=size (data=256M)."),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=NETWORK:ADDRESS",
            help="One more host, no member: a bastion, a client (jump=lan:10.0.0.9).",
        ),
    ] = None,
    installed: Annotated[
        bool | None,
        typer.Option(
            "--installed/--bare",
            help="Whether nodes have all packages already, or roles install them.",
            show_default="bare; installed where machines are emulated",
        ),
    ] = None,
) -> None:
    """Bring up the lab of a topology; the first time the node image is built."""
    from hadeploy.app.lab import plan_lab
    from hadeploy.lab.lab import up as lab_up
    from hadeploy.lab.plan import LabDisk, LabHost

    disks = [LabDisk.parse(text) for text in disk or ()]
    hosts = [LabHost.parse(text) for text in host or ()]
    plan, findings = plan_lab(topology, backend=backend.value, disks=disks, hosts=hosts, installed=installed)
    stop_on_errors(findings)
    if plan is None:
        raise typer.Exit(1)
    state = lab_up(plan, lambda text: echo(text, err=True))
    echo(f"lab {plan.name} is up: {', '.join(node.name for node in plan.nodes)}")
    echo(f"next: hadeploy apply {topology} --lab   (inventory overlay: {state.overlay})")


@app.command()
def down(
    lab: LabName,
    saved: Annotated[bool, typer.Option("--saved", help="Also remove what was saved of it.")] = False,
) -> None:
    """End a lab; nothing of it is left, except what was saved."""
    from hadeploy.lab.lab import down as lab_down
    from hadeploy.lab.state import lab_exists
    from hadeploy.lab.vm.saved import forget_saved

    name = _name(lab)
    if not (saved and forget_saved(name)) or lab_exists(name):
        lab_down(name)
    echo(f"lab {name} is down")


@app.command()
def save(lab: LabName) -> None:
    """Keep a lab of machines as it is now: memory, disks, keys."""
    from hadeploy.lab.lab import save as lab_save

    name = _name(lab)
    lab_save(name)
    echo(f"lab {name} is saved; next: hadeploy lab restore {name}")


@app.command()
def restore(lab: LabName) -> None:
    """Bring a lab back to where it was saved, in seconds, whether it is up now or not."""
    from hadeploy.lab.lab import restore as lab_restore

    name = _name(lab)
    lab_restore(name, lambda text: echo(text, err=True))
    echo(f"lab {name} is as it was saved")


@app.command()
def status(
    lab: Annotated[
        str, typer.Argument(help="A topology file or the name of a lab; all labs when left out.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show which nodes have power; what the cluster says is hadeploy status TOPOLOGY --lab."""
    from dataclasses import asdict

    from hadeploy.lab.lab import report
    from hadeploy.lab.state import list_labs
    from hadeploy.lab.vm.saved import list_saved

    saved = list_saved()
    labs = {name: report(name) for name in ([_name(lab)] if lab else list_labs())}
    if as_json:
        echo(
            json.dumps(
                {
                    "version": 1,
                    "labs": {n: [asdict(r) for r in rs] for n, rs in labs.items()},
                    "saved": saved,
                },
                indent=2,
            )
        )
        return
    if not labs:
        echo("no lab is up")
    for name, nodes in labs.items():
        echo(name)
        for node in nodes:
            kind = f"{node.backend} ({node.accelerator})" if node.accelerator else node.backend
            echo(f"  {node.name:12} {node.power:5} {node.management_address:15} {kind}")
    if saved and not lab:
        echo(f"saved: {', '.join(saved)}   (hadeploy lab restore NAME)")


@app.command(context_settings={"ignore_unknown_options": True})
def exec(  # noqa: A001 (the verb's name)
    lab: LabName,
    node: Annotated[str, typer.Argument(help="Node.")],
    command: Annotated[list[str], typer.Argument(help="Command and its arguments.")],
) -> None:
    """Run a command in a node, beside SSH."""
    from hadeploy.lab.nodes import exec_argv
    from hadeploy.lab.state import load_state

    argv = exec_argv(load_state(_name(lab)), node, *command)
    os.execvp(argv[0], argv)  # noqa: S606 (no shell wanted)


@app.command()
def console(lab: LabName, node: Annotated[str, typer.Argument(help="Node.")]) -> None:
    """Open a shell in a node; of a machine it is the serial console, which Ctrl-] leaves."""
    from hadeploy.lab.nodes import console_argv
    from hadeploy.lab.state import load_state

    argv = console_argv(load_state(_name(lab)), node)
    os.execvp(argv[0], argv)  # noqa: S606 (no shell wanted)


@app.command()
def power(
    lab: LabName,
    node: Annotated[str, typer.Argument(help="Node.")],
    verb: Annotated[
        PowerVerb, typer.Argument(help="cut: off at once; freeze: hung (a container's kernel still answers).")
    ],
) -> None:
    """Cut, boot, freeze or thaw a node."""
    from hadeploy.lab.power import VERBS
    from hadeploy.lab.state import load_state

    VERBS[verb](load_state(_name(lab)), node)


@app.command()
def link(
    lab: LabName,
    node: Annotated[str, typer.Argument(help="Node.")],
    network: Annotated[str, typer.Argument(help="Network.")],
    verb: Annotated[LinkVerb, typer.Argument(help="drop both ways, one way, or restore.")],
) -> None:
    """Break or mend a node's link to a network."""
    from hadeploy.lab.links import set_link
    from hadeploy.lab.state import load_state

    set_link(load_state(_name(lab)), node, network, verb.value)


@app.command()
def bmc(
    lab: LabName,
    node: Annotated[str, typer.Argument(help="Node.")],
    refuses: Annotated[Switch, typer.Argument(help="on: its BMC refuses every power command.")],
) -> None:
    """Make a node's BMC refuse, or obey again."""
    from hadeploy.lab.bmc import refuse
    from hadeploy.lab.state import load_state

    refuse(load_state(_name(lab)), node, refusing=refuses is Switch.ON)
