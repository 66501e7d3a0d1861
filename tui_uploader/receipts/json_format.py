"""The receipt as one JSON document, one file to a line, with its checksum as the last member.

```
{"format":"tui-uploader receipt","version":1,
"head":{…},
"files":[
{"path":"/media/card/DCIM/DJI_0001.JPG","size":8412345,"xxh128":"…","crc32":"…",…},
…
],
"totals":{"files":1711,…},
"checksum":"sha256:…"}
```

The checksum is that of all bytes before `"checksum"`. The text is ASCII; bytes of paths that are not UTF-8 are written
`\\udcXX`, as everywhere in this program.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from tui_uploader.model.receipts import VERSION, ReceiptHead, ReceiptRow, ReceiptTotals
from tui_uploader.receipts.lines import FORMAT, Digest, counted

FIRST_LINE = re.compile(rb'\{"format":"tui-uploader receipt","version":([0-9]{1,9}),\n')
LAST_LINE = re.compile(rb'"checksum":"sha256:([0-9a-f]{64})"\}\n')
HEAD, FILES, TOTALS = '"head":', '"files":[\n', '],\n"totals":'


class JsonWriter:
    """Writes a receipt piece by piece."""

    def __init__(self) -> None:
        self._digest = Digest()
        self._totals = ReceiptTotals()

    def head(self, head: ReceiptHead) -> bytes:
        return self._digest.passing(f'{{"format":"{FORMAT}","version":{VERSION},\n{HEAD}{canonical(head)},\n{FILES}')

    def rows(self, rows: Sequence[ReceiptRow]) -> bytes:
        if not rows:
            return b""
        begun = ",\n" if self._totals.files + self._totals.duplicates else ""
        self._totals = counted(self._totals, rows)
        return self._digest.passing(begun + ",\n".join(map(canonical, rows)))

    def end(self, not_delivered: int) -> bytes:
        """`not_delivered`: files of the upload that are not in the rows."""
        any_rows = self._totals.files + self._totals.duplicates
        totals = msgspec.structs.replace(self._totals, not_delivered=not_delivered)
        ended = self._digest.passing(("\n" if any_rows else "") + f"{TOTALS}{canonical(totals)},\n")
        return ended + f'"checksum":"sha256:{self._digest.hex()}"}}\n'.encode()


def canonical(value: Any) -> str:
    """The only text that a value has in a receipt."""
    return json.dumps(msgspec.to_builtins(value), separators=(",", ":"), allow_nan=False)
