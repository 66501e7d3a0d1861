"""Decide which requests a fault hits: pure functions. `faults.middleware` injects the faults.

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
    """The connection is aborted after `bytes` of the body; the request has no effect."""
    STALL = "stall"
    """After `bytes` of the body nothing is read or answered for `seconds`; then the request continues."""
    ERROR_500 = "error500"
    ERROR_502_HTML = "error502html"
    """The HTML page of a gateway instead of a reply."""
    SLOWDOWN_503 = "slowdown503"
    BUSY_429 = "busy429"
    """With Retry-After: `seconds`."""
    FORBIDDEN_403 = "forbidden403"
    """The account lacks the permission."""
    EXPIRED_TOKEN = "expired_token"
    """After `bytes` of the body."""
    TIME_SKEWED = "time_skewed"
    LOST_REPLY = "lost_reply"
    """The request takes effect, and the connection is aborted before the reply."""
    FLIP = "flip"
    """One bit of the body is flipped: in byte number `bytes`, or in the last one of a shorter body."""
    COMPLETE_200_ERROR = "complete200error"
    """CompleteMultipartUpload answers 200 with an error in the body, and has no effect."""


@dataclass(frozen=True, slots=True)
class Fault:
    name: FaultName
    route: Route | None = None
    """The kind of requests that it can hit; None for all."""
    after: int = 0
    """Number of requests of the route that are spared first."""
    every: int = 1
    """From then on, every n-th can be hit."""
    probability: float = 1.0
    """Probability that such a request is hit."""
    times: int | None = None
    """Largest number of hits; None for no limit."""
    seed: int = 0
    bytes: int = 0
    seconds: float = 1.0


def can_hit(fault: Fault, number: int) -> bool:
    """Whether the fault hits request `number` (from 0) of its route; the same in every run."""
    if number < fault.after or (number - fault.after) % fault.every:
        return False
    return random.Random(f"{fault.seed}/{fault.name}/{number}").random() < fault.probability


class FaultPlan:
    """Counts requests and selects the fault for each."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = faults
        self._seen = [0] * len(faults)
        self._hit = [0] * len(faults)

    def next_for(self, route: Route) -> Fault | None:
        """The first fault that hits the request, if any; every fault of its route counts the request."""
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


def parse_fault(text: str) -> Fault:
    """Parse a fault.

    `route` is a value of `Route` or `any`; `after`, `every`, `times`, `seed` and `bytes` are whole numbers,
    `probability` and `seconds` decimal fractions. Without `every`, `probability` and `times`, it hits once.

    Raises UsageError.
    """
    name, _, rest = text.partition(":")
    if name not in list(FaultName):
        raise UsageError(f"Unknown fault {name!r}. Faults are {', '.join(FaultName)}.")
    values: dict[str, str] = {}
    for setting in filter(None, rest.split(",")):
        key, _, value = setting.partition("=")
        values[key.strip()] = value.strip()
    unknown = values.keys() - {"route", *_COUNTS, *_FRACTIONS}
    if unknown:
        known = ", ".join(("route", *_COUNTS, *_FRACTIONS))
        raise UsageError(f"Unknown setting {min(unknown)!r} in the fault {text!r}. Settings are {known}.")
    fault = _fault(FaultName(name), values, text)
    if not 0 <= fault.probability <= 1 or fault.every < 1 or fault.seconds < 0 or min(fault.after, fault.bytes) < 0:
        raise UsageError(f"A number in the fault {text!r} is out of range.")
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
        raise UsageError(f"Invalid fault {text!r}: {error}.") from error


def _route(name: FaultName, word: str | None) -> Route | None:
    if name is FaultName.COMPLETE_200_ERROR:
        return Route.COMPLETE
    return None if word in (None, "any") else Route(word)
