"""The filter of the files pane."""

from __future__ import annotations

import pytest

from tui_uploader.model.files import FileProperty
from tui_uploader.model.states import FileStatus
from tui_uploader.tui.files.filter import FileFilter, parse_filter


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", FileFilter()),
        ("dji_01", FileFilter(text="dji_01")),
        ("!dji 01", FileFilter(text="!dji 01")),
        (":failed", FileFilter(FileStatus.FAILED)),
        (":FAILED", FileFilter(FileStatus.FAILED)),
        (":f", FileFilter(FileStatus.FAILED)),
        (":u", FileFilter(FileStatus.UPLOADING)),
        (":uploaded", FileFilter(FileStatus.UPLOADED)),
        (":", FileFilter()),
        ("!:uploaded", FileFilter(except_status=FileStatus.UPLOADED)),
        (":waiting 0042", FileFilter(FileStatus.WAITING, text="0042")),
        ("!dji :dup", FileFilter(FileStatus.DUPLICATE, text="!dji")),
        (":waiting !:dup x", FileFilter(FileStatus.WAITING, FileStatus.DUPLICATE, "x")),
        (":results", FileFilter(property=FileProperty.RESULTS)),
        ("!:res .tif", FileFilter(except_property=FileProperty.RESULTS, text=".tif")),
        (":failed :waiting", FileFilter(FileStatus.WAITING)),
        (":nothing", FileFilter(text=":nothing")),
        ("a:failed", FileFilter(text="a:failed")),
        (" a ", FileFilter(text=" a ")),
    ],
)
def test_a_filter_accepts_names_and_statuses(typed: str, meant: FileFilter) -> None:
    assert parse_filter(typed) == meant
