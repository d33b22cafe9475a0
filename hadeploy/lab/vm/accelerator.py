"""Which accelerator runs a Debian kernel here: a boot decides, not the existence of /dev/kvm."""

from __future__ import annotations

import json
import os
from pathlib import Path

from hadeploy.lab.errors import LabError
from hadeploy.lab.image import CACHE, Recipe
from hadeploy.lab.program import run
from hadeploy.lab.tell import Tell
from hadeploy.lab.vm.image import PROBE_WORD, initrd, kernel
from hadeploy.lab.vm.qemu import ACCELERATORS, QEMU

PROBE_SECONDS = 20.0
"""A kernel under KVM is in its initrd within two seconds, nested ones within ten; QEMU only stops where KVM cannot go on."""

DEVICE = Path("/dev/kvm")


def choose_accelerator(recipe: Recipe, tell: Tell) -> str:
    """``kvm`` where the image's kernel boots under it, else ``tcg``, software emulation; found once a boot of this machine."""
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return "tcg"
    memory = CACHE / "accelerator.json"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    question = [boot, run([QEMU, "--version"]).splitlines()[0], recipe.fingerprint]
    if memory.is_file():
        known = json.loads(memory.read_text(encoding="utf-8"))
        if known["question"] == question:
            return str(known["answer"])
    tell("looking whether KVM boots a kernel here")
    answer = "kvm" if boots(recipe, "kvm") else "tcg"
    fresh = memory.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"question": question, "answer": answer}), encoding="utf-8")
    fresh.replace(memory)
    return answer


def boots(recipe: Recipe, accelerator: str, seconds: float = PROBE_SECONDS) -> bool:
    """Whether the image's kernel comes as far as its initrd, which then powers the machine off."""
    options = ["-m", "512", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    files = ["-kernel", str(kernel(recipe)), "-initrd", str(initrd(recipe))]
    start = [QEMU, "-machine", "q35", *ACCELERATORS[accelerator], *options, "-serial", "stdio", *files]
    try:
        return PROBE_WORD in run([*start, "-append", "console=ttyS0 quiet lab.probe"], seconds=seconds)
    except LabError:
        return False
