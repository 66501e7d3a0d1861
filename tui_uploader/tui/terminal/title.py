"""The terminal's title and the progress in the taskbar: how far the uploads are, for users who look at something else.

writer = TitleWriter(terminal, driver.send)
driver.at_end = writer.end                    # also after a crash
writer.show(status, time.monotonic())
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tui_uploader.model.engine import EngineStatus, LinkState
from tui_uploader.model.states import UploadState
from tui_uploader.text import counted, printable
from tui_uploader.tui.terminal.capabilities import Terminal, window_title, window_title_codes, work_progress
from tui_uploader.wording.amounts import percent
from tui_uploader.wording.clock import about, middle
from tui_uploader.wording.upload_states import Urgency, urgency

_IDLE = "tui-uploader"
_LONGEST_NAME = 40
_SHORTEST_WAIT = 3.0
"""Seconds between two titles: each costs some bytes on a slow connection."""
_NONE, _NORMAL, _ERROR, _PAUSED = 0, 1, 2, 4
"""States of a progress bar in the taskbar (OSC 9;4, ConEmu's documentation)."""


class Title(msgspec.Struct, frozen=True):
    text: str = _IDLE
    progress: int = _NONE
    percent: int = 0


def title(status: EngineStatus) -> Title:
    """`47 % 8 min Quarry`; the project's name is printable."""
    running = [upload for upload in status.uploads if urgency(upload) is not Urgency.FINISHED]
    if not running:
        return Title()
    done = percent(sum(upload.bytes.sent for upload in running), sum(upload.bytes.total for upload in running))
    names = {upload.project_name for upload in running}
    name = printable(names.pop(), _LONGEST_NAME) if len(names) == 1 else counted(len(running), "upload")
    needs_user = any(urgency(upload) is Urgency.NEEDS_YOU for upload in running)
    if status.link.state is LinkState.DOWN:
        return Title(f"OFFLINE {done} % {name}", _ERROR, done)
    if needs_user:
        return Title(f"! {done} % {name}", _ERROR, done)
    if all(upload.state is UploadState.PAUSED for upload in running):
        return Title(f"paused {done} % {name}", _PAUSED, done)
    left = f"{about(middle(status.eta))} " if status.eta is not None and status.left else ""
    return Title(f"{done} % {left}{name}", _NORMAL, done)


class TitleWriter:
    """Writes only what changed, and not too often. `end` has the codes that clear everything."""

    def __init__(
        self, terminal: Terminal, send: Callable[[bytes], None], *, shortest_wait: float = _SHORTEST_WAIT
    ) -> None:
        self._terminal = terminal
        self._send = send
        self._shortest_wait = shortest_wait
        self._shown: Title | None = None
        self._at = -shortest_wait

    def end(self) -> bytes:
        if self._shown is None:
            return b""
        return work_progress(_NONE, 0, self._terminal) + window_title_codes(self._terminal)[1]

    def show(self, status: EngineStatus, clock: float) -> None:
        """Call this now and then, also while no status arrives: a title that comes too soon is left to a later call.

        `clock`: monotonic seconds.
        """
        wanted = title(status)
        if wanted == self._shown or clock - self._at < self._shortest_wait:
            return
        codes = b"" if self._shown is not None else window_title_codes(self._terminal)[0]
        before = self._shown or Title("")
        if wanted.text != before.text:
            codes += window_title(wanted.text, self._terminal)
        if (wanted.progress, wanted.percent) != (before.progress, before.percent):
            codes += work_progress(wanted.progress, wanted.percent, self._terminal)
        self._shown, self._at = wanted, clock
        self._send(codes)
