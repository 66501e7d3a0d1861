"""`projects`: the projects that the service lists for the account, and those of this machine."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from tui_uploader.cli.lines import project_line, project_lines
from tui_uploader.cli.output import Done, print_json, print_line
from tui_uploader.cli.session import connected, run, sign_in
from tui_uploader.encoding import decode_argument
from tui_uploader.errors import UsageError
from tui_uploader.model.projects import Project, ProjectKind

commands = typer.Typer(no_args_is_help=True, help="List, create and show projects.")

_JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per project.")]


@commands.command("list")
def list_projects(as_json: _JsonOption = False) -> None:
    """List the projects of the account and of this machine."""

    async def work() -> tuple[Project, ...]:
        async with connected(introduce=False) as engine:
            await sign_in(engine)
            return await engine.projects()

    found = run(work())
    for project in found:
        _print(project, project_line(project), as_json=as_json)
    if not found and not as_json:
        print_line("No projects.")


@commands.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the project.", show_default=False)],
    results: Annotated[bool, typer.Option("--results", help="A project for processed results, not images.")] = False,
    as_json: _JsonOption = False,
) -> Done:
    """Create a project."""
    if not name.strip():
        raise UsageError("The project name is empty.")

    async def work() -> Project:
        async with connected(introduce=False) as engine:
            account = await sign_in(engine)
            kind = ProjectKind.RESULTS if results else ProjectKind.IMAGES
            return await engine.create_project(decode_argument(name), kind, account)

    project = run(work())
    _print(project, project_line(project), as_json=as_json)
    return Done(0)


@commands.command("show")
def show(
    project: Annotated[str, typer.Argument(metavar="P", help="Id, or name if unique.", show_default=False)],
    as_json: _JsonOption = False,
) -> None:
    """Show one project."""

    async def work() -> Project:
        async with connected(introduce=False) as engine:
            await sign_in(engine)
            return await engine.project(decode_argument(project))

    found = run(work())
    _print(found, "\n".join(project_lines(found, time.time())), as_json=as_json)


def _print(project: Project, text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(project)
    else:
        print_line(text)
