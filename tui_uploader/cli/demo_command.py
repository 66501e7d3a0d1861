"""`demo`: how it is called. What it does is in `demo_run`."""

from __future__ import annotations

from typing import Annotated

import typer

from tui_uploader.cli.session import run
from tui_uploader.model import MAX_IMAGES, MIN_IMAGES


def demo(
    images: Annotated[int, typer.Option(min=MIN_IMAGES, max=MAX_IMAGES, help="Images of the sample flight.")] = 40,
    headless: Annotated[bool, typer.Option("--headless", help="Report progress as plain text.")] = False,
) -> int:
    """Try it out: a sample flight, a local cloud, a real upload, and proof of what arrived. Leaves nothing behind."""
    del headless  # there is no other way yet
    from tui_uploader.cli.demo_run import run_demo  # brings asyncio, the sample flight and its image library

    return run(run_demo(images))
