"""The add-files dialog, in four steps: what to upload, where to, a look at what that means, and go.

Nothing is sent before the last step, which only Ctrl+S and the button take. The dialog looks at files only on this
machine. It hands the `AddRequest` over and stays open, with everything chosen, if the engine refuses it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
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
from tui_uploader.model.projects import Project, ProjectKind
from tui_uploader.model.uploads import AddRequest, Skipped
from tui_uploader.settings import home_folder
from tui_uploader.text import counted
from tui_uploader.tui.add_files.destination import Destination, add_request
from tui_uploader.tui.add_files.look import LookStep
from tui_uploader.tui.add_files.outlook import QUIET, WARNING, Line, Outlook, Sending, added_words, noun_of
from tui_uploader.tui.add_files.paths.chosen_paths import topmost
from tui_uploader.tui.add_files.paths.what import WhatStep
from tui_uploader.tui.add_files.results.recognised import all_lines, as_recognised, shown_lines
from tui_uploader.tui.add_files.results.step import AskResults, Confirm, ResultsStep, decline, recognise_nothing
from tui_uploader.tui.add_files.where import ListProjects, WhereStep
from tui_uploader.tui.lines.columns import cell_text, clipped_name
from tui_uploader.tui.lines.glyphs import ASCII, UNICODE, Glyphs, Span, without_ornament
from tui_uploader.tui.lines.spans import SpanLine
from tui_uploader.tui.messages import HastyKey
from tui_uploader.tui.terminal.resizing import ResizeGuard

Submit = Callable[[AddRequest, str], Awaitable[object]]
"""Hands the request, and what it adds in words, to the engine; raises UploaderError if the engine refuses it."""
ListSkipped = Callable[[Sequence[Skipped], Sequence[str]], object]
"""Shows what would be left out, with reasons, and sentences about the results."""

_REFRESH_SECONDS = 2.0
_BESIDE_NAME = 52
"""Cells of the last line that are not for the name of the project."""
_GO = (("Ctrl+S", "upload"), ("Esc", "cancel"))
_NEXT = ("Enter", "next step")
_KEYS = {
    "path": (("Enter", "choose"), ("Tab", "complete"), ("Down", "folders"), _GO[1]),
    "tree": (("Space", "choose"), _NEXT, (".", "hidden"), ("Right", "open"), ("Left", "up"), *_GO),
    "chosen": (("x", "take out"), _NEXT, *_GO),
    "project": (("Down Up", "existing projects"), _NEXT, *_GO),
    "kind": (("Space", "change"), _NEXT, *_GO),
    "auto-process": (("Space", "change"), _NEXT, *_GO),
    "look": (("i", "list skipped files"), _NEXT, *_GO),
    "result-type": (("Space", "choose"), _NEXT, ("i", "list all"), *_GO),
    "upload": (("Enter", "upload"), ("Shift+Tab", "back"), ("i", "list skipped files"), _GO[1]),
    "cancel": (("Enter", "cancel"), ("Shift+Tab", "back"), *_GO),
}
"""The keys shown while the part of the dialog with this id has the focus."""
_LOOKING_UP = "The typed path is being looked up."
_NOTHING_CHOSEN = "Choose files first: type a path, or press Space on a folder."
_CLOSE_QUESTION = "Press Esc again to close and lose the list of chosen files."


class AddFilesScreen(ResizeGuard, ModalScreen[AddRequest | None]):
    """Returns the request that the engine accepted; None if cancelled."""

    CSS_PATH: ClassVar = ["../lines/list.tcss", "../widgets/choices.tcss", "screen.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next_step", "Next step", show=False),
        Binding("ctrl+s", "go", "Upload"),
        Binding("escape", "cancel", "Cancel"),
        Binding("ctrl+n", "step(1)", "Next step", show=False),
        Binding("ctrl+p", "step(-1)", "Previous step", show=False),
        Binding("i,ctrl+o", "list_skipped", "List skipped files", show=False),
    ]

    def __init__(
        self,
        project: Project | None,
        projects: ListProjects,
        start: Path,
        submit: Submit,
        *,
        dropped: str = "",
        glyphs: Glyphs = UNICODE,
        home: Path | None = None,
        sending: Callable[[], Sending] = Sending,
        list_skipped: ListSkipped = lambda skipped, results: None,
        ask_results: AskResults = recognise_nothing,
        confirm: Confirm = decline,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`project` is preselected, `projects` are the others to choose from; `dropped` is a paste to start with."""
        super().__init__()
        self.VERTICAL_BREAKPOINTS = [(0, "-low"), (22, "-high")]
        self._submit, self._list_skipped = submit, list_skipped
        self._sending, self._wall = sending, wall
        self._submitting = False
        self._dropped = dropped
        self._glyphs = glyphs
        self._came_from_what: Destination | None = None
        """The destination when the user went on to it, until what was typed before has been looked up."""
        self._message = ""
        self._said_of: tuple[object, ...] = ()
        """The state to which the message belongs."""
        # Kept, not queried: work that ends after the dialog was closed must find them.
        self._what = WhatStep(str(start), str(home or home_folder() or "/"), glyphs, id="what")
        self._where = WhereStep(project, projects, id="where")
        self._results = ResultsStep(ask_results, confirm, id="results")
        self._look = LookStep(lambda facts: as_recognised(facts, self._results.found), id="look")
        self._go, self._keys = Button("Upload", id="upload", compact=True), SpanLine(glyphs, id="keys")

    def compose(self) -> ComposeResult:
        with Vertical(id="add-files"):
            yield Static("Upload files", id="title")
            yield self._what
            yield self._where
            with Horizontal(id="look-row"):
                yield Static("3 Look", classes="label")
                yield self._look
            yield self._results
            with Horizontal(classes="row"):
                yield Static("4 Go", classes="label")
                yield self._go
                yield Button("Cancel", id="cancel", compact=True)
            yield self._keys

    def on_mount(self) -> None:
        self._what.go_to()
        self._show()
        self.set_interval(_REFRESH_SECONDS, self._show)  # projects, rate and time change meanwhile
        if self._dropped:
            self.add_paste(self._dropped)

    # --------------------------------------------------------------------------------------- from step to step

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        keys = _KEYS.get(event.widget.id or "", _GO)
        self._keys.show([span for key, label in keys for span in (Span(key, "key"), Span(f" {label}  "))])
        if self._step == 0:
            return
        self._show()
        if self._what.is_typed:
            self._choose_typed()

    @work(group="choice", exclusive=True, description="choose the typed path")
    async def _choose_typed(self) -> None:
        """A path that was typed counts, however the user left its field."""
        self._say(_LOOKING_UP)  # a card may not answer
        await self._what.choose_typed()

    @property
    def _step(self) -> int:
        """The step that has the focus."""
        above = self.focused.ancestors_with_self if self.focused is not None else ()
        return next((at for at, step in enumerate((self._what, self._where, self._look)) if step in above), 3)

    def action_step(self, by: int) -> None:
        """To the next step, or the one before."""
        steps = (self._what.go_to, self._where.go_to, self._look.focus, self._go.focus)
        steps[(self._step + by) % len(steps)]()

    def action_done_choosing(self) -> None:
        """To the project, at once: keys that were typed ahead are its name."""
        if self._what.finish():
            self._came_from_what = self._where.destination
            self._where.go_to()

    def action_next_step(self) -> None:
        """From the project to the button, once it is clear which project; the button is the only way further."""
        objection = self._where.objection()
        if objection is None:
            self.set_focus(self._go)
            self._say("")
        else:
            self._where.go_to()
            self._say(objection)

    @on(WhatStep.Changed)
    @on(WhereStep.Changed)
    def _follow_change(self) -> None:
        self._what.set_kind(self._where.kind)
        self._look.look_at(self._what.paths, self._where.kind)
        self._results.look_at(self._request() if self._what.paths and not self._where.destination.problem else None)
        self._show()

    @on(WhatStep.Problem)
    def _tell_problem(self, message: WhatStep.Problem) -> None:
        """Back to the path if it was wrong, unless the user types the name of a project already."""
        if self._what.is_typed and self._where.destination == self._came_from_what:
            self._what.go_to()
        self._came_from_what = None
        self._say(message.text)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.add_paste(event.text)

    def add_paste(self, text: str) -> None:
        """Choose the paths in a paste."""
        self._what.add_paste(text)

    # --------------------------------------------------------------------------------------------------- look

    def _say(self, message: str) -> None:
        """Show `message` before the facts, until the user changes something."""
        self._message, self._said_of = message, self._state
        self._show()

    @property
    def _state(self) -> tuple[object, ...]:
        """What the user has typed and chosen."""
        where = self._where
        return self._what.state, where.destination, where.kind, where.auto_process, self._results.chosen

    @on(LookStep.Changed)
    @on(ResultsStep.Changed)
    def _show(self) -> None:
        """Show what going would mean now. Only changed lines are drawn."""
        self._where.refresh_destination()
        self.query_one("#add-files").set_class(self._where.kind is ProjectKind.RESULTS, "-results")
        if self._said_of != self._state:
            self._message = ""
        ascii_only = self._glyphs is ASCII
        self._look.show(
            [(without_ornament(text) if ascii_only else text, style) for text, style in self._lines() if text]
        )
        label = Content(self._go_words())
        if self._go.label != label:
            self._go.label = label
            self._go.refresh(layout=True)

    def _lines(self) -> list[Line]:
        message = (cell_text(self._message), WARNING)
        if not self._what.paths:
            return [message, ("Nothing chosen yet. Nothing is sent before step 4.", QUIET)]
        list_key = "Ctrl+O" if isinstance(self.focused, Input) else "i"
        where = self._where
        sentences = Outlook(self._look.facts, where.kind, where.destination, where.auto_process, self._sending())
        results = shown_lines(self._results.found, list_key)
        return [message, *results, *sentences.lines(self._what.words, list_key, self._wall())]

    def _go_words(self) -> str:
        """`Upload 466 images to new Quarry`."""
        facts, destination = self._look.facts, self._where.destination
        if not facts.files:
            return "Upload"
        more = "" if facts.complete else "+"
        amount = counted(facts.files, noun_of(self._where.kind)).replace(" ", f"{more} ", 1)
        if destination.problem is not None:
            return f"Upload {amount}"
        width = max(8, self.app.size.width - _BESIDE_NAME)
        name = clipped_name(cell_text(destination.text.strip()), width, self._glyphs.cut)
        return f"Upload {amount} to {'new ' if destination.is_new else ''}{name}"

    def action_list_skipped(self) -> None:
        self._list_skipped(self._look.facts.listed, all_lines(self._results.found))

    # ----------------------------------------------------------------------------------------------------- go

    def on_key(self, event: events.Key) -> None:
        """Ignore keys that would upload if they were typed, or pasted without brackets, before the look appeared."""
        goes = event.key == "ctrl+s" or (event.key == "enter" and self.focused is self._go)
        if goes and isinstance(event, HastyKey):
            event.stop()
            event.prevent_default()
            self._say("Look at what will be uploaded, then press the key again.")

    @on(Button.Pressed, "#upload")
    def action_go(self) -> None:
        self._check_and_go()

    @work(group="choice", exclusive=True, description="check the chosen paths")
    async def _check_and_go(self) -> None:
        if self._what.is_typed:
            self._say(_LOOKING_UP)
            if await self._what.choose_typed():
                self._say("Look at what will be uploaded, then press Ctrl+S again.")
            else:
                self._what.go_to()
            return
        facts = self._look.facts
        if not self._what.paths or (facts.complete and not facts.files):
            self._what.go_to()
            self._say("There is nothing to upload." if self._what.paths else _NOTHING_CHOSEN)
            return
        if objection := self._where.objection():
            self._where.go_to()
            self._say(objection)
            return
        if not self._submitting:  # a second Ctrl+S must not start a second upload
            self._submitting = True
            self._send(self._request(), added_words(self._look.facts, self._where.kind, self._what.words))

    def _request(self) -> AddRequest:
        """Of what is chosen now. The types of results, and whether they are replaced, are decided later."""
        where, paths = self._where, [path.path for path in topmost(self._what.paths)]
        destination = where.destination
        return add_request(paths, destination.project, destination.text, where.kind, where.auto_process)

    @work(group="submit", description="start an upload")
    async def _send(self, request: AddRequest, words: str) -> None:
        try:
            decided = await self._results.decide(request, self._where.destination.text, self._wall())
            if decided is not None:
                await self._submit(decided, words)
        except UploaderError as error:
            self._say(str(error))
            self._results.look_again()
        else:
            self._say("Nothing was sent.") if decided is None else self.dismiss(decided)
        self._submitting = False

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Close the dialog; ask for a second Esc before a list is lost."""
        if self._what.paths and self._message != _CLOSE_QUESTION:
            self._say(_CLOSE_QUESTION)
        else:
            self.dismiss(None)
