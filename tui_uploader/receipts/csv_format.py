"""The receipt as CSV (RFC 4180, lines end with a line feed), with lines of remarks before and after the table.

```
# tui-uploader receipt 1
# program: "tui-uploader 0.1.0"
# …
path,size,xxh128,crc32,object,etag,proof,stored_at,registered_at,duplicate_of,type,replaced_at
/media/card/DCIM/DJI_0001.JPG,8412345,…
# totals: {"files":1711,…}
# sha256: …
```

The checksum is that of all bytes before its line. Values of remarks are JSON. A spreadsheet would carry out a cell that
begins with `=`, and names of files come from memory cards; so a cell that begins with one of `=+-@'`, a tab or a
carriage return gets an apostrophe in front, which a reader takes off again. Nothing else is changed: the bytes of paths
are those of the file system.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

import msgspec

from tui_uploader.model.receipts import VERSION, ReceiptHead, ReceiptRow, ReceiptTotals
from tui_uploader.receipts.json_format import canonical
from tui_uploader.receipts.lines import FORMAT, Digest, counted

FIRST_LINE = re.compile(rb"# tui-uploader receipt ([0-9]{1,9})\n")
LAST_LINE = re.compile(rb"# sha256: ([0-9a-f]{64})\n")
TOTALS = "# totals: "

_COLUMNS = ReceiptRow.__struct_fields__
_OPTIONAL = frozenset(_COLUMNS) - {"path", "size"}
_TO_QUOTE = re.compile(r'[",\r\n]')
_GUARDED = ("=", "+", "-", "@", "'", "\t", "\r")


class CsvWriter:
    """Writes a receipt piece by piece."""

    def __init__(self) -> None:
        self._digest = Digest()
        self._totals = ReceiptTotals()

    def head(self, head: ReceiptHead) -> bytes:
        return self._digest.passing(f"# {FORMAT} {VERSION}\n{head_text(head)}")

    def rows(self, rows: Sequence[ReceiptRow]) -> bytes:
        self._totals = counted(self._totals, rows)
        return self._digest.passing(rows_text(rows))

    def end(self, not_delivered: int) -> bytes:
        """`not_delivered`: files of the upload that are not in the rows."""
        totals = msgspec.structs.replace(self._totals, not_delivered=not_delivered)
        return self._digest.passing(f"{TOTALS}{canonical(totals)}\n") + f"# sha256: {self._digest.hex()}\n".encode()


def head_text(head: ReceiptHead) -> str:
    """The remarks about the upload, and the names of the columns."""
    remarks = (f"# {name}: {canonical(value)}\n" for name, value in msgspec.to_builtins(head).items())
    return f"{''.join(remarks)}{','.join(_COLUMNS)}\n"


def rows_text(rows: Iterable[ReceiptRow]) -> str:
    return "".join(",".join(_cell(getattr(row, column)) for column in _COLUMNS) + "\n" for row in rows)


def _cell(value: str | int | None) -> str:
    """Not by `csv.writer`, which leaves a carriage return unquoted that `csv.reader` then refuses."""
    text = "" if value is None else str(value)
    if text.startswith(_GUARDED):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if _TO_QUOTE.search(text) else text


def row_of(cells: Sequence[str]) -> ReceiptRow:
    """The row of cells that `rows_text` wrote. Raises ValueError for others."""
    values: dict[str, object] = {
        column: cell[1:] if cell.startswith("'") else cell for column, cell in zip(_COLUMNS, cells, strict=True)
    }
    for column in _OPTIONAL:
        values[column] = values[column] or None
    return msgspec.convert(values, ReceiptRow, strict=False)


def remark_in(line: str) -> tuple[str, object]:
    """The name and the value of a remark about the upload. Raises ValueError."""
    name, separator, value = line.removeprefix("# ").partition(": ")
    if not line.startswith("# ") or not separator:
        raise ValueError("no remark")
    return name, json.loads(value)
