"""The add-files dialog: choose files or folders and a project, then upload.

What to upload is typed, chosen in the tree or dropped on the terminal; the chosen paths are listed at the right. The
dialog checks them only against this machine's file system. It hands the `AddRequest` over and stays open, with
everything chosen, if the engine refuses it.
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
from tui_uploader.model.projects import MAX_IMAGES, Project, ProjectKind
from tui_uploader.model.uploads import AddRequest
from tui_uploader.settings import home_folder
from tui_uploader.text import counted
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.add_files.destination import (
    add_request,
    check_name,
    destination_note,
    destination_phrase,
    fixed_kind,
)
from tui_uploader.tui.add_files.paths.chosen_paths import ChosenPaths, topmost
from tui_uploader.tui.add_files.paths.folder_counts import LocalPath
from tui_uploader.tui.add_files.paths.folder_tree import FolderTree
from tui_uploader.tui.add_files.paths.path_field import PathField
from tui_uploader.tui.add_files.paths.resolve_paths import paste_warning, resolve_paste, resolve_typed, typed_warning
from tui_uploader.tui.add_files.project_field import ProjectField
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.lines.glyphs import ASCII, UNICODE, Glyphs, Span, without_ornament
from tui_uploader.tui.lines.spans import SpanLine
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.widgets.choices import CheckBox, RadioRow

Submit = Callable[[AddRequest], Awaitable[object]]
"""Hands the request to the engine; raises UploaderError if the engine refuses it."""

_KINDS = (ProjectKind.IMAGES, ProjectKind.RESULTS)
_MOST_CANDIDATES = 50
_END_KEYS = (("Enter", "upload"), ("Esc", "cancel"))
_KEYS = {
    "path": (("Tab", "complete"), ("Down", "folders"), *_END_KEYS),
    "tree": (("Space", "choose"), ("Right", "open"), ("Left", "up"), (".", "hidden"), *_END_KEYS[:1]),
    "chosen": (("x", "remove"), *_END_KEYS),
    "project": (("Down Up", "choose a project"), *_END_KEYS),
    "kind": (("Space", "change"), *_END_KEYS),
    "auto-process": (("Space", "change"), *_END_KEYS),
}
"""The keys shown while the part of the dialog with this id has the focus."""
_OTHER_KEYS = (("Tab", "next field"), _END_KEYS[1])


class AddFilesScreen(ResizeGuard, ModalScreen[AddRequest | None]):
    """Returns the request that the engine accepted; None if cancelled."""

    CSS_PATH: ClassVar = ["../lines/list.tcss", "../widgets/choices.tcss", "screen.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "upload", "Upload"),
        Binding("escape", "cancel", "Cancel"),
    ]

    def __init__(
        self,
        project: Project | None,
        projects: Sequence[Project],
        start: Path,
        submit: Submit,
        *,
        dropped: str = "",
        glyphs: Glyphs = UNICODE,
        home: Path | None = None,
    ) -> None:
        """`project` is preselected, `projects` are the others to choose from; `dropped` is a paste to start with."""
        super().__init__()
        self._submit = submit
        self._submitting = False
        self._dropped = dropped
        self._glyphs = glyphs
        self._home = str(home or home_folder() or "/")
        self._here = str(start)
        self._warning_shown = False
        self._tree = FolderTree(self._here, glyphs, id="tree")
        self._chosen = ChosenPaths(glyphs, self._tree.counts, id="chosen")
        self._path = PathField(self._here, self._here, self._home, id="path")
        self._project = ProjectField(project, projects, id="project")
        self._kind = RadioRow([str(kind) for kind in _KINDS], id="kind")
        self._auto_process = CheckBox("process automatically", True, id="auto-process")
        # Kept, not queried: work that ends after the dialog was closed must find them.
        self._candidates, self._destination = Static(id="candidates"), Static(id="destination")
        self._message, self._keys = Static(id="message"), SpanLine(glyphs, id="keys")

    def compose(self) -> ComposeResult:
        with Vertical(id="add-files"):
            yield Static("Upload files", id="title")
            with Horizontal(classes="row"):
                yield Static("Path", classes="label")
                yield self._path
            yield self._candidates
            with Horizontal(id="lists"):
                with Vertical(id="folders"):
                    yield Static("Folders and number of files", classes="heading")
                    yield self._tree
                with Vertical(id="selection"):
                    yield Static("To be uploaded", classes="heading")
                    yield self._chosen
            with Horizontal(classes="row"):
                yield Static("To", classes="label")
                yield self._project
                yield self._destination
            with Horizontal(classes="row"):
                yield Static("Type", classes="label")
                yield self._kind
                yield self._auto_process
            yield self._message
            with Horizontal(classes="row"):
                yield Button("Upload", id="upload", compact=True)
                yield Button("Cancel", id="cancel", compact=True)
            yield self._keys

    def on_mount(self) -> None:
        self._path.focus()
        self._show_destination()
        if self._dropped:
            self._add_paste(self._dropped)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        keys = _KEYS.get(event.widget.id or "", _OTHER_KEYS)
        self._keys.show(key_spans(keys))

    # --------------------------------------------------------------------------------- what: path field and tree

    @on(PathField.Candidates)
    def _show_candidates(self, message: PathField.Candidates) -> None:
        shown = "  ".join(cell_text(name) for name in message.names[:_MOST_CANDIDATES])
        self._candidates.update(Content(shown))

    @on(Input.Changed, "#path")
    def _follow_path(self) -> None:
        self._warning_shown = False
        if self._path.folder != self._tree.root:
            self._tree.set_root(self._path.folder)

    @on(FolderTree.RootChanged)
    def _follow_tree(self, message: FolderTree.RootChanged) -> None:
        if not self._path.was_typed:
            self._path.prefill(message.root)

    @on(FolderTree.PathToggled)
    def _toggle(self, message: FolderTree.PathToggled) -> None:
        self._chosen.toggle(message.path)
        self._show_chosen()

    # -------------------------------------------------------------------------------------- what: dropped files

    @on(PathField.Dropped)
    def _add_dropped(self, message: PathField.Dropped) -> None:
        self._add_paste(message.text)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._add_paste(event.text)

    @work(group="choice", exclusive=True, description="resolve dropped paths")
    async def _add_paste(self, text: str) -> None:
        resolved = await in_own_thread(partial(resolve_paste, text, self._home))
        self._choose(resolved.found)
        if warning := paste_warning(resolved):
            self._show_message(warning, warning=True)

    # -------------------------------------------------------------------------------------- what: chosen so far

    def _choose(self, paths: Sequence[LocalPath]) -> None:
        self._chosen.add(paths)
        self._show_chosen()

    @on(ChosenPaths.PathRemoved)
    def _show_chosen(self) -> None:
        self._warning_shown = False
        self._tree.set_chosen(frozenset(path.path for path in self._chosen.paths if path.is_folder))
        self._show_message(self._summary())

    @on(FolderTree.FolderCounted)
    def _show_counts(self) -> None:
        self._chosen.refresh()
        if self._chosen.paths and not self._warning_shown:
            self._show_message(self._summary())

    # --------------------------------------------------------------------------------------- where: the project

    @on(Input.Changed, "#project")
    def _show_destination(self) -> None:
        project, text = self._project.project, self._project.value
        self._destination.update(Content(destination_note(project, text)))
        self._show_message(self._summary())
        fixed = fixed_kind(project)
        if fixed is not None:
            self._kind.select(_KINDS.index(fixed))
        self._kind.disabled = fixed is not None

    @on(RadioRow.SelectionChanged)
    def _apply_kind(self) -> None:
        kind = self._selected_kind
        self._auto_process.disabled = kind is ProjectKind.RESULTS
        self._path.kind = kind
        self._tree.set_kind(kind)

    @property
    def _selected_kind(self) -> ProjectKind:
        return _KINDS[self._kind.selected]

    # --------------------------------------------------------------------------------------------------- upload

    @on(Input.Submitted)
    @on(Button.Pressed, "#upload")
    def action_upload(self) -> None:
        self._upload()

    @work(group="choice", exclusive=True, description="check the chosen paths")
    async def _upload(self) -> None:
        if self._path.has_focus and self._path.was_typed and not await self._choose_typed():
            return
        if not self._chosen.paths:
            self._choose([self._tree.at_cursor])
            return
        name = check_name(self._project.value)
        if self._project.project is None and name.problem is not None:
            self._project.focus()
            self._show_message(name.problem, warning=True)
            return
        paths = [path.path for path in topmost(self._chosen.paths)]
        request = add_request(
            paths, self._project.project, name.name, self._selected_kind, auto_process=self._auto_process.checked
        )
        if not self._submitting:  # a second Enter must not start a second upload
            self._submitting = True
            self._hand_over(request)

    async def _choose_typed(self) -> bool:
        """Choose the path in the field. Return False, with a warning shown, if it does not exist."""
        resolved = await in_own_thread(partial(resolve_typed, self._path.value, self._here, self._home))
        if warning := typed_warning(resolved):
            self._show_message(warning, warning=True)
            return False
        self._choose(resolved.found)
        return True

    @work(group="submit", description="start an upload")
    async def _hand_over(self, request: AddRequest) -> None:
        try:
            await self._submit(request)
        except UploaderError as error:
            self._submitting = False
            self._show_message(str(error), warning=True)
        else:
            self.dismiss(request)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)

    def action_cancel(self) -> None:
        """Close the dialog; ask for a second Esc before a list of several paths is lost."""
        if len(self._chosen.paths) > 1 and not self._warning_shown:
            self._show_message("Press Esc again to close and lose the list of chosen files.", warning=True)
        else:
            self.dismiss(None)

    # ------------------------------------------------------------------------------------------------- messages

    def _summary(self) -> str:
        """What Enter would do now."""
        if not self._chosen.paths:
            return ""
        count = self._chosen.count
        destination = destination_phrase(self._project.project, self._project.value)
        noun = "image" if self._selected_kind is ProjectKind.IMAGES else "file"
        more = "" if count.complete else "+"
        summary = f"Enter uploads {counted(count.files, noun).replace(' ', f'{more} ', 1)}{destination}."
        if noun == "image" and count.files > MAX_IMAGES:
            summary += f" A project takes at most {MAX_IMAGES:,} images."
        return summary

    def _show_message(self, text: str, *, warning: bool = False) -> None:
        """Show `text` below the fields. A warning stays until the user changes something."""
        self._warning_shown = warning
        self._message.set_class(warning, "-warning")
        safe = cell_text(text)
        self._message.update(Content(without_ornament(safe) if self._glyphs is ASCII else safe))


def key_spans(keys: Sequence[tuple[str, str]]) -> list[Span]:
    """Keys with their labels, in the style of the main screen's key bar."""
    return [span for key, label in keys for span in (Span(key, "key"), Span(f" {label}  "))]
