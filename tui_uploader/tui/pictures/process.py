"""Pictures that are decoded in a process of their own, which is started with the first and ends with its reader."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from tui_uploader import codec
from tui_uploader.text import printable
from tui_uploader.tui.pictures.decode import NoPicture, Photo
from tui_uploader.tui.pictures.facts import PhotoFacts
from tui_uploader.tui.pictures.worker import PictureAnswer, PictureRequest

SECONDS = 30.0
"""For one picture, the reading of its file and the start of the process included."""

_COMMAND = (sys.executable, "-P", "-X", "utf8", "-m", "tui_uploader.tui.pictures.worker")
_LONGEST_LINE = 64 * 1024


class _ProcessEnded(Exception):
    """The process ended, or its time was over, before it had answered."""


class PictureProcess:
    """Reads one picture after the other. All methods block, for a thread, save `close`."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._closing = threading.Lock()
        self._closed = False

    def photo(self, path: str, most: tuple[int, int]) -> Photo:
        """The picture in the file, reduced to `most` pixels across and down. Raises NoPicture."""
        from PIL import Image

        answer, pixels = self._asked(PictureRequest(path, most))
        assert answer.facts is not None
        return Photo(answer.facts, Image.frombytes("RGB", answer.size, pixels))

    def facts(self, path: str) -> PhotoFacts:
        """What the file tells of the picture in it. Raises NoPicture."""
        answer, _ = self._asked(PictureRequest(path, None))
        assert answer.facts is not None
        return answer.facts

    def close(self) -> None:
        """End the process at once, and whoever waits for it."""
        with self._closing:
            self._closed = True
            self._kill()

    def _asked(self, wanted: PictureRequest) -> tuple[PictureAnswer, bytes]:
        with self._turn:
            try:
                answer, pixels = self._exchange(self._started(), wanted)
            except (_ProcessEnded, OSError, ValueError) as error:
                with self._closing:
                    self._kill()
                name = printable(Path(wanted.path).name)
                raise NoPicture(f"{name} would take too much time or memory to be shown here.") from error
        if answer.refusal:
            raise NoPicture(printable(answer.refusal))
        return answer, pixels

    def _started(self) -> subprocess.Popen[bytes]:
        with self._closing:
            if self._closed:
                raise _ProcessEnded
            if self._process is None:
                self._process = subprocess.Popen(
                    _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/"
                )
            return self._process

    def _exchange(self, process: subprocess.Popen[bytes], wanted: PictureRequest) -> tuple[PictureAnswer, bytes]:
        """Raises _ProcessEnded, OSError, ValueError."""
        assert process.stdin is not None and process.stdout is not None
        end = time.monotonic() + self._seconds
        process.stdin.write(codec.to_json(wanted).encode("ascii") + b"\n")
        process.stdin.flush()
        received = b""
        while b"\n" not in received and len(received) < _LONGEST_LINE:
            received += _next(process.stdout, end)
        line, _, pixels = received.partition(b"\n")
        answer = codec.from_json(line, PictureAnswer)
        (across, down), most = answer.size, wanted.most or (0, 0)
        if not (0 <= across <= most[0] and 0 <= down <= most[1]) or (not answer.refusal and answer.facts is None):
            raise _ProcessEnded  # a decoder that a file took over may say anything
        length = across * down * 3
        while len(pixels) < length:
            pixels += _next(process.stdout, end)
        if len(pixels) > length:
            raise _ProcessEnded
        return answer, pixels

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        # A process that reads from a card that hangs ends only with that.
        threading.Thread(target=process.communicate, name="photo end", daemon=True).start()


def _next(pipe: IO[bytes], end: float) -> bytes:
    """Raises _ProcessEnded, OSError, and ValueError for a pipe that was closed meanwhile."""
    poller = select.poll()
    poller.register(pipe, select.POLLIN)
    if not poller.poll(max(0.0, end - time.monotonic()) * 1000):
        raise _ProcessEnded
    if not (data := os.read(pipe.fileno(), 1024 * 1024)):
        raise _ProcessEnded
    return data
