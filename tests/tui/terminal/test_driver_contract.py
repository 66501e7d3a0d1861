"""The private names and behaviour of Textual that the driver and the cell diff rely on.

Private names change without notice. When one of these fails after an upgrade of Textual, it says what has changed;
the place to mend is named with it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest
from textual import _compositor, _xterm_parser, constants
from textual._parser import Parser
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("function", "expected", "used_by"),
    [
        (App._display, ["self", "screen", "renderable"], "cell_diff.Frames.display takes its place"),
        (App.call_later, ["self", "callback", "args", "kwargs"], "settling goes through the queues with it"),
        (App.exit, ["self", "result", "return_code", "message"], "driver._leave"),
        (
            _compositor.LayoutUpdate.__init__,
            ["self", "strips", "region"],
            "cell_diff paints its strips, row by row from its region's corner",
        ),
        (
            _compositor.ChopsUpdate.__init__,
            ["self", "chops", "spans", "chop_ends"],
            "cell_diff paints its chops, which begin at their keys and end at chop_ends",
        ),
        (_compositor.CompositorUpdate.render_segments, ["self", "console"], "cell_diff.CellUpdate overrides it"),
        (LinuxDriver.__init__, ["self", "app", "debug", "mouse", "size"], "driver.UploaderDriver.__init__"),
        (LinuxDriver.start_application_mode, ["self"], "driver.start_application_mode"),
        (LinuxDriver.stop_application_mode, ["self"], "driver.stop_application_mode"),
        (LinuxDriver.disable_input, ["self"], "driver.disable_input"),
        (LinuxDriver.run_input_thread, ["self"], "driver.run_input_thread takes its place"),
        (LinuxDriver.write, ["self", "data"], "driver.write takes its place"),
        (LinuxDriver.close, ["self"], "driver.close"),
        (LinuxDriver._enable_mouse_support, ["self"], "driver asks for fewer reports"),
        (LinuxDriver._disable_mouse_support, ["self"], "driver takes back what it asked for"),
        (LinuxDriver._query_in_band_window_resize, ["self"], "driver does not ask"),
        (LinuxDriver._get_terminal_size, ["self"], "driver._after_resize"),
        (LinuxDriver._sigcont_application, ["self", "_"], "driver resumes only after a stop"),
        (Driver.flush, ["self"], "driver.flush marks the end of a frame"),
        (Driver.process_message, ["self", "message"], "driver._send_events"),
        (Driver.send_message, ["self", "message"], "driver._await_effect"),
        (XTermParser.feed, ["self", "data"], "input_events.EventReader"),
        (Parser.tick, ["self"], "input_events.EventReader"),
    ],
)
def test_functions_that_are_called_or_replaced_exist(
    function: Callable[..., Any], expected: list[str], used_by: str
) -> None:
    assert parameters(function) == expected, used_by


@pytest.mark.parametrize(
    ("function", "pattern", "why"),
    [
        (App._display, r"self\._begin_update\(\).*render_segments\(console\).*_end_update\(\).*_driver\.flush\(\)",
         "a frame begins, is rendered once, ends, and is flushed: cell_diff counts it as shown when it is rendered"),
        (App._display, r"if renderable is None:\s+return", "cell_diff passes None where nothing changed"),
        (App._display, r"isinstance\(renderable, CompositorUpdate\)", "cell_diff.CellUpdate is a CompositorUpdate"),
        (LinuxDriver.__init__, r"self\.exit_event = Event\(\)", "driver puts one in its place that wakes a selector"),
        (LinuxDriver.__init__, r"self\._file = sys\.__stderr__", "driver writes to the same file"),
        (LinuxDriver.__init__, r"self\._must_signal_resume = False", "driver._sigcont_application asks it"),
        (LinuxDriver.start_application_mode, r"signal\.signal\(signal\.SIGWINCH", "driver wraps that handler"),
        (LinuxDriver.start_application_mode, r"self\._key_thread = Thread\(target=self\._run_input_thread",
         "driver waits for that thread"),
        (LinuxDriver.disable_input, r"self\.exit_event\.set\(\).*_key_thread\.join\(\).*self\.exit_event\.clear\(\)",
         "the input thread ends when the event is set"),
        (LinuxDriver.stop_application_mode, r"\?1049l.*\?25h", "driver leaves the main screen to it"),
        (LinuxDriver.stop_application_mode, r"tcsetattr\(self\.fileno, termios\.TCSANOW, self\.attrs_before\)",
         "driver leaves the state of the terminal to it"),
        (Parser.tick, r"_timeout_time is not None and get_time\(\) >= self\._timeout_time",
         "input_events.EventReader sets _timeout_time to 0 to end the parser's wait"),
        (XTermParser.parse, r"len\(sequence\) > _MAX_SEQUENCE_SEARCH_THRESHOLD",
         "input_stream drops longer sequences, which would be typed"),
        (_compositor.Compositor.render_partial_update, r"return ChopsUpdate\(chops, spans, chop_ends\)",
         "cell_diff knows two kinds of updates, this and LayoutUpdate"),
    ],
)  # fmt: skip
def test_textual_still_works_as_relied_on(function: Callable[..., Any], pattern: str, why: str) -> None:
    assert re.search(pattern, inspect.getsource(function), re.DOTALL), why


def test_longer_sequences_are_typed_by_textual() -> None:
    assert _xterm_parser._MAX_SEQUENCE_SEARCH_THRESHOLD == 32, "input_stream.LONGEST_SEQUENCE"


def test_textual_knows_whether_colour_is_wanted() -> None:
    app = App[None]()
    assert app.no_color in (True, False), "cell_diff.Frames"
    assert app.console.color_system in ("standard", "256", "truecolor", None), "cell_diff.Frames"
    assert app._driver is None, "driver.terminal_driver"


def test_the_switches_of_textual_have_their_names() -> None:
    source = inspect.getsource(constants)
    for name in ("TEXTUAL_SMOOTH_SCROLL", "TEXTUAL_ANIMATIONS", "ESCDELAY"):
        assert f'"{name}"' in source, "terminal.prepare"
