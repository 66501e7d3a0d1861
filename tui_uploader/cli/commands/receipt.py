"""`receipt`: what an upload delivered, as a file that tells when it was edited."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from tui_uploader.cli.output import Done, print_line, print_note
from tui_uploader.cli.session import connected, run
from tui_uploader.cli.streams import UnfailingStream
from tui_uploader.errors import UsageError
from tui_uploader.model.receipts import CheckedReceipt, ReceiptFormat, ReceiptHead, ReceiptVerdict
from tui_uploader.text import printable
from tui_uploader.wording.receipts import verdict_lines

_EXIT_CODES = {ReceiptVerdict.VALID: 0, ReceiptVerdict.EDITED: 1, ReceiptVerdict.UNKNOWN: 2}


def receipt(
    upload: Annotated[
        int | None, typer.Argument(min=1, metavar="UPLOAD", help="Number of the upload.", show_default=False)
    ] = None,
    form: Annotated[
        ReceiptFormat, typer.Option("--format", help="`mhl` is ASC MHL 2.0, for tools of film productions.")
    ] = ReceiptFormat.JSON,
    to: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it to this file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace any file there.")] = False,
    checked: Annotated[
        Path | None, typer.Option("--check", metavar="FILE", help="Tell whether a receipt was edited.")
    ] = None,
) -> Done | None:
    """Write the receipt of an upload: each delivered file with its checksums and times.

    With --check FILE: exit 0 for a receipt that is as it was written, 1 for an edited one, 2 for anything else.
    """
    if checked is not None:
        if upload is not None or to is not None:
            raise UsageError("Give an upload, or --check FILE.")
        found = _checked(checked)
        for line in verdict_lines(os.fspath(checked), found):
            print_line(line)
        return Done(_EXIT_CODES[found.verdict])
    if upload is None:
        raise UsageError("Name the upload (`tui-uploader status` lists them), or give --check FILE.")
    if to is None:
        run(_print(upload, form))
        return None
    run(_write(upload, form, to, force=force))
    print_note(f"Receipt of upload {upload} written to {printable(os.fspath(to))}.")
    return Done(0)


async def _print(upload: int, form: ReceiptFormat) -> None:
    async with _text(upload, form) as pieces:
        if sys.stdout.isatty():  # names of files must not command a terminal
            begun = b""
            async for piece in pieces:
                *lines, begun = (begun + piece).split(b"\n")
                for line in lines:
                    print_line(printable(line.decode("utf-8", "surrogateescape")))
            return
        write: Callable[[bytes], object] = (
            sys.stdout.write_bytes
            if isinstance(sys.stdout, UnfailingStream)
            else lambda piece: sys.stdout.write(piece.decode("utf-8", "surrogateescape"))
        )
        async for piece in pieces:
            write(piece)


@contextlib.asynccontextmanager
async def _text(upload: int, form: ReceiptFormat) -> AsyncIterator[AsyncIterator[bytes]]:
    async with connected() as engine, aclosing(engine.receipts.text(upload, form)) as pieces:
        yield pieces


async def _write(upload: int, form: ReceiptFormat, to: Path, *, force: bool) -> None:
    """Write the receipt in one step: a failure leaves what was there. Raises UsageError."""
    part = to.with_name(f".{to.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            async with _text(upload, form) as pieces:
                async for piece in pieces:
                    file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        _put_in_place(part, to, form, force=force)
    except OSError as error:
        raise UsageError(f"{printable(os.fspath(to))} cannot be written: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _put_in_place(part: Path, to: Path, form: ReceiptFormat, *, force: bool) -> None:
    """Raises OSError, UsageError if another file is there."""
    if not force and os.path.lexists(to) and not _same_upload(part, to, form):
        raise UsageError(
            f"{printable(os.fspath(to))} is there already, and is no unchanged receipt of this upload. Nothing was"
            " written. Name another file, or add --force to replace it."
        )
    part.replace(to)


def _same_upload(new: Path, old: Path, form: ReceiptFormat) -> bool:
    if form is ReceiptFormat.MHL:
        return False
    heads = [_head(path) for path in (new, old)]
    return heads[0] is not None and heads[1] is not None and heads[0].same_upload(heads[1])


def _checked(path: Path) -> CheckedReceipt:
    from tui_uploader.receipts.checking import check  # every command waits for this module to load

    return check(path)


def _head(path: Path) -> ReceiptHead | None:
    with contextlib.suppress(UsageError):
        return _checked(path).head
    return None
