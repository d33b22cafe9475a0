"""What a client's requests say about an outage."""

from __future__ import annotations

from collections.abc import Iterable

from hadeploy.drill.ownership import longest_interval
from hadeploy.drill.verdict import Outage
from hadeploy.lab.observer import INTERVAL_SECONDS, ProbeObservation


def read_outage(name: str, observations: Iterable[ProbeObservation]) -> Outage:
    """Fold one probe's observations.

    The outage is counted between the moments at which requests were sent that were served, so it holds neither the patience
    of the last request before nor the speed of the first after.
    """
    own = [observation for observation in observations if observation.name == name]
    served = [observation for observation in own if observation.ok]
    return Outage(
        name=name,
        seconds=max(0.0, longest_interval([observation.at for observation in served]) - INTERVAL_SECONDS),
        failed=len(own) - len(served),
        requests=len(own),
        servers=tuple(dict.fromkeys(o.served_by for o in served if o.served_by)),
    )
