"""Lists of checksums on file systems that refuse them, and calls that were given up."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import xxhash

from tests.engine.world import left_open
from tests.receipts.samples import HEAD, row, written
from tests.receipts.tool import ascmhl
from tui_uploader.engine.receipts.copies import ChecksumLists, copy_receipt, failure_sentence
from tui_uploader.model.receipts import ReceiptRow
from tui_uploader.receipts.json_format import JsonWriter

MOMENT = "2026-05-11_101500Z"


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "card"
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder)
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can be mounted by root alone")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def filled(card: Path, files: int) -> list[ReceiptRow]:
    (card / "DCIM").mkdir(parents=True)
    found = []
    for number in range(files):
        path = card / "DCIM" / f"{number:05}.JPG"
        path.write_bytes(b"%d" % number)
        checksum = xxhash.xxh3_128_hexdigest(path.read_bytes())
        found.append(row(str(path), size=path.stat().st_size, xxh128=checksum))
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_full_card_keeps_its_history(card: Path) -> None:
    rows = filled(card, 60)
    lists = ChecksumLists(str(card), HEAD, "machine")
    lists.add(rows[:10])
    lists.end(MOMENT)
    before = {path.name: path.read_bytes() for path in (card / "ascmhl").iterdir()}
    (card / "ballast").write_bytes(b"")
    with (card / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError, match="space"):
        while True:
            ballast.write(b"x" * 4096)
    lists = ChecksumLists(str(card), HEAD, "machine")
    with pytest.raises(OSError, match="space") as refused:
        lists.add(rows)
        lists.end(MOMENT)
    lists.abandon()
    assert failure_sentence(str(card), refused.value) == f"{card} is full."
    assert {path.name: path.read_bytes() for path in (card / "ascmhl").iterdir()} == before
    receipt = card.parent / "receipt.json"
    receipt.write_bytes(written(JsonWriter(), rows))
    with pytest.raises(OSError, match="space"):
        copy_receipt(receipt, HEAD, str(card))
    assert names(card) == ["DCIM", "ascmhl", "ballast"]
    (card / "ballast").unlink()
    lists = ChecksumLists(str(card), HEAD, "machine")
    lists.add(rows)
    lists.end("2026-05-11_101600Z")
    assert ascmhl("verify", card) == (0, "")


def test_a_write_protected_card_is_told(card: Path) -> None:
    rows = filled(card, 2)
    subprocess.run(["mount", "-o", "remount,ro", card], check=True)
    lists = ChecksumLists(str(card), HEAD, "machine")
    with pytest.raises(OSError, match="Read-only") as refused:
        lists.add(rows)
        lists.end(MOMENT)
    lists.abandon()
    assert "write-protected" in failure_sentence(str(card), refused.value)
    assert names(card) == ["DCIM"]


def test_after_it_was_given_up_nothing_is_written(tmp_path: Path) -> None:
    """A call on a slow card may only get its turn then."""
    rows = filled(tmp_path, 3)
    lists = ChecksumLists(str(tmp_path), HEAD, "machine")
    lists.add(rows[:2])
    lists.abandon()
    lists.add(rows)
    lists.end(MOMENT)
    lists.abandon()
    assert names(tmp_path) == ["DCIM"]
    assert left_open(tmp_path) == []


def test_a_folder_with_a_history_of_its_own_keeps_it(tmp_path: Path) -> None:
    rows = filled(tmp_path, 3)
    assert ascmhl("create", "-h", "xxh128", tmp_path / "DCIM")[0] == 0
    (tmp_path / "beside.JPG").write_bytes(b"beside")
    beside = row(str(tmp_path / "beside.JPG"), size=6, xxh128=xxhash.xxh3_128_hexdigest(b"beside"))
    lists = ChecksumLists(str(tmp_path), HEAD, "machine")
    lists.add([*rows, beside])
    lists.end(MOMENT)
    assert len(names(tmp_path / "DCIM" / "ascmhl")) == 3
    assert len(names(tmp_path / "ascmhl")) == 2
    assert ascmhl("verify", tmp_path) == (0, "")
