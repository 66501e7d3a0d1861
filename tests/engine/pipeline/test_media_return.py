"""Which failed files are retried automatically."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.rows import FILE
from tui_uploader.engine.pipeline.media_return import ReturnedFile, is_worth_a_retry
from tui_uploader.intake.observation import Observation
from tui_uploader.model.states import FileStage

AS_IT_WAS = FILE.candidate
LARGER = replace(AS_IT_WAS, size=AS_IT_WAS.size + 1)
LATER = replace(AS_IT_WAS, mtime_ns=AS_IT_WAS.mtime_ns + 60 * 10**9)
OBSERVATION = Observation(AS_IT_WAS.size, AS_IT_WAS.mtime_ns, samples=1)

MISSING = ReturnedFile()
SAME = ReturnedFile(AS_IT_WAS)
UNCHANGED = ReturnedFile(AS_IT_WAS, OBSERVATION)
OPEN = ReturnedFile(AS_IT_WAS, replace(OBSERVATION, open_for_writing=True))
ELSEWHERE_CHANGED = ReturnedFile(AS_IT_WAS, replace(OBSERVATION, samples=2))


@pytest.mark.parametrize(
    ("error", "found", "before", "tried", "expected"),
    [
        pytest.param("SourceVanished", SAME, None, None, True, id="reported missing, and there now"),
        pytest.param("SourceVanished", SAME, SAME, SAME, False, id="there all the time, and tried already"),
        pytest.param("SourceVanished", MISSING, None, None, False, id="missing still"),
        pytest.param("SourceVanished", SAME, MISSING, None, True, id="missing, and back"),
        pytest.param("SourceUnreadable", SAME, SAME, None, False, id="unreadable, and the same"),
        pytest.param("SourceUnreadable", SAME, MISSING, None, True, id="unreadable, missing, and back"),
        pytest.param("SourceRefused", SAME, SAME, None, False, id="refused, and the same"),
        pytest.param("SourceRefused", ReturnedFile(LARGER), SAME, None, True, id="refused, and larger by now"),
        pytest.param("SourceRefused", ReturnedFile(LATER), None, None, True, id="refused, and changed by now"),
        pytest.param(
            "SourceRefused", ReturnedFile(LARGER), None, ReturnedFile(LARGER), False, id="refused again, unchanged"
        ),
        pytest.param("SourceChanged", UNCHANGED, None, None, False, id="kept changing, first observation"),
        pytest.param("SourceChanged", UNCHANGED, UNCHANGED, None, True, id="kept changing, unchanged twice"),
        pytest.param("SourceChanged", ELSEWHERE_CHANGED, UNCHANGED, None, False, id="changed without a new date"),
        pytest.param("SourceChanged", OPEN, OPEN, None, False, id="open for writing still"),
        pytest.param("SourceChanged", UNCHANGED, UNCHANGED, UNCHANGED, False, id="unchanged since the last retry"),
    ],
)
def test_which_failed_files_come_back(
    error: str, found: ReturnedFile, before: ReturnedFile | None, tried: ReturnedFile | None, expected: bool
) -> None:
    row = replace(FILE, stage=FileStage.FAILED, error=error)
    assert is_worth_a_retry(row, found, before, tried) is expected
