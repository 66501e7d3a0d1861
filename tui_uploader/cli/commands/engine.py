"""`engine`: run, show and stop the background process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tui_uploader.cli.output import Done, print_json, print_line
from tui_uploader.cli.session import connected, run
from tui_uploader.settings import Directories
from tui_uploader.text import counted

if TYPE_CHECKING:
    from tui_uploader.service.protocol import EngineInfo

commands = typer.Typer(no_args_is_help=True, help="Run, show or stop the background process that uploads.")


@commands.command("run")
def run_engine() -> int:
    """Run the engine in the foreground until it is stopped."""
    from tui_uploader.service.daemon import engine_main  # imports the engine's libraries, which no other command needs

    return engine_main(None)


@commands.command("status")
def show_status(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Show the running engine."""

    async def work() -> EngineInfo:
        async with connected(spawn=False, any_version=True) as engine:
            return await engine.engine()

    info = run(work())
    if as_json:
        print_json(info)
    else:
        print_line(
            f"Engine {info.version}, process {info.pid}, {counted(info.uploads, 'upload')}, socket {info.socket}"
        )


@commands.command("stop")
def stop(
    force: Annotated[
        bool,
        typer.Option("--force", help="Also stop an engine that does not respond; kill it if necessary."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> Done:
    """Stop the engine. Uploads continue when the next command starts it."""
    from tui_uploader.service.force_stop import ForcedStop, end_by_force

    async def work() -> ForcedStop:
        async with connected(spawn=False, any_version=True) as engine:
            pid = (await engine.engine()).pid
            await engine.stop()
            return ForcedStop(pid, killed=False)

    ended = end_by_force(Directories.of_user()) if force else run(work())
    if as_json:
        print_json(ended)
    else:
        print_line("The engine did not respond and was killed." if ended.killed else "The engine is stopped.")
    return Done(0)
