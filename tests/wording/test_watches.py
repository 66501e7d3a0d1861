"""Words about watched folders and about hooks."""

from __future__ import annotations

import pytest

from tests.tui.values import upload_status
from tui_uploader.model.hooks import HookEvent, HookFailure
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import Counts
from tui_uploader.model.watches import Watch, WatchState
from tui_uploader.wording.hooks import failing, hook_failure
from tui_uploader.wording.watches import added, settings_words, short_state, state_words, watching_line


def watch(state: WatchState, **known: object) -> Watch:
    given = {"project_name": "Quarry", "upload": 1} | known
    return Watch(1, "/media/card", state, 0.0, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (watch(WatchState.ABSENT, cards=3), "waits for a card; 3 cards so far"),
        (watch(WatchState.ADDING), "adding new images to Quarry"),
        (watch(WatchState.WATCHING), "all images are added to Quarry"),
        (watch(WatchState.WATCHING, upload=None), "no images yet"),
        (watch(WatchState.BLOCKED, reason="It has 50,000 old files."), "needs you: It has 50,000 old files."),
        (watch(WatchState.VERIFYING), "reads the card again, to prove that it may be wiped"),
    ],
)
def test_the_state_is_told(shown: Watch, words: str) -> None:
    assert state_words(shown) == words
    assert watching_line(shown) == f"Watching /media/card: {words}"


def test_only_a_complete_upload_is_in_the_cloud() -> None:
    added_all = watch(WatchState.WATCHING)
    assert "in the cloud" not in state_words(added_all, upload_status(1))
    assert "in the cloud" not in state_words(added_all, upload_status(1, counts=Counts(uploaded=3, failed=1)))
    assert "in the cloud" in state_words(added_all, upload_status(1, counts=Counts(uploaded=3, duplicate=1)))
    complete = upload_status(1, state=UploadState.COMPLETE)
    assert state_words(added_all, complete) == "all images are in the cloud, in Quarry"


@pytest.mark.parametrize("state", WatchState)
def test_every_state_has_a_short_word(state: WatchState) -> None:
    assert 0 < len(short_state(watch(state))) <= 9


def test_the_settings_are_told() -> None:
    assert settings_words(watch(WatchState.ABSENT)) == "processing after 10 min without new images"
    for seconds, shown in ((0.0, "0 s"), (5.0, "5 s"), (90.0, "90 s"), (5400.0, "90 min"), (7200.0, "2 h")):
        words = settings_words(watch(WatchState.ABSENT, quiet_seconds=seconds))
        assert words == f"processing after {shown} without new images"
    words = settings_words(watch(WatchState.ABSENT, auto_process=False, verify_after=True, polled=True))
    assert words.startswith("no automatic processing; the card is verified when all images are in the cloud; looked at")


def test_a_new_watch_says_that_it_waits() -> None:
    assert added(watch(WatchState.ABSENT)).endswith("as soon as there is a card.")
    assert added(watch(WatchState.ADDING)).endswith("automatically.")


def test_hostile_text_is_made_printable() -> None:
    bad = Watch(1, "/media/\x1b[2J\n", WatchState.BLOCKED, 0.0, project_name="\x1b[31m", reason="\x1b]0;x\x07\n")
    assert watching_line(bad).isprintable()
    assert hook_failure(HookFailure(0.0, "\x1b[2Jhook", HookEvent.COMPLETE, "no\nline\x07")).isprintable()


@pytest.mark.parametrize("event", HookEvent)
def test_every_failed_hook_is_a_sentence(event: HookEvent) -> None:
    said = hook_failure(HookFailure(0.0, "notify.sh", event, "It did not end within 30 s."))
    assert said.startswith("The hook notify.sh could not be told that ") and said.endswith(" 30 s.")


def test_failing_hooks_are_counted() -> None:
    one = HookFailure(0.0, "notify.sh", HookEvent.FAILED, "x")
    assert (failing([]), failing([one]), failing([one, one])) == ("", "hook notify.sh fails", "2 hooks fail")
