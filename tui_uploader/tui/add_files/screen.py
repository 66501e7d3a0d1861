"""Choosing what to upload, and where to: by typing a path, in a tree of folders, or by dropping files on the terminal.

For whoever opens it: `dropped` takes a paste that arrived elsewhere on the screen, `projects` are those that can be
chosen besides `project`. The request is checked here only as far as this machine's file system goes; who takes it may
refuse it, and then nothing of the choice is lost. The answer is the request that was taken, or None.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tui_uploader.errors import UploaderError
from tui_uploader.model import MAX_IMAGES, AddRequest, Project, ProjectKind
from tui_uploader.settings import home_folder
from tui_uploader.text import counted
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.add_files import resolve_paths
from tui_uploader.tui.add_files.chosen_paths import ChosenPaths
from tui_uploader.tui.add_files.destination import (
    add_request,
    checked_name,
    destination_words,
    settled_kind,
    target_note,
)
from tui_uploader.tui.add_files.folder_tree import FolderTree
from tui_uploader.tui.add_files.path_field import PathField
from tui_uploader.tui.add_files.project_field import ProjectField
from tui_uploader.tui.add_files.resolve_paths import GivenPath
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.lines.glyphs import ASCII, UNICODE, Glyphs, Span, without_ornament
from tui_uploader.tui.lines.spans import SpanLine
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.widgets.choices import CheckBox, RadioRow

HandOver = Callable[[AddRequest], Awaitable[object]]
"""To the engine; raises UploaderError where that refuses it."""

_KINDS = (ProjectKind.IMAGES, ProjectKind.RESULTS)
_MOST_CANDIDATES = 50
_ENDS = (("Enter", "upload"), ("Esc", "leave"))
_KEYS = {
    "path": (("Tab", "complete"), ("Down", "folders"), *_ENDS),
    "tree": (("Space", "choose"), ("Right", "open"), ("Left", "up"), (".", "hidden"), *_ENDS[:1]),
    "chosen": (("x", "take out"), *_ENDS),
    "project": (("Down Up", "choose a project"), *_ENDS),
    "kind": (("Space", "change"), *_ENDS),
    "auto-process": (("Space", "change"), *_ENDS),
}
_ELSEWHERE = (("Tab", "go on"), _ENDS[1])


class AddFilesScreen(ResizeGuard, ModalScreen[AddRequest | None]):
    CSS_PATH: ClassVar = ["../lines/list.tcss", "../widgets/choices.tcss", "screen.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "upload", "Upload"),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(
        self,
        project: Project | None,
        projects: Sequence[Project],
        start: Path,
        hand_over: HandOver,
        *,
        dropped: str = "",
        glyphs: Glyphs = UNICODE,
        home: Path | None = None,
    ) -> None:
        super().__init__()
        self._hand_over = hand_over
        self._handed_over = False
        self._dropped = dropped
        self._glyphs = glyphs
        self._home = str(home or home_folder() or "/")
        self._here = str(start)
        self._warned = False
        self._tree = FolderTree(self._here, glyphs, id="tree")
        self._chosen = ChosenPaths(glyphs, self._tree.counts, id="chosen")
        self._path = PathField(self._here, self._here, self._home, id="path")
        self._project = ProjectField(project, projects, id="project")
        self._kind = RadioRow([str(kind) for kind in _KINDS], id="kind")
        self._auto_process = CheckBox("process automatically", True, id="auto-process")

    def compose(self) -> ComposeResult:
        with Vertical(id="add-files"):
            yield Static("Upload files", id="title")
            with Horizontal(classes="row"):
                yield Static("Path", classes="label")
                yield self._path
            yield Static(id="candidates")
            with Horizontal(id="places"):
                with Vertical(id="folders"):
                    yield Static("Folders, and what they hold", classes="heading")
                    yield self._tree
                with Vertical(id="choice"):
                    yield Static("To be uploaded", classes="heading")
                    yield self._chosen
            with Horizontal(classes="row"):
                yield Static("To", classes="label")
                yield self._project
                yield Static(id="target")
            with Horizontal(classes="row"):
                yield Static("As", classes="label")
                yield self._kind
                yield self._auto_process
            yield Static(id="message")
            with Horizontal(classes="row"):
                yield Button("Upload", id="upload", compact=True)
                yield Button("Cancel", id="cancel", compact=True)
            yield SpanLine(self._glyphs, id="keys")

    def on_mount(self) -> None:
        self._path.focus()
        self._show_target()
        if self._dropped:
            self._take_drop(self._dropped)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        keys = _KEYS.get(event.widget.id or "", _ELSEWHERE)
        self.query_one("#keys", SpanLine).show(key_spans(keys))

    # ---------------------------------------------------------------------------------------------- the choice

    @on(PathField.Candidates)
    def _show_candidates(self, message: PathField.Candidates) -> None:
        shown = "  ".join(cell_text(name) for name in message.names[:_MOST_CANDIDATES])
        self.query_one("#candidates", Static).update(Content(shown))

    @on(Input.Changed, "#path")
    def _follow_path(self) -> None:
        self._warned = False
        if self._path.folder != self._tree.root:
            self._tree.go_to(self._path.folder)

    @on(FolderTree.Moved)
    def _follow_tree(self, message: FolderTree.Moved) -> None:
        if not self._path.was_typed:
            self._path.place(message.root)

    @on(FolderTree.Chosen)
    def _flip(self, message: FolderTree.Chosen) -> None:
        self._chosen.flip(message.path)
        self._show_chosen()

    @on(ChosenPaths.Changed)
    def _show_chosen(self) -> None:
        self._warned = False
        self._tree.show_chosen(frozenset(path.path for path in self._chosen.paths if path.is_folder))
        self._say(self._summary())

    @on(FolderTree.Counted)
    def _show_counts(self) -> None:
        self._chosen.refresh()
        if self._chosen.paths and not self._warned:
            self._say(self._summary())

    def _choose(self, paths: Sequence[GivenPath]) -> None:
        self._chosen.add(paths)
        self._show_chosen()

    # ----------------------------------------------------------------------------------------------- the drop

    @on(PathField.Dropped)
    def _take_dropped(self, message: PathField.Dropped) -> None:
        self._take_drop(message.text)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._take_drop(event.text)

    @work(group="choice", exclusive=True, description="look for dropped paths")
    async def _take_drop(self, text: str) -> None:
        given = await in_own_thread(partial(resolve_paths.dropped, text, self._home))
        self._choose(given.found)
        if said := resolve_paths.said_of_drop(given):
            self._say(said, warned=True)

    # --------------------------------------------------------------------------------------------- the target

    @on(Input.Changed, "#project")
    def _show_target(self) -> None:
        project, text = self._project.project, self._project.value
        self.query_one("#target", Static).update(Content(target_note(project, text)))
        self._say(self._summary())
        settled = settled_kind(project)
        if settled is not None:
            self._kind.select(_KINDS.index(settled))
        self._kind.disabled = settled is not None

    @on(RadioRow.SelectionChanged)
    def _show_kind(self) -> None:
        kind = self._wanted_kind
        self._auto_process.disabled = kind is ProjectKind.RESULTS
        self._path.kind = kind
        self._tree.show_kind(kind)

    @property
    def _wanted_kind(self) -> ProjectKind:
        return _KINDS[self._kind.selected]

    # ---------------------------------------------------------------------------------------------- the answer

    @on(Input.Submitted)
    @on(Button.Pressed, "#upload")
    def action_upload(self) -> None:
        self._upload()

    @work(group="choice", exclusive=True, description="check what was chosen")
    async def _upload(self) -> None:
        if self._path.has_focus and self._path.was_typed and not await self._take_typed():
            return
        if not self._chosen.paths:
            self._choose([self._tree.at_cursor])
            return
        name = checked_name(self._project.value)
        if self._project.project is None and name.trouble is not None:
            self._project.focus()
            self._say(name.trouble, warned=True)
            return
        paths = [path.path for path in resolve_paths.topmost(self._chosen.paths)]
        request = add_request(
            paths, self._project.project, name.name, self._wanted_kind, auto_process=self._auto_process.checked
        )
        if not self._handed_over:  # an impatient second Enter makes no second upload
            self._handed_over = True
            self._finish(request)

    @work(group="hand over", description="hand over what was chosen")
    async def _finish(self, request: AddRequest) -> None:
        try:
            await self._hand_over(request)
        except UploaderError as error:
            self._handed_over = False
            self._say(str(error), warned=True)
        else:
            self.dismiss(request)

    async def _take_typed(self) -> bool:
        """Add the path that stands in the field; False when there is none such."""
        look = partial(resolve_paths.typed, self._path.value, self._here, self._home)
        given = await in_own_thread(look)
        if said := resolve_paths.said_of_typed(given):
            self._say(said, warned=True)
            return False
        self._choose(given.found)
        return True

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)

    def action_leave(self) -> None:
        """A list that somebody put together does not go with one key."""
        if len(self._chosen.paths) > 1 and not self._warned:
            self._say("Esc once more leaves, and forgets what was chosen.", warned=True)
        else:
            self.dismiss(None)

    # ---------------------------------------------------------------------------------------------- messages

    def _summary(self) -> str:
        """What Enter would do now."""
        paths = self._chosen.paths
        if not paths:
            return ""
        files = resolve_paths.total(paths, self._tree.counts)
        destination = destination_words(self._project.project, self._project.value)
        noun = "image" if self._wanted_kind is ProjectKind.IMAGES else "file"
        plus = "" if files.complete else "+"
        said = f"Enter uploads {counted(files.files, noun).replace(' ', f'{plus} ', 1)}{destination}."
        if noun == "image" and files.files > MAX_IMAGES:
            said += f" A project takes {MAX_IMAGES:,} at most."
        return said

    def _say(self, text: str, *, warned: bool = False) -> None:
        """`warned`: it stays until something is done about it."""
        self._warned = warned
        message = self.query_one("#message", Static)
        message.set_class(warned, "-warning")
        said = cell_text(text)
        message.update(Content(without_ornament(said) if self._glyphs is ASCII else said))


def key_spans(keys: Sequence[tuple[str, str]]) -> list[Span]:
    """Keys and what they do, as the key bar of the main screen shows them."""
    return [span for key, does in keys for span in (Span(key, "key"), Span(f" {does}  "))]
