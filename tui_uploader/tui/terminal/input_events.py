"""From pieces of input to Textual's events, and a callback once an event and all that it triggered is processed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App, ScreenStackError
from textual.message import Message
from textual.message_pump import MessagePump

from tui_uploader.tui.messages import HastyKey, UnbracketedPaste
from tui_uploader.tui.terminal.bursts import Unbracketed
from tui_uploader.tui.terminal.input_stream import Escape, Pasted, Piece, Sequence, Typed

_TRIPS = 2


class EventReader:
    """Textual's parser, fed with whole sequences only, so that it never has to guess."""

    def __init__(self) -> None:
        self._parser = XTermParser()

    def read(self, piece: Piece | Unbracketed, *, hasty: bool = False) -> list[Message]:
        """The events of one piece of input; `hasty`: it arrived together with others.

        An unknown sequence is no event.
        """
        found = self._read(piece)
        return list(map(_hasty, found)) if hasty else found

    def _read(self, piece: Piece | Unbracketed) -> list[Message]:
        match piece:
            case Escape():
                return [events.Key("escape", "\x1b")]
            case Pasted(text):
                return [events.Paste(text)]
            case Unbracketed(text):
                return [UnbracketedPaste(text)]
            case Typed(character):
                return list(self._parser.feed(character))
            case Sequence(text):
                return self._read_sequence(text)

    def _read_sequence(self, text: str) -> list[Message]:
        try:
            known = list(self._parser.feed(text))
            unknown = self._reissued()
        except (ValueError, OverflowError):  # a number that it expects is missing, as in `ESC [ : A`
            self._parser = XTermParser()  # the error ended the old one
            return []
        # Alt+Backspace is that key's own character after ESC; anything else that is reissued is no key.
        return known if text[1] in "[O" else known + unknown

    def _reissued(self) -> list[Message]:
        """The parser's reading of a sequence that it does not know, after it stops waiting for more."""
        if self._parser._timeout_time is None:
            return []
        self._parser._timeout_time = 0.0
        return list(self._parser.tick())


def _hasty(message: Message) -> Message:
    return HastyKey(message.key, message.character) if isinstance(message, events.Key) else message


def takes_text(app: App[Any]) -> bool:
    """Whether the focus is in a text field, where keys are letters."""
    from textual.widgets import Input  # not needed for the first frame

    try:
        return isinstance(app.focused, Input)
    except ScreenStackError:  # the app starts or ends
        return False


def when_processed(app: App[Any], done: Callable[[], object], trips: int = _TRIPS) -> None:
    """Call `done` once the event that `app` has just passed on, and the messages it triggered, are processed.

    An event travels from the focused widget up to the app, queue by queue, and is looked up as a key only there; what
    it moves (the focus, a dialog, the project under the cursor) takes a second such trip. A callback that makes the
    same trips arrives behind them all. An event sent earlier would be handled where the user no longer is.

    `done` is never called if a widget on the path is removed: the caller needs a deadline.
    """
    try:
        start: MessagePump = app.focused or app.screen
    except ScreenStackError:  # the app is about to end
        done()
        return
    _send_up(start, app, partial(when_processed, app, done, trips - 1) if trips > 1 else done)


def _send_up(pump: MessagePump, app: App[Any], arrived: Callable[[], object]) -> None:
    """Go through the queues of `pump` and of all its parents, and at last once more through the app's."""
    parent = pump._parent
    onwards = partial(app.call_later, arrived) if parent is None else partial(_send_up, parent, app, arrived)
    if not pump.call_later(onwards):  # it was closed meanwhile
        app.call_later(arrived)
