"""`limit`, `schedule` and `budget`: what uploads may take of the link; shown, or changed at once."""

from __future__ import annotations

from typing import Annotated

import typer

from tui_uploader.cli.lines import bandwidth_lines
from tui_uploader.cli.output import Done, print_json, print_line
from tui_uploader.cli.session import connected, run
from tui_uploader.model import Bandwidth, BandwidthChange, BudgetPeriod

_JsonOption = Annotated[
    bool, typer.Option("--json", help="Print all settings, and what holds now, as one JSON object.")
]


def limit(
    rate: Annotated[
        list[str] | None, typer.Argument(metavar="[RATE|off]", help="Such as 500k; see above.", show_default=False)
    ] = None,
    as_json: _JsonOption = False,
) -> Done | None:
    """Cap the upload rate of everything together, or show the cap.

    RATE: 500k and 500KB/s are 500,000 bytes a second, 8Mbit/s is 1MB/s, 512KiB/s counts in 1024s. `off` takes the cap
    away, `pause` sends nothing. It holds at once, for running uploads too, and until it is changed.
    """
    return _show(BandwidthChange(limit=_words(rate)) if rate else None, as_json=as_json)


def schedule(
    timetable: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT|off]", help="The timetable; see above.", show_default=False)
    ] = None,
    as_json: _JsonOption = False,
) -> Done | None:
    """Set upload rates by weekday and hour, or show the timetable.

    TEXT: days, times, rate, and the next, such as "Mon-Fri 08:00-18:00 500k, Sat,Sun off". Without days it is every
    day, without times the whole day; 22:00-06:00 runs over midnight. Rates as for `limit`: `off` is unlimited, `pause`
    sends nothing. Where entries overlap the later one holds; outside all of them nothing is limited, but by `limit`.
    Times are this machine's local time.
    """
    return _show(BandwidthChange(schedule=_words(timetable)) if timetable else None, as_json=as_json)


def budget(
    size: Annotated[
        list[str] | None, typer.Argument(metavar="[SIZE|off]", help="Such as 20GB.", show_default=False)
    ] = None,
    per: Annotated[
        BudgetPeriod | None,
        typer.Option("--per", help="Of which time; total counts from now on without end. At first: month."),
    ] = None,
    as_json: _JsonOption = False,
) -> Done | None:
    """Stop sending when so much data was sent in a day, a week (from Monday), a month, or in total; or show the budget.

    The next day, week or month, sending goes on by itself; a budget in total holds until you change it.

    It counts the bytes of files that left this machine, repeated ones too, but not what the network adds to them (about
    3 %). Files and parts that are under way when the budget ends are finished.
    """
    change = BandwidthChange(budget=_words(size) if size else None, per=per) if size or per else None
    return _show(change, as_json=as_json)


def _words(given: list[str]) -> str:
    """A timetable, or `500 KB/s`, may stand there without quotes."""
    return " ".join(given)


def _settled(change: BandwidthChange | None) -> Bandwidth:
    async def work() -> Bandwidth:
        async with connected() as engine:
            return await engine.bandwidth() if change is None else await engine.set_bandwidth(change)

    return run(work())


def _show(change: BandwidthChange | None, *, as_json: bool) -> Done | None:
    """Make `change`, if there is one, and show the settings."""
    bandwidth = _settled(change)
    if as_json:
        print_json(bandwidth)
    else:
        for line in bandwidth_lines(bandwidth):
            print_line(line)
    return None if change is None else Done(0)
