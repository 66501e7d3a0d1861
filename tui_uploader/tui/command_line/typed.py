"""What a typed command means, and how Tab, Up and Down complete it. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from itertools import takewhile

import msgspec

from tui_uploader.errors import UsageError
from tui_uploader.model.engine import BandwidthChange, BudgetPeriod
from tui_uploader.model.files import SortKey
from tui_uploader.text import printable
from tui_uploader.tui.command_line.command_table import OTHER_NAMES, Command
from tui_uploader.tui.files.orders import DEFAULT, ORDERS

_LONGEST = 40
"""Characters of typed text in a sentence."""
_REVERSE = "reverse"


class Choice(msgspec.Struct, frozen=True):
    """One line of the list above the prompt."""

    text: str
    """The whole command line once it is chosen."""
    name: str
    """The command, or the argument."""
    arguments: str = ""
    help: str = ""
    """What it does, or why it cannot be done now."""
    possible: bool = True


class CommandLine(msgspec.Struct, frozen=True):
    """A line that is being typed, and what it may become."""

    typed: str = ""
    choices: tuple[Choice, ...] = ()
    chosen: int | None = None
    """Index of the choice that stands in the prompt; None: the typed text does."""

    @property
    def text(self) -> str:
        return self.typed if self.chosen is None else self.choices[self.chosen].text


# ---------------------------------------------------------------------------------------------- completion


def typed_line(typed: str, commands: Sequence[Command]) -> CommandLine:
    """The line after a person has typed in it: nothing is chosen."""
    name, argument = _split(typed)
    if argument is None:
        return CommandLine(typed, tuple(_choice(command) for command in _matching(name, commands)))
    command = _named(name, commands)
    values = command.values if command is not None else ()
    return CommandLine(
        typed,
        tuple(
            Choice(f"{name} {value.word}", value.word, help=value.meaning)
            for value in values
            if value.word.lower().startswith(argument.lower())
        ),
    )


def _choice(command: Command) -> Choice:
    about = command.refusal or command.help
    return Choice(command.name, command.name, command.arguments, about, possible=not command.refusal)


def _matching(name: str, commands: Sequence[Command]) -> Sequence[Command]:
    """Those whose name begins so; if there is none, those that have it in the name or the help."""
    begin = [command for command in commands if command.name.startswith(name)]
    return begin or [command for command in commands if name in command.name or name in command.help.lower()]


def after_tab(line: CommandLine, commands: Sequence[Command]) -> CommandLine:
    """Complete as far as all choices agree; where they do not, choose the next one."""
    if line.chosen is not None or not line.choices:
        return stepped(line, 1)
    if len(line.choices) == 1:
        only = line.choices[0]
        return typed_line(f"{only.text} " if only.arguments else only.text, commands)
    alike = takewhile(
        lambda letters: len(set(letters)) == 1, zip(*(choice.text for choice in line.choices), strict=False)
    )
    common = "".join(letters[0] for letters in alike)
    if len(common) > len(line.typed.lstrip(": ")):
        return typed_line(common, commands)
    return stepped(line, 1)


def stepped(line: CommandLine, by: int) -> CommandLine:
    """Choose the choice that is `by` lines down, from the typed text on; at the end it begins anew."""
    if not line.choices:
        return line
    before = line.chosen if line.chosen is not None else (-1 if by > 0 else len(line.choices))
    return msgspec.structs.replace(line, chosen=(before + by) % len(line.choices))


def hint_for(text: str, commands: Sequence[Command]) -> str:
    """What can be typed behind the command; empty while its name is typed."""
    name, argument = _split(text)
    command = _named(name, commands) if argument is not None else None
    if command is None:
        return ""
    return f"{command.name} {command.arguments}: {command.hint}" if command.arguments else _without_argument(command)


# ---------------------------------------------------------------------------------------------- meaning


def parse_command(text: str, commands: Sequence[Command]) -> tuple[Command, str]:
    """The command and its argument, empty without one. Raises UsageError with a sentence for the user."""
    name, argument = _split(text)
    if not name:
        raise UsageError("Type a command; Esc closes.")
    command = _named(name, commands)
    if command is None:
        names = [*(each.name for each in commands), *OTHER_NAMES]
        raise UsageError(f"There is no command {_shown(name)}{_nearest(name, names, ':')}")
    if argument and not command.arguments:
        raise UsageError(_without_argument(command))
    if command.refusal:
        raise UsageError(command.refusal)
    return command, argument or ""


def parse_order(argument: str) -> tuple[SortKey, bool]:
    """The order, and whether it is reversed. Raises UsageError."""
    word, _, rest = argument.lower().partition(" ")
    order = next((each for each in ORDERS if each.sort == word), None)
    if order is None:
        raise UsageError(f"There is no order {_shown(word)}{_nearest(word, [each.sort for each in ORDERS])}")
    if rest.strip() not in ("", _REVERSE):
        raise UsageError(f"Behind an order only {_REVERSE} can follow, not {_shown(rest)}.")
    if rest and order.sort == DEFAULT:
        raise UsageError(f"The order {DEFAULT} cannot be reversed: problems stay on top.")
    return order.sort, bool(rest)


def parse_theme(argument: str, themes: Iterable[str]) -> str:
    """Raises UsageError."""
    known = list(themes)
    if argument in known:
        return argument
    raise UsageError(f"There is no theme {_shown(argument)}{_nearest(argument, known)}")


def bandwidth_change(setting: str, argument: str) -> BandwidthChange:
    """`setting`: `limit`, `schedule` or `budget`, whose argument may end with `per week`. The engine checks it."""
    match setting:
        case "limit":
            return BandwidthChange(limit=argument)
        case "schedule":
            return BandwidthChange(schedule=argument)
    words = argument.split()
    if words[-1].lower() not in list(BudgetPeriod):
        return BandwidthChange(budget=argument)
    per = BudgetPeriod(words.pop().lower())
    if words and words[-1].lower() == "per":
        words.pop()
    return BandwidthChange(budget=" ".join(words) or None, per=per)


def _split(text: str) -> tuple[str, str | None]:
    """Name and argument; None: no space was typed behind the name yet."""
    words = text.lstrip(": ")
    name, space, argument = words.partition(" ")
    return name.lower(), argument.strip() if space else None


def _named(name: str, commands: Sequence[Command]) -> Command | None:
    wanted = OTHER_NAMES.get(name, name)
    return next((command for command in commands if command.name == wanted), None)


def _without_argument(command: Command) -> str:
    return f":{command.name} takes no argument: it is about the row under the cursor, or about everything."


def _nearest(typed: str, names: Sequence[str], prefix: str = "") -> str:
    """The end of a sentence that names the nearest of `names`."""
    begin = [name for name in names if name.startswith(typed)]
    near = begin or difflib.get_close_matches(typed, names, 1, 0.0)
    return f"; the nearest is {prefix}{near[0]}." if near else "."


def _shown(typed: str) -> str:
    return f"'{printable(typed, _LONGEST)}'"
