"""Screens that are laid out for the size that the terminal has, and for no size that it had.

Textual 8.2.8 lays a screen out for every `Resize` in its queue, and each layout of another size than the last posts
one more. Two sizes in the queue at once, which a quick hand or a slow machine brings about, would follow each other for
ever.
"""

from __future__ import annotations

from textual import events, on
from textual.message_pump import MessagePump


class SteadySize(MessagePump):
    """First among the bases of a screen."""

    @on(events.Resize)
    def _pass_over_outdated(self, event: events.Resize) -> None:
        """The app knows the size of the terminal before its screens do: another one is outdated."""
        if event.size != self.app.size:
            event.prevent_default()
