"""`cloud`: run the local cloud, as a server for a network without internet, or to try things out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tui_uploader.cli.output import Done, print_note, print_now
from tui_uploader.cli.session import run
from tui_uploader.local_cloud.options import Checksums, LocalCloudAddress, LocalCloudOptions, Profile
from tui_uploader.settings import Directories

commands = typer.Typer(no_args_is_help=True, help="Run a local cloud that behaves like PIX4Dcloud.")

_PORT = 8484


@commands.command("serve")
def serve(
    root: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for all data (default: a private one).")
    ] = None,
    host: Annotated[str, typer.Option(metavar="H", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Port to listen on; 0 picks a free one.")
    ] = _PORT,
    profile: Annotated[
        Profile, typer.Option(help="`strict` offers only confirmed features of the real service.")
    ] = Profile.DEFAULT,
    checksums: Annotated[
        Checksums, typer.Option(help="Checksums that the store verifies and reports.")
    ] = Checksums.CRC32,
    credentials_lifetime: Annotated[float, typer.Option(metavar="S", min=1, help="Seconds S3 keys are valid.")] = 3600,
    token_lifetime: Annotated[float, typer.Option(metavar="S", min=1, help="Seconds a token is valid.")] = 36000,
    processing_seconds: Annotated[float, typer.Option(metavar="S", min=0, help="Seconds processing takes.")] = 60,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", metavar="FAULT", help="A failure to simulate; repeatable.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="Certificate chain; enables https.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Private key of the certificate.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="When ready, print one JSON object, including the secret.")
    ] = False,
) -> Done:
    """Run a local cloud until Ctrl-C or SIGTERM."""
    # Imports the web server, which no other command needs.
    from tui_uploader.local_cloud.server import serve as serve_until_stopped

    options = LocalCloudOptions(
        root=(root or Directories.of_user().data / "cloud").absolute(),
        host=host,
        port=port,
        profile=profile,
        checksums=checksums,
        credentials_lifetime=credentials_lifetime,
        token_lifetime=token_lifetime,
        processing_seconds=processing_seconds,
        faults=tuple(fault or ()),
        tls_cert=tls_cert,
        tls_key=tls_key,
    )
    run(serve_until_stopped(options, partial(_announce, as_json=as_json)))
    return Done(0)


def _announce(address: LocalCloudAddress, *, as_json: bool) -> None:
    print_now(address.as_json() if as_json else address.for_people())
    for remark in address.remarks:
        print_note(remark)
    if not as_json:
        print_note("Press Ctrl-C to stop.")
