"""A registration that counts fewer images than it was given: which of them are registered, and which are not."""

from __future__ import annotations

from collections.abc import Sequence, Set

import pytest

from tui_uploader.cloud.contract import Shortfall, ShortfallResolution
from tui_uploader.cloud.pix4d.shortfall import MOST_COUNTING_CALLS, Count, resolve

KEYS = tuple(f"p/{number:04}.jpg" for number in range(500))


async def resolved(
    keys: Sequence[str], counted: int, listed: Set[str] | None, absent: Set[str], count: Count
) -> ShortfallResolution:
    async def missing(asked: Sequence[str]) -> Set[str]:
        return absent & set(asked)

    return await resolve(Shortfall(tuple(keys), counted), listed, missing, count)


async def counting_new_images_only(keys: Sequence[str]) -> int | None:
    return 0


class CountingAll:
    """A service that counts registered images every time, and never registers those of `unknown`."""

    def __init__(self, unknown: Set[str]) -> None:
        self.unknown = unknown
        self.calls = 0

    async def __call__(self, keys: Sequence[str]) -> int | None:
        self.calls += 1
        return len(set(keys) - self.unknown)


@pytest.mark.parametrize(
    ("counted", "listed", "absent", "registered", "lost", "unconfirmed"),
    [
        (0, None, "", "", "", "abc"),
        (2, None, "", "", "", "abc"),
        (2, None, "b", "ac", "b", ""),
        (1, None, "b", "", "b", "ac"),
        (0, None, "abc", "", "abc", ""),
        (0, "abc", "", "abc", "", ""),
        (2, "ac", "", "ac", "", "b"),
        (2, "ac", "b", "ac", "b", ""),
        (2, "axyz", "", "a", "", "bc"),
    ],
)
async def test_the_list_of_images_and_the_storage_settle_keys(
    counted: int, listed: str | None, absent: str, registered: str, lost: str, unconfirmed: str
) -> None:
    listed_keys = None if listed is None else frozenset(listed)
    found = await resolved("abc", counted, listed_keys, frozenset(absent), counting_new_images_only)
    assert found == ShortfallResolution(frozenset(registered), frozenset(lost), frozenset(unconfirmed))


@pytest.mark.parametrize("unknown", [(0,), (499,), (77, 78), (3, 200, 450)])
async def test_without_a_list_smaller_calls_find_the_keys_that_were_not_registered(unknown: tuple[int, ...]) -> None:
    wrong = frozenset(KEYS[number] for number in unknown)
    service = CountingAll(wrong)
    found = await resolved(KEYS, len(KEYS) - len(wrong), None, frozenset(), service)
    assert found == ShortfallResolution(frozenset(KEYS) - wrong, frozenset(), wrong)
    assert service.calls <= MOST_COUNTING_CALLS


async def test_the_number_of_smaller_calls_is_bounded() -> None:
    service = CountingAll(frozenset(KEYS[::3]))
    found = await resolved(KEYS, len(KEYS) - len(service.unknown), None, frozenset(), service)
    assert service.calls <= MOST_COUNTING_CALLS
    assert not found.registered & service.unknown and service.unknown <= found.unconfirmed


@pytest.mark.parametrize("answer", [None, 2, 1])
async def test_counts_that_do_not_add_up_prove_nothing(answer: int | None) -> None:
    async def count(keys: Sequence[str]) -> int | None:
        return answer

    found = await resolved(KEYS[:6], 5, None, frozenset(), count)
    assert found.unconfirmed == frozenset(KEYS[:6])
