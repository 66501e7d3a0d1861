"""The list of a verification: files by what was found out, with headings, and the folders, as one list of rows. Pure.

Rows are made for a window only: a card may have 200,000 files.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

import msgspec

from tui_uploader.model.verification import (
    CardFileKind,
    Finding,
    Verdict,
    VerificationState,
    VerificationStatus,
    VerifiedFile,
    VerifiedFolder,
)
from tui_uploader.text import byte_count, counted
from tui_uploader.tui.lines.columns import Column, cell_text, clipped, clipped_name
from tui_uploader.tui.lines.glyphs import Glyphs, Span, without_ornament
from tui_uploader.wording.verification import (
    folder_counts,
    folder_verdict,
    kind_words,
    why,
)

COLUMNS = (
    Column("", 20, share=3),
    Column("", 8, right=True),
    Column("", 24, share=2),
)
_STYLES = {Verdict.SAFE: "uploaded", Verdict.SAFE_FOR_IMAGES: "warning", Verdict.NOT_SAFE: "failed"}
_LISTED = (Finding.MISSING, Finding.UNCONFIRMED, Finding.UNREADABLE, None, Finding.OTHER, Finding.APART)
"""The findings in the order of the list; None: the folders."""


class Section(msgspec.Struct, frozen=True):
    """Rows of one sort, below a heading."""

    finding: Finding | None
    """None: the folders."""
    total: int
    heading: str


class Heading(msgspec.Struct, frozen=True):
    text: str


Row = Heading | VerifiedFile | VerifiedFolder


class Part(msgspec.Struct, frozen=True):
    """The rows of a section that a window shows."""

    section: Section
    with_heading: bool
    offset: int
    """Of the first row within the section, its heading aside."""
    limit: int


def sections_of(status: VerificationStatus, folders: int) -> tuple[Section, ...]:
    """The sections that have rows. Before its end there are none: most files are not compared yet."""
    if status.state is not VerificationState.DONE:
        return ()
    totals: Mapping[Finding | None, int] = {
        finding: folders if finding is None else status.findings.get(finding, 0) for finding in _LISTED
    }
    return tuple(
        Section(finding, totals[finding], _heading(finding, totals[finding])) for finding in _LISTED if totals[finding]
    )


def _heading(finding: Finding | None, number: int) -> str:
    match finding:
        case Finding.MISSING:
            return f"NOT IN THE CLOUD, {counted(number, 'image')}"
        case Finding.UNCONFIRMED:
            return f"NOT CONFIRMED BY THE STORAGE, {counted(number, 'file')}"
        case Finding.UNREADABLE:
            return f"NOT READABLE, {counted(number, 'file or folder', 'files or folders')}"
        case Finding.OTHER:
            return f"OTHER FILES, NOT IN THE CLOUD, {counted(number, 'file')}"
        case Finding.APART:
            return f"NOT COUNTED, {counted(number, 'file')}"
    return f"ALL FOLDERS, {number:,}"


def length(sections: Sequence[Section]) -> int:
    """Number of rows, with headings."""
    return sum(section.total + 1 for section in sections)


def first_rows(sections: Sequence[Section]) -> list[int]:
    """The indices of the headings."""
    starts, index = [], 0
    for section in sections:
        starts.append(index)
        index += section.total + 1
    return starts


def parts_of(sections: Sequence[Section], offset: int, limit: int) -> Iterator[Part]:
    """What to fetch for the rows from `offset` on."""
    end = offset + limit
    for start, section in zip(first_rows(sections), sections, strict=True):
        first, last = max(offset, start), min(end, start + 1 + section.total)
        if first >= last:
            continue
        with_heading = first == start
        row = 0 if with_heading else first - start - 1
        yield Part(section, with_heading, row, last - first - with_heading)


def key_of(row: Row) -> Hashable:
    return (type(row).__name__, row.text if isinstance(row, Heading) else row.path)


def heading_spans(row: Row) -> Sequence[Span] | None:
    """A heading takes the whole line."""
    return [Span(without_ornament(row.text), "strong")] if isinstance(row, Heading) else None


def cells(
    row: Row, columns: Sequence[tuple[Column, int]], roots: Sequence[str], glyphs: Glyphs
) -> Sequence[Sequence[Span]]:
    """One cell for each column. `roots`: the paths of the verification."""
    if isinstance(row, Heading):
        return [[] for _ in columns]
    widths = [width for _, width in columns]
    name = clipped_name(cell_text(below(row.path, roots)), widths[0], glyphs.cut)
    if isinstance(row, VerifiedFolder):
        word = folder_verdict(row)
        counts = clipped(folder_counts(row), max(0, widths[2] - len(word) - 2), glyphs.cut)
        return [[Span(name)], [Span(byte_count(row.bytes))], [Span(word, _STYLES[row.verdict]), Span(f"  {counts}")]]
    style = "failed" if row.finding.unsafe else "muted"
    about = clipped(cell_text(without_ornament(about_file(row))), widths[2], glyphs.cut)
    return [[Span(name)], [Span(byte_count(row.size))], [Span(about, style)]]


def about_file(file: VerifiedFile) -> str:
    """`is queued in Quarry`, or `video`."""
    if file.finding.unsafe or file.reason is not None:
        return why(file)
    return kind_words(file.kind, 1).removeprefix("1 ") if file.kind is not CardFileKind.OTHER else "other file"


def below(path: str, roots: Sequence[str]) -> str:
    """`path` without the path of a single verified folder."""
    if len(roots) != 1 or not path.startswith(f"{roots[0].rstrip('/')}/"):
        return path
    return path[len(roots[0].rstrip("/")) + 1 :]
