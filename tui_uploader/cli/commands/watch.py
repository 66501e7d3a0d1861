"""`upload --watch` and `watch`: folders whose new images are uploaded automatically."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from msgspec.structs import replace

from tui_uploader.cli.lines import watch_lines
from tui_uploader.cli.output import Done, print_json, print_line
from tui_uploader.cli.session import connected, run, sign_in
from tui_uploader.encoding import decode_argument
from tui_uploader.errors import UsageError
from tui_uploader.model.projects import Target
from tui_uploader.model.watches import DEFAULT_NAME, DEFAULT_QUIET_SECONDS, Watch, WatchRequest
from tui_uploader.text import printable
from tui_uploader.wording.watches import added, removed, settings_words

commands = typer.Typer(no_args_is_help=True, help="List and remove watched folders; `upload --watch` adds one.")

_JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per watch.")]

WatchFlag = Annotated[
    bool, typer.Option("--watch", help="Keep watching the folders, and upload the new images of each card or folder.")
]
NameOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="TEMPLATE",
        help="With --watch: name of the project of each card, of {site}, {date}, {camera} and {card}.",
    ),
]
QuietOption = Annotated[
    str | None,
    typer.Option(
        "--quiet", metavar="TIME", help="With --watch: start processing after 10m (or 90s, 2h) without new images."
    ),
]
VerifyFlag = Annotated[
    bool, typer.Option("--verify-after", help="With --watch: check afterwards whether the card may be wiped.")
]

_TIME = re.compile(r"([0-9]{1,6})\s*(s|m|min|h|d)?", re.I)
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """The options of `upload` that are for watched folders alone."""

    name: str | None = None
    quiet: str | None = None
    verify_after: bool = False

    def refuse_any(self) -> None:
        """Without --watch. Raises UsageError if one is given."""
        values = (("--name", self.name), ("--quiet", self.quiet), ("--verify-after", self.verify_after))
        for option, value in values:
            if value not in (None, False):
                raise UsageError(f"{option} is for folders that are watched: add --watch.")


def refuse(*, results: bool, wait: bool) -> None:
    """Raises UsageError for what does not go with a watched folder."""
    if results:
        raise UsageError("A watched folder uploads images. Upload results without --watch.")
    if wait:
        raise UsageError("A watched folder has no end to wait for. Leave out --wait, or look with status --watch.")


def add(paths: Sequence[str], target: Target | None, options: WatchOptions, *, process: bool, as_json: bool) -> Done:
    """Watch each of the folders. Raises UsageError."""
    if target is not None and options.name is not None:
        raise UsageError("--name is the template for new projects; with --project or --new the project is named.")
    request = WatchRequest(
        path="",
        target=target,
        name=DEFAULT_NAME if options.name is None else decode_argument(options.name),
        auto_process=process,
        quiet_seconds=DEFAULT_QUIET_SECONDS if options.quiet is None else seconds_in(options.quiet),
        verify_after=options.verify_after,
    )

    async def work() -> list[Watch]:
        async with connected(introduce=False) as engine:
            account = await sign_in(engine)
            return [await engine.watches.add(replace(request, path=path, account=account)) for path in paths]

    for watch in run(work()):
        if as_json:
            print_json(watch)
            continue
        print_line(added(watch))
        print_line(f"   {settings_words(watch)}")
        print_line(f"To stop that: tui-uploader watch remove {watch.watch}")
    return Done(0)


def seconds_in(text: str) -> float:
    """`600`, `90s`, `10m`, `2h`, `1d`, in seconds. Raises UsageError."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"'{printable(text, 40)}' is no time. Write it as 90s, 10m or 2h.")
    return int(found[1]) * _SECONDS[(found[2] or "").lower()]


@commands.command("list")
def list_watches(as_json: _JsonOption = False) -> None:
    """List the watched folders, and what happens in each."""

    async def work() -> tuple[tuple[Watch, ...], list[str]]:
        async with connected() as engine:
            status = await engine.status()
            return status.watches, watch_lines(status)

    watches, lines = run(work())
    if as_json:
        for watch in watches:
            print_json(watch)
        return
    for line in lines or ["No watched folders."]:
        print_line(line)


@commands.command("remove")
def remove(
    watch: Annotated[int, typer.Argument(metavar="N", help="Number of the watch.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print the watch as one JSON object.")] = False,
) -> Done:
    """Stop watching a folder; what was added stays in its uploads."""

    async def work() -> Watch:
        async with connected() as engine:
            return await engine.watches.remove(watch)

    found = run(work())
    if as_json:
        print_json(found)
    else:
        print_line(removed(found))
    return Done(0)
