"""The engine with the stand-in manager, as a process: `python -m tests.service.stand_in_engine --ready-fd N`.

`STAND_IN_VERSION` sets its version, `STAND_IN_CLOSING_SECONDS` the time that its manager takes to close.
"""

from __future__ import annotations

import os
import sys
from unittest.mock import patch

from tests.service.stand_in import StandInManager
from tui_uploader.service import api, daemon, middleware, protocol

if __name__ == "__main__":
    version = os.environ.get("STAND_IN_VERSION", protocol.version())
    ready_fd = int(sys.argv[2]) if sys.argv[1:2] == ["--ready-fd"] else None
    with (
        patch.object(api, "version", lambda: version),
        patch.object(middleware, "version", lambda: version),
        patch.object(daemon, "version", lambda: version),
    ):
        sys.exit(daemon.engine_main(ready_fd, StandInManager.open))
