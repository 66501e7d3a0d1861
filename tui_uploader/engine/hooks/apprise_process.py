"""`python -m tui_uploader.engine.hooks.apprise_process`: tell one service, whose address comes by stdin.

In a process of its own: apprise and what it loads need much memory, its services are code of many authors, and a
process can be stopped at any time. Exit code 0: told; `NOT_TOLD`: not, and the last line on stderr says why.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import msgspec

from tui_uploader import codec
from tui_uploader.settings import APP

NOT_TOLD = 7
"""Exit code; Python itself ends with 1."""


class Telling(msgspec.Struct, frozen=True):
    """What to tell, and whom."""

    address: str
    title: str
    text: str
    kind: str
    """A notify type of apprise: info, success, warning or failure."""


def tell(telling: Telling) -> str | None:
    """Why it did not work; None: it did."""
    import apprise
    import truststore

    truststore.inject_into_ssl()  # the authorities of the system, as the rest of the program
    asset = apprise.AppriseAsset(app_id=APP, app_desc=APP, app_url="", async_mode=False)
    capture: Any = apprise.LogCapture
    with capture(level=logging.WARNING, fmt="%(message)s") as log:
        service = apprise.Apprise.instantiate(telling.address, asset=asset)
        if service is not None and service.notify(
            body=telling.text, title=telling.title, notify_type=apprise.NotifyType(telling.kind)
        ):
            return None
        lines = [line.strip() for line in log.getvalue().splitlines() if line.strip()]
    return lines[-1] if lines else "it did not say why"


def main() -> int:
    why = tell(codec.from_json(sys.stdin.readline(), Telling))
    if why is None:
        return 0
    sys.stderr.write(f"{why}\n")
    return NOT_TOLD


if __name__ == "__main__":
    sys.exit(main())
