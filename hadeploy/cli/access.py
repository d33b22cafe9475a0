"""The options that say how the hosts are reached, the same for every verb that reaches them."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

Inventories = Annotated[
    list[Path] | None,
    typer.Option(
        "--inventory",
        "-i",
        help="Your Ansible inventory: a file, a folder or a program. It must name every host. Repeatable.",
    ),
]
AskBecomePass = Annotated[
    bool,
    typer.Option(
        "--ask-become-pass",
        "-K",
        envvar="ANSIBLE_BECOME_ASK_PASS",
        help="Ask for the password that sudo wants on the hosts.",
    ),
]


def refuse_both(lab: bool, inventory: list[Path] | None) -> None:
    """A lab's nodes are reached as the lab says; an inventory beside it would say nothing."""
    if lab and inventory:
        raise typer.BadParameter("the lab has an inventory of its own: leave out --inventory or --lab")


def ask_become_password() -> bytes:
    """What a person types, unseen."""
    if not sys.stdin.isatty():
        raise typer.BadParameter(
            "there is no terminal to ask at: set ansible_become_password in an encrypted file of the inventory",
            param_hint="--ask-become-pass",
        )
    return getpass.getpass("BECOME password: ").encode()
