"""Services of apprise, told by a process of its own: here one that posts JSON to a real web server."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.cloud.servers import CERTIFICATE
from tests.engine.hooks.receiver import Receiver, receiving
from tui_uploader.engine.hooks.delivery import deliver
from tui_uploader.engine.hooks.message import message_of, sample_of
from tui_uploader.errors import HookFailed, HookUnavailable
from tui_uploader.hook_settings import hooks_in
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.hooks import HookEvent
from tui_uploader.settings import Settings

NOW = 1_796_040_000.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


async def tell(
    address: str, event: PastEvent | None = None, seconds: float = 30.0, settings: Settings | None = None
) -> str:
    (hook,) = hooks_in({"hooks": {"notify": [address], "seconds": seconds}})
    message = sample_of(HookEvent.COMPLETE, NOW) if event is None else message_of(event, NOW)
    return await deliver(hook, message, settings or Settings())


async def test_it_is_told_the_sentence(receiver: Receiver) -> None:
    event = PastEvent(5, NOW, EventKind.CARD_SAFE, 3, "Quarry", files=412, detail="/media/card")
    assert await tell(f"json://127.0.0.1:{receiver.port}/told", event) == "told"
    told = receiver.told[0].json
    assert told["title"] == "The card may be wiped: Quarry"
    assert told["message"].startswith("Verified: everything in /media/card is in the cloud (412 files)")
    assert told["type"] == "success"


async def test_a_service_that_refuses_is_tried_again_later(receiver: Receiver) -> None:
    receiver.answer(403)
    with pytest.raises(HookUnavailable, match=r"^json could not be told: .*403.*\.$"):
        await tell(f"json://anna:password@127.0.0.1:{receiver.port}")


async def test_a_service_that_does_not_exist() -> None:
    with pytest.raises(HookUnavailable, match=r"^pigeon could not be told"):
        await tell("pigeon://loft")


async def test_without_apprise_the_failure_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(HookFailed, match=r"pipx install 'tui-uploader\[notify\]'") as caught:
        await tell("json://127.0.0.1:1")
    assert not caught.value.retryable


async def test_a_service_that_hangs_is_stopped(receiver: Receiver) -> None:
    receiver.silent = True
    with pytest.raises(HookUnavailable, match="was still running after 2 s"):
        await tell(f"json://127.0.0.1:{receiver.port}", seconds=2.0)


async def test_certificates_are_checked_as_by_the_rest_of_the_program() -> None:
    with receiving(tls=True) as receiver:
        address = f"jsons://localhost:{receiver.port}"
        with pytest.raises(HookUnavailable, match=r"^jsons could not be told"):
            await tell(address)
        assert receiver.told == []
        assert await tell(address, settings=Settings(ca_file=CERTIFICATE)) == "told"
