"""The prompt in the last line, with the commands that match above it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui_uploader.errors import UploaderError
from tui_uploader.tui.command_line.command_table import Command
from tui_uploader.tui.command_line.typed import Choice, CommandLine, after_tab, hint_for, stepped, typed_line
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.list import LineList
from tui_uploader.tui.messages import HastyKey
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.widgets.note import Note
from tui_uploader.tui.widgets.text_field import TextField

Then = Callable[[], object]
"""What remains to be done once the prompt is closed."""
Run = Callable[[str], Awaitable[Then]]
"""Does what was typed. Raises UploaderError: then the prompt stays open."""

_KEYS = "Tab completes  Up Down choose  Enter runs  Esc closes"
_LONGEST_LIST = 10
_NAME_CELLS = 28


class ChoiceList(LineList, can_focus=False):
    """The commands or arguments that match."""

    def __init__(self, glyphs: Glyphs, choose: Callable[[int], object]) -> None:
        super().__init__(glyphs, id="choices")
        self._choose = choose
        self._choices: tuple[Choice, ...] = ()
        self._chosen: int | None = None

    def show(self, line: CommandLine) -> None:
        self._choices, self._chosen = line.choices, line.chosen
        self.display = bool(self._choices)
        self.styles.height = min(len(self._choices), _LONGEST_LIST, max(1, self.app.size.height // 2))
        self.changed()
        self.cursor = self._chosen or 0

    @property
    def length(self) -> int:
        return len(self._choices)

    def spans(self, index: int, width: int) -> Sequence[Span]:
        choice = self._choices[index]
        chosen = index == self._chosen
        name, arguments = choice.name, f" {choice.arguments}" if choice.arguments else ""
        gap = " " * max(2, _NAME_CELLS - len(name) - len(arguments))
        style = "strong" if chosen else "key"
        return [
            Span(self.glyphs.cursor if chosen else " ", "strong"),
            Span(name, style if choice.possible else "muted"),
            Span(arguments + gap),
            Span(choice.help, "" if chosen else "muted"),
        ]

    def clicked(self, index: int, x: int) -> None:
        self._choose(index)


class CommandPrompt(ResizeGuard, ModalScreen[Then | None]):
    """Stays open, with what was typed, until a command is accepted or Esc closes it."""

    CSS_PATH: ClassVar = ["../lines/list.tcss", "prompt.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "cancel", "Close"),
        Binding("tab", "complete", "Complete"),
        Binding("down", "step(1)", "Next", show=False),
        Binding("up,shift+tab", "step(-1)", "Previous", show=False),
    ]

    def __init__(self, commands: Sequence[Command], run: Run, glyphs: Glyphs) -> None:
        super().__init__()
        self._commands = commands
        self._run = run
        self._line = typed_line("", commands)
        self._list = ChoiceList(glyphs, self._choose)
        self._note = Note(_KEYS)
        self._field = TextField(id="command")

    def compose(self) -> ComposeResult:
        with Vertical(id="command-line"):
            yield self._list
            yield self._note
            with Horizontal(id="prompt"):
                yield Static(":", id="colon")
                yield self._field

    def on_mount(self) -> None:
        self._list.show(self._line)
        self._field.focus()

    # ------------------------------------------------------------------------------------- typing

    @on(Input.Changed)
    def _follow(self, event: Input.Changed) -> None:
        """List what matches; a text that was completed or chosen here is known already."""
        if event.value != self._line.text:
            self._line = typed_line(event.value, self._commands)
        self._list.show(self._line)
        self._note.say(hint_for(event.value, self._commands) or _KEYS)

    def action_complete(self) -> None:
        self._put(after_tab(self._line, self._commands))

    def action_step(self, by: int) -> None:
        self._put(stepped(self._line, by))

    def _choose(self, index: int) -> None:
        self._put(CommandLine(self._line.typed, self._line.choices, index))

    def _put(self, line: CommandLine) -> None:
        self._line = line
        self._field.value = line.text
        self._field.cursor_position = len(line.text)
        self._list.show(line)

    # ------------------------------------------------------------------------------------- the end

    def on_key(self, event: events.Key) -> None:
        """Enter runs a command only if a person pressed it: not within pasted text."""
        if isinstance(event, HastyKey) and event.key == "enter":
            event.stop()
            event.prevent_default()
            self._note.say("Read the command, then press Enter.", warning=True)

    @on(Input.Submitted)
    def _submit(self) -> None:
        self.run_worker(self._try(self._field.value), name="command", group="command", exclusive=True)

    async def _try(self, text: str) -> None:
        try:
            then = await self._run(text)
        except UploaderError as error:
            self._note.say(str(error), warning=True)
        else:
            self.dismiss(then)

    def action_cancel(self) -> None:
        self.dismiss(None)
