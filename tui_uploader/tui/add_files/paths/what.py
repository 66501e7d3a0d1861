"""The first step: what to upload, typed, chosen in the tree, or pasted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui_uploader.model.projects import ProjectKind
from tui_uploader.text import counted
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.add_files.paths.chosen_paths import ChosenPaths, clip_start, topmost
from tui_uploader.tui.add_files.paths.folder_counts import LocalPath
from tui_uploader.tui.add_files.paths.folder_tree import FolderTree
from tui_uploader.tui.add_files.paths.path_field import PathField
from tui_uploader.tui.add_files.paths.resolve_paths import paste_warning, resolve_paste, resolve_typed, typed_warning
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.lines.glyphs import Glyphs

_MOST_CANDIDATES = 50
_LONGEST_PATH = 40
"""Cells of a path in a sentence."""


class WhatStep(Vertical):
    """What the path field says is chosen when the user leaves it, by Enter, Tab, or for another step."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "screen.done_choosing", "Choose", show=False)]

    class Changed(Message):
        """Other paths are chosen now, or more is known about them."""

    @dataclass
    class Problem(Message):
        """Something typed or pasted cannot be chosen."""

        text: str

    def __init__(self, here: str, home: str, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(id=id)
        self._here, self._home, self._glyphs = here, home, glyphs
        self._path = PathField(here, here, home, id="path")
        self._tree = FolderTree(here, glyphs, id="tree")
        self._chosen = ChosenPaths(glyphs, self._tree.counts, id="chosen")
        self._candidates = Static(id="candidates")
        self._candidates.display = False
        self._pastes = 0
        """Pastes whose paths are being looked up."""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="row"):
            yield Static("1 What", classes="label")
            yield self._path
        yield self._candidates
        with Horizontal(id="lists"):
            with Vertical(id="folders"):
                yield Static("Folders and number of files", classes="heading")
                yield self._tree
            with Vertical(id="selection"):
                yield Static("To be uploaded", classes="heading")
                yield self._chosen

    @property
    def paths(self) -> tuple[LocalPath, ...]:
        return self._chosen.paths

    @property
    def state(self) -> tuple[object, ...]:
        """What is typed and chosen, to be compared."""
        return self._path.value, self.paths

    @property
    def is_typed(self) -> bool:
        """Whether the path field has a text that is not chosen yet."""
        return self._path.was_typed

    @property
    def words(self) -> str:
        """The chosen path, or how many."""
        paths = topmost(self.paths)
        if len(paths) != 1:
            return counted(len(paths), "chosen path")
        return clip_start(cell_text(paths[0].path), _LONGEST_PATH, self._glyphs.cut)

    def set_kind(self, kind: ProjectKind) -> None:
        self._path.kind = kind
        self._tree.set_kind(kind)

    def go_to(self) -> None:
        self._path.focus()

    # --------------------------------------------------------------------------------------------- choosing

    async def choose_typed(self) -> bool:
        """Choose the typed path, if there is one. Return False, and post the problem, if that is impossible."""
        typed = self._path.value
        if not self.is_typed:
            return True
        resolved = await in_own_thread(partial(resolve_typed, typed, self._here, self._home))
        if self._path.value != typed:  # typed on, or chosen meanwhile
            return not self.is_typed
        if warning := typed_warning(resolved):
            self.post_message(self.Problem(warning))
            return False
        self._choose(resolved.found)
        self._forget_typed(resolved.found[-1].path)
        return True

    @work(group="paste", description="resolve dropped paths")
    async def add_paste(self, text: str) -> None:
        """Choose the paths in a paste."""
        self._pastes += 1
        resolved = await in_own_thread(partial(resolve_paste, text, self._home))
        self._pastes -= 1
        self._choose(resolved.found)
        if warning := paste_warning(resolved):
            self.post_message(self.Problem(warning))

    def finish(self) -> bool:
        """Choose what the tree's bar is on, or, if nothing is typed or chosen, the folder in the path field.

        Return whether the user can go on. A typed path is looked up when the focus is on the next step: what is typed
        ahead belongs there.
        """
        pointed = self._tree.at_cursor if self._tree.has_focus else LocalPath(self._path.absolute, True)
        if self._pastes:
            self.post_message(self.Problem("The pasted paths are still being looked up."))
            return False
        if self._tree.has_focus and self.is_typed and pointed.path != self._path.absolute:
            self._choose([pointed])
            self._forget_typed(pointed.path)
        elif not self.is_typed and not self.paths:
            self._choose([pointed])
        return True

    def _choose(self, paths: Sequence[LocalPath]) -> None:
        self._chosen.add(paths)
        self._show_chosen()

    def _forget_typed(self, path: str) -> None:
        """Leave the folder of a chosen path in the field, and the tree's bar on the path."""
        folder = path.rpartition("/")[0] or "/"
        self._path.prefill(folder)
        self._candidates.display = False
        self._tree.point_at(folder, path)

    @on(ChosenPaths.PathRemoved)
    def _show_chosen(self) -> None:
        self._tree.set_chosen(self.paths)
        self.post_message(self.Changed())

    # ------------------------------------------------------------------------------------- the field and the tree

    @on(PathField.Candidates)
    def _show_candidates(self, message: PathField.Candidates) -> None:
        shown = "  ".join(cell_text(name) for name in message.names[:_MOST_CANDIDATES])
        self._candidates.update(Content(shown))
        self._candidates.display = bool(shown)

    @on(Input.Changed, "#path")
    def _follow_path(self, message: Input.Changed) -> None:
        """The tree shows the folder in which the user types, and its bar the path as soon as there is one."""
        message.stop()
        self._tree.point_at(self._path.folder, self._path.absolute)
        self.post_message(self.Changed())

    @on(FolderTree.RootChanged)
    def _follow_tree(self, message: FolderTree.RootChanged) -> None:
        if not self.is_typed:
            self._path.prefill(message.root)

    @on(FolderTree.PathToggled)
    def _toggle(self, message: FolderTree.PathToggled) -> None:
        """What is chosen in the tree counts instead of what was typed to get there."""
        if self.is_typed:
            self._path.prefill(self._tree.root)
        self._chosen.toggle(message.path)
        self._show_chosen()

    @on(FolderTree.FolderCounted)
    def _show_counts(self) -> None:
        self._chosen.refresh()

    # ----------------------------------------------------------------------------------------------- pastes

    @on(PathField.Dropped)
    def _add_dropped(self, message: PathField.Dropped) -> None:
        self.add_paste(message.text)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.add_paste(event.text)
