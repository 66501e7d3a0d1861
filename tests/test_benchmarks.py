"""The measurement tools of the benchmarks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import replaced, section
from benchmarks.measure import CommandFailed, Usage, measured, median_usage, side_by_side
from benchmarks.photos import write_photos
from benchmarks.result import write_geotiff
from benchmarks.table import Table
from tui_uploader.intake.inspect import inspect_image
from tui_uploader.intake.results.check import check_main
from tui_uploader.model.results import ResultType

MIB = 1 << 20


def test_processor_time_and_memory_of_a_command() -> None:
    ballast = bytearray(300 * MIB)  # memory of this process must not count
    program = (
        f"x = bytearray({64 * MIB})\nimport time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: 0"
    )
    used = measured([sys.executable, "-c", program])
    assert len(ballast) == 300 * MIB
    assert 0.3 <= used.cpu < 3
    assert used.wall >= 0.3
    assert 64 * MIB <= used.peak < 200 * MIB


def test_children_of_the_command_are_counted() -> None:
    busy = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: 0"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}], check=True)"
    assert measured([sys.executable, "-c", program]).cpu >= 0.3


def test_a_failed_command_is_an_error() -> None:
    with pytest.raises(CommandFailed, match="no such luck"):
        measured([sys.executable, "-c", "raise SystemExit('no such luck')"])


def test_the_command_gets_the_environment() -> None:
    measured([sys.executable, "-c", "import os; assert os.environ['CARD'] == 'full'"], {"CARD": "full"})


def test_each_value_has_its_own_median() -> None:
    assert median_usage([Usage(1, 30, 5), Usage(2, 10, 4), Usage(9, 20, 9)]) == Usage(2, 20, 5)


def test_contestants_take_turns() -> None:
    order: list[str] = []

    def run(name: str, wall: float) -> Usage:
        order.append(name)
        return Usage(wall, 0, 0)

    assert side_by_side({"a": lambda: run("a", 1), "b": lambda: run("b", 2)}, 3) == {
        "a": Usage(1, 0, 0),
        "b": Usage(2, 0, 0),
    }
    assert order == ["a", "b"] * 3


TABLE = Table("Speed", "What was done.", ("who", "MB/s"), (("we", "250"), ("they", "7")))


def test_a_table_is_aligned() -> None:
    assert TABLE.markdown().splitlines() == [
        "## Speed",
        "",
        "What was done.",
        "",
        "| who  | MB/s |",
        "| ---- | ---: |",
        "| we   |  250 |",
        "| they |    7 |",
    ]


def test_a_section_is_replaced_and_the_others_stay() -> None:
    results = "# Measured\n"
    for name in ("intake", "upload"):
        results = replaced(results, name, section(name, [TABLE], "- this machine"))
    again = replaced(results, "intake", section("intake", [TABLE], "- another machine"))
    assert again == results.replace("- this machine", "- another machine", 1)
    assert again.startswith("# Measured\n")


def test_photos_have_their_size_and_are_accepted_as_photos(tmp_path: Path) -> None:
    write_photos(tmp_path / "card", 3, 200_000)
    photos = sorted((tmp_path / "card").iterdir())
    assert [photo.stat().st_size for photo in photos] == [200_000] * 3
    assert len({photo.read_bytes() for photo in photos}) == 3
    assert all(inspect_image(str(photo)).taken_at for photo in photos)


def test_the_huge_result_is_accepted_as_an_orthomosaic(tmp_path: Path) -> None:
    path = write_geotiff(tmp_path / "ortho.tif", 20_000_000_000)
    assert 19.9e9 < path.stat().st_size <= 20.1e9
    assert path.stat().st_blocks * 512 < 10_000_000
    found = check_main(str(path))
    assert (found.type, found.placed) == (ResultType.ORTHOMOSAIC, True)
    assert found.crs is not None
