"""A card of mere values behind a session without engine, for tests of the verification screen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from tests.values import COMPLETE, ENGINE, SAFE_CARD
from tui_uploader.errors import UploaderError
from tui_uploader.model.projects import Target
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.verification import (
    CardFileKind,
    Finding,
    Verdict,
    VerificationRequest,
    VerificationState,
    VerificationStatus,
    VerifiedFile,
    VerifiedFiles,
    VerifiedFolder,
)
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.lines.glyphs import UNICODE, Glyphs
from tui_uploader.tui.verification.screen import Upload, VerificationScreen

UNSAFE_CARD = replace(
    SAFE_CARD,
    verdict=Verdict.NOT_SAFE,
    files=413,
    findings={Finding.DELIVERED: 410, Finding.MISSING: 2, Finding.UNREADABLE: 1, Finding.OTHER: 1, Finding.APART: 1},
    kinds={CardFileKind.VIDEO: 1, CardFileKind.HIDDEN: 1},
    kind_bytes={CardFileKind.VIDEO: 9_000, CardFileKind.HIDDEN: 12},
    reasons=("The card was taken out while it was read.",),
)
FILES = (
    VerifiedFile("/media/card/DCIM/a.JPG", 7_000, CardFileKind.IMAGE, Finding.MISSING, "is in no project"),
    VerifiedFile("/media/card/DCIM/b.JPG", 7_000, CardFileKind.IMAGE, Finding.MISSING, "is queued in Quarry"),
    VerifiedFile("/media/card/DCIM/c.JPG", 0, CardFileKind.IMAGE, Finding.UNREADABLE, "cannot be read: I/O error"),
    VerifiedFile("/media/card/DCIM/d.MP4", 9_000, CardFileKind.VIDEO, Finding.OTHER),
    VerifiedFile("/media/card/DCIM/._d", 12, CardFileKind.HIDDEN, Finding.APART),
)
FOLDERS = (
    VerifiedFolder("/media/card/DCIM", Verdict.NOT_SAFE, 413, 6_200_000, {Finding.DELIVERED: 410, Finding.MISSING: 2}),
)


class Card:
    """Stands in for `engine.verifications`, and notes what is asked."""

    def __init__(self, status: VerificationStatus, files: tuple[VerifiedFile, ...] = FILES) -> None:
        self.status_now = status
        self.listed = files
        self.windows: list[tuple[Finding | None, int, int]] = []
        self.asked: list[object] = []
        self.refusal: UploaderError | None = None

    def _refuse(self, asked: object) -> None:
        self.asked.append(asked)
        if self.refusal is not None:
            raise self.refusal

    async def start(self, request: VerificationRequest) -> VerificationStatus:
        self._refuse(request)
        running = replace(
            SAFE_CARD, verification=self.status_now.verification + 1, state=VerificationState.RUNNING, verdict=None
        )
        self.status_now = replace(running, paths=request.paths, files_read=0, bytes_read=0, findings={})
        return self.status_now

    async def status(self, verification: int) -> VerificationStatus:
        self._refuse(("status", verification))
        return self.status_now

    async def cancel(self, verification: int) -> VerificationStatus:
        self._refuse(("cancel", verification))
        self.status_now = replace(self.status_now, state=VerificationState.CANCELLED)
        return self.status_now

    async def folders(self, verification: int) -> tuple[VerifiedFolder, ...]:
        del verification
        return FOLDERS

    async def files(
        self, verification: int, *, finding: Finding | None = None, offset: int = 0, limit: int = 200
    ) -> VerifiedFiles:
        del verification
        self.windows.append((finding, offset, limit))
        found = [file for file in self.listed if file.finding is finding]
        return VerifiedFiles(len(found), offset, tuple(found[offset : offset + limit]))

    async def upload_missing(self, verification: int, target: Target | None = None) -> UploadStatus:
        self._refuse(("upload", verification, target))
        return COMPLETE


class OneEngine:
    def __init__(self, card: Card) -> None:
        self.verifications = card


class CardSession(EngineSession):
    """Answers at once; a failure is kept."""

    def __init__(self, card: Card, *, listed: bool = True) -> None:
        self.card, self._listed = card, listed
        self.failures: list[UploaderError] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def status(self) -> Any:  # type: ignore[override]
        return replace(ENGINE, verifications=(self.card.status_now,) if self._listed else ())

    async def ask(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        return await work(OneEngine(self.card))

    def call(self, name: str, work: Any, then: Any = None, *, hold_keys: bool = False) -> Any:
        async def answer() -> None:
            try:
                found = await self.ask(work)
            except UploaderError as error:
                self.failures.append(error)
                return
            if then is not None:
                then(found)

        task = asyncio.get_running_loop().create_task(answer(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def refresh_status(self, engine: Any) -> None:
        del engine


def screen_of(
    card: Card,
    *,
    listed: bool = True,
    glyphs: Glyphs = UNICODE,
    upload: Upload = lambda status, queue: queue(None),
    **options: Any,
) -> VerificationScreen:
    return VerificationScreen(CardSession(card, listed=listed), glyphs, card.status_now, upload=upload, **options)
