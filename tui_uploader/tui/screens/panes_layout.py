"""Which panes the main screen shows: by the size of the terminal, by the focus, and one alone while it is zoomed."""

from __future__ import annotations

from textual import events
from textual.geometry import Size
from textual.screen import Screen

from tui_uploader.tui.panes.focus import PaneFocus
from tui_uploader.tui.terminal.resizing import ResizeGuard

_SMALLEST = (60, 16)
_WIDE, _WIDEST, _WITH_PREVIEW = 100, 150, 160


class PanesLayout(ResizeGuard, Screen[None]):
    """A screen with `panes`, one of which has the focus."""

    panes: PaneFocus

    def __init__(self) -> None:
        super().__init__()
        self._pane = "files"
        """The focused pane, or the last one while all are hidden."""

    @property
    def pane(self) -> str:
        """The focused pane: `projects`, `files` or `uploads`."""
        around = self.focused.ancestors_with_self if self.focused else ()
        return next((node.id for node in around if node.id in self.panes.named), None) or self._pane

    def action_focus_pane(self, pane: str) -> None:
        self.set_class(pane == "projects", "-switching")
        if pane == "uploads":
            self.panes.uploads.remove_class("-folded")
        if self.is_zoomed:
            self._zoom(pane)
        self.panes.named[pane].table.focus()

    def action_focus_beside(self, step: int) -> None:
        names = list(self.panes.named)
        self.action_focus_pane(names[(names.index(self.pane) + step) % len(names)])

    @property
    def is_zoomed(self) -> bool:
        return any(self.has_class(f"-zoom-{name}") for name in self.panes.named)

    def action_zoom(self) -> None:
        """Let the focused pane fill the screen, or show all panes again."""
        self._zoom("" if self.is_zoomed else self.pane)

    def _zoom(self, pane: str) -> None:
        for name in self.panes.named:
            self.set_class(name == pane, f"-zoom-{name}")
        self.panes.uploads.fit()

    def action_toggle_uploads(self) -> None:
        if not self.panes.uploads.toggle() and self.pane == "uploads":
            self.action_focus_pane("files")

    def on_descendant_focus(self) -> None:
        self._pane = pane = self.pane
        self.panes.align()
        for name, each in self.panes.named.items():
            each.set_class(name == pane, "-active")
        if pane != "uploads":
            self.set_class(pane == "projects", "-switching")
        if self.is_zoomed and not self.has_class(f"-zoom-{pane}"):
            self._zoom(pane)

    def on_resize(self, event: events.Resize) -> None:
        self.fit(event.size)
        self.call_after_refresh(self._focus_again)

    def _focus_again(self) -> None:
        """Return to the last pane, if the terminal was too small for it in between."""
        if self.focused is None and not self.has_class("-tiny"):
            self.action_focus_pane(self._pane)

    def fit(self, size: Size) -> None:
        width, height = size
        self.set_class(width < _WIDE, "-narrow")
        self.set_class(width >= _WIDEST, "-widest")
        self.set_class(width >= _WITH_PREVIEW, "-preview")
        self.set_class(width < _SMALLEST[0] or height < _SMALLEST[1], "-tiny")
