"""Files that are being sent: their MD5, and whose error it is when one cannot be read."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cloud.stores import QUICK, byte_range
from tests.photos import write_photo
from tests.until import until
from tui_uploader.cloud.contract import ByteRange
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.http.source_files import FileRead, md5_of, sendfile_error
from tui_uploader.errors import SourceChanged, SourceUnreadable
from tui_uploader.settings import Settings


@pytest.mark.parametrize("number", [errno.ENOTCONN, errno.ENXIO, errno.EIO, errno.ETIMEDOUT])
@pytest.mark.parametrize("of_file", [True, False])
def test_a_file_is_blamed_only_if_reading_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, of_file: bool
) -> None:
    """ENOTCONN comes from a FUSE file system whose program has ended, and from a connection that was cut."""

    def broken(*_: object) -> bytes:
        raise OSError(number, os.strerror(number))

    if of_file:
        monkeypatch.setattr(os, "pread", broken)
    with write_photo(tmp_path / "DJI_0001.JPG").open("rb") as file:
        error = OSError(number, os.strerror(number))
        found = sendfile_error(error, ByteRange(file, 0, 2_000, 0, path="/media/card/DJI_0001.JPG"), 1_000)
    if of_file or number == errno.EIO:
        assert isinstance(found, SourceUnreadable) and str(found).startswith("/media/card/DJI_0001.JPG cannot be read")
    else:
        assert found is error


def test_the_md5_covers_the_range_alone(tmp_path: Path) -> None:
    content = os.urandom(2_500_000)
    with byte_range(tmp_path / "a.jpg", b"before" + content + b"behind") as whole:
        assert md5_of(replace(whole, offset=6, length=len(content)), FileRead()) == hashlib.md5(content).digest()
        with pytest.raises(SourceChanged):
            md5_of(replace(whole, length=whole.length + 1), FileRead())
    with (tmp_path / "a.jpg").open("ab", buffering=0) as unreadable, pytest.raises(SourceUnreadable):
        md5_of(ByteRange(unreadable, 0, 1, 0), FileRead())


async def test_a_hung_disk_is_reported_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
            assert pool.stalled_reads(0.0) == ["/card/a.jpg"], "the abandoned thread is still waiting"
        finally:
            answers.set()
        await until(lambda: not pool.stalled_reads(0.0))
    await pool.close()
