"""Sizes that follow each other faster than screens are laid out."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tests.until import until
from tui_uploader.tui.terminal.resizing import ResizeGuard


class Restless(Screen[None]):
    """Counts what it is laid out for."""

    sizes: list[Size]

    def compose(self) -> ComposeResult:
        yield Static("rows")

    def on_mount(self) -> None:
        self.sizes = []

    def _screen_resized(self, size: Size) -> None:
        self.sizes.append(size)
        super()._screen_resized(size)


class Guarded(ResizeGuard, Restless):
    pass


class GuardedDialog(ResizeGuard, ModalScreen[None]):
    pass


OLD, NEW = Size(90, 30), Size(100, 40)


@pytest.mark.parametrize("with_dialog", [False, True])
async def test_of_two_sizes_at_once_the_terminals_own_is_kept(with_dialog: bool) -> None:
    screen = Guarded()
    app: App[None] = App()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(screen)
        if with_dialog:
            await app.push_screen(GuardedDialog())
        app._size = NEW
        ours = [each for each in app.screen_stack if isinstance(each, ResizeGuard)]
        for size in (OLD, NEW):
            for each in ours:
                each.post_message(events.Resize(size, size))
                each.call_later(lambda: None)  # keeps the two from being taken for one
        await until(lambda: screen.size == NEW)
        await pilot.pause()
        seen = len(screen.sizes)
        for _ in range(20):
            await pilot.pause()
        assert len(screen.sizes) == seen
        assert OLD not in screen.sizes
        assert all(each.size == NEW for each in (app.screen, screen))
