"""`demo`: its options. The demo itself is in `cli.demo.run`."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from tui_uploader.cli.full_screen import on_terminal
from tui_uploader.cli.output import Done
from tui_uploader.cli.session import run
from tui_uploader.model.projects import MAX_IMAGES, MIN_IMAGES


def demo(
    images: Annotated[
        int, typer.Option(min=MIN_IMAGES, max=MAX_IMAGES, help="Number of images in the sample flight.")
    ] = 40,
    headless: Annotated[
        bool, typer.Option("--headless", help="Print progress and proof as plain text, as without a terminal.")
    ] = False,
) -> int:
    """Upload a sample flight to a local cloud and verify every byte.

    The demo has an engine and folders of its own and leaves nothing behind.
    """
    from tui_uploader.cli.demo.run import run_demo  # imports asyncio and the image library

    # A lost SSH session and a `kill` clean up as Ctrl-C does.
    signals = (signal.SIGTERM, signal.SIGHUP)
    return Done(run(run_demo(images, full_screen=on_terminal() and not headless), cancelled_by=signals))
