"""Receipts to check, without an engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from tui_uploader.model.receipts import ReceiptHead, ReceiptRow
from tui_uploader.receipts.csv_format import CsvWriter
from tui_uploader.receipts.json_format import JsonWriter

HEAD = ReceiptHead(
    program="tui-uploader 0.1.0",
    created_at="2026-05-11T10:15:00.000Z",
    upload=3,
    state="complete",
    added_at="2026-05-11T09:00:00.000Z",
    ended_at="2026-05-11T10:14:59.000Z",
    project='Quarry "north", =1',
    project_id="17",
    account="client",
    cloud="https://cloud.pix4d.com",
    kind="images",
    sources=("/media/card/DCIM",),
)
TIME = "2026-05-11T10:00:00.123Z"


def row(path: str = "/media/card/DCIM/DJI_0001.JPG", **changed: object) -> ReceiptRow:
    values: dict[str, object] = {
        "path": path,
        "size": 8_412_345,
        "xxh128": "0123456789abcdef" * 2,
        "crc32": "00c0ffee",
        "object": path.rpartition("/")[2],
        "etag": '"d41d8cd98f00b204e9800998ecf8427e"',
        "proof": "crc32",
        "stored_at": TIME,
        "registered_at": TIME,
    }
    return ReceiptRow(**(values | changed))  # type: ignore[arg-type]


ODD_ROWS = (
    row("/card/ a,b;\t'x'.jpg"),
    row('/card/"quoted".jpg', etag=None),
    row("/card/=HYPERLINK(1).jpg", object="=HYPERLINK(1).jpg"),
    row("/card/@x.jpg", object="@x.jpg", stored_at=None, proof=None),
    row("/card/copy.jpg", duplicate_of="/card/'x.jpg", object="'x.jpg"),
    row("/card/line\nbreak\r.jpg", object="+line.jpg"),
    row("/card/model.tif", type="orthomosaic", replaced_at=TIME),
    row("/card/model.tif", type="orthomosaic", size=0),
    row("/card/ä\udcff\x1b[31m.jpg"),
)


class Writer(Protocol):
    def head(self, head: ReceiptHead) -> bytes: ...

    def rows(self, rows: Sequence[ReceiptRow]) -> bytes: ...

    def end(self, not_delivered: int) -> bytes: ...


WRITERS: tuple[type[Writer], ...] = (JsonWriter, CsvWriter)


def written(writer: Writer, rows: Iterable[ReceiptRow] = (), head: ReceiptHead = HEAD, not_delivered: int = 0) -> bytes:
    """The whole receipt, with the rows in two pieces."""
    given = list(rows)
    middle = len(given) // 2
    pieces = [writer.head(head), writer.rows(given[:middle]), writer.rows(given[middle:])]
    return b"".join([*pieces, writer.end(not_delivered)])


def sorted_rows(rows: Iterable[ReceiptRow]) -> list[ReceiptRow]:
    return sorted(rows, key=lambda each: each.path.encode("utf-8", "surrogateescape"))


def in_file(folder: Path, content: bytes) -> Path:
    path = folder / "receipt"
    path.write_bytes(content)
    return path
