"""make bench: every figure that is promised, measured; medians go to bench/results.md.

python bench/bench.py [SECTION ...]
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import drills
import failover
import figures
import simulation
import typing_and_text
import volumes
from figures import Section

SECTIONS: dict[str, Callable[[], Section]] = {
    "text": typing_and_text.measure,
    "rules": typing_and_text.measure_rules,
    "simulate": simulation.measure,
    "apply": failover.measure_apply,
    "pacemaker": failover.measure_pacemaker,
    "vrrp": failover.measure_vrrp,
    "drill": drills.measure,
    "volumes": volumes.measure,
}


def main() -> int:
    """Measure the sections asked for, or all; 1 when a bound is not reached."""
    names = sys.argv[1:] or list(SECTIONS)
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        print(f"no section {', '.join(unknown)}; there are: {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    missed = []
    for name in names:
        section = SECTIONS[name]()
        figures.keep(section)
        print(f"\n{section.title}")
        for figure in section.figures:
            verdict = {None: "", True: "reached", False: "MISSED"}[figure.reached]
            bound = "" if figure.bound is None else f"(bound {figure.bound:g}) {verdict}"
            print(f"  {figure.what}: {figure.median:.3g} {figure.unit} {bound}", flush=True)
        missed += [figure.what for figure in section.figures if figure.reached is False]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
