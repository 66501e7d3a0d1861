"""`hooks`: the commands, web addresses and services that are told what happens."""

from __future__ import annotations

from typing import Annotated

import typer

from tui_uploader.cli.output import Done, print_json, print_line, print_note
from tui_uploader.cli.session import connected, run
from tui_uploader.errors import UsageError
from tui_uploader.model.hooks import Hook, HookEvent, HookTest
from tui_uploader.settings import Directories
from tui_uploader.text import printable
from tui_uploader.wording.hooks import NO_HOOKS, hook_answer, hook_failure, hook_words

commands = typer.Typer(help="List and test the commands, web addresses and services that are told what happens.")


@commands.callback(invoke_without_command=True)
def hooks(context: typer.Context) -> None:
    """List and test the commands, web addresses and services that are told what happens."""
    if context.invoked_subcommand is None:
        list_hooks()


@commands.command("list")
def list_hooks(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per hook.")] = False,
) -> None:
    """List the hooks, each with its last failure."""

    async def work() -> tuple[Hook, ...]:
        async with connected() as engine:
            return await engine.hooks.listed()

    found = run(work())
    for hook in found:
        if as_json:
            print_json(hook)
            continue
        print_line(hook_words(hook))
        if hook.failure is not None:
            print_line(f"   ! {hook_failure(hook.failure)}")
    if not found and not as_json:
        print_line(f"{NO_HOOKS} The table [hooks] of {_settings_file()} names them.")


@commands.command("test")
def test(
    event: Annotated[
        HookEvent | None,
        typer.Argument(metavar="EVENT", help=f"One of: {', '.join(HookEvent)}.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per hook.")] = False,
) -> Done:
    """Tell every hook a sample of an event now, and show what each answered."""

    async def work() -> tuple[HookTest, ...]:
        async with connected() as engine:
            return await engine.hooks.test(event)

    print_note("Telling the hooks …")
    found = run(work())
    if not found:
        raise UsageError(f"{NO_HOOKS} The table [hooks] of {_settings_file()} names them.")
    for one in found:
        if as_json:
            print_json(one)
        else:
            print_line(hook_answer(one))
    return Done(1 if any(one.failure is not None for one in found) else 0)


def _settings_file() -> str:
    return printable(str(Directories.of_user().settings_file))
