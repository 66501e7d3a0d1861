"""News of watched folders and of hooks that fail."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.tui.values import engine_status, upload_status
from tests.tui.watches.values import watch
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.hooks import HookEvent, HookFailure
from tui_uploader.model.uploads import Counts, UploadStatus
from tui_uploader.model.watches import Watch, WatchState
from tui_uploader.tui.engine.watch_news import delivered, found, hooks_failed, stopped


def status(*watches: Watch, hooks: tuple[HookFailure, ...] = ()) -> EngineStatus:
    return replace(engine_status(), watches=watches, hook_failures=hooks)


def failure(hook: str = "notify.sh", at: float = 0.0) -> HookFailure:
    return HookFailure(at, hook, HookEvent.COMPLETE, "it does not exist")


ABSENT, ADDING, FULL = watch(1, WatchState.ABSENT, upload=None), watch(1, WatchState.ADDING), watch(1, cards=1)
BLOCKED = watch(1, WatchState.BLOCKED, reason="It is full.")


def test_a_card_that_comes_is_told_once() -> None:
    assert found(status(ABSENT), status(ADDING)) == [
        "A card was found at /media/card1: its new images are uploaded to Quarry."
    ]
    assert found(status(ADDING), status(FULL)) == []
    assert found(status(FULL), status(FULL)) == []


def test_another_card_at_the_same_place_is_told() -> None:
    assert len(found(status(FULL), status(watch(1, WatchState.ADDING, upload=2)))) == 1


def test_what_was_there_before_the_app_is_no_news() -> None:
    assert found(None, status(ADDING)) == []
    assert found(status(), status(ADDING)) == []


def test_a_watch_that_needs_the_user_is_told_with_its_reason_and_again_for_another() -> None:
    said = ["/media/card1 is no longer uploaded automatically: It is full."]
    assert stopped(status(FULL), status(BLOCKED)) == said
    assert stopped(None, status(BLOCKED)) == said
    assert stopped(status(BLOCKED), status(BLOCKED)) == []
    assert len(stopped(status(BLOCKED), status(replace(BLOCKED, reason="It is gone.")))) == 1


def test_a_hook_that_keeps_failing_is_told_once() -> None:
    assert hooks_failed(status(), status(hooks=(failure(),))) == [
        "The hook notify.sh could not be told that an upload is complete: it does not exist."
    ]
    assert hooks_failed(status(hooks=(failure(),)), status(hooks=(failure(at=9.0),))) == []
    assert hooks_failed(None, status(hooks=(failure(),))) == []


def test_many_hooks_that_fail_are_one_sentence() -> None:
    (said,) = hooks_failed(status(), status(hooks=tuple(failure(f"h{number}") for number in range(5))))
    assert said.endswith("it does not exist. 4 more hooks failed.")


def test_a_hook_that_worked_again_is_told_anew() -> None:
    assert len(hooks_failed(status(), status(hooks=(failure(),)))) == 1


SENDING = upload_status(1, counts=Counts(uploaded=5, uploading=3))
SENT = replace(SENDING, counts=Counts(uploaded=8), seconds=90.0)


def with_upload(own: Watch, upload: UploadStatus) -> EngineStatus:
    return replace(engine_status(upload), watches=(own,))


def test_a_card_whose_images_are_all_in_the_cloud_is_told_once() -> None:
    said = [("All images in /media/card1 are in the cloud, in Quarry (8).", 90.0)]
    assert delivered(with_upload(FULL, SENDING), with_upload(FULL, SENT)) == said
    assert delivered(with_upload(ADDING, SENT), with_upload(FULL, SENT)) == said
    assert delivered(with_upload(FULL, SENT), with_upload(FULL, SENT)) == []
    assert delivered(with_upload(FULL, SENT), with_upload(replace(FULL, state=WatchState.VERIFYING), SENT)) == []
    assert delivered(None, with_upload(FULL, SENT)) == []


@pytest.mark.parametrize(
    ("own", "upload"),
    [
        (ADDING, SENT),  # more files are being found
        (ABSENT, SENT),
        (BLOCKED, SENT),
        (FULL, SENDING),
        (FULL, replace(SENT, counts=Counts(uploaded=7, failed=1))),
        (FULL, replace(SENT, counts=Counts(uploaded=7, waiting=1))),
        (FULL, replace(SENT, counts=Counts(duplicate=8))),
        (FULL, replace(SENT, upload=2)),
        (replace(FULL, upload=None), SENT),
    ],
)
def test_it_is_not_told_before_all_are_there(own: Watch, upload: UploadStatus) -> None:
    assert delivered(with_upload(ADDING, SENDING), with_upload(own, upload)) == []
