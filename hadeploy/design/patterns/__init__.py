"""One module a pattern, one function a module; here they are told apart, and nowhere else."""

from __future__ import annotations

from hadeploy.design.design import Design
from hadeploy.design.patterns.active_active import expand_active_active
from hadeploy.design.patterns.active_passive import expand_active_passive
from hadeploy.design.patterns.n_plus_1 import expand_n_plus_1
from hadeploy.spec.topology import ActiveActive, ActivePassive, NPlusOne


def expand(topology: ActivePassive | ActiveActive | NPlusOne) -> Design:
    """Turn what a person wrote into what will exist; the topology has passed the spec stage."""
    match topology:
        case ActivePassive():
            return expand_active_passive(topology)
        case NPlusOne():
            return expand_n_plus_1(topology)
        case ActiveActive():
            return expand_active_active(topology)
