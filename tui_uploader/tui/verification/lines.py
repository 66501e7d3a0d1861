"""The lines of the verification screen around its list: pure."""

from __future__ import annotations

from tui_uploader.model.verification import Verdict, VerificationState, VerificationStatus
from tui_uploader.tui.lines.columns import cell_text, wrapped
from tui_uploader.tui.lines.glyphs import Glyphs, Span, without_ornament
from tui_uploader.wording.verification import (
    apart_files,
    evidence,
    missing,
    other_files,
    percent_read,
    place,
    progress,
    projects,
    verdict_line,
    verdict_word,
)

_MOST_LINES = 3
"""Of one sentence."""

LOOKS = {Verdict.SAFE: "-safe", Verdict.SAFE_FOR_IMAGES: "-images-safe", Verdict.NOT_SAFE: "-not-safe"}
RUNNING, CANCELLED = "-running", "-cancelled"


def look(status: VerificationStatus) -> str:
    """The class of the verdict's colours. The words tell it, too."""
    if status.state is VerificationState.RUNNING:
        return RUNNING
    if status.state is VerificationState.CANCELLED:
        return CANCELLED
    return LOOKS[status.verdict or Verdict.NOT_SAFE]


def headline(status: VerificationStatus) -> tuple[str, str]:
    """The verdict, and the sentence behind it; or how far the reading is."""
    if status.state is VerificationState.RUNNING:
        return f"{verdict_word(status)}  {percent_read(status)} %", _plain(progress(status))
    word = verdict_word(status)
    return word, _upper(_plain(verdict_line(status)).removeprefix(f"{word}: "))


def bar_line(status: VerificationStatus, width: int, glyphs: Glyphs) -> list[Span]:
    """How much is read, in `width` cells."""
    filled = percent_read(status) * width // 100
    return [Span(glyphs.registered * filled, "registered"), Span(glyphs.ahead * (width - filled), "ahead")]


def detail_lines(status: VerificationStatus, width: int) -> list[list[Span]]:
    """What counts beside the verdict: reasons about the card, what wiping destroys, what proves the verdict."""
    if status.state is VerificationState.RUNNING:
        where = "this project counts" if status.project is not None else "every project of this machine counts"
        words = [
            ("", f"Every file in {place(status)} is read again and compared with the cloud; {where}."),
            ("muted", "It runs in the background: Esc closes this screen and stops nothing."),
        ]
    elif status.state is VerificationState.CANCELLED:
        words = [("warning", reason) for reason in status.reasons]
    else:
        others, apart = other_files(status), apart_files(status)
        not_told = status.verdict is not Verdict.SAFE_FOR_IMAGES
        words = [
            *(("warning", reason) for reason in status.reasons),
            ("warning", f"Not in the cloud either: {others}." if others and not_told else ""),
            ("muted", f"Not counted: {apart}." if apart else ""),
            ("muted", evidence(status)),
            ("muted", projects(status)),
        ]
    return [
        [Span(line, style)] for style, text in words if text for line in wrapped(_plain(text), width, most=_MOST_LINES)
    ]


def key_spans(status: VerificationStatus) -> list[Span]:
    """The keys that do something now."""
    keys: list[tuple[str, str]] = []
    if status.state is VerificationState.RUNNING:
        keys.append(("c", "cancel"))
    else:
        if missing(status):
            keys.append(("u", f"upload {missing(status):,} missing"))
        keys.append(("r", "again"))
    keys.append(("n", "other path"))
    if status.state is VerificationState.DONE:
        keys += [("Tab", "next list"), ("y", "copy")]
    keys.append(("Esc", "close"))
    return [span for key, label in keys for span in (Span(f" {key}", "key"), Span(f" {label} "))]


def _plain(text: str) -> str:
    return cell_text(without_ornament(text))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
