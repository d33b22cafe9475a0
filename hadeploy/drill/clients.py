"""What a client's requests say about an outage."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from hadeploy.drill.ownership import longest_interval
from hadeploy.drill.verdict import Outage
from hadeploy.lab.observer import INTERVAL_SECONDS, ProbeObservation

LAST_SECONDS = 1.0
"""Requests that fail at the end for longer are an outage of their own, that is not over."""


def read_outage(name: str, observations: Iterable[ProbeObservation]) -> Outage:
    """Fold one probe's observations.

    The outage is counted between the moments at which requests were sent that were served, so it holds neither the patience
    of the last request before nor the speed of the first after. One that is not over when the observation ends counts to there;
    a single request that fails after it, on a busy machine, does not prolong it.
    """
    own = sorted((o for o in observations if o.name == name), key=lambda o: o.at)
    served = [observation for observation in own if observation.ok]
    times = {observation.at for observation in served}
    moments = sorted({*times, *(o.at for o in (own[:1] + own[-1:]))})
    began, ended = max(
        pairwise(moments), key=lambda pair: pair[1] - pair[0], default=(0.0, moments[0] if moments else 0.0)
    )
    return Outage(
        name=name,
        seconds=max(0.0, longest_interval(moments) - INTERVAL_SECONDS),
        failed=len(own) - len(served),
        requests=len(own),
        over=ended in times and own[-1].at - max(times) <= LAST_SECONDS,
        began=began,
        servers=tuple(dict.fromkeys(o.served_by for o in served if o.served_by)),
    )
