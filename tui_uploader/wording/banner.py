"""Why nothing moves: what is wrong, since when, until when, which key helps, and that nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from tui_uploader.model.engine import Bandwidth, BudgetPeriod, EngineStatus, LinkState
from tui_uploader.model.files import Hold
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import counted, exact_bytes, printable
from tui_uploader.wording.clock import time_of_day
from tui_uploader.wording.link import next_try, offline_since

_LONGEST_CAUSE = 400
_SENTENCE = re.compile(r".+?[.!?](?= [A-Z]|$)", re.S)
_PERIODS = {
    BudgetPeriod.DAY: " a day",
    BudgetPeriod.WEEK: " a week",
    BudgetPeriod.MONTH: " a month",
    BudgetPeriod.TOTAL: " in total",
}


class Banner(msgspec.Struct, frozen=True):
    """The parts of a banner, in the order in which they are read. Empty ones are left out."""

    what: str
    """`OFFLINE since 14:22`."""
    then: str = ""
    """`next try in 8 s`."""
    key: str = ""
    """The key of the full-screen app that helps: `r: now`."""
    cause: str = ""
    """A sentence from outside, printable; it may be cut where space is short."""
    waits: str = ""
    """What waits: `2 uploads wait, nothing is lost.`"""
    counts_down: bool = False
    """`then` changes every second."""

    @property
    def essence(self) -> str:
        """What is never cut: `OFFLINE since 14:22, next try in 8 s (r: now).`"""
        then = f", {self.then}" if self.then else ""
        key = f" ({self.key})" if self.key else ""
        return f"{self.what}{then}{key}."


def banner(status: EngineStatus, now: float) -> Banner | None:
    """The one thing that keeps most from moving; None while nothing is wrong."""
    for hold in (Hold.FAULT, Hold.SIGNED_OUT):
        if held := _held_by(status, hold):
            return _of_notice(hold, held)
    for link in status.links:
        if link.problem is not None:
            return Banner(f"NOT SIGNED IN as {_client(link.account)}", cause=_first_sentences(link.problem.message))
    if status.link.state is LinkState.DOWN:
        return _offline(status, now)
    for hold in (Hold.BUDGET, Hold.LIMIT):
        if held := _held_by(status, hold):
            return _closed(status.bandwidth, len(held), now)
    for hold in (Hold.MEDIUM, Hold.STORAGE):
        if held := _held_by(status, hold):
            return _of_notice(hold, held)
    return None


def _held_by(status: EngineStatus, hold: Hold) -> list[UploadStatus]:
    return [upload for upload in status.uploads if upload.hold is hold]


_WHAT = {
    Hold.FAULT: "THE ENGINE HAS A FAULT",
    Hold.SIGNED_OUT: "NOT SIGNED IN",
    Hold.MEDIUM: "CARD OR DISK NOT READABLE",
    Hold.STORAGE: "THE STORAGE REFUSES FILES",
}


def _of_notice(hold: Hold, held: Sequence[UploadStatus]) -> Banner:
    message = next((upload.notice.message for upload in held if upload.notice is not None), "")
    return Banner(_WHAT[hold], cause=_first_sentences(message), waits=_waits(len(held)))


def _offline(status: EngineStatus, now: float) -> Banner:
    link = status.link
    down = [each for each in status.links if each.link.state is LinkState.DOWN]
    only_some = 0 < len(down) < len(status.links)
    whose = _client(down[0].account) if only_some else ""
    then = next_try(link, now)
    cause = _first_sentences(link.reason or "", most=1)
    waiting = len(_held_by(status, Hold.OFFLINE))
    return Banner(offline_since(link, now, whose), then, "r: now", cause, _waits(waiting), counts_down=bool(then))


def _closed(bandwidth: Bandwidth, waiting: int, now: float) -> Banner:
    """Nothing may be sent: the budget is used up, or the limit or the timetable is a pause."""
    then = f"continues {time_of_day(bandwidth.until, now)}" if bandwidth.until is not None else ""
    if bandwidth.used_up and bandwidth.budget is not None:
        what = f"DATA BUDGET USED UP ({exact_bytes(bandwidth.budget)}{_PERIODS[bandwidth.per]})"
    elif bandwidth.limit == 0:
        what = "SENDING PAUSED by the limit"
    else:
        what = "SENDING PAUSED by the timetable"
    return Banner(what, then, "b: change", waits=_waits(waiting))


def _waits(uploads: int) -> str:
    return f"{counted(uploads, 'upload')} {'waits' if uploads == 1 else 'wait'}, nothing is lost." if uploads else ""


def _first_sentences(text: str, most: int = 2) -> str:
    """The first sentences of a message from outside, on one line."""
    shown = printable(text.strip(), _LONGEST_CAUSE)
    sentences = _SENTENCE.findall(shown)
    return "".join(sentences[:most]).strip() if sentences else shown


def _client(account: str) -> str:
    return printable(account.partition("@")[0], 40)
