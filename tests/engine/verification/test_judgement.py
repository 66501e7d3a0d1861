"""What is said about one file, and about a card: the tables of decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui_uploader.cloud.contract import StoredObject
from tui_uploader.engine.journal.tables.verified import Holder
from tui_uploader.engine.verification.judgement import (
    judge_object,
    judge_unasked,
    judge_unseen,
    registered,
    undelivered,
)
from tui_uploader.engine.verification.missing import paths_of_missing
from tui_uploader.engine.verification.verdict import NO_IMAGES, NOTHING_TO_VERIFY, conclude, verdict_on_folder
from tui_uploader.model.files import Proof
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.verification import CardFileKind, Evidence, Finding, Verdict

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
HOLDER = Holder(
    file=1,
    upload=1,
    project=1,
    stage=FileStage.REGISTERED,
    size=100,
    object="DJI_0001.JPG",
    crc32=7,
    etag=MD5,
    proof=Proof.CRC32,
    reason=None,
    upload_state=UploadState.COMPLETE,
)
NAMES = {1: "Quarry", 2: "Harbour"}
FAILED = replace(HOLDER, stage=FileStage.FAILED, reason="It is\n  cut off.")


@pytest.mark.parametrize(
    ("stored", "holder", "finding", "evidence"),
    [
        (StoredObject(100, MD5, 7), HOLDER, Finding.DELIVERED, Evidence.STORAGE),
        (StoredObject(100, "other", 7), HOLDER, Finding.DELIVERED, Evidence.STORAGE),
        (StoredObject(100, "any", 7), replace(HOLDER, proof=Proof.NONE), Finding.DELIVERED, Evidence.STORAGE),
        (StoredObject(100, MD5, 8), HOLDER, Finding.UNCONFIRMED, None),
        (StoredObject(101, MD5, 7), HOLDER, Finding.UNCONFIRMED, None),
        (None, HOLDER, Finding.UNCONFIRMED, None),
        (StoredObject(100, MD5), HOLDER, Finding.DELIVERED, Evidence.STORAGE),
        (StoredObject(100, f"{MD5}-3"), replace(HOLDER, etag=f"{MD5}-3"), Finding.DELIVERED, Evidence.STORAGE),
        (StoredObject(100, MD5), replace(HOLDER, proof=Proof.NONE), Finding.UNCONFIRMED, None),
        (StoredObject(100, MD5), replace(HOLDER, proof=None), Finding.UNCONFIRMED, None),
        (StoredObject(100, "other"), HOLDER, Finding.UNCONFIRMED, None),
        (StoredObject(100, "v1"), replace(HOLDER, etag="v1"), Finding.DELIVERED, Evidence.STORAGE_SIZE),
        (StoredObject(100, "v1"), replace(HOLDER, etag=None), Finding.DELIVERED, Evidence.STORAGE_SIZE),
        (StoredObject(100, ""), HOLDER, Finding.DELIVERED, Evidence.STORAGE_SIZE),
        (StoredObject(100, "v1", 7), replace(HOLDER, crc32=None, etag="v1"), Finding.DELIVERED, Evidence.STORAGE_SIZE),
    ],
)
def test_the_storage_has_the_content_or_not(
    stored: StoredObject | None, holder: Holder, finding: Finding, evidence: Evidence | None
) -> None:
    judged = judge_object(holder, stored, "Quarry")
    assert (judged.finding, judged.evidence, judged.holder) == (finding, evidence, holder)
    assert (judged.reason is None) is (finding is Finding.DELIVERED)


@pytest.mark.parametrize(
    ("proof", "finding"),
    [
        (Proof.CRC32, Finding.DELIVERED),
        (Proof.MD5, Finding.DELIVERED),
        (Proof.NONE, Finding.UNCONFIRMED),
        (None, Finding.UNCONFIRMED),
    ],
)
def test_a_receipt_counts_with_a_checksum(proof: Proof | None, finding: Finding) -> None:
    assert judge_unseen(replace(HOLDER, proof=proof), "Quarry").finding is finding


def test_a_storage_that_was_not_asked_confirms_nothing() -> None:
    judged = judge_unasked(HOLDER, "Quarry", "no\nroute")
    assert judged.finding is Finding.UNCONFIRMED
    assert judged.reason == "is in Quarry, but the storage could not be asked: no route"


@pytest.mark.parametrize(
    ("holder", "only", "counts"),
    [
        (HOLDER, None, True),
        (HOLDER, 1, True),
        (HOLDER, 2, False),
        (replace(HOLDER, object=None), None, False),
        (replace(HOLDER, replaced=True), None, False),
        *((replace(HOLDER, stage=stage), None, False) for stage in FileStage if stage is not FileStage.REGISTERED),
    ],
)
def test_only_what_is_registered_counts(holder: Holder, only: int | None, counts: bool) -> None:
    assert bool(registered([holder], only)) is counts


@pytest.mark.parametrize(
    ("holders", "only", "reason"),
    [
        ([], None, "is in no project"),
        ([], 2, "is not in Harbour"),
        ([HOLDER], 2, "is in Quarry, not in Harbour"),
        ([replace(HOLDER, replaced=True)], None, "is no longer in Quarry: another result took its place"),
        ([FAILED], None, "failed in Quarry: It is cut off."),
        ([replace(FAILED, reason=None)], None, "failed in Quarry: for an unknown reason"),
        ([FAILED, replace(HOLDER, stage=FileStage.STORED)], None, "is stored, but not added to Quarry yet"),
        ([replace(HOLDER, stage=FileStage.REMOVED)], None, "was removed from the upload to Quarry"),
        ([replace(HOLDER, stage=FileStage.READY, upload_state=UploadState.ACTIVE)], None, "is queued in Quarry"),
        (
            [replace(HOLDER, stage=FileStage.READY, upload_state=UploadState.PAUSED)],
            None,
            "is queued in Quarry, whose upload is paused",
        ),
        (
            [replace(HOLDER, stage=FileStage.SENDING, upload_state=UploadState.CANCELLED)],
            None,
            "is not uploaded: the upload to Quarry was cancelled",
        ),
        (
            [replace(HOLDER, same_content=False)],
            None,
            "was uploaded to Quarry with other content: the file was changed since",
        ),
        (
            [replace(HOLDER, stage=FileStage.STORED, same_content=False)],
            None,
            "is queued in Quarry with other content: the file was changed since",
        ),
        (
            [replace(HOLDER, same_content=False), replace(FAILED, project=2)],
            None,
            "failed in Harbour: It is cut off.",
        ),
    ],
)
def test_a_missing_image_says_where_it_is(holders: list[Holder], only: int | None, reason: str) -> None:
    judged = undelivered(CardFileKind.IMAGE, 100, holders, NAMES, only)
    assert (judged.finding, judged.reason) == (Finding.MISSING, reason)


def test_other_files_are_no_missing_images_and_empty_images_are() -> None:
    assert undelivered(CardFileKind.VIDEO, 100, [FAILED], NAMES, None).finding is Finding.OTHER
    assert undelivered(CardFileKind.IMAGE, 0, [], NAMES, None).reason == "is empty: there is no image in it"


@pytest.mark.parametrize(
    ("findings", "images", "reasons", "unjudged", "verdict", "says"),
    [
        ({Finding.DELIVERED: 3}, 3, [], 0, Verdict.SAFE, ()),
        ({Finding.DELIVERED: 3, Finding.APART: 9}, 3, [], 0, Verdict.SAFE, ()),
        ({Finding.DELIVERED: 1}, 0, [], 0, Verdict.SAFE, ()),
        ({Finding.DELIVERED: 3, Finding.OTHER: 1}, 3, [], 0, Verdict.SAFE_FOR_IMAGES, ()),
        ({Finding.DELIVERED: 1, Finding.OTHER: 1}, 0, [], 0, Verdict.SAFE_FOR_IMAGES, ()),
        ({Finding.OTHER: 1}, 0, [], 0, Verdict.NOT_SAFE, (NO_IMAGES,)),
        ({Finding.APART: 1}, 0, [], 0, Verdict.NOT_SAFE, (NOTHING_TO_VERIFY,)),
        ({}, 0, [], 0, Verdict.NOT_SAFE, (NOTHING_TO_VERIFY,)),
        ({Finding.DELIVERED: 3, Finding.MISSING: 1}, 4, [], 0, Verdict.NOT_SAFE, ()),
        ({Finding.DELIVERED: 3, Finding.UNCONFIRMED: 1}, 4, [], 0, Verdict.NOT_SAFE, ()),
        ({Finding.DELIVERED: 3, Finding.UNREADABLE: 1}, 3, [], 0, Verdict.NOT_SAFE, ()),
        ({Finding.UNREADABLE: 1}, 0, [], 0, Verdict.NOT_SAFE, ()),
        ({Finding.DELIVERED: 3}, 3, ["It is gone."], 0, Verdict.NOT_SAFE, ("It is gone.",)),
        ({}, 0, ["It is gone."], 0, Verdict.NOT_SAFE, ("It is gone.",)),
        ({Finding.DELIVERED: 3}, 3, [], 1, Verdict.NOT_SAFE, ()),
    ],
)
def test_what_is_in_doubt_is_not_safe(
    findings: dict[Finding, int],
    images: int,
    reasons: list[str],
    unjudged: int,
    verdict: Verdict,
    says: tuple[str, ...],
) -> None:
    concluded = conclude(findings, images, reasons, unjudged)
    assert (concluded.verdict, concluded.reasons) == (verdict, says)


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ({Finding.DELIVERED: 1, Finding.APART: 1}, Verdict.SAFE),
        ({Finding.DELIVERED: 1, Finding.OTHER: 1}, Verdict.SAFE_FOR_IMAGES),
        ({Finding.OTHER: 1, Finding.UNREADABLE: 1}, Verdict.NOT_SAFE),
    ],
)
def test_a_folder_has_a_verdict_of_its_own(findings: dict[Finding, int], verdict: Verdict) -> None:
    assert verdict_on_folder(findings) is verdict


IMAGE, VIDEO, HIDDEN = CardFileKind.IMAGE, CardFileKind.VIDEO, CardFileKind.HIDDEN
MISSING, DELIVERED, OTHER, APART = Finding.MISSING, Finding.DELIVERED, Finding.OTHER, Finding.APART


@pytest.mark.parametrize(
    ("files", "paths", "wanted"),
    [
        ([], ["/card"], ()),
        ([("/card/a.JPG", IMAGE, 1, MISSING)], ["/card/a.JPG"], ("/card/a.JPG",)),
        ([("/card/a.JPG", IMAGE, 1, MISSING), ("/card/x/b.JPG", IMAGE, 1, MISSING)], ["/card"], ("/card",)),
        ([("/card/a.JPG", IMAGE, 1, MISSING), ("/card/v.MP4", VIDEO, 1, OTHER)], ["/card"], ("/card",)),
        ([("/card/a.JPG", IMAGE, 1, MISSING), ("/card/.b.JPG", HIDDEN, 1, APART)], ["/card"], ("/card",)),
        ([("/card/a.JPG", IMAGE, 1, MISSING), ("/card/b.JPG", IMAGE, 1, DELIVERED)], ["/card"], ("/card/a.JPG",)),
        (
            [
                ("/card/x/a.JPG", IMAGE, 1, MISSING),
                ("/card/x/y/b.JPG", IMAGE, 1, MISSING),
                ("/card/z/c.JPG", IMAGE, 1, Finding.UNCONFIRMED),
                ("/card/z/d.JPG", IMAGE, 1, MISSING),
            ],
            ["/card"],
            ("/card/x", "/card/z/d.JPG"),
        ),
        ([("/a.JPG", IMAGE, 1, MISSING), ("/x/b.JPG", IMAGE, 1, DELIVERED)], ["/"], ("/a.JPG",)),
        ([("/x/a.JPG", IMAGE, 1, MISSING)], ["/"], ("/",)),
        ([("/card/x/a.JPG", IMAGE, 1, MISSING)], ["/card/x", "/other"], ("/card/x",)),
        (
            [("/card/a.JPG", IMAGE, 1, MISSING), ("/card/locked", CardFileKind.OTHER, 0, Finding.UNREADABLE)],
            ["/card"],
            ("/card/a.JPG",),
        ),
    ],
)
def test_exactly_the_missing_images_are_uploaded(
    files: list[tuple[str, CardFileKind, int, Finding]], paths: list[str], wanted: tuple[str, ...]
) -> None:
    assert paths_of_missing(files, paths) == wanted
