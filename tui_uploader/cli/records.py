"""The JSON that scripts read. Its keys are a contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tui_uploader.model.files import FileItem
from tui_uploader.model.uploads import Skipped, UploadStatus
from tui_uploader.model.verification import Finding, Verdict, VerificationState, VerificationStatus


def upload_record(status: UploadStatus, skipped: Sequence[Skipped]) -> dict[str, Any]:
    """The object of `upload --json`."""
    return {
        "upload": status.upload,
        "project": status.project,
        "state": status.state,
        "counts": status.counts,
        "bytes": status.bytes,
        "skipped": skipped,
        "seconds": round(status.seconds, 3),
        "processing": status.processing.state,
        "auto_process": status.auto_process,
    }


def listed_record(status: UploadStatus, skipped: Sequence[Skipped]) -> dict[str, Any]:
    """One element of `uploads` in `status --json`: as `upload_record`, with rate, estimate and notice."""
    return upload_record(status, skipped) | {
        "rate": status.rate,
        "eta": status.eta,
        "notice": status.notice,
        "process_at": status.process_at,
        "receipt": status.receipt,
    }


def file_record(item: FileItem) -> dict[str, Any]:
    """One line of `files --json`."""
    return {
        "path": item.path,
        "name": item.name,
        "object": item.object,
        "size": item.size,
        "status": item.status,
        "reason": item.reason,
        "duplicate_of": item.duplicate_of,
        "verified": item.verified,
        "result": item.result,
        "belongs_to": item.belongs_to,
        "replaced": item.replaced,
    }


def verification_record(status: VerificationStatus) -> dict[str, Any]:
    """The object of `verify --json`, without its lists; one element of `verifications` in `status --json`."""
    return {
        "safe": status.state is VerificationState.DONE and status.verdict is Verdict.SAFE,
        "verdict": status.verdict,
        "state": status.state,
        "verification": status.verification,
        "paths": status.paths,
        "project": status.project,
        "files": status.files,
        "bytes": status.bytes,
        "delivered": status.findings.get(Finding.DELIVERED, 0),
        "images": status.images,
        "images_delivered": status.images_delivered,
        "findings": status.findings,
        "kinds": status.kinds,
        "evidence": status.evidence,
        "projects": status.projects,
        "reasons": status.reasons,
        "started_at": status.started_at,
        "ended_at": status.ended_at,
    }
