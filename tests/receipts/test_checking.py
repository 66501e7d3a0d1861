"""A receipt is accepted as it was written, and in no other form."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.receipts.samples import HEAD, ODD_ROWS, WRITERS, Writer, in_file, row, sorted_rows, written
from tui_uploader.errors import NoSuchPath, UsageError
from tui_uploader.model.receipts import CheckedReceipt, ReceiptFormat, ReceiptRow, ReceiptTotals, ReceiptVerdict
from tui_uploader.receipts import checking
from tui_uploader.receipts.checking import check
from tui_uploader.receipts.csv_format import CsvWriter
from tui_uploader.receipts.json_format import JsonWriter

MANY = sorted_rows([*ODD_ROWS, *(row(f"/card/{number:04}.jpg", size=number) for number in range(50))])


def judged(folder: Path, content: bytes) -> CheckedReceipt:
    return check(in_file(folder, content))


def resealed(content: bytes) -> bytes:
    """`content` with a correct checksum: what a person writes who wants to deceive."""
    if content.startswith(b"{"):
        before = content[: content.rindex(b'"checksum"')]
        return before + f'"checksum":"sha256:{hashlib.sha256(before).hexdigest()}"}}\n'.encode()
    before = content[: content.rindex(b"# sha256")]
    return before + f"# sha256: {hashlib.sha256(before).hexdigest()}\n".encode()


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("rows", [[], [row()], MANY], ids=["empty", "one", "many"])
def test_a_receipt_is_valid_as_it_was_written(
    tmp_path: Path, writer: Callable[[], Writer], rows: list[ReceiptRow]
) -> None:
    checked = judged(tmp_path, written(writer(), rows, not_delivered=2))
    assert (checked.verdict, checked.reason, checked.head) == (ReceiptVerdict.VALID, "", HEAD)
    copies = sum(each.duplicate_of is not None for each in rows)
    size = sum(each.size for each in rows if each.duplicate_of is None)
    assert checked.totals == ReceiptTotals(len(rows) - copies, size, copies, 2)


@pytest.mark.parametrize("writer", WRITERS)
def test_every_edit_of_a_single_byte_is_told(tmp_path: Path, writer: Callable[[], Writer]) -> None:
    """Each byte is replaced, removed, and doubled."""
    content = written(writer(), MANY[:3])
    chance = random.Random(7)
    for at in range(len(content)):
        other = bytes([(content[at] + chance.randrange(1, 256)) % 256])
        for edited in (other, bytes([content[at] ^ 1]), b"", content[at : at + 1] * 2):
            found = judged(tmp_path, content[:at] + edited + content[at + 1 :])
            assert found.verdict is ReceiptVerdict.EDITED, (at, edited)
            assert found.head is None, "nothing of an edited receipt is told"


@pytest.mark.parametrize("writer", WRITERS)
def test_a_cut_off_receipt_is_told(tmp_path: Path, writer: Callable[[], Writer]) -> None:
    content = written(writer(), MANY[:3])
    first_line = content.index(b"\n") + 1
    for length in range(first_line, len(content)):
        assert judged(tmp_path, content[:length]).verdict is ReceiptVerdict.EDITED, length
    for length in range(first_line):
        assert judged(tmp_path, content[:length]).verdict is not ReceiptVerdict.VALID, length
    assert judged(tmp_path, content + b"\n").verdict is ReceiptVerdict.EDITED
    assert judged(tmp_path, content + content).verdict is ReceiptVerdict.EDITED


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([row("/card/../etc/passwd")], "climbs"),
        ([row("/card/..")], "climbs"),
        ([row("/card/./a.jpg")], "climbs"),
        ([row("card/a.jpg")], "absolute"),
        ([row("")], ""),
        ([row("/card/a.jpg", duplicate_of="/card/../b.jpg")], "climbs"),
        ([row("/card/b.jpg"), row("/card/a.jpg")], "order"),
        ([row(size=-1)], "size"),
        ([row(size=2**63)], "size"),
        ([row(size=10**4000)], ""),
        ([row(xxh128="0123456789ABCDEF" * 2)], "checksum"),
        ([row(crc32="1")], "checksum"),
        ([row(stored_at="yesterday")], "time"),
        ([row(registered_at="2026-05-11T10:00:00.123+02")], "time"),
        ([row(etag="x" * 200_000)], "too long"),
    ],
)
def test_a_receipt_that_no_version_would_write_is_told_although_its_checksum_is_right(
    tmp_path: Path, writer: Callable[[], Writer], rows: list[ReceiptRow], reason: str
) -> None:
    found = judged(tmp_path, written(writer(), rows))
    assert found.verdict is ReceiptVerdict.EDITED
    assert reason in found.reason


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb'"size":8412345', b'"size":8412345.0'),
        (rb'"size":8412345', b'"size":"8412345"'),
        (rb'"size":8412345', b'"size":1e400'),
        (rb'"size":8412345', b'"size":8412345,"size":1'),
        (rb'"size":8412345', b'"size":8412345,"more":1'),
        (rb'"size":8412345,', b""),
        (rb'"path":"/media', b'"path":"\\u002fmedia'),
        (rb'\{"path"', b'{ "path"'),
        (rb'"path":"/media[^"]*"', b'"path":"/\\ud800"'),
        (rb'"path":"/media[^"]*"', b'"path":"/a\\u0000"'),
        (rb'"files":1,', b'"files":2,'),
        (rb'"not_delivered":0', b'"not_delivered":-1'),
        (rb'"upload":3', b'"upload":"3"'),
        (rb'\],\n"totals"', b'],\n"more":1,\n"totals"'),
        (rb'"size":8412345', b'"size":' + b"[" * 60_000),
        (rb'"totals":\{.*\}', b'"totals":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
        (rb'"files":\[\n', b'"files":[\n\n'),
    ],
)
def test_json_that_says_the_same_or_more_in_other_words_is_told(tmp_path: Path, old: bytes, new: bytes) -> None:
    content = written(JsonWriter(), [row()])
    edited, changes = re.subn(old, lambda _: new, content)
    assert changes == 1
    assert judged(tmp_path, resealed(edited)).verdict is ReceiptVerdict.EDITED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b",8412345,", b',"8412345",'),
        (b",8412345,", b",08412345,"),
        (b",8412345,", b",8412345,,"),
        (b"path,size", b"size,path"),
        (b"# upload: 3", b"# upload:  3"),
        (b"# upload: 3", b"# number: 3"),
        (b'# totals: {"files":1', b'# totals: {"files":2'),
        (b"/media/card/DCIM/DJI_0001.JPG,8", b'"/media/card/DCIM/DJI_0001.JPG,8'),
        (b"# totals", b"\n# totals"),
        (b"# totals", b"# more: 1\n# totals"),
    ],
)
def test_csv_that_says_the_same_or_more_in_other_words_is_told(tmp_path: Path, old: bytes, new: bytes) -> None:
    content = written(CsvWriter(), [row()])
    assert content.count(old) == 1
    assert judged(tmp_path, resealed(content.replace(old, new))).verdict is ReceiptVerdict.EDITED


@pytest.mark.parametrize("writer", WRITERS)
def test_another_version_is_not_judged(tmp_path: Path, writer: Callable[[], Writer]) -> None:
    content = written(writer(), MANY)
    for old, new in ((b'"version":1,', b'"version":2,'), (b"receipt 1\n", b"receipt 2\n")):
        content = content.replace(old, new, 1)
    assert judged(tmp_path, content).verdict is ReceiptVerdict.EDITED, "its checksum does not match"
    found = judged(tmp_path, resealed(content))
    assert (found.verdict, found.head) == (ReceiptVerdict.UNKNOWN, None)
    assert "version 2" in found.reason


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"{}",
        b"{" * 1000,
        b"[" * 200_000,
        b"\x00" * 5000,
        b"path,size\n",
        b'{"format":"other"}\n',
        b"\xff\xfe",
    ],
)
def test_other_files_are_no_receipts(tmp_path: Path, content: bytes) -> None:
    assert judged(tmp_path, content).verdict is ReceiptVerdict.UNKNOWN


def test_files_that_are_too_large_or_no_files_are_refused(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.write(written(JsonWriter(), [row()]))
        file.truncate(5 * 1024**3)
    found = check(large)
    assert found.verdict is ReceiptVerdict.UNKNOWN
    assert re.search(r"5\.\d+ GB", found.reason)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            check(path)
    with pytest.raises(NoSuchPath):
        check(tmp_path / "absent")


def test_a_line_without_end_takes_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = 0
    digest = hashlib.sha256

    class Watching:
        def __init__(self) -> None:
            self._digest = digest()

        def update(self, data: bytes) -> None:
            nonlocal longest
            longest = max(longest, len(data))
            self._digest.update(data)

        def hexdigest(self) -> str:
            return self._digest.hexdigest()

    content = written(JsonWriter(), [row()])
    first = content.index(b"\n") + 1
    path = in_file(tmp_path, content[:first] + b"x" * 30_000_000 + content[first:])
    monkeypatch.setattr(hashlib, "sha256", Watching)
    assert check(path).verdict is ReceiptVerdict.EDITED
    assert longest == checking.LONGEST_LINE


def test_a_json_receipt_is_one_document(tmp_path: Path) -> None:
    document = json.loads(written(JsonWriter(), MANY, not_delivered=1))
    assert list(document) == ["format", "version", "head", "files", "totals", "checksum"]
    assert [each["path"] for each in document["files"]] == [each.path for each in MANY]
    assert judged(tmp_path, written(JsonWriter(), MANY)).format is ReceiptFormat.JSON


def test_cells_that_a_spreadsheet_would_carry_out_are_guarded() -> None:
    cells = [line.split(b",") for line in written(CsvWriter(), ODD_ROWS).splitlines()]
    objects = {cell for line in cells for cell in line}
    assert {b"'=HYPERLINK(1).jpg", b"'@x.jpg", b"''x.jpg", b"'+line.jpg"} <= objects
    assert not [cell for line in cells for cell in line if cell.lstrip(b'"')[:1] in (b"=", b"@", b"+", b"-")]


NAMES = st.binary(min_size=1, max_size=12).map(lambda name: os.fsdecode(name.replace(b"\0", b"'").replace(b"/", b'"')))
CELLS = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=6)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NAMES, CELLS, st.booleans()), max_size=5))
def test_any_names_are_written_so_that_they_are_read_again(
    tmp_path: Path, given_rows: list[tuple[str, str | None, bool]]
) -> None:
    rows = sorted_rows(
        row(f"/card/{name}", object=cell, etag=cell, duplicate_of=f"/card/{name}" if copy else None)
        for name, cell, copy in given_rows
        if name not in (".", "..")
    )
    for writer in WRITERS:
        found = judged(tmp_path, written(writer(), rows))
        assert found.verdict is ReceiptVerdict.VALID, found.reason
