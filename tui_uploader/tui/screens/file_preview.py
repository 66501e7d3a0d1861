"""Show the preview of the file under the cursor once the cursor has rested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import Screen
from textual.timer import Timer

from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.files.pane import FilesPane
from tui_uploader.tui.lines.glyphs import Glyphs

if TYPE_CHECKING:
    from tui_uploader.tui.files.preview import Preview

_REST_SECONDS = 0.3


class FilePreview:
    """Mounts the preview into the row of panes when it is first shown: the first frame does without it."""

    def __init__(self, screen: Screen[Any], files: FilesPane, session: EngineSession, glyphs: Glyphs) -> None:
        """Shown while `screen` has the class `-preview`."""
        self._screen = screen
        self._files = files
        self._session = session
        self._glyphs = glyphs
        self._rest: Timer | None = None
        self._preview: Preview | None = None

    def restart(self) -> None:
        """Wait until the cursor has rested, counted from now."""
        if self._rest is not None:
            self._rest.stop()
        wanted = self._screen.has_class("-preview")
        self._rest = self._screen.set_timer(_REST_SECONDS, self._show) if wanted else None

    async def _show(self) -> None:
        upload, query = self._files.shown_query
        if upload is None:
            return
        if self._preview is None:
            from tui_uploader.tui.files.preview import Preview

            self._preview = Preview(self._session, self._glyphs, self.restart)
            await self._screen.query_one("#middle").mount(self._preview)
        self._preview.show(upload, self._files.current_file, whole_project=query.whole_project)
