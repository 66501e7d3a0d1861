"""The commands that can be typed behind a colon: every key by its name, and those with an argument. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import msgspec

from tui_uploader.model.engine import BudgetPeriod
from tui_uploader.tui.files.orders import ORDERS
from tui_uploader.tui.key import Key
from tui_uploader.tui.keys import IN_FILES, WITHOUT_KEY, key_named, keys_of
from tui_uploader.tui.subject import refusals
from tui_uploader.tui.subject.scope import CommandScope
from tui_uploader.wording.bandwidth import OFF, PAUSE, SETTING_HINTS

OTHER_NAMES = {"q": "quit"}
_ITSELF = "commands"


class Value(msgspec.Struct, frozen=True):
    """What an argument can be."""

    word: str
    meaning: str = ""


class Command(msgspec.Struct, frozen=True):
    """A command as it is for what is under the cursor."""

    name: str
    help: str
    key: Key | None = None
    """What it does without an argument."""
    arguments: str = ""
    """As in `RATE`; empty: it takes none."""
    hint: str = ""
    """What can be typed as the argument."""
    values: tuple[Value, ...] = ()
    """Arguments that Tab completes."""
    refusal: str = ""
    """Why it cannot be given now, as a sentence; empty: it can."""


def commands_for(scope: CommandScope, themes: Iterable[str] = (), watched: Iterable[str] = ()) -> tuple[Command, ...]:
    """All commands by name, each name once: a key of the focused pane comes before those of the files.

    `watched`: paths of the watched folders.
    """
    found: dict[str, Command] = {}
    for key in chain(keys_of(scope.pane), IN_FILES, WITHOUT_KEY):
        if key.id and key.id != _ITSELF:
            found.setdefault(key.id, Command(key.id, key.tooltip, key, refusal=_refusal(key, scope)))
    for command in chain(_with_arguments(scope, themes), _of_watches(scope, watched)):
        known = found.get(command.name)
        own = command if known is None else msgspec.structs.replace(command, key=known.key, refusal=known.refusal)
        found[command.name] = own
    return tuple(found[name] for name in sorted(found))


def _refusal(key: Key, scope: CommandScope) -> str:
    if key in IN_FILES and key not in keys_of(scope.pane) and key.refusal is not refusals.none:
        return f":{key.id} is about the row under the cursor of the files; 2 goes there."
    return key.why_not(scope)


def _with_arguments(scope: CommandScope, themes: Iterable[str]) -> Iterable[Command]:
    orders = tuple(Value(order.sort, order.meaning) for order in ORDERS)
    filter_key = key_named("filter", scope.pane)
    yield from _of_bandwidth(scope)
    yield Command(
        "sort",
        "Sort the files; without an order: show a menu of them",
        arguments="ORDER",
        hint="an order, and reverse behind it to turn it around",
        values=orders,
    )
    yield Command(
        "filter",
        "Filter by text; without text: type it while the list follows",
        arguments="TEXT",
        hint=filter_key.tooltip if filter_key is not None else "",
    )
    yield Command(
        "verify",
        "Check whether a memory card may be wiped; without a path: the card of the upload",
        arguments="PATH",
        hint="a card, a folder or a file",
    )
    yield Command(
        "theme",
        "Change the colours",
        arguments="NAME",
        hint="name of a theme",
        values=tuple(Value(name) for name in themes),
    )


def _of_watches(scope: CommandScope, watched: Iterable[str]) -> Iterable[Command]:
    key = key_named("watch")
    refusal = key.why_not(scope) if key is not None else ""
    folders = tuple(Value(path) for path in watched if path.isprintable())
    yield Command(
        "watch",
        "Upload new images in a folder automatically; without a folder: list those that are watched",
        arguments="FOLDER",
        hint="a folder, such as the place where memory cards are mounted",
    )
    yield Command(
        "unwatch", "Stop watching a folder", key, "FOLDER", "a watched folder; Tab completes", folders, refusal
    )


def _of_bandwidth(scope: CommandScope) -> Iterable[Command]:
    key = key_named("bandwidth")
    refusal = key.why_not(scope) if key is not None else ""
    off, periods = Value(OFF, "remove it"), ", ".join(BudgetPeriod)
    rates = (Value(OFF, "no limit"), Value(PAUSE, "send nothing"))
    budget = f"{SETTING_HINTS['budget']}; per {periods}"
    for name, help, arguments, hint, values in (
        ("limit", "Limit the rate of all uploads", "RATE", SETTING_HINTS["limit"], rates),
        ("schedule", "Limit the rate by weekday and time", "TIMETABLE", SETTING_HINTS["schedule"], (off,)),
        ("budget", "Limit the amount of data in a period", "SIZE per PERIOD", budget, (off,)),
    ):
        yield Command(name, help, key, arguments, hint, values, refusal)
