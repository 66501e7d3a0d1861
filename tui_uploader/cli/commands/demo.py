"""`demo`: how it is called. What it does is in `demo_run`."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from tui_uploader.cli.full_screen import on_terminal
from tui_uploader.cli.output import Done
from tui_uploader.cli.session import run
from tui_uploader.model import MAX_IMAGES, MIN_IMAGES


def demo(
    images: Annotated[int, typer.Option(min=MIN_IMAGES, max=MAX_IMAGES, help="Images of the sample flight.")] = 40,
    headless: Annotated[
        bool, typer.Option("--headless", help="Report progress and the proof as plain text, as without a terminal.")
    ] = False,
) -> int:
    """Try it out: a sample flight, a local cloud, a real upload, and proof of what arrived. Leaves nothing behind."""
    from tui_uploader.cli.demo.run import run_demo  # brings asyncio, the sample flight and its image library

    # A lost SSH session and a `kill` clean up like Ctrl-C does.
    signals = (signal.SIGTERM, signal.SIGHUP)
    return Done(run(run_demo(images, full_screen=on_terminal() and not headless), cancelled_by=signals))
