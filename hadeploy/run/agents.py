"""Asks an agent that is installed on this machine to describe itself."""

from __future__ import annotations

from pathlib import Path

from hadeploy.run.program import run_program

SECONDS = 10.0
"""An agent that needs longer to print a constant text is not one to wait for."""

MOST_BYTES = 1024 * 1024


def ask_agent(name: str, *, root: Path = Path("/")) -> str | None:
    """What ``ocf:provider:type`` or ``fence_x`` prints as its metadata; None where it is not installed.

    Args:
        name: of the agent, in the form that the spec stage admits.
        root: the file system in which it is sought.
    """
    environment: dict[str, str] = {}
    if name.startswith("ocf:"):
        _, provider, kind = name.split(":")
        ocf = root / "usr/lib/ocf"
        program = ocf / "resource.d" / provider / kind
        arguments = ["meta-data"]
        environment = {
            "OCF_ROOT": str(ocf),
            "OCF_RESOURCE_PROVIDER": provider,
            "OCF_RESOURCE_TYPE": kind,
            "OCF_RESOURCE_INSTANCE": kind,
        }
    else:
        program = root / "usr/sbin" / name
        arguments = ["-o", "metadata"]
    if not program.is_file():
        return None
    outcome = run_program(
        [str(program), *arguments], seconds=SECONDS, max_bytes=MOST_BYTES, environment=environment
    )
    return outcome.stdout
