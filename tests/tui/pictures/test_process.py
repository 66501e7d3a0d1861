"""Pictures that are made to take gigabytes or hours: they end in a sentence, and the process that met them is gone."""

from __future__ import annotations

import io
import json
import os
import struct
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.service.conftest import eventually
from tests.tui.pictures.photo_files import exif_of, halved, write
from tui_uploader.tui.pictures import process
from tui_uploader.tui.pictures.decode import NoPicture, read_picture
from tui_uploader.tui.pictures.parts import View
from tui_uploader.tui.pictures.process import PictureProcess
from tui_uploader.tui.pictures.worker import MOST_MEMORY

MOST = View((200, 100))
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
            assert reader.picture(each, MOST) == read_picture(each, MOST)
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


def test_a_pan_at_full_resolution_is_answered_at_once(tmp_path: Path) -> None:
    """The picture stays decoded: a pan moves a few thousand pixels, not twenty million."""
    path = str(write(tmp_path / "large.JPG", Image.effect_noise((5280, 3956), 60).convert("RGB")))
    reader = PictureProcess()
    try:
        reader.picture(path, View((120, 66), 1, (0.5, 0.5)))
        took = []
        for x in range(8):
            begun = time.monotonic()
            part = reader.picture(path, View((120, 66), 1, (0.1 + x / 10, 0.4)))
            took.append(time.monotonic() - begun)
            assert part.size == (120, 66)
        assert min(took) < 0.05, took
    finally:
        reader.close()


@LINUX
@pytest.mark.parametrize("part", [0.2, 0.6])
def test_a_large_photo_that_is_cut_off_stays_within_the_memory(tmp_path: Path, part: float) -> None:
    path = write(tmp_path / "large.JPG", Image.effect_noise((8000, 6000), 60).convert("RGB"))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    reader = PictureProcess()
    try:
        shown = reader.picture(str(path), View((120, 66), 1))
        assert shown.cut_off and shown.rows is not None and shown.rows == pytest.approx(6000 * part, abs=60)
        status = Path(f"/proc/{process_of(reader)}/status").read_text()
        peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
        assert peak < MOST_MEMORY
    finally:
        reader.close()


@pytest.mark.parametrize(
    "answer",
    [
        {"size": [9999, 9999], "full": [9999, 9999], "box": [0, 0, 9999, 9999]},
        {"size": [2, 2], "full": [2, 2], "box": [0, 0, 0, 0]},
        {"size": [2, 2], "full": [0, 0], "box": [-5, 0, 2, 2]},
        {"size": [-2, -2], "full": [2, 2], "box": [0, 0, 2, 2]},
        {"size": [2, 2], "full": [2, 2], "box": [0, 0, 2, 2], "rows": -1},
    ],
)
def test_a_decoder_that_answers_nonsense_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: dict[str, object]
) -> None:
    """A hostile file may have taken over the decoder."""
    line = json.dumps({"part": {"pixels": "", **answer}})
    script = f"import sys; sys.stdin.readline(); print({line!r}, flush=True); sys.stdin.readline()"
    monkeypatch.setattr(process, "_COMMAND", (sys.executable, "-c", script))
    reader = PictureProcess()
    try:
        with pytest.raises(NoPicture, match=TOO_MUCH):
            reader.picture(str(tmp_path / "a.JPG"), MOST)
    finally:
        reader.close()
