"""All commands as one Typer application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from tui_uploader.cli import full_screen
from tui_uploader.cli.commands import (
    account,
    bandwidth,
    cloud,
    control,
    demo,
    engine,
    history,
    hooks,
    projects,
    receipt,
    status,
    upload,
    verify,
    watch,
)
from tui_uploader.cli.output import finish, print_line, print_note
from tui_uploader.errors import Interrupted, UsageError
from tui_uploader.settings import APP, VERSION

app = typer.Typer(
    name=APP,
    help="Upload drone images to PIX4Dcloud. Uploads run in the background and survive a closed terminal.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("upload")(upload.upload)
app.command("verify")(verify.verify)
app.command("status")(status.status)
app.command("files")(status.files)
app.command("history")(history.history)
app.command("receipt")(receipt.receipt)
for _command in (
    control.pause,
    control.resume,
    control.cancel,
    control.retry,
    control.remove,
    control.undo,
    control.dismiss,
    control.undismiss,
    control.process,
    bandwidth.limit,
    bandwidth.schedule,
    bandwidth.budget,
):
    app.command()(_command)
app.add_typer(projects.commands, name="projects")
app.add_typer(watch.commands, name="watch")
app.command("login")(account.login)
app.command("logout")(account.logout)
app.command("whoami")(account.whoami)
app.add_typer(hooks.commands, name="hooks")
app.add_typer(engine.commands, name="engine")
app.add_typer(cloud.commands, name="cloud")


def _print_version(wanted: bool) -> None:
    if wanted:
        print_line(f"{APP} {VERSION}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option(full_screen.DEBUG, help="Show the traceback of an error.")] = False,
    ascii_only: Annotated[bool, typer.Option(full_screen.ASCII, help="Use ASCII characters only.")] = False,
    slow: Annotated[bool, typer.Option(full_screen.SLOW, help="Redraw less often (for slow SSH connections).")] = False,
    read_only: Annotated[
        bool, typer.Option(full_screen.READ_ONLY, help="Look on and change nothing (full screen only).")
    ] = False,
    in_demo: Annotated[
        bool,
        typer.Option(full_screen.IN_DEMO, hidden=True, help="As the demo starts the app: quitting stops the engine."),
    ] = False,
) -> int:
    if context.invoked_subcommand is not None:
        return 0
    if full_screen.on_terminal():
        given = {
            full_screen.ASCII: ascii_only,
            full_screen.SLOW: slow,
            full_screen.READ_ONLY: read_only,
            full_screen.IN_DEMO: in_demo,
        }
        return full_screen.show([flag for flag, is_given in given.items() if is_given])
    status.status()
    print_note(f"`{APP} --help` lists the commands.")
    return 0


def carry_out(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Raises UsageError for invalid arguments, and errors of the command."""
    try:
        return finish(app(args=list(arguments), prog_name=APP, standalone_mode=False))
    except typer.Exit as gone:
        return finish(gone.exit_code)
    except typer.Abort:
        return Interrupted.exit_code
    except typer.TyperException as error:
        problem = error.format_message().rstrip(".") or "A command is missing"
        raise UsageError(f"{problem}. See `{APP} --help`.") from error
