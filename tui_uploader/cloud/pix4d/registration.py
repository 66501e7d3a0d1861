"""Register keys in batches, and single out the keys that the service refuses.

This decides what to ask next; `ask` is one call of the service. A service that accepts or refuses a batch as a whole
does not say which key is wrong: bisecting the batch finds each in about twice the logarithm of its size.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from tui_uploader.cloud.contract import Registration, Shortfall
from tui_uploader.errors import UploaderError
from tui_uploader.text import whole_number

MOST_REFUSED_CALLS = 64
"""Limit for one registration; the keys that are left then are not asked about."""
_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Accepted:
    counted: int | None
    """Images that the service says it registered; None: it does not say."""


@dataclass(frozen=True, slots=True)
class TooLarge:
    """More keys than the service accepts in one call, or can register in time."""

    failure: UploaderError
    """The error to raise if the call had a single key."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused batch, because of some of its keys, or because of the account or project."""

    failure: UploaderError
    reason: str
    named: Mapping[str, str] = field(default_factory=dict)
    """The reason for each key that the service names itself."""


Ask = Callable[[Sequence[str]], Awaitable[Accepted | TooLarge | Refused]]


class BatchRegistration:
    """One registration, in several calls. Afterwards `size` is the largest batch that the service accepts."""

    def __init__(self, ask: Ask, size: int, sample: Callable[[Sequence[str], int], Sequence[str]]) -> None:
        """`sample` chooses some of many at random."""
        self.size = size
        self._ask = ask
        self._sample = sample
        self._asked_before: Set[str] = frozenset()
        self._pending: list[list[str]] = []
        self._accepted: set[str] = set()
        self._registered: list[str] = []
        self._refused: dict[str, str] = {}
        self._shortfalls: list[Shortfall] = []
        self._refusals = 0
        self._largest_accepted = 0

    async def run(self, keys: Sequence[str], asked_before: Set[str] = frozenset()) -> Registration:
        """Raises what `ask` raises, and the service's refusal if it refuses every batch."""
        size_before = self.size
        self._asked_before = asked_before
        self._pending = [list(keys)] if keys else []
        while self._pending and self._refusals < MOST_REFUSED_CALLS:
            batch = self._pending.pop(0)
            if len(batch) > self.size:
                self._pending[:0] = _sliced(batch, self.size)
                continue
            match await self._ask(batch):
                case Accepted() as accepted:
                    self._note_accepted(batch, accepted)
                case TooLarge(failure) if len(batch) == 1:
                    self.size = size_before  # the number of keys was not the cause
                    raise failure
                case TooLarge():
                    self._refusals += 1
                    self.size = len(batch) // 2
                    self._pending.insert(0, batch)
                case Refused() as refused:
                    self._refusals += 1
                    await self._narrow(batch, refused)
        if self._refusals and self._accepted and not self._refused and not self._pending:
            self.size = min(self.size, self._largest_accepted)  # no key was wrong: there were too many
        return Registration(tuple(self._registered), dict(self._refused), tuple(self._shortfalls))

    def _note_accepted(self, batch: Sequence[str], accepted: Accepted) -> None:
        self._accepted.update(batch)
        self._largest_accepted = max(self._largest_accepted, len(batch))
        first_asked = [key for key in batch if key not in self._asked_before]
        if accepted.counted is None or accepted.counted >= len(first_asked):
            self._registered += batch
            return
        self._registered += [key for key in batch if key in self._asked_before]
        self._shortfalls.append(Shortfall(tuple(first_asked), accepted.counted))

    async def _narrow(self, batch: list[str], refused: Refused) -> None:
        """Settle the keys of a refused batch that are known to be at fault; ask about the others again."""
        named = {key: reason for key, reason in refused.named.items() if key in batch}
        if len(batch) == 1:
            self._refused[batch[0]] = refused.reason
        elif 0 < len(named) < len(batch):
            self._refused |= named
            self._pending.insert(0, [key for key in batch if key not in named])
        elif not self._accepted and len(batch) > _SAMPLES:
            await self._tell_wrong_keys_from_refused_account(batch, refused)
        else:
            self._pending[:0] = _sliced(batch, (len(batch) + 1) // 2)

    async def _tell_wrong_keys_from_refused_account(self, batch: list[str], refused: Refused) -> None:
        """Before bisecting, ask for a few single keys, then for the rest of the batch.

        If none is accepted, the refusal is not about keys, and is raised.
        """
        suspects: dict[str, str] = {}
        for key in self._sample(batch, _SAMPLES):
            answer = await self._ask([key])
            if isinstance(answer, Accepted):
                self._note_accepted([key], answer)
                break
            self._refusals += 1
            suspects[key] = answer.reason if isinstance(answer, Refused) else str(answer.failure)
        rest = [key for key in batch if key not in suspects and key not in self._accepted]
        if not self._accepted:
            answer = await self._ask(rest)
            if not isinstance(answer, Accepted):
                raise refused.failure
            self._note_accepted(rest, answer)
            rest = []
        self._refused |= suspects
        if rest:
            self._pending[:0] = _sliced(rest, (len(rest) + 1) // 2)


def _sliced(keys: list[str], size: int) -> list[list[str]]:
    return [keys[start : start + size] for start in range(0, len(keys), size)]


# ---------------------------------------------------------------------------------- keys named in a refusal


def keys_named(body: object, keys: Sequence[str]) -> dict[str, str]:
    """Return the keys that the decoded reply `body` names, each with the text about it.

    Django REST framework names the wrong items of a list by index, `{"field": {"3": ["…"]}}`; others write the key into
    a sentence, or use it as a field name.
    """
    found: dict[str, str] = {}
    for name, text in itertools.islice(_texts(body), _MOST_TEXTS):
        index = whole_number(name, _MOST_INDEX)
        if index is not None and index < len(keys):
            found.setdefault(keys[index], text)
        for key in keys:
            if _names(name, key) or _names(text, key):
                found.setdefault(key, text)
    return found


_DEEPEST, _MOST_TEXTS, _LONGEST = 8, 1000, 2000
_MOST_INDEX = 10**8 - 1


def _names(text: str, key: str) -> bool:
    """Whether `text` contains the whole key: `p/1.jpg.tif` does not contain `p/1.jpg`."""
    return key in text and re.search(rf"(?<![\w/.-]){re.escape(key)}(?![\w/-]|\.\w)", text) is not None


def _texts(value: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield each text of a reply with the name of its field."""
    if isinstance(value, str):
        yield name[:_LONGEST], value[:_LONGEST]
    elif depth < _DEEPEST and isinstance(value, list):
        for item in value:
            yield from _texts(item, name, depth + 1)
    elif depth < _DEEPEST and isinstance(value, dict):
        for inner_name, inner in value.items():
            yield from _texts(inner, inner_name, depth + 1)
