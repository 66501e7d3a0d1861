"""Pictures that are made to take gigabytes or hours: they end in a sentence, and the process that met them is gone."""

from __future__ import annotations

import io
import os
import struct
import threading
from pathlib import Path

import pytest
from PIL import Image

from tests.service.conftest import eventually
from tests.tui.pictures.photo_files import exif_of, halved, write
from tui_uploader.tui.pictures.decode import NoPicture, read_picture
from tui_uploader.tui.pictures.process import PictureProcess
from tui_uploader.tui.pictures.worker import MOST_MEMORY

MOST = (200, 100)
TOO_MUCH = "would take too much time or memory to be shown here."
IN_PROC = Path("/proc/self/statm").exists()
LINUX = pytest.mark.skipif(not IN_PROC, reason="the memory of a process is not bounded here")


def many_scans(path: Path, side: int, scans: int) -> Path:
    """A baseline JPEG of `side` pixels squared whose scans are of one component each: it is held whole, three numbers
    of two bytes for each pixel."""
    whole = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(whole, "JPEG", subsampling=0)
    head = whole.getvalue()[: whole.getvalue().index(b"\xff\xda")]
    frame = head.index(b"\xff\xc0") + 5
    head = head[:frame] + struct.pack(">HH", side, side) + head[frame + 4 :]
    scan = b"\xff\xda" + struct.pack(">HB", 8, 1) + bytes([1, 0, 0, 63, 0]) + bytes(20)
    path.write_bytes(head + scan * scans + b"\xff\xd9")
    return path


def process_of(reader: PictureProcess) -> int:
    assert reader.pid is not None
    return reader.pid


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_one_process_decodes_one_picture_after_the_other(tmp_path: Path) -> None:
    path = str(write(tmp_path / "a.JPG", halved(4000, 3000), exif_of((46.5, 6.25))))
    odd = str(tmp_path / os.fsdecode(b"b\xff\n.JPG"))
    write(tmp_path / "b.JPG", halved(300, 600)).rename(odd)
    reader = PictureProcess()
    try:
        for each in (path, odd):
            assert reader.picture(each, MOST).tobytes() == read_picture(each, MOST).tobytes()
        pid = process_of(reader)
        with pytest.raises(NoPicture, match=r"c\.JPG is not there any more"):
            reader.picture(str(tmp_path / "c.JPG"), MOST)
        assert process_of(reader) == pid
    finally:
        reader.close()
    eventually(lambda: gone(pid), "the process ended with its reader")


@LINUX
@pytest.mark.parametrize("side", [17_000, 50_000], ids=["gigabytes", "tens of gigabytes"])
def test_a_picture_that_would_fill_the_memory_is_refused(tmp_path: Path, side: int) -> None:
    reader = PictureProcess()
    try:
        with pytest.raises(NoPicture, match=TOO_MUCH):
            reader.picture(str(many_scans(tmp_path / "bomb.jpg", side, 2)), MOST)
        status = Path(f"/proc/{process_of(reader)}/status").read_text()
        peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
        assert peak < MOST_MEMORY
        write(tmp_path / "good.jpg", halved(300, 200))
        assert reader.picture(str(tmp_path / "good.jpg"), MOST).size == (150, 100)
    finally:
        reader.close()


def test_a_picture_that_takes_too_long_is_refused_and_the_next_one_is_shown(tmp_path: Path) -> None:
    bomb = str(many_scans(tmp_path / "bomb.jpg", 6000, 20_000))
    good = str(write(tmp_path / "good.jpg", halved(300, 200)))
    reader = PictureProcess(seconds=0.5)
    try:
        with pytest.raises(NoPicture, match=TOO_MUCH):
            reader.picture(bomb, MOST)
        reader.seconds = 30.0
        assert reader.picture(good, MOST).size == (150, 100)
    finally:
        reader.close()


def test_closing_ends_a_process_that_still_decodes(tmp_path: Path) -> None:
    reader = PictureProcess()
    reader.picture(str(write(tmp_path / "good.jpg", halved(300, 200))), MOST)
    pid, refusals = process_of(reader), list[str]()

    def read() -> None:
        try:
            reader.picture(str(many_scans(tmp_path / "bomb.jpg", 6000, 20_000)), MOST)
        except NoPicture as error:
            refusals.append(str(error))

    reading = threading.Thread(target=read)
    reading.start()
    reader.close()
    reading.join(10)
    assert not reading.is_alive() and refusals
    eventually(lambda: gone(pid), "the process was killed")
    with pytest.raises(NoPicture):
        reader.picture(str(tmp_path / "good.jpg"), MOST)
