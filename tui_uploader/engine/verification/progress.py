"""The progress of a running verification, and its status as front ends show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tui_uploader.engine.journal.tables.verifications import VerificationRecord
from tui_uploader.engine.journal.tables.verified import Totals
from tui_uploader.engine.status.eta import RateMeter
from tui_uploader.engine.verification.reading import ReadCall
from tui_uploader.model.verification import CardFileKind, Finding, VerificationState, VerificationStatus

_LISTED_KINDS = (Finding.OTHER, Finding.APART)


@dataclass(slots=True)
class Counts:
    """Files by what was found out about them."""

    files: int = 0
    """Without those that are apart."""
    bytes: int = 0
    findings: Counter[Finding] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    kind_bytes: Counter[str] = field(default_factory=Counter)
    images: int = 0
    images_delivered: int = 0
    evidence: Counter[str] = field(default_factory=Counter)
    uploads: Counter[int] = field(default_factory=Counter)
    projects: Counter[int] = field(default_factory=Counter)

    def judged(self, row: Totals) -> None:
        if row.finding is None:
            return
        self.findings[row.finding] += row.files
        if row.finding in _LISTED_KINDS:
            self.kinds[row.kind] += row.files
            self.kind_bytes[row.kind] += row.bytes
        if row.kind is CardFileKind.IMAGE and row.finding is not Finding.APART:
            self.images += row.files
        if row.finding is not Finding.DELIVERED:
            return
        if row.kind is CardFileKind.IMAGE:
            self.images_delivered += row.files
        if row.evidence is not None:
            self.evidence[row.evidence] += row.files
        if row.upload is not None:
            self.uploads[row.upload] += row.files
        if row.project is not None:
            self.projects[row.project] += row.files

    @classmethod
    def of(cls, rows: Iterable[Totals]) -> Counts:
        """The counts of rows in the journal."""
        counts = cls()
        for row in rows:
            if row.finding is not Finding.APART:
                counts.files += row.files
                counts.bytes += row.bytes
            counts.judged(row)
        return counts


class Progress:
    """What a run has done so far. Belongs to the event loop."""

    def __init__(self, record: VerificationRecord) -> None:
        self.record = record
        self.counts = Counts()
        self.scanning = True
        self.calls: set[ReadCall] = set()
        """Reads that are under way."""
        self.reasons: list[str] = []
        self.files_read = 0
        self.bytes_read = 0
        """Of files that were read to their end."""
        self._hashed = 0
        """Bytes that were read from the card in this run."""
        self._meter = RateMeter()

    def found(self, files: int, size: int) -> None:
        self.counts.files += files
        self.counts.bytes += size

    def grew(self, size: int) -> None:
        """A file had other bytes when it was read than when it was found."""
        self.counts.bytes += size

    def reused(self, files: int, size: int) -> None:
        """Files that were read before an interruption."""
        self.files_read += files
        self.bytes_read += size

    def read(self, call: ReadCall, files: int, size: int) -> None:
        """A call ended, after which `files` of `size` bytes need no more reading."""
        self.calls.discard(call)
        self._hashed += call.bytes
        self.files_read += files
        self.bytes_read += size

    @property
    def hashed(self) -> int:
        """Bytes read so far: grows as long as the card answers."""
        return self._hashed + sum(call.bytes for call in self.calls)

    def note_time(self, now: float) -> None:
        self._meter.note(now, self.hashed)

    def status(self, now: float, projects: Mapping[int, str]) -> VerificationStatus:
        """Of a running verification. `now`: monotonic."""
        rate = self._meter.rate(now)
        bytes_read = self.bytes_read + sum(call.bytes for call in self.calls)
        left = max(0, self.counts.bytes - bytes_read)
        return status_of(
            self.record,
            VerificationState.RUNNING,
            self.counts,
            projects,
            self.reasons,
            scanning=self.scanning,
            files_read=self.files_read + sum(call.files for call in self.calls),
            bytes_read=min(bytes_read, self.counts.bytes),
            rate=round(rate),
            seconds_left=None if self.scanning or rate <= 0 else float(round(left / rate)),
        )


def status_of(
    record: VerificationRecord,
    state: VerificationState,
    counts: Counts,
    projects: Mapping[int, str],
    reasons: Sequence[str],
    **facts: object,
) -> VerificationStatus:
    """`facts`: further fields of the status."""
    names = dict.fromkeys(projects.get(project, "") for project, _ in counts.projects.most_common())
    return VerificationStatus(
        verification=record.id,
        paths=record.paths,
        state=state,
        started_at=record.started_at,
        project=None if record.project is None else projects.get(record.project, ""),
        reasons=tuple(reasons),
        files=counts.files,
        bytes=counts.bytes,
        findings={finding.value: number for finding, number in counts.findings.items() if number},
        kinds=dict(counts.kinds),
        kind_bytes=dict(counts.kind_bytes),
        images=counts.images,
        images_delivered=counts.images_delivered,
        evidence=dict(counts.evidence),
        uploads=dict(counts.uploads),
        projects=tuple(names),
        watch=record.watch,
        **facts,  # type: ignore[arg-type]
    )
