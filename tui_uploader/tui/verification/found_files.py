"""Keeps the rows around the view in memory: what a verification has found, fetched in windows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tui_uploader.errors import UploaderError
from tui_uploader.model.verification import VerificationState, VerificationStatus, VerifiedFolder
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.lines.glyphs import Span
from tui_uploader.tui.lines.table import LineTable
from tui_uploader.tui.verification import sections
from tui_uploader.tui.verification.sections import Heading, Part, Row, Section

_WIDEST_WINDOW = 2000
_EMPTY = {
    VerificationState.RUNNING: "What is missing is listed here when everything is read.",
    VerificationState.CANCELLED: "It did not come to its end: r reads again.",
    VerificationState.DONE: "No files.",
}


class FoundFiles:
    """One request at a time, for the verification that is shown now."""

    def __init__(self, session: EngineSession, table: LineTable[Row], tell: Callable[[str], None]) -> None:
        """`tell`: shows why the engine does not answer."""
        self._session, self._table, self._tell = session, table, tell
        self._status: VerificationStatus | None = None
        self._listed: int | None = None
        """The verification that the sections are of."""
        self._folders: tuple[VerifiedFolder, ...] = ()
        self._sections: tuple[Section, ...] = ()
        self._wanted = asyncio.Event()

    def show(self, status: VerificationStatus) -> None:
        if self._status is not None and status.verification != self._status.verification:
            self._folders, self._sections = (), ()
        self._status = status
        self._table.show_empty([Span(_EMPTY[status.state], "muted")])
        self.want()

    def want(self) -> None:
        """Fetch the rows around the view soon."""
        self._wanted.set()

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            status = self._status
            if status is None or status.state is not VerificationState.DONE:
                continue
            try:
                if self._listed != status.verification:
                    await self._list(status)
                await self._put_rows(status)
            except UploaderError as error:
                self._tell(str(error))

    async def _list(self, status: VerificationStatus) -> None:
        """Raises UploaderError."""
        number = status.verification
        self._folders = await self._session.ask(lambda engine: engine.verifications.folders(number))
        self._sections = sections.sections_of(status, len(self._folders))
        self._listed = number
        self._table.put(0, (), sections.length(self._sections))

    async def _put_rows(self, status: VerificationStatus) -> None:
        """Raises UploaderError."""
        offset, limit = self._table.wanted()
        rows: list[Row] = []
        for part in sections.parts_of(self._sections, offset, min(limit, _WIDEST_WINDOW)):
            if part.with_heading:
                rows.append(Heading(part.section.heading))
            if part.limit:
                rows += await self._rows_of(status, part)
        if status is self._status:
            self._table.put(offset, rows, sections.length(self._sections))

    async def _rows_of(self, status: VerificationStatus, part: Part) -> Sequence[Row]:
        finding = part.section.finding
        if finding is None:
            return self._folders[part.offset : part.offset + part.limit]
        window = await self._session.ask(
            lambda engine: engine.verifications.files(
                status.verification, finding=finding, offset=part.offset, limit=part.limit
            )
        )
        return window.files

    def go_on(self, sections_on: int) -> None:
        """Go to the first row of the next list, or of the previous one."""
        starts = [start + 1 for start in sections.first_rows(self._sections)]
        if not starts:
            return
        if sections_on > 0:
            self._table.move_to(next((start for start in starts if start > self._table.cursor), starts[0]))
        else:
            before = [start for start in starts if start < self._table.cursor]
            self._table.move_to(before[-1] if before else starts[-1])
