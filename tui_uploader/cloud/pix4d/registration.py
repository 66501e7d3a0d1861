"""Registers keys in batches, and finds those that the service refuses among those that it takes.

Only what to ask next is decided here, not how: `ask` is one call of the service. A service that takes a batch wholly
or not at all does not say which key is wrong; halving the batch finds each in about twice the logarithm of its size.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tui_uploader.cloud.contract import Registration
from tui_uploader.errors import UploaderError

MOST_REFUSED_CALLS = 64
"""In one registration. What was not asked by then is left for the next one."""
_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Taken:
    counted: int | None
    """How many the service says it registered."""


@dataclass(frozen=True, slots=True)
class TooMany:
    """More keys than the service takes in one call, or than it gets done in time."""

    failure: UploaderError
    """What the answer means where it is about one key alone."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Something is wrong with the batch: with some of its keys, or with all that this account asks."""

    failure: UploaderError
    reason: str
    named: Mapping[str, str] = field(default_factory=dict)
    """The keys that the service itself names, with what it says of each."""


Ask = Callable[[Sequence[str]], Awaitable[Taken | TooMany | Refused]]


class Registering:
    """One registration. Afterwards `batch` is the size of call that the service was seen to take."""

    def __init__(self, ask: Ask, batch: int, sample: Callable[[Sequence[str], int], Sequence[str]]) -> None:
        """`sample` chooses some of many at random."""
        self.batch = batch
        self._ask = ask
        self._sample = sample
        self._pending: list[list[str]] = []
        self._registered: list[str] = []
        self._refused: dict[str, str] = {}
        self._counts: list[int | None] = []
        self._refusals = 0
        self._largest_taken = 0

    async def run(self, keys: Sequence[str]) -> Registration:
        """Raises what `ask` raises, and the refusal of the service where it refuses whatever it is asked."""
        batch_before = self.batch
        self._pending = [list(keys)] if keys else []
        while self._pending and self._refusals < MOST_REFUSED_CALLS:
            batch = self._pending.pop(0)
            if len(batch) > self.batch:
                self._pending[:0] = _sliced(batch, self.batch)
                continue
            match await self._ask(batch):
                case Taken() as taken:
                    self._note_taken(batch, taken)
                case TooMany(failure) if len(batch) == 1:
                    self.batch = batch_before  # it was not the number
                    raise failure
                case TooMany():
                    self._refusals += 1
                    self.batch = len(batch) // 2
                    self._pending.insert(0, batch)
                case Refused() as refused:
                    self._refusals += 1
                    await self._narrow(batch, refused)
        if self._refusals and self._registered and not self._refused and not self._pending:
            self.batch = min(self.batch, self._largest_taken)  # no key was wrong: they were too many
        counted = None if None in self._counts else sum(count or 0 for count in self._counts)
        return Registration(tuple(self._registered), dict(self._refused), counted)

    def _note_taken(self, batch: Sequence[str], taken: Taken) -> None:
        self._registered += batch
        self._counts.append(taken.counted)
        self._largest_taken = max(self._largest_taken, len(batch))

    async def _narrow(self, batch: list[str], refused: Refused) -> None:
        """Which keys of the batch were refused, as far as that is known now."""
        named = {key: reason for key, reason in refused.named.items() if key in batch}
        if len(batch) == 1:
            self._refused[batch[0]] = refused.reason
        elif 0 < len(named) < len(batch):
            self._refused |= named
            self._pending.insert(0, [key for key in batch if key not in named])
        elif not self._registered and len(batch) > _SAMPLES:
            await self._tell_wrong_keys_from_a_closed_door(batch, refused)
        else:
            self._pending[:0] = _sliced(batch, (len(batch) + 1) // 2)

    async def _tell_wrong_keys_from_a_closed_door(self, batch: list[str], refused: Refused) -> None:
        """Before a batch is taken apart: ask for a few single keys. Where none of them is taken, and neither is the
        rest, the refusal is not about keys. Raises it then."""
        suspects: dict[str, str] = {}
        for key in self._sample(batch, _SAMPLES):
            answer = await self._ask([key])
            if isinstance(answer, Taken):
                self._note_taken([key], answer)
                break
            self._refusals += 1
            suspects[key] = answer.reason if isinstance(answer, Refused) else str(answer.failure)
        rest = [key for key in batch if key not in suspects and key not in self._registered]
        if not self._registered:
            answer = await self._ask(rest)
            if not isinstance(answer, Taken):
                raise refused.failure
            self._note_taken(rest, answer)
            rest = []
        self._refused |= suspects
        if rest:
            self._pending[:0] = _sliced(rest, (len(rest) + 1) // 2)


def _sliced(keys: list[str], size: int) -> list[list[str]]:
    return [keys[start : start + size] for start in range(0, len(keys), size)]


# ------------------------------------------------------------------------------------------------- what a body names


def keys_named(body: object, keys: Sequence[str]) -> dict[str, str]:
    """The keys that a refusal names, each with what is said of it.

    `body`: the decoded reply. Django REST framework names the wrong items of a list by their index, `{"field": {"3":
    ["…"]}}`; others write the key into a sentence, or put it as the name of one.
    """
    found: dict[str, str] = {}
    for name, text in itertools.islice(_told(body), _MOST_TEXTS):
        if name.isascii() and name.isdigit() and len(name) < 9 and int(name) < len(keys):
            found.setdefault(keys[int(name)], text)
        for key in keys:
            if _names(name, key) or _names(text, key):
                found.setdefault(key, text)
    return found


_DEEPEST, _MOST_TEXTS, _LONGEST = 8, 1000, 2000


def _names(text: str, key: str) -> bool:
    """Whether the key stands in the text as a whole: `p/1.jpg` does not in `p/1.jpg.tif`."""
    return key in text and re.search(rf"(?<![\w/.-]){re.escape(key)}(?![\w/-]|\.\w)", text) is not None


def _told(value: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """The texts of a reply, each with the name under which it stands."""
    if isinstance(value, str):
        yield name[:_LONGEST], value[:_LONGEST]
    elif depth < _DEEPEST and isinstance(value, list):
        for item in value:
            yield from _told(item, name, depth + 1)
    elif depth < _DEEPEST and isinstance(value, dict):
        for inner_name, inner in value.items():
            yield from _told(inner, inner_name, depth + 1)
