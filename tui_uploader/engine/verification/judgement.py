"""Decide what is true of one file of a card: pure.

`judge` compares its content with what the journal knows; `judge_object` compares the journal's record of a registered
content with what the storage shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui_uploader.cloud.contract import StoredObject
from tui_uploader.engine.journal.tables.verified import Holder
from tui_uploader.model.files import Proof
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.verification import CardFileKind, Evidence, Finding
from tui_uploader.text import printable

_CHECKSUM_ETAG = re.compile(r"[0-9a-f]{32}(-\d+)?")
"""An MD5, or the one of the MD5s of parts."""
_PROVEN = (Proof.CRC32, Proof.MD5)
_BY_PROGRESS = (
    FileStage.REMOVED,
    FileStage.DUPLICATE,
    FileStage.FAILED,
    FileStage.FOUND,
    FileStage.READY,
    FileStage.SENDING,
    FileStage.STORED,
    FileStage.REGISTERED,
)
"""The last one says most about a file that is not delivered."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found out about one file."""

    finding: Finding
    reason: str | None = None
    holder: Holder | None = None
    """The registered file with its content."""
    evidence: Evidence | None = None


def registered(holders: Sequence[Holder], only: int | None) -> list[Holder]:
    """Those that have delivered the content, to project `only`, or to any."""
    return [
        holder
        for holder in holders
        if holder.stage is FileStage.REGISTERED
        and holder.object is not None
        and not holder.replaced
        and only in (None, holder.project)
    ]


def undelivered(
    kind: CardFileKind, size: int, holders: Sequence[Holder], projects: Mapping[int, str], only: int | None
) -> Judgement:
    """Judge a file whose content is not registered. `holders`: files of the journal with its content, or its path."""
    if kind is not CardFileKind.IMAGE:
        return Judgement(Finding.OTHER)
    if size == 0:
        return Judgement(Finding.MISSING, "is empty: there is no image in it")
    wanted = [holder for holder in holders if only in (None, holder.project)] or list(holders)
    if not wanted:
        where = "in no project" if only is None else f"not in {_name(projects, only)}"
        return Judgement(Finding.MISSING, f"is {where}")
    best = max(wanted, key=lambda holder: (holder.same_content, _BY_PROGRESS.index(holder.stage)))
    return Judgement(Finding.MISSING, _reason(best, _name(projects, best.project), projects, only))


def _reason(holder: Holder, project: str, projects: Mapping[int, str], only: int | None) -> str:
    if holder.stage is FileStage.REGISTERED and holder.replaced:
        return f"is no longer in {project}: another result took its place"
    if holder.stage is FileStage.REGISTERED:
        if not holder.same_content:
            return f"was uploaded to {project} with other content: the file was changed since"
        return f"is in {project}, not in {_name(projects, only)}"
    if not holder.same_content and holder.stage in (FileStage.STORED, FileStage.DUPLICATE):
        return f"is queued in {project} with other content: the file was changed since"
    if holder.stage is FileStage.STORED:
        return f"is stored, but not added to {project} yet"
    if holder.stage is FileStage.FAILED:
        return f"failed in {project}: {_in_one_line(holder.reason)}"
    if holder.stage is FileStage.REMOVED:
        return f"was removed from the upload to {project}"
    if holder.upload_state is UploadState.CANCELLED:
        return f"is not uploaded: the upload to {project} was cancelled"
    if holder.upload_state is UploadState.PAUSED:
        return f"is queued in {project}, whose upload is paused"
    return f"is queued in {project}"


def judge_object(holder: Holder, stored: StoredObject | None, project: str) -> Judgement:
    """Judge a registered content by what the storage shows of its object; None: the storage has no such object."""

    def unconfirmed(reason: str) -> Judgement:
        return Judgement(Finding.UNCONFIRMED, reason, holder)

    if stored is None:
        return unconfirmed(f"was added to {project}, but the storage does not have it any more")
    if stored.size != holder.size:
        return unconfirmed(f"was added to {project}, but the storage has something else in its place (other size)")
    if stored.crc32 is not None and holder.crc32 is not None:
        if stored.crc32 == holder.crc32:
            return Judgement(Finding.DELIVERED, None, holder, Evidence.STORAGE)
        return unconfirmed(f"was added to {project}, but the storage has something else in its place (other checksum)")
    if holder.etag and stored.etag and holder.etag != stored.etag:
        return unconfirmed(f"was added to {project}, but the object in the storage was replaced since")
    if holder.proof not in _PROVEN:
        return unconfirmed(f"is in {project}, but the storage never proved that it received it undamaged")
    same_tag = bool(holder.etag) and holder.etag == stored.etag
    tag_is_checksum = same_tag and _CHECKSUM_ETAG.fullmatch(stored.etag) is not None
    return Judgement(Finding.DELIVERED, None, holder, Evidence.STORAGE if tag_is_checksum else Evidence.STORAGE_SIZE)


def judge_unseen(holder: Holder, project: str) -> Judgement:
    """Judge a registered content whose object this account may not look at: the storage's receipt counts."""
    if holder.proof in _PROVEN:
        return Judgement(Finding.DELIVERED, None, holder, Evidence.RECEIPT)
    reason = f"is in {project}, but this account may not look into the storage, which gave no checksum as it stored it"
    return Judgement(Finding.UNCONFIRMED, reason, holder)


def judge_unasked(holder: Holder, project: str, why: str) -> Judgement:
    """Judge a registered content whose storage cannot be asked now."""
    reason = f"is in {project}, but the storage could not be asked: {_in_one_line(why)}"
    return Judgement(Finding.UNCONFIRMED, reason, holder)


def _name(projects: Mapping[int, str], project: int | None) -> str:
    return printable(projects.get(project or 0, "a project"))


def _in_one_line(text: str | None) -> str:
    return " ".join((text or "for an unknown reason").split())
