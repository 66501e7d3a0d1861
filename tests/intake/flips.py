"""Exchange files and links on a card while the program reads it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_CALLS = ("open", "stat", "fstat", "lstat", "readv", "preadv", "pread", "lseek", "posix_fadvise", "scandir", "readlink")


def exchanged(path: Path, make: Callable[[Path], object]) -> None:
    """Put what `make` makes in the place of `path`, a file, link or folder, which is there before and after."""
    new, old = path.with_name(".new"), path.with_name(".old")
    make(new)
    path.rename(old)
    new.rename(path)
    if old.is_dir() and not old.is_symlink():
        for inner in old.iterdir():
            inner.unlink()
        old.rmdir()
    else:
        old.unlink()


def at_call(number: int, flip: Callable[[], None]) -> tuple[pytest.MonkeyPatch, Callable[[], bool]]:
    """`flip` happens before the system call of that number, counted from now on; and whether it happened."""
    patch, calls = pytest.MonkeyPatch(), 0
    real = {name: getattr(os, name) for name in _CALLS}

    def counted(name: str) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            nonlocal calls
            calls += 1
            if calls == number:
                patch.undo()
                flip()
            return real[name](*args, **kwargs)

        return call

    for name in _CALLS:
        patch.setattr(os, name, counted(name))
    return patch, lambda: calls >= number


def before_each_call(attempt: Callable[[], None], flip: Callable[[], None], restore: Callable[[], None]) -> int:
    """Run `attempt` again and again, each time with the flip before another of its system calls; how many there are."""
    number = 1
    while True:
        patch, happened = at_call(number, flip)
        try:
            attempt()
        finally:
            patch.undo()
        if not happened():
            return number - 1
        restore()
        number += 1


@contextmanager
def all_the_time(flip: Callable[[], None], restore: Callable[[], None]) -> Iterator[None]:
    """Flip and restore in a thread beside the block, as fast as it goes."""
    stop = threading.Event()

    def keep_flipping() -> None:
        while not stop.is_set():
            flip()
            restore()

    thread = threading.Thread(target=keep_flipping)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
