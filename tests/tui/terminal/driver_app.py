"""A small app behind the driver, run as a process by the driver's tests: it shows every event that it receives."""

from __future__ import annotations

import os
import sys
import time

from tui_uploader.tui.terminal import capabilities

capabilities.prepare(os.environ)

from textual import events  # noqa: E402 - Textual reads its switches when it is imported
from textual.app import App, ComposeResult  # noqa: E402
from textual.widgets import Static  # noqa: E402

from tui_uploader.tui.terminal.driver import driver_class, terminal_driver  # noqa: E402

_SHOWN = 12


class EchoApp(App[None]):
    """`q` quits, `T` makes it repaint continuously, `Z` suspends it, `L` repaints, `C` copies."""

    CSS = "Static { height: 1; width: auto; } Screen { layout: vertical; }"

    def __init__(self, terminal: capabilities.Terminal) -> None:
        super().__init__(driver_class=driver_class(terminal.ascii_only))
        self._terminal = terminal
        self._received: list[str] = []
        self._ticks = 0
        self._longest_gap = 0.0
        self._last_tick = time.monotonic()
        if terminal.theme is not None:
            self.theme = terminal.theme

    def compose(self) -> ComposeResult:
        yield Static("ready 字│é", id="ready")
        yield Static("", id="ticks")
        for number in range(_SHOWN):
            yield Static("", id=f"received{number}", markup=False)

    def on_key(self, event: events.Key) -> None:
        self._show(f"key:{event.key}")
        match event.key:
            case "q":
                self.exit()
            case "T":
                self.set_interval(0.02, self._tick)
            case "Z":
                self.action_suspend_process()
            case "L" if driver := terminal_driver(self):
                driver.repaint()
            case "C" if driver := terminal_driver(self):
                driver.send(capabilities.clipboard_copy("copied", self._terminal))

    def on_paste(self, event: events.Paste) -> None:
        self._show(f"paste:{len(event.text)}:{event.text[-20:]}")

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._show(f"mouse:{event.x},{event.y}")

    def _tick(self) -> None:
        """Every tick changes the whole line, and the longest time between two of them is shown."""
        now = time.monotonic()
        self._longest_gap = max(self._longest_gap, now - self._last_tick)
        self._last_tick = now
        self._ticks += 1
        bar = chr(ord("a") + self._ticks % 26) * 60
        self.query_one("#ticks", Static).update(f"tick {self._ticks} gap {self._longest_gap:.2f} {bar}")

    def _show(self, text: str) -> None:
        self._received = [*self._received, text.replace("\n", "|")][-_SHOWN:]
        for number, line in enumerate(self._received):
            self.query_one(f"#received{number}", Static).update(line)


if __name__ == "__main__":
    app = EchoApp(capabilities.detect(os.environ, ascii_wanted="--ascii" in sys.argv))
    app.run()
    sys.exit(app.return_code)
