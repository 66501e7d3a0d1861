"""Hooks follow the history of a real engine: each is told what it wants, once, in order, and over crashes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.engine.hooks.receiver import Receiver, receiving
from tests.engine.world import World, add, when
from tests.photos import write_flight, write_photo
from tests.until import until
from tui_uploader.engine.hooks import worker
from tui_uploader.engine.journal.tables import history
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import UsageError
from tui_uploader.hook_settings import hooks_in
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.hooks import HookEvent
from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.states import UploadState


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", processing_seconds=0.2))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PAUSES", (0.01, 0.02))


def use(world: World, *tables: dict[str, Any]) -> None:
    world.settings = replace(world.settings, hooks=hooks_in({"hooks": list(tables)}))


def set_in_file(world: World, text: str) -> None:
    world.directories.config.mkdir(parents=True, exist_ok=True)
    world.directories.settings_file.write_text(text)


async def happen(world: World, *kinds: EventKind, ago: float = 0.0) -> None:
    now = world.time.wall() - ago
    events = [PastEvent(0, now, kind, project="Quarry") for kind in kinds]
    await world.journal.write(lambda connection: history.record(connection, now, events))


async def failures_told(manager: UploadManager) -> list[str]:
    events = await manager.queries.history(0, 5000)
    return [event.detail for event in events if event.kind is EventKind.HOOK_FAILED]


async def idle(manager: UploadManager) -> None:
    await until(lambda: not manager.queries.busy, 20)


async def begun(world: World) -> None:
    """Wait until the worker knows how far its hooks were told: later events are news."""
    await until(lambda: not world.supervisor.hooks.busy, 10)


def program(folder: Path, text: str) -> str:
    path = folder / "told.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


async def test_a_command_and_a_web_address_are_told_of_an_upload_and_its_processing(
    world: World, receiver: Receiver, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    use(world, {"command": [program(tmp_path, f"cat >> {kept}")], "webhook": f"{receiver.url}/told"})
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        await world.in_the_long_run(
            lambda: manager.queries.upload_status(upload).processing.state is ProcessingState.DONE
        )
        await idle(manager)
        by_web = [told.json for told in receiver.told]
        assert [(told["event"], told["project"], told["files"]) for told in by_web] == [
            ("complete", "Quarry", 6),
            ("processing_done", "Quarry", 6),
        ]
        assert by_web[0]["upload"] == upload
        assert [json.loads(line) for line in kept.read_text().splitlines()] == by_web
        assert manager.queries.status().hook_failures == ()
        assert [hook.name for hook in await manager.hooks.listed()] == ["told.sh", "127.0.0.1"]


async def test_failed_files_and_what_needs_a_person_are_told(world: World, receiver: Receiver) -> None:
    use(world, {"webhook": receiver.url, "events": ["failed", "needs_you"]})
    photo = write_photo(world.card / "cut.jpg", 5000)
    photo.write_bytes(photo.read_bytes()[:2500])
    write_photo(world.card / "whole.jpg")
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card, auto_process=False)).upload
        await when(manager, upload, lambda status: status.settled)
        await world.in_the_long_run(lambda: receiver.told)
        await happen(world, EventKind.PROBLEM, EventKind.CARD_SAFE, EventKind.SIGN_IN_FAILED)
        await until(lambda: len(receiver.told) == 3, 10)
        await idle(manager)
        assert [told.json["event"] for told in receiver.told] == ["failed", "needs_you", "needs_you"]
        assert receiver.told[0].json["error"] == "SourceDamaged"


async def test_the_first_run_begins_with_the_present_and_a_restart_where_it_was(
    world: World, receiver: Receiver
) -> None:
    async with world.engine(sign_in=False):
        await happen(world, EventKind.COMPLETE, EventKind.COMPLETE)
    use(world, {"webhook": receiver.url})
    async with world.engine(sign_in=False) as manager:
        await begun(world)
        await happen(world, EventKind.CARD_SAFE)
        await until(lambda: receiver.told, 10)
        await idle(manager)
    async with world.engine(sign_in=False) as manager:
        await happen(world, EventKind.CARD_NOT_SAFE)
        await until(lambda: len(receiver.told) > 1, 10)
        await idle(manager)
        assert [told.json["event"] for told in receiver.told] == ["card_safe", "card_not_safe"]


async def test_what_happened_while_no_hook_could_be_told_is_told_by_the_next_engine_if_it_is_not_old(
    world: World, receiver: Receiver
) -> None:
    use(world, {"webhook": receiver.url})
    async with world.engine(sign_in=False):
        await begun(world)
    use(world)
    async with world.engine(sign_in=False):
        pass
    use(world, {"webhook": receiver.url})
    async with world.engine(sign_in=False):
        await begun(world)
        receiver.silent = True
        await happen(world, EventKind.COMPLETE, ago=worker.OLDEST_SECONDS - 60)
        await happen(world, EventKind.CARD_SAFE)
        await until(lambda: receiver.told, 10)
    receiver.silent = False
    receiver.released.set()
    receiver.told.clear()
    world.time.passed += 120.0
    async with world.engine(sign_in=False) as manager:
        await until(lambda: receiver.told, 10)
        await idle(manager)
        assert [told.json["event"] for told in receiver.told] == ["card_safe"]


async def test_an_event_whose_telling_was_cut_short_is_told_again_with_the_same_number(
    world: World, receiver: Receiver
) -> None:
    use(world, {"webhook": receiver.url})
    async with world.engine(sign_in=False):
        await begun(world)
        await happen(world, EventKind.COMPLETE)
        await until(lambda: len(receiver.told) == 1, 10)
        await until(lambda: not world.supervisor.hooks.busy, 10)
        receiver.silent = True
        await happen(world, EventKind.CARD_SAFE)
        await until(lambda: len(receiver.told) == 2, 10)
    receiver.silent = False
    receiver.released.set()
    async with world.engine(sign_in=False) as manager:
        await until(lambda: len(receiver.told) == 3, 10)
        await idle(manager)
        complete, cut_short, again = receiver.ids
        assert cut_short == again != complete


async def test_a_server_that_is_busy_is_tried_again_and_a_failure_is_told_once(
    world: World, receiver: Receiver
) -> None:
    use(world, {"webhook": receiver.url})
    async with world.engine(sign_in=False) as manager:
        await begun(world)
        receiver.answer(500)
        await happen(world, EventKind.COMPLETE)
        await until(lambda: len(receiver.told) == 2, 10)
        await idle(manager)
        assert len(set(receiver.ids)) == 1
        assert (await failures_told(manager), manager.queries.status().hook_failures) == ([], ())

        for _ in range(4):
            receiver.answer(502)
        await happen(world, EventKind.CARD_SAFE, EventKind.CARD_NOT_SAFE)
        await until(lambda: len(receiver.told) == 6, 10)  # the second one once: it was given up
        await idle(manager)
        (failure,) = manager.queries.status().hook_failures
        assert (failure.hook, failure.event) == ("127.0.0.1", HookEvent.CARD_NOT_SAFE)
        assert failure.reason == "127.0.0.1 (HTTP 502) cannot take it now."
        assert await failures_told(manager) == [failure.reason]

        await happen(world, EventKind.COMPLETE)
        await until(lambda: not manager.queries.status().hook_failures, 10)
        await idle(manager)
        assert len(receiver.told) == 7, "a failure of a hook is not told to hooks"


async def test_a_long_pause_is_shown_and_ends_at_the_wish_of_the_user(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "PAUSES", (3600.0,))
    use(world, {"webhook": receiver.url})
    async with world.engine(sign_in=False) as manager:
        await begun(world)
        receiver.answer(503)
        await happen(world, EventKind.CARD_SAFE)
        await until(lambda: manager.queries.status().hook_failures, 10)
        assert await failures_told(manager) == []
        manager.try_now()
        await until(lambda: not manager.queries.status().hook_failures, 10)
        assert len(set(receiver.ids)) == 1


async def test_one_that_refuses_is_not_asked_again(world: World, receiver: Receiver) -> None:
    use(world, {"webhook": receiver.url})
    async with world.engine(sign_in=False) as manager:
        await begun(world)
        receiver.answer(404)
        await happen(world, EventKind.COMPLETE)
        await until(lambda: manager.queries.status().hook_failures, 10)
        await idle(manager)
        assert len(receiver.told) == 1


async def test_one_that_hangs_delays_neither_the_others_nor_an_upload(
    world: World, receiver: Receiver, tmp_path: Path
) -> None:
    hanging = program(tmp_path, f"echo >> {tmp_path}/started; sleep 600")
    use(world, {"command": [hanging], "seconds": 300}, {"webhook": receiver.url})
    write_flight(world.card, 3)
    async with world.cloud_running(), world.engine() as manager:
        for _ in range(2):
            await happen(world, EventKind.CARD_SAFE)
        upload = (await add(manager, world.card, auto_process=False)).upload
        await when(manager, upload, lambda status: status.state is UploadState.COMPLETE)
        await until(lambda: len(receiver.told) == 3, 10)
        assert manager.queries.busy, "an engine that is idle may exit"
        assert (tmp_path / "started").read_text().count("\n") == 1, "one at a time"
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 8


async def test_one_that_is_far_behind_is_told_the_newest(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MOST_BEHIND", 3)
    use(world, {"webhook": receiver.url})
    async with world.engine(sign_in=False) as manager:
        await begun(world)
        await happen(world, *[EventKind.COMPLETE] * 9, EventKind.CARD_SAFE)
        await until(lambda: len(receiver.told) == 3, 10)
        await idle(manager)
        assert [told.json["event"] for told in receiver.told] == ["complete", "complete", "card_safe"]


async def test_a_change_of_the_settings_file_counts_at_once(world: World, receiver: Receiver) -> None:
    set_in_file(world, "")
    async with world.engine(sign_in=False) as manager:
        await happen(world, EventKind.COMPLETE)
        set_in_file(world, f'[hooks]\nwebhook = "{receiver.url}"\nevents = ["card_safe"]')
        assert [hook.events for hook in await manager.hooks.listed()] == [(HookEvent.CARD_SAFE,)]
        await begun(world)
        await happen(world, EventKind.COMPLETE, EventKind.CARD_SAFE)
        await until(lambda: receiver.told, 10)
        await idle(manager)
        set_in_file(world, f'[hooks]\nwebhook = "{receiver.url}"\nevents = ["card_safe", "complete"]')
        await manager.hooks.listed()
        await begun(world)
        await happen(world, EventKind.CARD_SAFE)
        await until(lambda: len(receiver.told) == 2, 10)
        await idle(manager)
        assert [told.json["event"] for told in receiver.told] == ["card_safe", "card_safe"], "what it missed is past"

        set_in_file(world, '[hooks]\ncommand = "rm -rf x"')
        with pytest.raises(UsageError, match="must be a list"):
            await manager.hooks.test(None)
        await happen(world, EventKind.CARD_SAFE)
        await until(lambda: len(receiver.told) == 3, 10)
        world.directories.settings_file.unlink()
        assert await manager.hooks.listed() == ()


async def test_a_test_tells_every_hook_and_clears_a_failure(world: World, receiver: Receiver) -> None:
    use(world, {"webhook": receiver.url}, {"command": ["/no/such/program"], "events": ["card_safe", "failed"]})
    async with world.engine(sign_in=False) as manager:
        await begun(world)
        receiver.answer(404)
        await happen(world, EventKind.COMPLETE)
        await until(lambda: manager.queries.status().hook_failures, 10)
        by_web, by_command = await manager.hooks.test(None)
        assert (by_web.event, by_web.answer, by_web.failure) == (HookEvent.COMPLETE, "HTTP 204", None)
        assert by_command.event is HookEvent.FAILED
        assert by_command.failure is not None
        assert by_command.failure.startswith("program cannot be started")
        assert receiver.told[-1].json["test"] is True
        assert manager.queries.status().hook_failures == ()
        chosen = await manager.hooks.test(HookEvent.CARD_SAFE)
        assert {test.event for test in chosen} == {HookEvent.CARD_SAFE}


async def test_nothing_that_is_shown_or_kept_has_the_secret_of_an_address(
    world: World, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    set_in_file(
        world, f'[hooks]\nwebhook = "http://anna:Tr0ub4dor@127.0.0.1:{receiver.port}/services/T00000000/XXYYZZ12345678"'
    )
    async with world.engine(sign_in=False) as manager:
        set_in_file(world, world.directories.settings_file.read_text() + "\n")
        await manager.hooks.listed()
        await begun(world)
        receiver.answer(400, b"no: anna:Tr0ub4dor /services/T00000000/XXYYZZ12345678")
        await happen(world, EventKind.COMPLETE)
        await until(lambda: manager.queries.status().hook_failures, 10)
        shown = repr((manager.queries.status(), await manager.hooks.listed(), await failures_told(manager)))
    journal = world.directories.journal.read_bytes()
    for secret in ("Tr0ub4dor", "T00000000", "XXYYZZ12345678"):
        assert secret not in shown
        assert secret not in caplog.text
        assert secret.encode() not in journal
