"""`limit`, `schedule` and `budget`: show or change the bandwidth of uploads."""

from __future__ import annotations

from typing import Annotated

import typer

from tui_uploader.cli.lines import bandwidth_lines
from tui_uploader.cli.output import Done, print_json, print_line
from tui_uploader.cli.session import connected, run
from tui_uploader.model.engine import Bandwidth, BandwidthChange, BudgetPeriod

_JsonOption = Annotated[
    bool, typer.Option("--json", help="Print all settings and the current limit as one JSON object.")
]


def limit(
    rate: Annotated[
        list[str] | None, typer.Argument(metavar="RATE|off", help="Such as 500k; see above.", show_default=False)
    ] = None,
    as_json: _JsonOption = False,
) -> Done | None:
    """Limit the total rate of all uploads, or show the limit.

    RATE: 500k and 500KB/s are 500,000 bytes per second, 8Mbit/s is 1MB/s,
    512KiB/s counts in units of 1024. `off` removes the limit, `pause` stops
    sending. A change applies at once, also to running uploads, and is kept.
    """
    return _show(BandwidthChange(limit=_joined(rate)) if rate else None, as_json=as_json)


def schedule(
    timetable: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT|off", help="The timetable; see above.", show_default=False)
    ] = None,
    as_json: _JsonOption = False,
) -> Done | None:
    """Limit the upload rate by weekday and time, or show the timetable.

    TEXT: entries of days, times and a rate, such as
    "Mon-Fri 08:00-18:00 500k, Sat,Sun off". Without days an entry applies every
    day, without times all day; 22:00-06:00 crosses midnight. Rates are as for
    `limit`: `off` is unlimited, `pause` sends nothing. Where entries overlap,
    the later one applies; outside all entries only `limit` does. Times are this
    machine's local time.
    """
    return _show(BandwidthChange(schedule=_joined(timetable)) if timetable else None, as_json=as_json)


def budget(
    size: Annotated[
        list[str] | None, typer.Argument(metavar="SIZE|off", help="Such as 20GB.", show_default=False)
    ] = None,
    per: Annotated[
        BudgetPeriod | None,
        typer.Option("--per", help="Period of the budget; total never renews. Initially month."),
    ] = None,
    as_json: _JsonOption = False,
) -> Done | None:
    """Limit the amount of data sent in a period, or show the budget.

    When the budget is used up, sending stops until the next day, week (from
    Monday) or month. A total budget never renews: it lasts until you change it.

    It counts the bytes of files that left this machine, including repeated
    ones, but not the overhead of the network (about 3 %). Files and parts that
    are being sent when the budget is used up are finished.
    """
    change = BandwidthChange(budget=_joined(size) if size else None, per=per) if size or per else None
    return _show(change, as_json=as_json)


def _joined(given: list[str]) -> str:
    """Join the arguments, so that a timetable or `500 KB/s` needs no quotes."""
    return " ".join(given)


def _bandwidth(change: BandwidthChange | None) -> Bandwidth:
    async def work() -> Bandwidth:
        async with connected() as engine:
            return await engine.bandwidth() if change is None else await engine.set_bandwidth(change)

    return run(work())


def _show(change: BandwidthChange | None, *, as_json: bool) -> Done | None:
    """Apply `change`, if there is one, and print the settings."""
    bandwidth = _bandwidth(change)
    if as_json:
        print_json(bandwidth)
    else:
        for line in bandwidth_lines(bandwidth):
            print_line(line)
    return None if change is None else Done(0)
