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
"""What gives the terminal back: paste, mouse, keyboard, the other screen, and the cursor."""


UTF8 = {"LANG": "C.UTF-8", "LC_ALL": "", "NO_COLOR": "", "TMUX": ""}
"""A terminal without peculiarities."""


@dataclass(frozen=True)
class Field:
    """Where somebody works: a home, a cloud, and as many terminals as wanted."""

    home: Path
    cloud: LocalCloud

    def app(
        self, *options: str, columns: int = 120, rows: int = 30, way: float = 0.0, **environment: str
    ) -> PtySession:
        """`tui-uploader` in front of somebody, whose terminal answers after `way` seconds."""
        command, variables = (*PROGRAM, *options), UTF8 | environment
        return PtySession(command, columns=columns, rows=rows, environment=variables, way=way, folder=self.home)

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
        """Begin to upload the card of this name into a project of that name; the number of the upload."""
        done = command("upload", str(self.home / name), "--new", name, "--json", *options)
        assert done.code == 0, done.err
        return int(done.json["upload"])

    def upload(self, number: int) -> dict[str, Any]:
        """What `status --json` tells of it; empty before there is one."""
        told = quick("status", "--json").json["uploads"]
        return next((upload for upload in told if upload["upload"] == number), {})

    def counts(self, number: int) -> dict[str, int]:
        counts: dict[str, int] = self.upload(number).get("counts", {})
        return counts

    def is_complete(self, number: int) -> bool:
        return self.upload(number).get("state") == "complete"

    def stored(self, name: str) -> dict[str, bytes]:
        """The photos of that card that the cloud keeps."""
        return {photo: content for photo, content in self.cloud.objects().items() if photo.startswith(f"{name}_")}


@contextmanager
def field(*cloud_options: str) -> Iterator[Field]:
    """A cloud that runs, and no engine yet. Afterwards neither is there any more."""
    with (
        tempfile.TemporaryDirectory(prefix="home-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        home = Path(folder)
        patch.setenv("HOME", folder)
        for room in ("CONFIG", "DATA", "STATE", "CACHE"):
            patch.setenv(f"XDG_{room}_HOME", str(home / room.lower()))
        patch.setenv("TUI_UPLOADER_NO_KEYRING", "1")
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
