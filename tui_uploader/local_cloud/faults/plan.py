"""What goes wrong on purpose: pure decisions. `fault_layer` carries them out.

A fault is written `NAME[:KEY=VALUE,…]`, for example `drop:route=part,bytes=1000000,times=3` or
`slowdown503:route=put,probability=0.2,seed=7`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tui_uploader.errors import UsageError
from tui_uploader.local_cloud.routes import Route


class FaultName(StrEnum):
    DROP = "drop"
    """The connection breaks after `bytes` of the body, or at its end; nothing takes effect."""
    STALL = "stall"
    """Nothing is read or answered for `seconds`, once `bytes` of the body have been read; then all is well."""
    ERROR_500 = "error500"
    ERROR_502_HTML = "error502html"
    """A gateway's page instead of an answer."""
    SLOWDOWN_503 = "slowdown503"
    BUSY_429 = "busy429"
    """With `seconds` as Retry-After."""
    FORBIDDEN_403 = "forbidden403"
    """This account may not do that."""
    EXPIRED_TOKEN = "expired_token"
    """Once `bytes` of the body have been read."""
    TIME_SKEWED = "time_skewed"
    LOST_REPLY = "lost_reply"
    """The request takes effect, and the connection breaks before the answer."""
    FLIP = "flip"
    """One bit of the body changes on the way: of the byte `bytes`, or of the last one."""
    COMPLETE_200_ERROR = "complete200error"
    """Complete answers 200 with an error in the body, and nothing takes effect."""


@dataclass(frozen=True, slots=True)
class Fault:
    name: FaultName
    route: Route | None = None
    """Which requests it can hit; None: any."""
    after: int = 0
    """Requests of the route that pass before the first can be hit."""
    every: int = 1
    """From then on, each n-th can be hit."""
    probability: float = 1.0
    """Of a request that can be hit, to be hit."""
    times: int | None = None
    """At most so many are hit; None: no limit."""
    seed: int = 0
    bytes: int = 0
    seconds: float = 1.0


def can_hit(fault: Fault, number: int) -> bool:
    """Whether the fault is for the `number`-th request (from 0) of its route; the same answer in every run."""
    if number < fault.after or (number - fault.after) % fault.every:
        return False
    return random.Random(f"{fault.seed}/{fault.name}/{number}").random() < fault.probability


class FaultPlan:
    """Counts requests, and says which fault each one gets."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = faults
        self._seen = [0] * len(faults)
        self._hit = [0] * len(faults)

    def next_for(self, route: Route) -> Fault | None:
        """The first fault that hits; a request gets one at most, but every fault of its route counts it."""
        chosen: Fault | None = None
        for index, fault in enumerate(self._faults):
            if fault.route not in (None, route):
                continue
            number = self._seen[index]
            self._seen[index] += 1
            used_up = fault.times is not None and self._hit[index] >= fault.times
            if chosen is None and not used_up and can_hit(fault, number):
                self._hit[index] += 1
                chosen = fault
        return chosen


_COUNTS = ("after", "every", "times", "seed", "bytes")
_FRACTIONS = ("probability", "seconds")


def parsed(text: str) -> Fault:
    """A fault from its written form.

    `route` is a `Route`'s word or `any`; `after`, `every`, `times`, `seed` and `bytes` are whole numbers,
    `probability` and `seconds` fractions. Without `every`, `probability` and `times`, it hits once.

    Raises UsageError.
    """
    name, _, rest = text.partition(":")
    if name not in list(FaultName):
        raise UsageError(f"There is no fault {name!r}; there are {', '.join(FaultName)}.")
    values: dict[str, str] = {}
    for setting in filter(None, rest.split(",")):
        key, _, value = setting.partition("=")
        values[key.strip()] = value.strip()
    unknown = values.keys() - {"route", *_COUNTS, *_FRACTIONS}
    if unknown:
        known = ", ".join(("route", *_COUNTS, *_FRACTIONS))
        raise UsageError(f"In the fault {text!r}, {min(unknown)!r} means nothing; settings are {known}.")
    fault = _fault(FaultName(name), values, text)
    if not 0 <= fault.probability <= 1 or fault.every < 1 or fault.seconds < 0 or min(fault.after, fault.bytes) < 0:
        raise UsageError(f"In the fault {text!r}, a number is out of its range.")
    return fault


def _fault(name: FaultName, values: Mapping[str, str], text: str) -> Fault:
    once = not values.keys() & {"every", "probability", "times"}
    try:
        return Fault(
            name=name,
            route=_route(name, values.get("route")),
            after=int(values.get("after", 0)),
            every=int(values.get("every", 1)),
            probability=float(values.get("probability", 1)),
            times=1 if once else int(values["times"]) if "times" in values else None,
            seed=int(values.get("seed", 0)),
            bytes=int(values.get("bytes", 0)),
            seconds=float(values.get("seconds", 1)),
        )
    except ValueError as error:
        raise UsageError(f"The fault {text!r} cannot be understood: {error}.") from error


def _route(name: FaultName, word: str | None) -> Route | None:
    if name is FaultName.COMPLETE_200_ERROR:
        return Route.COMPLETE
    return None if word in (None, "any") else Route(word)
