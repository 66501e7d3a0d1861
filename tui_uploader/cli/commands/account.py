"""`login`, `logout` and `whoami`: API credentials.

A secret is typed or piped in and never an argument, because all users of a machine can read the arguments of a process.
"""

from __future__ import annotations

import sys
from typing import Annotated, TextIO

import typer

from tui_uploader.cli.hidden_input import read_line, shortened, without_echo
from tui_uploader.cli.output import Done, print_json, print_line, print_note
from tui_uploader.cli.session import connected, run
from tui_uploader.errors import NotSignedIn, UsageError
from tui_uploader.model.accounts import Account, Login, SignInRequest
from tui_uploader.redaction import Secrets
from tui_uploader.settings import cloud_address, load
from tui_uploader.text import printable

_BYTE_ORDER_MARK = "\ufeff"
"""Editors on Windows write it in front of text."""

_ProfileOption = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="Name of the stored login, if there are several.")
]


def login(
    cloud: Annotated[str | None, typer.Option("--cloud", metavar="URL", help="Address of the cloud.")] = None,
    profile: _ProfileOption = None,
) -> Done:
    """Sign in and store the login.

    Without a terminal, id and secret are read from stdin, one per line.
    """
    settings = load()
    url = cloud_address(cloud or settings.cloud_url)
    client_id, secret = _read_terminal(url) if sys.stdin.isatty() else _read_pipe(sys.stdin)
    secrets = Secrets(secret)  # until the engine has answered
    request = SignInRequest(Login(url, client_id, secret), keep=True, profile=profile or settings.profile, verify=True)

    async def work() -> Account:
        async with connected() as engine:
            return await engine.sign_in(request)

    account = run(work())
    del secrets
    print_line(f"Signed in as {_account_line(account)}")
    return Done(0)


def logout(profile: _ProfileOption = None) -> Done:
    """Delete the stored login."""
    name = profile or load().profile

    async def work() -> bool:
        async with connected(introduce=False) as engine:
            return await engine.sign_out(name)

    print_line(f"Login of profile {printable(name)} deleted." if run(work()) else "There was no stored login.")
    return Done(0)


def whoami(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per account.")] = False) -> None:
    """Show the signed-in accounts and the source of each login."""
    settings = load()

    async def work() -> tuple[Account, ...]:
        async with connected() as engine:
            return await engine.accounts()

    accounts = list(run(work()))
    if settings.login is not None:
        account = f"{settings.login.client_id}@{settings.cloud_url}"
        own = Account(account, settings.cloud_url, settings.login.client_id, "environment")
        accounts = [own, *(other for other in accounts if other.account != account)]
    if not accounts:
        raise NotSignedIn(
            "Not signed in. Sign in with `tui-uploader login`, or set PIX4D_CLIENT_ID and PIX4D_CLIENT_SECRET."
        )
    for one in accounts:
        if as_json:
            print_json(one)
        else:
            print_line(_account_line(one))


def _read_terminal(url: str) -> tuple[str, str]:
    """Ask for both. Users paste both lines at once, so neither is shown. Raises UsageError."""
    print_note(
        f"API credentials for {printable(url)} (created at account.pix4d.com > Organization > Dashboard > API access)."
    )
    with without_echo(sys.stdin):
        client_id = read_line(sys.stdin, "Client id (not shown): ")
        print_note(printable(shortened(client_id)))
        secret = read_line(sys.stdin, "Client secret (not shown): ")
        print_note("")
    return client_id, secret


def _read_pipe(stream: TextIO) -> tuple[str, str]:
    """Raises UsageError."""
    client_id = stream.readline().removeprefix(_BYTE_ORDER_MARK).strip()
    secret = stream.readline().strip()
    if not client_id or not secret:
        raise UsageError("Expected the client id and the client secret on stdin, one per line.")
    return client_id, secret


def _account_line(account: Account) -> str:
    return f"{printable(account.client_id)} at {printable(account.cloud_url)} (login from: {printable(account.source)})"
