"""What the tests of the source text need."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_garbage_collection() -> Iterator[None]:
    """Python 3.11 can fail to parse while the garbage collector runs (https://github.com/python/cpython/issues/106905)."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
