"""The real command on a real terminal, with a real engine, before a real local cloud, in a home of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.world import PROGRAM, LocalCloud, command, kill_engine, quick, serving
from tests.photos import jpeg, of_yesterday
from tests.tui.pty_session import PtySession

DOWN, ESCAPE, ENTER = "\x1b[B", "\x1b", "\r"
PATIENCE = 60.0
LEFT = (b"\x1b[?2004l", b"\x1b[?1000l", b"\x1b[?1002l", b"\x1b[?1006l", b"\x1b[<u", b"\x1b[?1049l", b"\x1b[?25h")
"""The codes that restore the terminal: paste, mouse, keyboard, the main screen, and the cursor."""


UTF8 = {"LANG": "C.UTF-8", "LC_ALL": "", "NO_COLOR": "", "TMUX": ""}
"""An ordinary terminal."""


@dataclass(frozen=True)
class Field:
    """A user's workplace: a home, a cloud, and any number of terminals."""

    home: Path
    cloud: LocalCloud

    def app(
        self, *options: str, columns: int = 120, rows: int = 30, delay: float = 0.0, **environment: str
    ) -> PtySession:
        """`tui-uploader` on a terminal that answers after `delay` seconds."""
        command, variables = (*PROGRAM, *options), UTF8 | environment
        return PtySession(command, columns=columns, rows=rows, environment=variables, delay=delay, folder=self.home)

    def card(self, name: str, photos: int, size: int = 2_000) -> dict[str, bytes]:
        """A new folder of this name with that many photos, whose names begin with it: their contents by name."""
        contents = {f"{name}_{number:03}.JPG": jpeg(size) for number in range(1, photos + 1)}
        folder = self.home / name
        folder.mkdir()
        for photo, content in contents.items():
            (folder / photo).write_bytes(content)
            of_yesterday(folder / photo)
        return contents

    def queue(self, name: str, *options: str) -> int:
        """Start to upload the card of this name to a project of that name. Returns the number of the upload."""
        done = command("upload", str(self.home / name), "--new", name, "--json", *options)
        assert done.code == 0, done.err
        return int(done.json["upload"])

    def upload(self, number: int) -> dict[str, Any]:
        """The upload in `status --json`; empty before there is one."""
        uploads = quick("status", "--json").json["uploads"]
        return next((upload for upload in uploads if upload["upload"] == number), {})

    def counts(self, number: int) -> dict[str, int]:
        counts: dict[str, int] = self.upload(number).get("counts", {})
        return counts

    def is_complete(self, number: int) -> bool:
        return self.upload(number).get("state") == "complete"

    def stored(self, name: str) -> dict[str, bytes]:
        """The photos of that card in the cloud."""
        return {photo: content for photo, content in self.cloud.objects().items() if photo.startswith(f"{name}_")}


@contextmanager
def field(*cloud_options: str) -> Iterator[Field]:
    """A running cloud, and no engine yet; both are ended afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="home-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        home = Path(folder)
        patch.setenv("HOME", folder)
        for name in ("CONFIG", "DATA", "STATE", "CACHE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        patch.setenv("TUI_UPLOADER_NO_KEYRING", "1")
        patch.setenv("TUI_UPLOADER_PROCESSING_DELAY", "0")
        patch.delenv("TUI_UPLOADER_PROFILE", raising=False)
        with serving(home / "cloud", "--processing-seconds", "0.5", *cloud_options) as cloud:
            for name, value in cloud.login.items():
                patch.setenv(name, value)
            try:
                yield Field(home, cloud)
            finally:
                kill_engine()  # before the cloud, which waits for the connections of others


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
