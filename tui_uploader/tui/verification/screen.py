"""The verdict on a memory card over the whole screen, and what it is based on.

It follows a verification that runs in the engine. Nothing is drawn while nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_uploader.errors import UploaderError
from tui_uploader.model.projects import Target
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.verification import (
    VerificationRequest,
    VerificationState,
    VerificationStatus,
    VerifiedFolder,
)
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.lines.columns import Column, cell_text, wrapped
from tui_uploader.tui.lines.glyphs import Glyphs, Span, without_ornament
from tui_uploader.tui.lines.spans import SpanLine, SpanLines
from tui_uploader.tui.lines.table import LineTable, LineView, Shape
from tui_uploader.tui.messages import Noticed
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.verification import sections
from tui_uploader.tui.verification.found_files import FoundFiles
from tui_uploader.tui.verification.lines import bar_line, detail_lines, headline, key_spans, look
from tui_uploader.tui.verification.sections import Heading, Row
from tui_uploader.tui.widgets.note import Note
from tui_uploader.wording.verification import folder_counts, missing, missing_queued, place, verdict_line

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

_LOOK_SECONDS = 0.25
_MARGIN = 2
_DETAIL_LINES = 2

Upload = Callable[[VerificationStatus, Callable[[Target | None], None]], None]
"""Asks, where that is unclear, to which project the missing images go, and calls the function with it."""
Queued = Callable[[UploadStatus, VerificationStatus], object]
"""Called with the upload that the missing images were queued in."""


class VerificationScreen(ResizeGuard, ModalScreen[None]):
    """Closing it stops nothing: the verification runs in the engine."""

    CSS_PATH: ClassVar = ["verification.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,K", "close", "Close"),
        Binding("u", "upload", "Upload what is missing"),
        Binding("r", "again", "Read again"),
        Binding("c", "cancel", "Cancel"),
        Binding("n", "other", "Other path"),
        Binding("y", "copy_path", "Copy the path"),
        Binding("tab", "section(1)", "Next list", show=False),
        Binding("shift+tab", "section(-1)", "Previous list", show=False),
    ]

    def __init__(
        self,
        session: EngineSession,
        glyphs: Glyphs,
        status: VerificationStatus,
        *,
        upload: Upload,
        queued: Queued = lambda upload, status: None,
        other: Callable[[], object] = lambda: None,
        copy: Callable[[str], object] = lambda text: None,
    ) -> None:
        """`other`: opens the question for another path."""
        super().__init__()
        self._session, self._glyphs, self._status = session, glyphs, status
        self._upload, self._queued, self._other, self._copy = upload, queued, other, copy
        self._drawn: tuple[VerificationStatus, int] | None = None
        """The status that is shown, and for how many cells."""
        self._title = SpanLine(glyphs, classes="verification-title")
        self._verdict = Static(id="verdict")
        self._reading = SpanLine(glyphs, id="reading")
        self._facts = SpanLines(glyphs, id="facts")
        shape = Shape[Row](sections.COLUMNS, key=sections.key_of, cells=self._cells, whole=sections.heading_spans)
        self.table: LineTable[Row] = LineTable(shape, glyphs, header=False, id="found")
        self._found = FoundFiles(session, self.table, lambda problem: self._say(problem, warning=True))
        self._row_detail = SpanLines(glyphs, id="row-detail")
        self._note = Note()
        self._keys = SpanLine(glyphs, id="keys")

    def compose(self) -> ComposeResult:
        with Vertical(id="verification"):
            yield self._title
            yield self._verdict
            yield self._reading
            yield self._facts
            yield self.table
            yield self._row_detail
            yield self._note
            yield self._keys

    def on_mount(self) -> None:
        self.table.focus()
        self._show()
        self.set_interval(_LOOK_SECONDS, self._look_again)
        self.run_worker(self._found.run(), name="verified files", group="verified files", exclusive=True)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    @property
    def status(self) -> VerificationStatus:
        """Of the verification that is shown."""
        return self._status

    # ------------------------------------------------------------------------------------------------ what is shown

    async def _look_again(self) -> None:
        """Follow the verification: it may have gone on, ended, or been continued by another engine."""
        engine, number = self._session.status, self._status.verification
        if engine is None or self._status.state is not VerificationState.RUNNING:
            return
        found = next((each for each in engine.verifications if each.verification == number), None)
        if found is None:
            try:
                found = await self._session.ask(lambda client: client.verifications.status(number))
            except UploaderError as error:
                self._say(str(error), warning=True)
                return
        if self._status.verification == number:
            self._status = found
            self._show()

    def _show(self) -> None:
        status, width = self._status, self.app.size.width
        if self._drawn == (status, width):
            return
        self._drawn = (status, width)
        self._title.show([Span("May this card be wiped?  "), Span(cell_text(place(status)))])
        word, sentence = headline(status)
        self._verdict.set_classes(look(status))
        self._verdict.update(Content.assemble((word, "bold"), f"\n{sentence}"))
        running = status.state is VerificationState.RUNNING
        self._reading.display = running
        self._reading.show(bar_line(status, width - _MARGIN, self._glyphs))
        self._facts.show(detail_lines(status, width - _MARGIN))
        self._keys.show(key_spans(status))
        self._found.show(status)

    def show_notice(self, notice: Noticed) -> None:
        """Repeat what the main screen tells, but not the verdict that stands here already, or will in a moment."""
        engine, number = self._session.status, self._status.verification
        now = [each for each in engine.verifications if each.verification == number] if engine is not None else []
        if any(notice.text == verdict_line(each) for each in (self._status, *now)):
            return
        self._say(notice.text, warning=notice.severity != "information")

    def _say(self, text: str, *, warning: bool = False) -> None:
        self._note.set_class(bool(text), "-shown")
        self._note.say(without_ornament(text), warning=warning)

    # ------------------------------------------------------------------------------------------------------ the list

    @on(LineView.WindowWanted)
    def _want_rows(self) -> None:
        self._found.want()

    def _cells(self, row: Row, columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        return sections.cells(row, columns, self._status.paths, self._glyphs)

    @on(LineView.CurrentChanged)
    def _show_row(self) -> None:
        """The whole path of the row under the cursor, and what is said about it."""
        row, width = self.table.current, self.app.size.width - _MARGIN
        texts: tuple[str, ...] = ()
        if row is not None and not isinstance(row, Heading):
            about = folder_counts(row) if isinstance(row, VerifiedFolder) else sections.about_file(row)
            texts = (row.path, about)
        lines = [line for text in texts for line in wrapped(_plain(text), width, most=_DETAIL_LINES)]
        self._row_detail.show([[Span(line)] for line in lines])

    # ------------------------------------------------------------------------------------------------------- actions

    def action_section(self, sections_on: int) -> None:
        self._found.go_on(sections_on)

    def action_upload(self) -> None:
        status = self._status
        if status.state is VerificationState.RUNNING:
            self._say("What is missing is known when everything is read.")
        elif not missing(status):
            self._say("No image is missing: there is nothing to upload.")
        else:
            self._upload(status, lambda target: self._queue(status, target))

    def _queue(self, status: VerificationStatus, target: Target | None) -> None:
        def report(upload: UploadStatus) -> None:
            self._queued(upload, status)
            self._say(f"{missing_queued(status, upload)} When it is complete, r reads the card again.")

        self._session.call(
            "upload missing",
            lambda engine: engine.verifications.upload_missing(status.verification, target),
            report,
        )

    def action_again(self) -> None:
        if self._status.state is VerificationState.RUNNING:
            self._say("The card is being read; c cancels.")
            return
        request = VerificationRequest(self._status.paths, self._status.project)
        self._session.call("verify", lambda engine: engine.verifications.start(request), self.follow)

    def follow(self, status: VerificationStatus) -> None:
        """Show this verification instead."""
        self._status = status
        self.table.start_over()
        self._say("")
        self._show()

    def action_cancel(self) -> None:
        if self._status.state is not VerificationState.RUNNING:
            self._say("Nothing to cancel: the card is not being read.")
            return
        number = self._status.verification

        async def cancel(engine: EngineClient) -> VerificationStatus:
            status = await engine.verifications.cancel(number)
            await self._session.refresh_status(engine)
            return status

        self._session.call("cancel verification", cancel, self._show_cancelled)

    def _show_cancelled(self, status: VerificationStatus) -> None:
        if status.verification == self._status.verification:
            self._status = status
            self._show()

    def action_other(self) -> None:
        self._other()

    def action_copy_path(self) -> None:
        row = self.table.current
        if row is not None and not isinstance(row, Heading):
            self._copy(row.path)
            self._say("Path copied, if your terminal allows.")

    def action_close(self) -> None:
        self.dismiss(None)


def _plain(text: str) -> str:
    return cell_text(without_ornament(text))
