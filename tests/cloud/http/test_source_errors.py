"""Whose error it is when a file is sent straight from its disk to the link: `sendfile` does not say."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.photos import write_photo
from tui_uploader.cloud.contract import ByteRange
from tui_uploader.cloud.http.source_errors import blamed
from tui_uploader.errors import SourceUnreadable


@pytest.mark.parametrize("number", [errno.ENOTCONN, errno.ENXIO, errno.EIO, errno.ETIMEDOUT])
@pytest.mark.parametrize("of_file", [True, False])
def test_the_file_is_blamed_for_what_it_alone_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, of_file: bool
) -> None:
    """ENOTCONN is the answer of a FUSE file system whose program has ended, and of a connection that was cut."""

    def broken(*_: object) -> bytes:
        raise OSError(number, os.strerror(number))

    if of_file:
        monkeypatch.setattr(os, "pread", broken)
    with write_photo(tmp_path / "DJI_0001.JPG").open("rb") as file:
        error = OSError(number, os.strerror(number))
        found = blamed(error, ByteRange(file, 0, 2_000, 0, path="/media/card/DJI_0001.JPG"), 1_000)
    if of_file or number == errno.EIO:
        assert isinstance(found, SourceUnreadable) and str(found).startswith("/media/card/DJI_0001.JPG cannot be read")
    else:
        assert found is error
