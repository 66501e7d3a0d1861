"""The process that decodes pictures: `python -m tui_uploader.tui.pictures.worker`, started by `process`.

A file of a megabyte can make a decoder take gigabytes or hours, and decoders have faults of their own. Here the kernel
bounds what decoding takes, and a crash ends this process alone.
"""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from tui_uploader import codec
from tui_uploader.tui.pictures.decode import NoPicture, PictureReader
from tui_uploader.tui.pictures.parts import Part, View

MOST_MEMORY = 768 * 1024**2
"""Bytes of address space beyond what the process has at its start. The largest picture that is decoded whole takes
about 500 MB."""
MOST_CPU = 20
"""Seconds for one picture."""


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """A line of JSON."""

    path: str
    view: View


@dataclass(frozen=True, slots=True)
class PictureAnswer:
    """A line of JSON, and the pixels after it."""

    part: Part | None = None
    """Without its pixels; None: there is no picture."""
    refusal: str = ""
    """Why there is none."""


def answered(request: PictureRequest, reader: PictureReader) -> tuple[PictureAnswer, bytes]:
    try:
        part = reader.part(request.path, request.view)
    except NoPicture as error:
        return PictureAnswer(refusal=str(error)), b""
    return PictureAnswer(replace(part, pixels=b"")), part.pixels


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the other side closes `requests`."""
    reader = PictureReader()
    for line in requests:
        _allow_cpu(MOST_CPU)
        answer, pixels = answered(codec.from_json(line, PictureRequest), reader)
        answers.write(codec.to_json(answer).encode("ascii") + b"\n" + pixels)
        answers.flush()


def _allow_cpu(seconds: int) -> None:
    """Allow that much from now on; the limit of the kernel counts from the start of the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _bound_memory() -> None:
    """Systems without /proc do not enforce this limit either."""
    try:
        numbers = Path("/proc/self/statm").read_text(encoding="ascii")
        used = int(numbers.split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MOST_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    except (OSError, ValueError):
        pass


def main() -> None:
    from PIL import JpegImagePlugin  # noqa: F401 -- loaded before the memory is counted: nearly all pictures need it

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _bound_memory()
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
