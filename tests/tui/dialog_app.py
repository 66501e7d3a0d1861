"""A dialog on a screen of its own, and what stands on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.screen import ModalScreen

from tests.tui.headless import press, rendered_lines
from tests.until import until
from tui_uploader.tui.lines.contrast import ReadableApp

_STYLES = Path(__file__).parents[2] / "tui_uploader" / "tui" / "lines" / "spans.tcss"
_UNANSWERED = object()


class DialogApp(ReadableApp):
    CSS_PATH = str(_STYLES)
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, dialog: Callable[[], ModalScreen[Any]]) -> None:
        super().__init__()
        self._dialog = dialog
        self.answer: object = _UNANSWERED

    def on_mount(self) -> None:
        def keep(answer: object) -> None:
            self.answer = answer

        self.push_screen(self._dialog(), keep)


class Dialog:
    """The person's side."""

    def __init__(self, app: DialogApp, pilot: Pilot[None]) -> None:
        self._app = app
        self.pilot = pilot

    @property
    def lines(self) -> list[str]:
        return rendered_lines(self._app)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    async def shows(self, *texts: str) -> None:
        """Return when everything in `texts` is on the screen, in one line or wrapped."""
        try:
            await until(lambda: all(text in f"{self.text}\n{' '.join(self.text.split())}" for text in texts), 10.0)
        except TimeoutError:
            raise AssertionError(f"{texts} never came; the screen:\n{self.text}") from None

    async def answered(self) -> object:
        await until(lambda: self._app.answer is not _UNANSWERED, 10.0)
        return self._app.answer

    @property
    def is_open(self) -> bool:
        return self._app.answer is _UNANSWERED

    def paste(self, text: str) -> None:
        """As the terminal does it: to whatever has the focus."""
        self._app.post_message(events.Paste(text))

    async def press(self, *keys: str) -> None:
        await press(self._app, *keys)

    async def type(self, text: str) -> None:
        await press(self._app, *text)

    async def click(self, x: int, y: int) -> None:
        await self.pilot.click(offset=(x, y))

    def at(self, text: str) -> tuple[int, int]:
        """Column and row of the cell where `text` begins."""
        row = next(index for index, line in enumerate(self.lines) if text in line)
        return self.lines[row].index(text), row


@asynccontextmanager
async def opened(dialog: Callable[[], ModalScreen[Any]], width: int = 80, height: int = 24) -> AsyncIterator[Dialog]:
    app = DialogApp(dialog)
    async with app.run_test(size=(width, height)) as pilot:
        await until(lambda: isinstance(app.screen, ModalScreen) and app.focused is not None, 10.0)
        yield Dialog(app, pilot)
