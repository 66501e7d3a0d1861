"""The command line: puts the commands together, and owns the edge where every failure becomes a sentence and a code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from tui_uploader.cli import account, cloud, control, demo_command, engine, projects, status, upload
from tui_uploader.cli.answer import finish, on_terminal, say, tell, tolerate_any_text
from tui_uploader.cli.present import explained
from tui_uploader.errors import EngineError, Interrupted, UploaderError, UsageError
from tui_uploader.settings import APP, Directories

app = typer.Typer(
    name=APP,
    help="Upload drone images to PIX4Dcloud. The work goes on in the background, whatever happens to this terminal.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command("demo")(demo_command.demo)
app.command("upload")(upload.upload)
app.command("status")(status.status)
app.command("files")(status.files)
for _command in (
    control.pause,
    control.resume,
    control.cancel,
    control.retry,
    control.remove,
    control.dismiss,
    control.process,
):
    app.command()(_command)
app.add_typer(projects.commands, name="projects")
app.command("login")(account.login)
app.command("logout")(account.logout)
app.command("whoami")(account.whoami)
app.add_typer(engine.commands, name="engine")
app.add_typer(cloud.commands, name="cloud")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # takes longer than anything else that every command imports

        tell(f"{APP} {version(APP)}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where in the program an error comes from.")] = False,
    ascii_only: Annotated[bool, typer.Option("--ascii", help="Full screen: nothing but ASCII.")] = False,
    slow: Annotated[bool, typer.Option("--slow", help="Full screen: less often, for a thin line.")] = False,
    in_demo: Annotated[
        bool, typer.Option("--in-demo", hidden=True, help="Full screen: the engine ends with it.")
    ] = False,
) -> int:
    if context.invoked_subcommand is not None:
        return 0
    if on_terminal():
        from tui_uploader.tui.run import run_app  # brings Textual, which no command needs

        return run_app(Directories.of_user(), ascii_only=ascii_only, slow=slow, in_demo=in_demo)
    status.status()
    say(f"`{APP} --help` lists the commands.")
    return 0


def main() -> None:
    """The program."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Carry out one command, and return its exit code."""
    tolerate_any_text()
    debug = "--debug" in arguments
    try:
        code = app(args=list(arguments), prog_name=APP, standalone_mode=False)
        finish()
    except typer.Exit as gone:
        return gone.exit_code
    except typer.Abort:
        return Interrupted.exit_code
    except typer.TyperException as error:
        return _failed(UsageError(f"{error.format_message().rstrip('.')}. See `{APP} --help`."), debug=debug)
    except UploaderError as error:
        return _failed(error, debug=debug)
    except KeyboardInterrupt:
        return Interrupted.exit_code
    except Exception as error:  # noqa: BLE001 - the edge of the program: nothing but a sentence may leave it
        problem = EngineError(
            f"The program has a fault: {type(error).__name__}: {error}."
            f" `{APP} --debug …` shows where; the engine's log is {Directories.of_user().log}."
        )
        return _failed(problem, debug=debug)
    return code if isinstance(code, int) else 0


def _failed(error: UploaderError, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    say(f"{APP}: {explained(error.kind, error.message)}")
    return error.exit_code
