"""The receipt as a list of ASC MHL 2.0: path, size and checksum of each file below one folder.

Format: https://github.com/ascmitc/mhl, xsd/ASCMHL.xsd. Its `xxh128` is XXH3 with 128 bits, as in this program's journal
and in `rclone hashsum xxh128`. References to lists are by C4 (SMPTE ST 2114): the SHA-512 in base 58.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape, quoteattr

from tui_uploader.errors import ReceiptInvalid
from tui_uploader.file_kinds import RECEIPT_PREFIX
from tui_uploader.model.receipts import ReceiptHead, ReceiptRow
from tui_uploader.text import printable

IGNORED = (
    *(".DS_Store", "ascmhl", "ascmhl/"),
    f"{RECEIPT_PREFIX}*.json",
    *("System Volume Information/", ".Spotlight-V100/", ".fseventsd/", ".Trashes/"),
)
"""Patterns of files that verifying leaves out: those of the reference implementation, receipts, and folders that
Windows and macOS make on every card that is put in."""
TOOL = "tui-uploader"

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_C4_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_C4_LENGTH = 88
_ROOT = b'<hashlist version="2.0" xmlns="urn:ASC:MHL:v2.0">'


def looks_like_mhl(beginning: bytes) -> bool:
    return beginning.lstrip().startswith(b"<?xml") and b"<hashlist" in beginning and b"urn:ASC:MHL:v2" in beginning


def c4(sha512: bytes) -> str:
    """The C4 id of a content with this SHA-512."""
    number, digits = int.from_bytes(sha512), ""
    while number:
        number, digit = divmod(number, len(_C4_DIGITS))
        digits = _C4_DIGITS[digit] + digits
    return "c4" + digits.rjust(_C4_LENGTH, _C4_DIGITS[0])


ActionOf = Callable[[str, str], str | None]
"""What the list says of a file, by its relative path and checksum: `original`, `verified`, `failed`; empty: nothing;
None: the history tells it already, so it is left out."""


class LatestOfPath:
    """Of rows in order, the last one of each path: a file that was changed was uploaded twice."""

    def __init__(self) -> None:
        self._held: ReceiptRow | None = None

    def passing(self, rows: Sequence[ReceiptRow]) -> list[ReceiptRow]:
        done = []
        for row in rows:
            if self._held is not None and self._held.path != row.path:
                done.append(self._held)
            self._held = row
        return done

    def end(self) -> list[ReceiptRow]:
        held, self._held = self._held, None
        return [] if held is None else [held]


class MhlWriter:
    """Writes a list piece by piece, of files below `root`."""

    def __init__(
        self,
        root: str,
        host: str,
        action_of: ActionOf = lambda path, checksum: "original",
        ignored: Sequence[str] = IGNORED,
    ) -> None:
        """`host`: name of this machine. `ignored`: patterns for files that tools leave out."""
        self._folder = root.rstrip("/") + "/"
        self._host = host
        self._action_of = action_of
        self._ignored = ignored
        self._latest = LatestOfPath()
        self._sha512 = hashlib.sha512()
        self.files = 0
        """That were written."""

    @property
    def c4(self) -> str:
        """Of what was written."""
        return c4(self._sha512.digest())

    def head(self, head: ReceiptHead) -> bytes:
        project = f"{head.project} ({head.project_id})" if head.project_id else head.project
        about = f"Upload {head.upload} to {project} of {head.account} at {head.cloud}. Folder: {self._folder}"
        patterns = "".join(f"      <pattern>{_text(pattern)}</pattern>\n" for pattern in self._ignored)
        return self._passing(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<hashlist version="2.0" xmlns="urn:ASC:MHL:v2.0">\n'
            "  <creatorinfo>\n"
            f"    <creationdate>{_text(head.created_at)}</creationdate>\n"
            f"    <hostname>{_text(printable(self._host))}</hostname>\n"
            f"    <tool version={quoteattr(head.program.rpartition(' ')[2])}>{TOOL}</tool>\n"
            f"    <comment>{_text(printable(about))}</comment>\n"
            "  </creatorinfo>\n"
            "  <processinfo>\n"
            "    <process>in-place</process>\n"
            f"    <ignore>\n{patterns}    </ignore>\n"
            "  </processinfo>\n"
        )

    def rows(self, rows: Sequence[ReceiptRow]) -> bytes:
        """Raises ReceiptInvalid for a path that XML cannot express."""
        return self._written(self._latest.passing(rows))

    def end(self, not_delivered: int = 0) -> bytes:
        last = self._written(self._latest.end())
        return last + self._passing("  </hashes>\n</hashlist>\n" if self.files else "</hashlist>\n")

    def _written(self, rows: Sequence[ReceiptRow]) -> bytes:
        elements = [element for row in rows if row.xxh128 and (element := self._element(row, row.xxh128))]
        if not elements:
            return b""
        begun = "" if self.files else "  <hashes>\n"
        self.files += len(elements)
        return self._passing(begun + "".join(elements))

    def _element(self, row: ReceiptRow, checksum: str) -> str | None:
        if not row.path.startswith(self._folder):
            return None
        path = row.path.removeprefix(self._folder)
        if _NOT_IN_XML.search(path):
            raise ReceiptInvalid(
                f"ASC MHL cannot name {printable(row.path)}: its name has bytes or characters that XML does not allow."
                " The formats json and csv can."
            )
        action = self._action_of(path, checksum)
        if action is None:
            return None
        given = f" action={quoteattr(action)}" if action else ""
        if row.stored_at and not row.duplicate_of:  # that of a duplicate is when another file was sent
            given += f" hashdate={quoteattr(row.stored_at)}"
        return (
            f'    <hash>\n      <path size="{row.size}">{_text(path)}</path>\n'
            f"      <xxh128{given}>{checksum}</xxh128>\n    </hash>\n"
        )

    def _passing(self, text: str) -> bytes:
        data = text.encode()
        self._sha512.update(data)
        return data


def _text(text: str) -> str:
    return escape(text, {"\r": "&#13;"})
