"""Which deployment a topology is: the id beside it, or that of its lab."""

from __future__ import annotations

from pathlib import Path

from hadeploy.diagnostics import Diagnostics
from hadeploy.lab.errors import LabError
from hadeploy.lab.state import LabState, load_state, of_another
from hadeploy.observe.facts import HostFacts, Unknown
from hadeploy.spec.deployment import id_file, make_id, read_id

LAB_ID = "deployment.id"


def known_id(topology: Path, lab: LabState | None = None) -> tuple[str, Diagnostics]:
    """The id of a topology's deployment, or of its lab's; empty where none was made yet. Nothing is written."""
    if lab is not None:
        found, findings = read_id(lab.folder / LAB_ID)
        if found or findings.has_errors:
            return found, findings
    return read_id(id_file(topology))


def made_id(topology: Path, name: str, lab: LabState | None = None) -> tuple[str, Diagnostics]:
    """The same; where there is none yet, it is made.

    A lab keeps its id in its own folder. Lab and topology have the same one as long as the lab is up, whichever got it first:
    a project that was compiled for the one is known to the hosts of the other.
    """
    found, findings = known_id(topology, lab)
    if findings.has_errors:
        return found, findings
    if lab is not None:
        return make_id(lab.folder / LAB_ID, found)
    return make_id(id_file(topology), found or _id_of_lab(topology, name))


def _id_of_lab(topology: Path, name: str) -> str:
    """Of the lab that this topology has now, if it has one."""
    try:
        lab = load_lab(name, topology)
    except (LabError, OSError, ValueError):
        return ""
    return read_id(lab.folder / LAB_ID)[0]


def load_lab(name: str, topology: Path) -> LabState:
    """The lab of a topology, or of a clone of it, which has the same id.

    Raises:
        LabError: there is none, or the one of that name is of another topology.
    """
    lab = load_state(name)
    refuse_another(lab, topology)
    return lab


def strange(facts: HostFacts, name: str, deployment: str) -> str:
    """Why a host is none of the deployment with that name and id, as a sentence; empty where it is not known to be none."""
    found = facts.belonging
    if found is None or isinstance(found, Unknown):
        return ""
    own = found.name == name and (not found.id or found.id == deployment)
    if own:
        return ""
    theirs, ours = (f" ({each})" if each else "" for each in (found.id, deployment))
    return f"it belongs to the deployment {found.name}{theirs}, not to {name}{ours}"


def refuse_another(lab: LabState, topology: Path) -> None:
    """Nothing of a topology's is done to the lab of another one.

    Raises:
        LabError: it is.
    """
    if lab.is_of(topology):
        return
    own, of_lab = read_id(id_file(topology))[0], read_id(lab.folder / LAB_ID)[0]
    if not own or own != of_lab:
        raise of_another(lab.plan.name, lab.plan.topology)
