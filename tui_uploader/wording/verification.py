"""Words about the verification of a memory card: its verdict, its progress, what it found, and what proves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.verification import (
    CardFileKind,
    Evidence,
    Finding,
    Verdict,
    VerificationState,
    VerificationStatus,
    VerifiedFile,
    VerifiedFolder,
)
from tui_uploader.text import byte_count, counted, duration, printable
from tui_uploader.wording.amounts import byte_rate, part_of, percent
from tui_uploader.wording.clock import time_of_day

_LONGEST_PATH, _LONGEST_NAME = 400, 200

_VERDICTS: Mapping[Verdict, str] = {
    Verdict.SAFE: "SAFE",
    Verdict.SAFE_FOR_IMAGES: "SAFE FOR IMAGES",
    Verdict.NOT_SAFE: "NOT SAFE",
}
FINDINGS: Mapping[Finding, str] = {
    Finding.DELIVERED: "in the cloud",
    Finding.MISSING: "not in the cloud",
    Finding.UNCONFIRMED: "not confirmed by the storage",
    Finding.UNREADABLE: "not readable",
    Finding.OTHER: "no image, not in the cloud",
    Finding.APART: "not counted",
}
_FINDINGS_IN_SHORT: Mapping[Finding, str] = {
    Finding.DELIVERED: "in the cloud",
    Finding.MISSING: "missing",
    Finding.UNCONFIRMED: "not confirmed",
    Finding.UNREADABLE: "not readable",
    Finding.OTHER: "other",
    Finding.APART: "not counted",
}
_KINDS: Mapping[CardFileKind, tuple[str, str]] = {
    CardFileKind.IMAGE: ("image", "images"),
    CardFileKind.VIDEO: ("video", "videos"),
    CardFileKind.POSITIONING: ("RTK or PPK file", "RTK or PPK files"),
    CardFileKind.LOG: ("log", "logs"),
    CardFileKind.SOUND: ("sound file", "sound files"),
    CardFileKind.RESULT: ("processed result", "processed results"),
    CardFileKind.OTHER: ("other file", "other files"),
    CardFileKind.HIDDEN: ("hidden file", "hidden files"),
    CardFileKind.SYSTEM: ("system file", "system files"),
    CardFileKind.LINK: ("symbolic link", "symbolic links"),
    CardFileKind.RECEIPT: ("receipt", "receipts"),
}
_APART = (CardFileKind.HIDDEN, CardFileKind.SYSTEM, CardFileKind.LINK, CardFileKind.RECEIPT)
_EVIDENCE: Mapping[Evidence, str] = {
    Evidence.STORAGE: "size and checksum in the storage",
    Evidence.STORAGE_SIZE: "size in the storage, and the checksum that it confirmed at the upload",
    Evidence.RECEIPT: "the checksum that the storage confirmed at the upload (this account may not look into it)",
}


# --------------------------------------------------------------------------------------------------------- verdict


def place(status: VerificationStatus) -> str:
    """`/media/card`, `/media/a and /media/b`, `/media/a and 3 more paths`."""
    paths = [printable(path, _LONGEST_PATH) for path in status.paths]
    match len(paths):
        case 0:
            return "no path"
        case 1:
            return paths[0]
        case 2:
            return f"{paths[0]} and {paths[1]}"
    return f"{paths[0]} and {counted(len(paths) - 1, 'more path')}"


def verdict_word(status: VerificationStatus) -> str:
    """`SAFE`, `SAFE FOR IMAGES`, `NOT SAFE`, `CANCELLED`, `READING`. A missing verdict is `NOT SAFE`."""
    if status.state is VerificationState.RUNNING:
        return "READING"
    if status.state is VerificationState.CANCELLED:
        return "CANCELLED"
    return _VERDICTS[status.verdict or Verdict.NOT_SAFE]


def verdict_line(status: VerificationStatus) -> str:
    """The verdict in one or two sentences, for a verification that has ended. Without the reasons of the card."""
    word = verdict_word(status)
    if status.state is not VerificationState.DONE:
        return f"{word}: {_cancelled(status)}"
    match status.verdict:
        case Verdict.SAFE:
            return f"{word}: {_safe(status)}"
        case Verdict.SAFE_FOR_IMAGES:
            return f"{word}: {_safe_for_images(status)}"
    return f"{word}: {_not_safe(status)}"


def verdict_lines(status: VerificationStatus) -> list[str]:
    """The verdict, and the reasons about the card as a whole."""
    return [verdict_line(status), *(printable(reason, _LONGEST_PATH) for reason in status.reasons)]


def is_answer(status: VerificationStatus, *, images_only: bool) -> bool:
    """Whether the card is safe: with `images_only`, other files on it may be lost."""
    if status.state is not VerificationState.DONE:
        return False
    return status.verdict is Verdict.SAFE or (images_only and status.verdict is Verdict.SAFE_FOR_IMAGES)


def _cloud(status: VerificationStatus) -> str:
    return "the cloud" if status.project is None else f"project {printable(status.project, _LONGEST_NAME)}"


def _it(status: VerificationStatus) -> str:
    return "It" if len(status.paths) == 1 else "They"


def _safe(status: VerificationStatus) -> str:
    apart = _amount(status, of_kinds=_APART, with_bytes=False)
    but = f", apart from {apart}" if apart else ""
    return f"everything in {place(status)} is in {_cloud(status)}{but}. {_it(status)} may be wiped."


def _safe_for_images(status: VerificationStatus) -> str:
    cloud, others = _cloud(status), other_files(status) or "other files"
    are_not = "is" if _others(status) == 1 else "are"
    lost = "it" if _others(status) == 1 else "them"
    if status.images:
        images = "the only image" if status.images == 1 else f"all {status.images:,} images"
        first = f"{images} in {place(status)} {'is' if status.images == 1 else 'are'} in {cloud}"
    else:
        first = f"there is no image in {place(status)}"
    where = "not" if status.images else f"not in {cloud}"
    return f"{first}. {others} {are_not} {where}: wiping destroys {lost}."


def _not_safe(status: VerificationStatus) -> str:
    lost = missing(status)
    unconfirmed, unreadable = (status.findings.get(each, 0) for each in (Finding.UNCONFIRMED, Finding.UNREADABLE))
    parts = []
    if lost:
        of_images = f"{lost:,} of {counted(max(lost, status.images), 'image')}"
        parts.append(f"{of_images} {_are(lost)} not in {_cloud(status)}")
    if unconfirmed:
        parts.append(f"{counted(unconfirmed, 'file')} {_are(unconfirmed)} not confirmed by the storage")
    if unreadable:
        parts.append(f"{counted(unreadable, 'file or folder', 'files or folders')} could not be read")
    why = ", ".join(parts) or "not everything could be proven"
    return f"{why}. Do not wipe {place(status)}."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _cancelled(status: VerificationStatus) -> str:
    read = f"{status.files_read:,} of {counted(status.files, 'file')} in {place(status)} read"
    return f"{read}, nothing is proven. Do not wipe {'it' if len(status.paths) == 1 else 'them'}."


# -------------------------------------------------------------------------------------------------------- progress


def percent_read(status: VerificationStatus) -> int:
    """Of the bytes, or where there are none, of the files. 100 only when all is found and read."""
    done = percent(status.bytes_read, status.bytes) if status.bytes else percent(status.files_read, status.files)
    whole = not status.scanning and status.files_read >= status.files
    return done if whole else min(done, 99)


def progress(status: VerificationStatus) -> str:
    """`reading 212 of 412 files, 3.10 of 6.20 GB, 88.0 MB/s, 35 s left`, for a verification that runs."""
    volume = part_of(status.bytes_read, status.bytes)
    speed = byte_rate(status.rate) if status.rate > 0 else None
    if status.scanning:
        found = f"reading {status.files_read:,} of {counted(status.files, 'file')} found so far"
        return ", ".join(filter(None, (found, volume, speed)))
    if status.files_read >= status.files:
        return f"{counted(status.files, 'file')} read ({byte_count(status.bytes_read)}), comparing with the storage"
    left = f"{duration(status.seconds_left)} left" if status.seconds_left is not None else None
    read = f"reading {status.files_read:,} of {counted(status.files, 'file')}"
    return ", ".join(filter(None, (read, volume, speed, left)))


def running_line(status: VerificationStatus) -> str:
    """`Verifying /media/card: 51 %, reading 212 of 412 files, …`."""
    return f"Verifying {place(status)}: {percent_read(status)} %, {progress(status)}"


# ------------------------------------------------------------------------------------------------- what was found


def missing(status: VerificationStatus) -> int:
    """Number of images that could be uploaded."""
    return status.findings.get(Finding.MISSING, 0)


def kind_words(kind: CardFileKind, number: int) -> str:
    """`3 videos`."""
    return counted(number, *_KINDS[kind])


def other_files(status: VerificationStatus) -> str:
    """`3 videos (1.20 GB) and 2 logs (8.00 KB)`: what wiping would destroy besides images; empty if nothing."""
    return _amount(status, of_kinds=[kind for kind in CardFileKind if kind not in _APART])


def apart_files(status: VerificationStatus) -> str:
    """`2 hidden files (1.20 KB) and 1 system file (300 B)`: what has no influence on the verdict; empty if nothing."""
    return _amount(status, of_kinds=_APART)


def _amount(status: VerificationStatus, *, of_kinds: Sequence[CardFileKind], with_bytes: bool = True) -> str:
    parts = []
    for kind in of_kinds:
        number, size = status.kinds.get(kind, 0), status.kind_bytes.get(kind, 0)
        if number:
            parts.append(kind_words(kind, number) + (f" ({byte_count(size)})" if with_bytes and size else ""))
    return _listed(parts)


def _others(status: VerificationStatus) -> int:
    return sum(number for kind, number in status.kinds.items() if kind not in _APART)


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def evidence(status: VerificationStatus) -> str:
    """`Proof: 408 files by size and checksum in the storage; …`; empty if nothing is delivered."""
    parts = [
        f"{counted(status.evidence.get(kind, 0), 'file')} by {words}"
        for kind, words in _EVIDENCE.items()
        if status.evidence.get(kind, 0)
    ]
    return f"Proof: {'; '.join(parts)}." if parts else ""


def projects(status: VerificationStatus) -> str:
    """`Found in Quarry and North field.`; empty if nothing was found."""
    names = [printable(name, _LONGEST_NAME) for name in status.projects]
    return f"Found in {_listed(names)}." if names else ""


def folder_verdict(folder: VerifiedFolder) -> str:
    return _VERDICTS[folder.verdict]


def folder_counts(folder: VerifiedFolder) -> str:
    """`408 in the cloud, 4 missing`."""
    words = (
        f"{folder.findings[finding]:,} {word}"
        for finding, word in _FINDINGS_IN_SHORT.items()
        if folder.findings.get(finding)
    )
    return ", ".join(words) or "no files"


def why(file: VerifiedFile) -> str:
    """`is queued in Quarry`: why the file is not proven to be in the cloud, without a full stop."""
    return printable((file.reason or f"is {FINDINGS[file.finding]}").rstrip("."), _LONGEST_PATH)


# ------------------------------------------------------------------------------------------------ beside an upload


def verification_of(upload: UploadStatus, verifications: Sequence[VerificationStatus]) -> VerificationStatus | None:
    """The newest verification of the card that `upload` came from; None if it was not verified since it is complete.

    Two cards may be mounted at one path, one after the other. That the card is safe is therefore said only of an upload
    all of whose files were found on the card that was read.
    """
    since, number = upload.ended_at, upload.upload
    if since is None or not upload.counts.uploaded:
        return None
    for status in sorted(verifications, key=lambda each: each.verification, reverse=True):
        found = status.uploads.get(number, 0)
        if status.state is not VerificationState.DONE or status.started_at < since or not found:
            continue
        if status.verdict is Verdict.NOT_SAFE or found >= upload.counts.uploaded:
            return status
    return None


def verified_words(status: VerificationStatus, now: float) -> str:
    """`verified 14:22: /media/card is safe to wipe`. It names what was read: that may be a part of the card."""
    at = time_of_day(status.ended_at if status.ended_at is not None else status.started_at, now)
    verified = f"verified {at}: {place(status)} {'is' if len(status.paths) == 1 else 'are'}"
    match status.verdict:
        case Verdict.SAFE:
            return f"{verified} safe to wipe"
        case Verdict.SAFE_FOR_IMAGES:
            return f"{verified} safe for images, not for {other_files(status) or 'other files'}"
    return f"{verified} NOT safe to wipe"


def missing_queued(status: VerificationStatus, upload: UploadStatus) -> str:
    """`4 missing images queued for Quarry as upload 7.`"""
    images = counted(missing(status), "missing image")
    return f"{images} queued for {printable(upload.project_name, _LONGEST_NAME)} as upload {upload.upload}."


def missing_homeless(status: VerificationStatus) -> str:
    """Why it is unclear which project the missing images belong to (`VerificationStatus.home`)."""
    names = [printable(name, _LONGEST_NAME) for name in status.projects]
    if not names:
        return "No file of this card is in a project."
    return f"The files of this card are in {counted(len(names), 'project')}: {_listed(names)}."
