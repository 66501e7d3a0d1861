"""What a typed command means, and how it is completed."""

from __future__ import annotations

import pytest

from tests.tui.values import upload_status
from tui_uploader.errors import UsageError
from tui_uploader.model.engine import BandwidthChange, BudgetPeriod
from tui_uploader.tui import keys
from tui_uploader.tui.command_line.command_table import commands_for
from tui_uploader.tui.command_line.typed import (
    after_tab,
    bandwidth_change,
    hint_for,
    parse_command,
    parse_order,
    stepped,
    typed_line,
)
from tui_uploader.tui.subject import refusals
from tui_uploader.tui.subject.scope import CommandScope, as_it_is_now, is_about_same_row

SCOPE = CommandScope(uploads=(upload_status(1),))
COMMANDS = commands_for(SCOPE, ("gruvbox", "nord"))


def why_not(text: str, scope: CommandScope = SCOPE) -> str:
    with pytest.raises(UsageError) as refused:
        parse_command(text, commands_for(scope))
    return str(refused.value)


@pytest.mark.parametrize("pane", ["projects", "files", "uploads"])
def test_every_key_is_a_command(pane: str) -> None:
    names = {command.name for command in commands_for(CommandScope(pane=pane))}
    every = {key.id for key in (*keys.keys_of(pane), *keys.IN_FILES, *keys.WITHOUT_KEY)}
    assert every - {"commands"} <= names
    assert {"limit", "budget", "schedule", "sort", "filter", "theme", "remove-duplicates"} <= names


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("pause", "pause", ""),
        (" pause ", "pause", ""),
        (":limit 2M", "limit", "2M"),
        ("LIMIT  500 KB/s ", "limit", "500 KB/s"),
        ("q", "quit", ""),
        ("quit", "quit", ""),
        ("sort taken", "sort", "taken"),
        ("filter !:failed DJI 1", "filter", "!:failed DJI 1"),
        ("schedule Mon-Fri 08:00-18:00 500k", "schedule", "Mon-Fri 08:00-18:00 500k"),
        ("limit", "limit", ""),
    ],
)
def test_a_command_and_its_argument(text: str, name: str, argument: str) -> None:
    command, given = parse_command(text, COMMANDS)
    assert (command.name, given) == (name, argument)


def test_watched_folders_are_completed_in_their_own_letters() -> None:
    commands = commands_for(SCOPE, watched=("/media/Card", "/media/other", "/media/\x1b[2J"))
    line = typed_line("unwatch /media/C", commands)
    assert [choice.text for choice in line.choices] == ["unwatch /media/Card"]
    assert len(typed_line("unwatch ", commands).choices) == 2
    assert parse_command("unwatch /media/Card", commands)[1] == "/media/Card"


def test_a_read_only_screen_watches_nothing() -> None:
    scope = CommandScope(read_only=True)
    for text in ("watch /media/card", "watch", "unwatch /media/card"):
        assert why_not(text, scope) == refusals.READ_ONLY


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Type a command; Esc closes."),
        ("puase", "There is no command 'puase'; the nearest is :pause."),
        ("lim 2M", "There is no command 'lim'; the nearest is :limit."),
        ("pau\x1b[2J", "There is no command 'pau"),
        ("pause now", ":pause takes no argument"),
        ("start", "There is no command 'start'; the nearest is "),
    ],
)
def test_what_cannot_be_understood_is_said(text: str, sentence: str) -> None:
    assert why_not(text).startswith(sentence)
    assert "\x1b" not in why_not(text)


@pytest.mark.parametrize("text", ["pause", "limit 2M", "budget off", "upload", "remove-failed"])
def test_a_read_only_screen_changes_nothing(text: str) -> None:
    assert why_not(text, CommandScope(read_only=True)) == refusals.READ_ONLY


@pytest.mark.parametrize("text", ["sort name", "filter x", "q", "theme nord", "zoom"])
def test_a_read_only_screen_can_be_looked_at(text: str) -> None:
    parse_command(text, commands_for(CommandScope(read_only=True)))


def test_a_command_that_does_not_apply_says_why() -> None:
    assert why_not("pause", CommandScope()) == "No upload here; u starts one."
    assert why_not("undo") == "Nothing to undo."
    in_projects = CommandScope(pane="projects", uploads=SCOPE.uploads, files=(3,))
    assert why_not("select", in_projects) == ":select is about the row under the cursor of the files; 2 goes there."


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("li", "limit "),
        (":li", "limit "),
        ("pau", "pause"),
        ("retr", "retry"),
        ("remove-d", "remove-duplicates"),
        ("sort ta", "sort taken"),
        ("theme n", "theme nord"),
        ("limit p", "limit pause"),
        ("limit 2M", "limit 2M"),
        ("xyzzy", "xyzzy"),
    ],
)
def test_tab_completes(typed: str, completed: str) -> None:
    assert after_tab(typed_line(typed, COMMANDS), COMMANDS).text == completed


def test_tab_chooses_the_next_where_the_choices_differ() -> None:
    line = typed_line("retry", COMMANDS)
    texts = []
    for _ in range(3):
        line = after_tab(line, COMMANDS)
        texts.append(line.text)
    assert texts == ["retry", "retry-files", "retry"]


def test_up_and_down_choose_and_typing_begins_anew() -> None:
    line = typed_line("p", COMMANDS)
    names = [choice.name for choice in line.choices]
    assert names == ["pause", "previous", "process", "projects"]
    assert stepped(line, -1).text == "projects"
    assert stepped(stepped(line, -1), 1).text == "pause"
    assert len(stepped(line, 1).choices) == len(names)
    assert typed_line("pausex", COMMANDS).choices == ()


def test_words_of_the_help_find_a_command_too() -> None:
    assert "automatic" in [choice.name for choice in typed_line("processing", COMMANDS).choices]


def test_the_list_says_why_a_command_does_not_apply() -> None:
    (undo,) = typed_line("undo", COMMANDS).choices
    assert (undo.possible, undo.help) == (False, "Nothing to undo.")


def test_the_hint_is_about_the_argument() -> None:
    assert hint_for("lim", COMMANDS) == ""
    assert hint_for("limit ", COMMANDS).startswith("limit RATE: 500k or 500KB/s")
    assert "takes no argument" in hint_for("pause x", COMMANDS)


@pytest.mark.parametrize(
    ("argument", "order"),
    [
        ("taken", ("taken", False)),
        ("Size reverse", ("size", True)),
        ("activity", ("activity", False)),
        ("added", ("added", False)),
    ],
)
def test_orders(argument: str, order: tuple[str, bool]) -> None:
    assert parse_order(argument) == order


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("takn", "There is no order 'takn'; the nearest is taken."),
        ("size down", "Behind an order only reverse can follow, not 'down'."),
        ("activity reverse", "The order activity cannot be reversed: problems stay on top."),
    ],
)
def test_orders_that_do_not_exist(argument: str, sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_order(argument)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("setting", "argument", "change"),
    [
        ("limit", "2M", BandwidthChange(limit="2M")),
        ("limit", "off", BandwidthChange(limit="off")),
        ("schedule", "Sun pause", BandwidthChange(schedule="Sun pause")),
        ("budget", "20 GB", BandwidthChange(budget="20 GB")),
        ("budget", "20GB per week", BandwidthChange(budget="20GB", per=BudgetPeriod.WEEK)),
        ("budget", "20GB Day", BandwidthChange(budget="20GB", per=BudgetPeriod.DAY)),
        ("budget", "per total", BandwidthChange(per=BudgetPeriod.TOTAL)),
    ],
)
def test_settings_of_the_bandwidth(setting: str, argument: str, change: BandwidthChange) -> None:
    assert bandwidth_change(setting, argument) == change


def test_the_row_stays_that_of_the_moment_when_the_prompt_was_opened() -> None:
    elsewhere = CommandScope(uploads=(upload_status(2),), undoable="the removal of 1 file")
    assert not is_about_same_row(SCOPE, elsewhere)
    now = as_it_is_now(SCOPE, elsewhere, None)
    assert is_about_same_row(SCOPE, now) and now.undoable
