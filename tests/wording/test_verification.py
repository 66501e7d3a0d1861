"""What both front ends say about the verification of a memory card, as tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from tests.values import COMPLETE, READING_CARD, SAFE_CARD, verification
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import Counts
from tui_uploader.model.verification import (
    CardFileKind,
    Evidence,
    Finding,
    Verdict,
    VerificationState,
    VerifiedFile,
    VerifiedFolder,
)
from tui_uploader.wording.verification import (
    apart_files,
    evidence,
    folder_counts,
    is_answer,
    other_files,
    percent_read,
    progress,
    projects,
    verdict_line,
    verdict_lines,
    verification_of,
    verified_words,
    why,
)

NOW = datetime(2026, 5, 12, 14, 30).timestamp()
OTHERS: dict[str, Any] = {
    "kinds": {CardFileKind.VIDEO: 3, CardFileKind.LOG: 2},
    "kind_bytes": {CardFileKind.VIDEO: 1_200_000_000, CardFileKind.LOG: 8_000},
}
HIDDEN: dict[str, Any] = {
    "kinds": {CardFileKind.HIDDEN: 12, CardFileKind.SYSTEM: 1},
    "kind_bytes": {CardFileKind.HIDDEN: 4_096, CardFileKind.SYSTEM: 300},
}


def not_safe(**findings: int) -> dict[str, Any]:
    return {"verdict": Verdict.NOT_SAFE, "findings": {Finding.DELIVERED: 400} | findings}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "SAFE: everything in /media/card is in the cloud. It may be wiped."),
        ({"paths": ("/a", "/b")}, "SAFE: everything in /a and /b is in the cloud. They may be wiped."),
        (
            {"paths": ("/a", "/b", "/c")},
            "SAFE: everything in /a and 2 more paths is in the cloud. They may be wiped.",
        ),
        ({"project": "Quarry"}, "SAFE: everything in /media/card is in project Quarry. It may be wiped."),
        (
            HIDDEN,
            (
                "SAFE: everything in /media/card is in the cloud, apart from 12 hidden files and 1 system file."
                " It may be wiped."
            ),
        ),
        (
            {"verdict": Verdict.SAFE_FOR_IMAGES, **OTHERS},
            (
                "SAFE FOR IMAGES: all 412 images in /media/card are in the cloud."
                " 3 videos (1.20 GB) and 2 logs (8.00 KB) are not: wiping destroys them."
            ),
        ),
        (
            {"verdict": Verdict.SAFE_FOR_IMAGES, "images": 1, "kinds": {CardFileKind.VIDEO: 1}},
            "SAFE FOR IMAGES: the only image in /media/card is in the cloud. 1 video is not: wiping destroys it.",
        ),
        (
            {"verdict": Verdict.SAFE_FOR_IMAGES, "images": 0, **OTHERS},
            (
                "SAFE FOR IMAGES: there is no image in /media/card."
                " 3 videos (1.20 GB) and 2 logs (8.00 KB) are not in the cloud: wiping destroys them."
            ),
        ),
        (
            not_safe(missing=4),
            "NOT SAFE: 4 of 412 images are not in the cloud. Do not wipe /media/card.",
        ),
        (
            not_safe(missing=1, unconfirmed=2, unreadable=1),
            (
                "NOT SAFE: 1 of 412 images is not in the cloud, 2 files are not confirmed by the storage,"
                " 1 file or folder could not be read. Do not wipe /media/card."
            ),
        ),
        (
            {**not_safe(missing=4), "project": "Quarry"},
            "NOT SAFE: 4 of 412 images are not in project Quarry. Do not wipe /media/card.",
        ),
        ({"verdict": Verdict.NOT_SAFE}, "NOT SAFE: not everything could be proven. Do not wipe /media/card."),
        (
            {"state": VerificationState.CANCELLED, "verdict": None, "files_read": 212},
            "CANCELLED: 212 of 412 files in /media/card read, nothing is proven. Do not wipe it.",
        ),
        ({"verdict": None}, "NOT SAFE: not everything could be proven. Do not wipe /media/card."),
        (
            {"paths": ("/media/\x1b[2Jca\nrd",)},
            "SAFE: everything in /media/\\x1b[2Jca\\x0ard is in the cloud. It may be wiped.",
        ),
    ],
)
def test_the_verdict(changes: dict[str, Any], line: str) -> None:
    assert verdict_line(verification(**changes)) == line


def test_no_other_state_reads_as_safe() -> None:
    """The word SAFE alone stands only before what the engine called safe."""
    for state in VerificationState:
        for verdict in (None, *Verdict):
            line = verdict_line(verification(state=state, verdict=verdict))
            assert line.startswith("SAFE:") is (state is VerificationState.DONE and verdict is Verdict.SAFE)


def test_reasons_about_the_card_follow_the_verdict() -> None:
    status = verification(verdict=Verdict.NOT_SAFE, reasons=("Another card was put in.", "x\ny"))
    assert verdict_lines(status)[1:] == ["Another card was put in.", "x\\x0ay"]


@pytest.mark.parametrize(
    ("state", "verdict", "safe", "images_only"),
    [
        (VerificationState.DONE, Verdict.SAFE, True, True),
        (VerificationState.DONE, Verdict.SAFE_FOR_IMAGES, False, True),
        (VerificationState.DONE, Verdict.NOT_SAFE, False, False),
        (VerificationState.DONE, None, False, False),
        (VerificationState.CANCELLED, None, False, False),
        (VerificationState.CANCELLED, Verdict.SAFE, False, False),
        (VerificationState.RUNNING, Verdict.SAFE, False, False),
    ],
)
def test_what_counts_as_safe(state: VerificationState, verdict: Verdict | None, safe: bool, images_only: bool) -> None:
    status = verification(state=state, verdict=verdict)
    assert (is_answer(status, images_only=False), is_answer(status, images_only=True)) == (safe, images_only)


@pytest.mark.parametrize(
    ("changes", "words", "percent"),
    [
        ({}, "reading 212 of 412 files, 3.10 of 6.20 GB, 88.0 MB/s, 35 s left", 50),
        ({"scanning": True}, "reading 212 of 412 files found so far, 3.10 of 6.20 GB, 88.0 MB/s", 50),
        ({"rate": 0.0, "seconds_left": None}, "reading 212 of 412 files, 3.10 of 6.20 GB", 50),
        (
            {"files_read": 412, "bytes_read": 6_200_000_000},
            "412 files read (6.20 GB), comparing with the storage",
            100,
        ),
        ({"files_read": 411, "bytes_read": 6_200_000_000, "rate": 0.0, "seconds_left": None}, None, 99),
        ({"files": 0, "bytes": 0, "files_read": 0, "bytes_read": 0, "scanning": True}, None, 0),
        ({"files": 4, "bytes": 0, "files_read": 4, "bytes_read": 0, "scanning": True}, None, 99),
    ],
)
def test_progress(changes: dict[str, Any], words: str | None, percent: int) -> None:
    status = verification(**{name: getattr(READING_CARD, name) for name in READING_CARD.__struct_fields__} | changes)
    assert words is None or progress(status) == words
    assert percent_read(status) == percent


def test_what_else_lies_on_the_card() -> None:
    status = verification(
        kinds=OTHERS["kinds"] | HIDDEN["kinds"] | {CardFileKind.POSITIONING: 1},
        kind_bytes=OTHERS["kind_bytes"] | HIDDEN["kind_bytes"],
    )
    assert other_files(status) == "3 videos (1.20 GB), 1 RTK or PPK file and 2 logs (8.00 KB)"
    assert apart_files(status) == "12 hidden files (4.10 KB) and 1 system file (300 B)"
    assert (other_files(SAFE_CARD), apart_files(SAFE_CARD)) == ("", "")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({}, ""),
        ({Evidence.STORAGE: 412}, "Proof: 412 files by size and checksum in the storage."),
        (
            {Evidence.STORAGE: 408, Evidence.STORAGE_SIZE: 3, Evidence.RECEIPT: 1},
            (
                "Proof: 408 files by size and checksum in the storage; 3 files by size in the storage, and the checksum"
                " that it confirmed at the upload; 1 file by the checksum that the storage confirmed at the upload"
                " (this account may not look into it)."
            ),
        ),
    ],
)
def test_evidence(found: dict[str, int], words: str) -> None:
    assert evidence(verification(evidence=found)) == words


def test_projects() -> None:
    assert projects(verification(projects=("Quarry", "\x1bField"))) == "Found in Quarry and \\x1bField."
    assert projects(verification(projects=())) == ""


def test_folders_and_files() -> None:
    found: dict[str, int] = {Finding.OTHER: 2, Finding.DELIVERED: 1408, Finding.MISSING: 4}
    assert folder_counts(VerifiedFolder("/x", Verdict.NOT_SAFE, findings=found)) == (
        "1,408 in the cloud, 4 missing, 2 other"
    )
    assert folder_counts(VerifiedFolder("/x", Verdict.SAFE)) == "no files"
    lost = VerifiedFile("/x/a.jpg", 1, CardFileKind.IMAGE, Finding.MISSING, "is in no project\x1b[0m.")
    assert why(lost) == "is in no project\\x1b[0m"
    assert why(VerifiedFile("/x/a.jpg", 1, CardFileKind.IMAGE, Finding.UNREADABLE)) == "is not readable"


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.SAFE, "verified 14:22: /media/card is safe to wipe"),
        (
            Verdict.SAFE_FOR_IMAGES,
            "verified 14:22: /media/card is safe for images, not for 3 videos (1.20 GB) and 2 logs (8.00 KB)",
        ),
        (Verdict.NOT_SAFE, "verified 14:22: /media/card is NOT safe to wipe"),
        (None, "verified 14:22: /media/card is NOT safe to wipe"),
    ],
)
def test_words_beside_an_upload(verdict: Verdict | None, words: str) -> None:
    at = datetime(2026, 5, 12, 14, 22).timestamp()
    assert verified_words(verification(ended_at=at, verdict=verdict, **OTHERS), NOW) == words


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"uploads": {3: 9}}, False),  # not all of its files were on that card
        ({"uploads": {3: 1}, "verdict": Verdict.NOT_SAFE}, True),
        ({"uploads": {4: 412}}, False),  # another card at the same path
        ({"uploads": {}}, False),
        ({"started_at": 999.0}, False),  # before the upload was complete
        ({"state": VerificationState.RUNNING, "verdict": None}, False),
        ({"state": VerificationState.CANCELLED, "verdict": None}, False),
    ],
)
def test_a_verification_is_told_of_the_upload_whose_card_it_read(changes: dict[str, Any], found: bool) -> None:
    upload = replace(COMPLETE, ended_at=1000.0)
    status = verification(**changes)
    assert (verification_of(upload, (status,)) is status) is found


def test_the_newest_verification_counts() -> None:
    upload = replace(COMPLETE, ended_at=1000.0)
    older, newer = SAFE_CARD, verification(verification=6, verdict=Verdict.NOT_SAFE)
    assert verification_of(upload, (older, newer)) is newer
    assert verification_of(upload, (newer, older)) is newer
    assert verification_of(replace(upload, counts=Counts()), (older,)) is None
    assert verification_of(replace(upload, ended_at=None, state=UploadState.ACTIVE), (older,)) is None
