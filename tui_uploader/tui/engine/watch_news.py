"""News of watched folders and hooks: the differences between two states of the engine that matter. Pure.

Imported once there is a watch, or a hook that fails: the first frame does without it.
"""

from __future__ import annotations

from collections.abc import Mapping

from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.watches import Watch, WatchState
from tui_uploader.text import counted
from tui_uploader.wording.hooks import hook_failure
from tui_uploader.wording.watches import all_delivered, blocked, card_found, is_done

_AT_WORK = (WatchState.ADDING, WatchState.WATCHING)


def found(before: EngineStatus | None, after: EngineStatus) -> list[str]:
    """A card came to a watched folder, or images to an empty one."""
    known = _by_number(before)
    return [card_found(watch) for watch in after.watches if _has_come(known.get(watch.watch), watch)]


def _has_come(before: Watch | None, now: Watch) -> bool:
    if before is None or now.state not in _AT_WORK or now.upload is None:
        return False
    return before.state is WatchState.ABSENT or before.upload != now.upload


def delivered(before: EngineStatus | None, after: EngineStatus) -> list[tuple[str, float]]:
    """Sentences about folders whose images are all in the cloud now, and were not, with the seconds that it took."""
    if before is None:
        return []
    known, earlier, uploads = _by_number(before), _uploads(before), _uploads(after)
    return [
        (all_delivered(watch, uploads[number]), uploads[number].seconds)
        for watch in after.watches
        if (number := watch.upload) is not None
        and _has_all(watch, uploads)
        and not ((old := known.get(watch.watch)) is not None and old.upload == number and _has_all(old, earlier))
    ]


def _has_all(watch: Watch, uploads: Mapping[int, UploadStatus]) -> bool:
    """Whether everything in the folder is added, and all of that is in the project."""
    upload = uploads.get(watch.upload or 0)
    added = watch.state in (WatchState.WATCHING, WatchState.VERIFYING)
    return added and upload is not None and upload.counts.uploaded > 0 and is_done(upload)


def _uploads(status: EngineStatus) -> dict[int, UploadStatus]:
    return {upload.upload: upload for upload in status.uploads}


def stopped(before: EngineStatus | None, after: EngineStatus) -> list[str]:
    """Watches that need the user now, and did not, or for another reason. Without a state before, all that do."""
    known = _by_number(before)
    return [
        blocked(watch)
        for watch in after.watches
        if watch.state is WatchState.BLOCKED
        and ((old := known.get(watch.watch)) is None or (old.state, old.reason) != (watch.state, watch.reason))
    ]


def hooks_failed(before: EngineStatus | None, after: EngineStatus) -> list[str]:
    """One sentence, however many hooks fail; nothing for a hook that fails again. The log has each of them."""
    if before is None:
        return []
    known = {failure.hook for failure in before.hook_failures}
    new = [failure for failure in after.hook_failures if failure.hook not in known]
    others = f" {counted(len(new) - 1, 'more hook')} failed." if len(new) > 1 else ""
    return [f"{hook_failure(new[0])}{others}"] if new else []


def _by_number(status: EngineStatus | None) -> dict[int, Watch]:
    return {watch.watch: watch for watch in status.watches} if status is not None else {}
