"""The process that decodes pictures, seen from the app: started with the first picture, ended by `close`."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import IO

from tui_uploader import codec
from tui_uploader.text import printable
from tui_uploader.tui.pictures.decode import NoPicture
from tui_uploader.tui.pictures.parts import Part, View
from tui_uploader.tui.pictures.worker import PictureAnswer, PictureRequest

SECONDS = 30.0
"""For one picture, including the reading of its file and the start of the process."""

_COMMAND = (sys.executable, "-P", "-X", "utf8", "-m", "tui_uploader.tui.pictures.worker")
_LONGEST_LINE = 64 * 1024


class _ProcessEnded(Exception):
    """The process ended, or ran out of time, before it had answered."""


class PictureProcess:
    """Decodes one picture after the other. `picture` blocks, for a thread."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._busy = threading.Lock()
        self._closing = threading.Lock()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """None while no process runs."""
        return self._process.pid if self._process is not None else None

    def picture(self, path: str, view: View) -> Part:
        """What `view` shows of the picture in the file. Raises NoPicture."""
        request = PictureRequest(path, view)
        with self._busy:
            try:
                answer, pixels = self._exchange(self._started(), request)
            except (_ProcessEnded, OSError, ValueError) as error:
                with self._closing:
                    self._kill()
                name = printable(Path(path).name)
                raise NoPicture(f"{name} would take too much time or memory to be shown here.") from error
        if answer.part is None:
            raise NoPicture(printable(answer.refusal))
        return replace(answer.part, pixels=pixels)

    def close(self) -> None:
        """End the process at once, and any wait for it."""
        with self._closing:
            self._closed = True
            self._kill()

    def _started(self) -> subprocess.Popen[bytes]:
        with self._closing:
            if self._closed:
                raise _ProcessEnded
            if self._process is None:
                self._process = subprocess.Popen(
                    _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/"
                )
            return self._process

    def _exchange(self, process: subprocess.Popen[bytes], request: PictureRequest) -> tuple[PictureAnswer, bytes]:
        """Raises _ProcessEnded, OSError, ValueError."""
        assert process.stdin is not None and process.stdout is not None
        end = time.monotonic() + self.seconds
        process.stdin.write(codec.to_json(request).encode("ascii") + b"\n")
        process.stdin.flush()
        received = b""
        while b"\n" not in received and len(received) < _LONGEST_LINE:
            received += _next(process.stdout, end)
        line, _, pixels = received.partition(b"\n")
        answer = codec.from_json(line, PictureAnswer)
        if answer.part is not None and not _possible(answer.part, request.view):
            raise _ProcessEnded  # a decoder under the control of a hostile file may answer anything
        length = answer.part.size[0] * answer.part.size[1] * 3 if answer.part is not None else 0
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
        # A process that reads from a card that hangs ends only when the card answers.
        threading.Thread(target=process.communicate, name="picture process end", daemon=True).start()


def _possible(part: Part, view: View) -> bool:
    left, top, right, bottom = part.box
    within = 0 <= left < right <= part.full[0] and 0 <= top < bottom <= part.full[1]
    small = all(0 < shown <= most for shown, most in zip(part.size, view.most, strict=True))
    return within and small and part.zoom >= 0 and (part.rows is None or part.rows >= 0)


def _next(pipe: IO[bytes], end: float) -> bytes:
    """Raises _ProcessEnded, and ValueError for a pipe that was closed meanwhile."""
    poller = select.poll()
    poller.register(pipe, select.POLLIN)
    if not poller.poll(max(0.0, end - time.monotonic()) * 1000):
        raise _ProcessEnded
    if not (data := os.read(pipe.fileno(), 1024 * 1024)):
        raise _ProcessEnded
    return data
