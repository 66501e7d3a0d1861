"""The MD5 of a body, and disks that do not answer while it is made."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cloud.stores import QUICK, byte_range
from tests.until import until
from tui_uploader.cloud.contract import ByteRange
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.s3.digests import FileRead, md5_of
from tui_uploader.errors import SourceChanged, SourceUnreadable
from tui_uploader.settings import Settings


def test_the_md5_is_that_of_the_span_alone(tmp_path: Path) -> None:
    content = os.urandom(2_500_000)
    with byte_range(tmp_path / "a.jpg", b"before" + content + b"behind") as whole:
        assert md5_of(replace(whole, offset=6, length=len(content)), FileRead()) == hashlib.md5(content).digest()
        with pytest.raises(SourceChanged):
            md5_of(replace(whole, length=whole.length + 1), FileRead())
    with (tmp_path / "a.jpg").open("ab", buffering=0) as unreadable, pytest.raises(SourceUnreadable):
        md5_of(ByteRange(unreadable, 0, 1, 0), FileRead())


async def test_a_disk_that_hangs_is_told_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, asked = threading.Event(), threading.Event()
    pread = os.pread

    def hang(descriptor: int, length: int, offset: int) -> bytes:
        asked.set()
        answers.wait(30)
        return pread(descriptor, length, offset)

    pool = ConnectionPool(Settings(), QUICK)
    with byte_range(tmp_path / "a.jpg", 3 * 1024**2) as body:
        monkeypatch.setattr(os, "pread", hang)
        task = asyncio.create_task(pool.in_thread(lambda reading: md5_of(replace(body, path="/card/a.jpg"), reading)))
        try:
            await asyncio.to_thread(asked.wait, 30)
            assert pool.stalled_reads(0.0) == ["/card/a.jpg"] and pool.stalled_reads(60.0) == []
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert pool.stalled_reads(0.0) == ["/card/a.jpg"], "the thread waits on, and nobody for it"
        finally:
            answers.set()
        await until(lambda: not pool.stalled_reads(0.0))
    await pool.close()
