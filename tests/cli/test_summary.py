from __future__ import annotations

from tests.values import COMPLETE, file, upload
from tui_uploader.cli.output import Style
from tui_uploader.cli.summary import DUPLICATES_SHOWN, Leftovers, summary_lines
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import Counts, Skipped

PLAIN = Style()


def test_the_summary_of_a_clean_upload_says_what_follows() -> None:
    assert summary_lines(COMPLETE, Leftovers(), PLAIN, now=0.0) == [
        "Quarry: 10 files uploaded (1.00 KB) in 12 s.",
        "Processing of Quarry starts automatically.",
    ]


def test_the_summary_counts_unverified_files() -> None:
    assert summary_lines(COMPLETE, Leftovers(not_verified=4), PLAIN, now=0.0) == [
        "Quarry: 10 files uploaded (1.00 KB) in 12 s.",
        "4 of them not verified: the storage confirmed no checksum.",
        "Processing of Quarry starts automatically.",
    ]


def test_the_summary_names_files_that_were_not_uploaded_and_how_to_retry() -> None:
    status = upload(counts=Counts(uploaded=4, duplicate=7, failed=1), skipped=1)
    leftovers = Leftovers(
        duplicates=[file(n, FileStatus.DUPLICATE, duplicate_of="/a.jpg") for n in range(7)],
        failed=[file(9, FileStatus.FAILED, reason="It is cut off.")],
        skipped=[Skipped("/card/notes\n.txt", "This is no image.")],
    )
    shown = summary_lines(status, leftovers, PLAIN, now=0.0)
    assert "7 duplicates, not sent again:" in shown
    assert sum("copy of" in line for line in shown) == DUPLICATES_SHOWN
    assert "  … and 2 more" in shown
    assert "  ✗ failed     4.03 MB  DJI_0009.JPG  It is cut off." in shown
    assert "  Retry: tui-uploader retry 3; or remove: tui-uploader remove 3 --failed" in shown
    assert "  /card/notes\\x0a.txt: This is no image." in shown


def test_the_summary_of_an_unfinished_upload_says_so() -> None:
    shown = summary_lines(upload(state=UploadState.CANCELLED), Leftovers(), PLAIN, now=0.0)
    assert "6 files not uploaded yet; the upload is cancelled." in shown
