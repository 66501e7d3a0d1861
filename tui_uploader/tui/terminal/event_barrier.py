"""When an event has done all that it does.

An event goes from the focused widget up to the app, from one queue to the next, and only there is a key looked up;
what it moves (the focus, a dialog, the cursor's project) takes another such way. Whatever is sent before that is
handled where the user no longer is. Here something else goes the same ways, and therefore arrives behind it all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump

_WAYS = 2


def when_processed(app: App[Any], done: Callable[[], object], ways: int = _WAYS) -> None:
    """Call `done` once what `app` has just passed on, and the messages that came of it, are dealt with.

    Not at all if a widget on the way is removed: the caller sets a limit to its patience.
    """
    try:
        start: MessagePump = app.focused or app.screen
    except ScreenStackError:  # the app is about to end
        done()
        return
    _send_up(start, app, partial(when_processed, app, done, ways - 1) if ways > 1 else done)


def _send_up(pump: MessagePump, app: App[Any], arrived: Callable[[], object]) -> None:
    """Go through the queues of `pump` and of all that it is in, at last once more through the app's."""
    above = pump._parent
    onwards = partial(app.call_later, arrived) if above is None else partial(_send_up, above, app, arrived)
    if not pump.call_later(onwards):  # it was closed meanwhile
        app.call_later(arrived)
