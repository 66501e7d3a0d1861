"""Verifications of memory cards: is everything on this card in the cloud, so that it may be wiped?"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    SAFE = "safe"
    """Every file is delivered. Hidden and system files do not count; they are listed apart."""
    SAFE_FOR_IMAGES = "safe_for_images"
    """Every image is delivered; other files, which wiping would destroy, are not."""
    NOT_SAFE = "not_safe"
    """An image is missing in the cloud, or something could not be read or compared."""


class VerificationState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class Finding(StrEnum):
    """What the verification found out about one file."""

    DELIVERED = "delivered"
    """Its content, read now, is in a project; see `Evidence`."""
    MISSING = "missing"
    """An image whose content is in no project of those compared with, or not registered yet."""
    UNCONFIRMED = "unconfirmed"
    """Registered, but the storage does not have it, has something else, or could not be asked now."""
    UNREADABLE = "unreadable"
    """It, or a folder, could not be read, changed while it was read, or vanished."""
    OTHER = "other"
    """No image, and not delivered: a video, positioning data, a log."""
    APART = "apart"
    """A hidden or system file, or a symbolic link: listed, and without influence on the verdict."""

    @property
    def unsafe(self) -> bool:
        """Whether a single such file makes the card not safe."""
        return self in (Finding.MISSING, Finding.UNCONFIRMED, Finding.UNREADABLE)


class Evidence(StrEnum):
    """Why a file counts as delivered."""

    STORAGE = "storage"
    """The storage was asked during this verification; size and checksum are equal."""
    STORAGE_SIZE = "storage_size"
    """The same, where the storage shows no checksum: the size is equal, and its answer to the upload proved the
    checksum."""
    RECEIPT = "receipt"
    """This account may not look into the storage; its answer to the upload proved the checksum."""


class CardFileKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    POSITIONING = "positioning"
    """RTK and PPK data."""
    LOG = "log"
    SOUND = "sound"
    RESULT = "result"
    HIDDEN = "hidden"
    SYSTEM = "system"
    LINK = "link"
    RECEIPT = "receipt"
    """A receipt, or list of checksums, that this program left there."""
    OTHER = "other"


class VerifiedFile(msgspec.Struct, frozen=True):
    """One file of a card, as the verification found it."""

    path: str
    """Absolute path; of the folder, where a folder could not be read."""
    size: int
    kind: CardFileKind
    finding: Finding
    reason: str | None = None
    """A sentence without line breaks: why it is not delivered."""
    project: str = ""
    """Name of the project that has it."""
    object: str | None = None
    """Its name in that project."""
    evidence: Evidence | None = None


class VerifiedFolder(msgspec.Struct, frozen=True):
    """The verdict on the files directly in one folder."""

    path: str
    verdict: Verdict
    files: int = 0
    bytes: int = 0
    findings: dict[str, int] = {}
    """Number of files by `Finding`."""


class VerificationStatus(msgspec.Struct, frozen=True):
    """One verification: its progress, or its verdict."""

    verification: int
    paths: tuple[str, ...]
    state: VerificationState
    started_at: float
    project: str | None = None
    """Name of the only project that counts; None: every project of this machine."""
    ended_at: float | None = None
    verdict: Verdict | None = None
    """None until everything is read and compared."""
    reasons: tuple[str, ...] = ()
    """Sentences about the card as a whole: it was changed for another, has no files, a path does not exist."""
    scanning: bool = True
    """Files are still being found: the totals grow."""
    files: int = 0
    bytes: int = 0
    files_read: int = 0
    bytes_read: int = 0
    rate: float = 0.0
    """Bytes a second, lately."""
    seconds_left: float | None = None
    findings: dict[str, int] = {}
    """Number of files by `Finding`."""
    kinds: dict[str, int] = {}
    """Number of files that are OTHER or APART, by `CardFileKind`."""
    kind_bytes: dict[str, int] = {}
    """Bytes of the files that are OTHER or APART, by `CardFileKind`."""
    images: int = 0
    """Image files, whatever was found out about them, without those that are APART."""
    images_delivered: int = 0
    evidence: dict[str, int] = {}
    """Number of delivered files by `Evidence`."""
    uploads: dict[int, int] = {}
    """Number of delivered files by the upload that delivered their content: tells which card was at the paths."""
    projects: tuple[str, ...] = ()
    """Names of the projects that have delivered files."""
    watch: int | None = None
    """The watch that asked for it."""

    @property
    def home(self) -> str | None:
        """Name of the project that missing images belong to: the only one that counts, or that has all others.

        None: unclear.
        """
        if self.project is not None:
            return self.project
        return self.projects[0] if len(self.projects) == 1 else None


class VerificationRequest(msgspec.Struct, frozen=True):
    paths: tuple[str, ...]
    """Absolute paths."""
    project: str | None = None
    """Id or name: only this project counts. None: every project of this machine."""


class VerifiedFiles(msgspec.Struct, frozen=True):
    """A window on the files of a verification, by path."""

    total: int
    offset: int
    files: tuple[VerifiedFile, ...]
