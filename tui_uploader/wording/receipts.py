"""What a check of a receipt found, in words."""

from __future__ import annotations

from tui_uploader.model.receipts import CheckedReceipt, ReceiptFormat, ReceiptVerdict
from tui_uploader.text import byte_count, counted, printable

_NO_SIGNATURE = (
    "Its checksum tells every change that was made since. It is no signature: a person who wants to deceive can write"
    " another receipt, with a checksum of its own."
)


def verdict_lines(path: str, checked: CheckedReceipt) -> list[str]:
    """The verdict, and what it proves. `path` is made printable."""
    shown = printable(path)
    if checked.verdict is ReceiptVerdict.UNKNOWN:
        return [f"{shown} cannot be checked. {checked.reason}"]
    if checked.verdict is ReceiptVerdict.EDITED:
        return [f"{shown} proves nothing. {checked.reason}"]
    if checked.format is ReceiptFormat.MHL or checked.head is None or checked.totals is None:
        return [f"{shown} matches its checksum in ascmhl_chain.xml. `ascmhl-debug verify` compares the files with it."]
    head, totals = checked.head, checked.totals
    delivered = f"{counted(totals.files, 'file')} ({byte_count(totals.bytes)}) stored and registered"
    if totals.duplicates:
        delivered += f", and {counted(totals.duplicates, 'copy', 'copies')} of files of the project"
    lines = [
        f"{shown} is as {printable(head.program, 80)} wrote it on {printable(head.created_at, 40)}.",
        f"Upload {head.upload} to {_project(head.project, head.project_id)}: {delivered}.",
        f"Account {printable(head.account, 80)} at {printable(head.cloud, 120)}.",
    ]
    if totals.not_delivered:
        lines.append(f"It does not list {counted(totals.not_delivered, 'file')} of the upload: not delivered by then.")
    return [*lines, _NO_SIGNATURE]


def _project(name: str, number: str | None) -> str:
    return f"{printable(name, 80)} ({printable(number, 40)})" if number else printable(name, 80)
