"""The set-up for screenshots: a local cloud, two memory cards and an engine, in a temporary folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cli.world import command, serving
from tests.photos import write_flight
from tests.tui.pty_session import PtySession
from tui_uploader.cli.demo.sandbox import sandboxed
from tui_uploader.demo import write_sample_flight

# A link as in a field: every photo gets stuck half-way for a while, some for longer.
_FAULTS = (
    "stall:route=put,probability=0.5,seed=1,bytes=250000,seconds=14",
    "stall:route=put,probability=0.5,seed=2,bytes=60000,seconds=8",
    "stall:route=put,bytes=150000,seconds=4",
)
_LARGE_FLIGHT, _SMALL_FLIGHT = 130, 23
"""Photos."""
_LARGE_PHOTO = 1_200_000
"""Bytes: more than the kernel buffers at once, so that a photo can be half-way."""
_PROCESSING_SECONDS = 600


@dataclass
class Stage:
    """The cards, the cloud and the environment of a scene."""

    large_card: Path
    small_card: Path
    """A sample flight with duplicates, name clashes and a truncated photo, as on real cards."""
    _cloud: ExitStack
    _environment: Mapping[str, str] = field(repr=False)

    @contextmanager
    def app(self, columns: int, rows: int, **environment: str) -> Iterator[PtySession]:
        """The real app on a terminal of that size, started in the folder of the small card."""
        shown = {**self._environment, "LANG": "C.UTF-8", **environment}
        with chdir(self.small_card):
            session = PtySession((sys.executable, "-m", "tui_uploader"), columns=columns, rows=rows, environment=shown)
        with session as terminal:
            yield terminal

    def upload(self, card: Path, project: str) -> None:
        self.run("upload", str(card), "--new", project, "--json")

    def run(self, *arguments: str) -> str:
        """Run a command and return its answer. Raises AssertionError if it was refused."""
        finished = command(*arguments, **self._environment)
        assert finished.code in (0, 1), finished.err
        return finished.out

    def cut_link(self) -> None:
        """Stop the cloud."""
        self._cloud.close()


def _add_cut_off_photo(folder: Path) -> None:
    """Add one at the beginning, so that it is checked while others still wait."""
    whole = (folder / "DJI_0002.JPG").read_bytes()
    (folder / "DJI_0000.JPG").write_bytes(whole[: len(whole) // 2])


@contextmanager
def stage(*, bad_link: bool = True) -> Iterator[Stage]:
    """The engine and everything on disk end with the block."""
    with TemporaryDirectory(prefix="field-") as folder, sandboxed(Path(folder)), ExitStack() as cloud:
        large, small = Path(folder) / "card-1", Path(folder) / "card-2"
        write_flight(large / "DCIM" / "100MEDIA", _LARGE_FLIGHT, _LARGE_PHOTO)
        write_sample_flight(small, _SMALL_FLIGHT)
        _add_cut_off_photo(small / "DCIM" / "100MEDIA")
        options = [part for fault in _FAULTS for part in ("--fault", fault)] if bad_link else []
        options += ["--processing-seconds", str(_PROCESSING_SECONDS)]
        login = cloud.enter_context(serving(Path(folder) / "cloud", *options)).login
        found = Stage(large, small, cloud, login)
        try:
            yield found
        finally:
            found.run("engine", "stop")
