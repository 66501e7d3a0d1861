"""Registered and refused keys, and the number of calls it takes to tell them apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from tests.cloud.pix4d.test_client import reply, service, talking
from tests.cloud.servers import Call, Handler
from tui_uploader.cloud.contract import Registration, Shortfall
from tui_uploader.cloud.pix4d.registration import (
    MOST_REFUSED_CALLS,
    Accepted,
    BatchRegistration,
    Refused,
    TooLarge,
    keys_named,
)
from tui_uploader.errors import (
    CloudBusy,
    CloudFault,
    CloudRefused,
    CloudUnintelligible,
    NoSuchProject,
    NotTheService,
    SignInRefused,
    Unsupported,
    UploaderError,
)

KEYS = [f"p/{number:04}.jpg" for number in range(1234)]


class Service:
    """Takes at most `limit` keys at once, and a batch wholly or not at all."""

    def __init__(self, bad: Sequence[str] = (), limit: int = 500, *, names: bool = False) -> None:
        self.bad = frozenset(bad)
        self.limit = limit
        self.names = names
        self.calls: list[int] = []
        self.taken: list[str] = []

    async def ask(self, batch: Sequence[str]) -> Accepted | TooLarge | Refused:
        self.calls.append(len(batch))
        if len(batch) > self.limit:
            return TooLarge(CloudRefused("too many"))
        if wrong := self.bad & set(batch):
            return Refused(CloudRefused("closed"), "unknown", dict.fromkeys(wrong, "named") if self.names else {})
        self.taken += batch
        return Accepted(len(batch))


def first(keys: Sequence[str], number: int) -> Sequence[str]:
    return keys[:number]


@pytest.mark.parametrize(
    ("bad", "most_calls"),
    [
        ([], 1),
        ([77], 22),
        ([0], 22),
        ([499], 22),
        ([0, 1, 2], 24),  # the very ones that are asked for one by one first
        ([10, 11, 200, 201, 202], 60),
        ([100, 200, 300, 400], 75),
    ],
)
def test_bad_keys_are_found_among_good_ones_in_few_calls(bad: list[int], most_calls: int) -> None:
    service = Service([KEYS[number] for number in bad])
    batches = BatchRegistration(service.ask, 500, first)
    found = asyncio.run(batches.run(KEYS[:500]))
    assert found.refused == {KEYS[number]: "unknown" for number in bad}
    assert sorted(found.registered) == sorted(service.taken) == sorted(set(KEYS[:500]) - service.bad)
    assert not found.shortfalls
    assert len(service.calls) <= most_calls
    assert batches.size == 500


def test_keys_that_the_service_names_are_not_searched_for() -> None:
    service = Service(KEYS[3:300:9], names=True)
    found = asyncio.run(BatchRegistration(service.ask, 500, first).run(KEYS[:400]))
    assert found.refused == dict.fromkeys(KEYS[3:300:9], "named")
    assert len(found.registered) == 400 - len(found.refused)
    assert len(service.calls) == 2


def test_a_refusal_of_everything_is_raised_after_a_handful_of_calls() -> None:
    service = Service(KEYS)
    with pytest.raises(CloudRefused, match="closed"):
        asyncio.run(BatchRegistration(service.ask, 500, first).run(KEYS))
    assert len(service.calls) == 5


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_few_keys_that_are_all_refused_are_refused_keys(number: int) -> None:
    service = Service(KEYS)
    found = asyncio.run(BatchRegistration(service.ask, 500, first).run(KEYS[:number]))
    assert found == Registration((), dict.fromkeys(KEYS[:number], "unknown"))


def test_the_number_of_calls_is_bounded_and_what_was_not_asked_is_left_for_the_next_time() -> None:
    service = Service(KEYS[1:500:2])
    found = asyncio.run(BatchRegistration(service.ask, 500, first).run(KEYS[:500]))
    assert len(service.calls) <= 2 * MOST_REFUSED_CALLS + 2
    left = set(KEYS[:500]) - set(found.registered) - found.refused.keys()
    assert left and found.refused and found.registered
    assert not set(found.registered) & service.bad and found.refused.keys() <= service.bad


@pytest.mark.parametrize("limit", [1, 130, 499])
def test_a_smaller_limit_is_found_and_remembered(limit: int) -> None:
    service = Service(limit=limit)
    batches = BatchRegistration(service.ask, 500, first)
    found = asyncio.run(batches.run(KEYS[:500]))
    assert list(found.registered) == KEYS[:500] and batches.size <= limit
    assert len(service.calls) <= 500 / batches.size + 10


def test_a_limit_that_is_told_as_a_refusal_is_remembered_too() -> None:
    """Some services say 400 to a batch that is too large."""
    calls: list[int] = []

    async def ask(batch: Sequence[str]) -> Accepted | TooLarge | Refused:
        calls.append(len(batch))
        return Accepted(None) if len(batch) <= 100 else Refused(CloudRefused("too many"), "too many")

    batches = BatchRegistration(ask, 500, first)
    found = asyncio.run(batches.run(KEYS[:500]))
    assert sorted(found.registered) == KEYS[:500] and not found.refused
    assert 60 <= batches.size <= 100


async def test_a_call_that_counts_fewer_than_were_asked_for_the_first_time_is_a_shortfall() -> None:
    async def ask(batch: Sequence[str]) -> Accepted | TooLarge | Refused:
        return Accepted(2)

    found = await BatchRegistration(ask, 4, first).run(KEYS[:8], frozenset(KEYS[6:8]))
    assert found == Registration(tuple(KEYS[4:8]), shortfalls=(Shortfall(tuple(KEYS[:4]), 2),))


async def test_an_outage_that_looks_like_too_many_keys_leaves_the_batch_as_it_was() -> None:
    async def ask(batch: Sequence[str]) -> Accepted | TooLarge | Refused:
        return TooLarge(CloudFault("504"))

    batches = BatchRegistration(ask, 500, first)
    with pytest.raises(CloudFault):
        await batches.run(KEYS[:500])
    assert batches.size == 500


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"input_file_keys": {"1": ["No such file."]}}, {"p/b.jpg": "No such file."}),
        ({"input_file_keys": ["p/b.jpg does not exist."]}, {"p/b.jpg": "p/b.jpg does not exist."}),
        ({"errors": [{"key": "p/c d(1).jpg"}]}, {"p/c d(1).jpg": "p/c d(1).jpg"}),
        ({"p/a.jpg": ["unknown"], "p/b.jpg": "broken"}, {"p/a.jpg": "unknown", "p/b.jpg": "broken"}),
        (
            {"detail": "Unknown: 'p/a.jpg', 'p/b.jpg'."},
            dict.fromkeys(("p/a.jpg", "p/b.jpg"), "Unknown: 'p/a.jpg', 'p/b.jpg'."),
        ),
        ({"detail": "p/a.jpg.tif and user/p/a.jpg and p/a.jpgx are unknown"}, {}),
        ({"input_file_keys": {"7": ["out of range"], "²": ["odd"]}}, {}),
        ({"detail": "Some keys do not exist."}, {}),
        (None, {}),
        (["p/a.jpg", {"x": [[["p/b.jpg"]]]}], {"p/a.jpg": "p/a.jpg", "p/b.jpg": "p/b.jpg"}),
    ],
)
def test_a_refusal_names_keys_in_many_ways(body: object, found: dict[str, str]) -> None:
    assert keys_named(body, ["p/a.jpg", "p/b.jpg", "p/c d(1).jpg"]) == found


# ----------------------------------------------------------------------------------------------------- over HTTP


def registrar(answer: Callable[[Call, list[str]], None]) -> Handler:
    def handle(call: Call) -> None:
        keys = call.json()["input_file_keys"]
        assert isinstance(keys, list)
        answer(call, keys)

    return service(handle)


async def test_images_are_registered_in_batches() -> None:
    async with talking(registrar(lambda call, keys: call.reply(200, {"nb_images_registered": len(keys)}))) as (
        cloud,
        server,
    ):
        assert await cloud.register_images("1", KEYS) == Registration(tuple(KEYS))
        assert await cloud.register_images("1", []) == Registration(())
    assert len(server.calls) == 1 + 3


async def test_a_service_that_does_not_count() -> None:
    async with talking(service(reply(204))) as (cloud, _):
        assert await cloud.register_images("1", KEYS[:1]) == Registration((KEYS[0],))


@pytest.mark.parametrize("status", [413, 504])
async def test_a_smaller_limit_holds_for_later_calls(status: int) -> None:
    def answer(call: Call, keys: list[str]) -> None:
        call.reply(status, "<html>too much</html>") if len(keys) > 130 else call.reply(200)

    async with talking(registrar(answer)) as (cloud, server):
        await cloud.register_images("1", KEYS)
        before = len(server.calls)
        await cloud.register_images("1", KEYS[:250])
        assert len(server.calls) - before == 2


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"detail": "no"}, SignInRefused),
        (402, {"detail": "no credits"}, CloudRefused),
        (403, {"detail": "closed"}, CloudRefused),
        (404, {"detail": "Not found."}, NoSuchProject),
        (404, "<html>none</html>", NoSuchProject),
        (429, {"detail": "slow down"}, CloudBusy),
        (500, {"detail": "oops"}, CloudFault),
        (400, "<html>a page</html>", CloudUnintelligible),
        (200, "<html>Voucher code?</html>", NotTheService),
        (200, "", NotTheService),  # without a page, and yet labelled as one
    ],
)
async def test_a_refusal_that_is_not_about_keys_costs_one_call(
    status: int, body: object, kind: type[UploaderError]
) -> None:
    kind_of_text = {"content_type": "text/html"} if isinstance(body, str) else {}
    async with talking(service(reply(status, body, **kind_of_text))) as (cloud, server):
        with pytest.raises(kind):
            await cloud.register_images("1", KEYS[:200])
        calls = [call for call in server.calls if call.path.endswith("bulk_register/")]
        assert len(calls) == (2 if status == 401 else 1)  # a token that is not accepted is renewed once


@pytest.mark.parametrize("status", [400, 404, 409, 422])
async def test_a_key_that_the_service_names_is_refused_alone(status: int) -> None:
    def answer(call: Call, keys: list[str]) -> None:
        if KEYS[77] in keys:
            call.reply(status, {"input_file_keys": {str(keys.index(KEYS[77])): ["No such \x1b[1mfile."]}})
        else:
            call.reply(200)

    async with talking(registrar(answer)) as (cloud, server):
        found = await cloud.register_images("1", KEYS[:400])
    assert list(found.registered) == [key for key in KEYS[:400] if key != KEYS[77]]
    (reason,) = found.refused.values()
    assert f"HTTP {status}" in reason and "No such" in reason and "\x1b" not in reason
    assert len(server.calls) == 1 + 2


async def test_a_service_that_refuses_everything_is_not_asked_key_by_key() -> None:
    async with talking(service(reply(400, {"detail": "closed"}))) as (cloud, server):
        with pytest.raises(CloudRefused, match="closed"):
            await cloud.register_images("1", KEYS[:500])
    assert len(server.calls) == 1 + 5


# ------------------------------------------------------------------------------------------------ registration


async def test_the_images_of_a_project_are_listed_in_pages_of_any_shape() -> None:
    pages: dict[str, object] = {
        "1": {"next": "more", "results": [{"id": 7, "file_key": "p/1.jpg"}, {"key": "p/2.jpg"}, "p/3.jpg", 4]},
        "2": {"next": None, "results": [{"name": "p/4.jpg", "size": 1}]},
    }
    async with talking(service(lambda call: call.reply(200, pages[call.query["page"]]))) as (cloud, server):
        assert await cloud.registered_images("5") == {"p/1.jpg", "p/2.jpg", "p/3.jpg", "p/4.jpg"}
    assert server.calls[-1].path == "/project/api/v3/projects/5/inputs/"


@pytest.mark.parametrize(
    ("answer", "error"), [(reply(404), Unsupported), (reply(405), Unsupported), (reply(200, {}), CloudUnintelligible)]
)
async def test_a_service_that_does_not_list_images(answer: Handler, error: type[UploaderError]) -> None:
    async with talking(service(answer)) as (cloud, _):
        with pytest.raises(error):
            await cloud.registered_images("5")
