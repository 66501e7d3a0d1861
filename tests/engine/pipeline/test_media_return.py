"""Which failed files are tried again by themselves: decisions on a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.rows import FILE
from tui_uploader.engine.pipeline.media_return import Found, comes_back
from tui_uploader.intake.observation import Look
from tui_uploader.model import FileStage

AS_IT_WAS = FILE.candidate
LARGER = replace(AS_IT_WAS, size=AS_IT_WAS.size + 1)
LATER = replace(AS_IT_WAS, mtime_ns=AS_IT_WAS.mtime_ns + 60 * 10**9)
LOOK = Look(AS_IT_WAS.size, AS_IT_WAS.mtime_ns, samples=1)

GONE = Found()
SAME = Found(AS_IT_WAS)
AT_REST = Found(AS_IT_WAS, LOOK)
OPEN = Found(AS_IT_WAS, replace(LOOK, written=True))
ELSEWHERE_CHANGED = Found(AS_IT_WAS, replace(LOOK, samples=2))


@pytest.mark.parametrize(
    ("error", "found", "before", "tried", "expected"),
    [
        pytest.param("SourceVanished", SAME, None, None, True, id="its failure said that it was gone, and it is there"),
        pytest.param("SourceVanished", SAME, SAME, SAME, False, id="there all the time, and tried already"),
        pytest.param("SourceVanished", GONE, None, None, False, id="gone still"),
        pytest.param("SourceVanished", SAME, GONE, None, True, id="gone, and back"),
        pytest.param("SourceUnreadable", SAME, SAME, None, False, id="unreadable, and the same"),
        pytest.param("SourceUnreadable", SAME, GONE, None, True, id="unreadable, gone, and back"),
        pytest.param("SourceRefused", SAME, SAME, None, False, id="refused, and the same"),
        pytest.param("SourceRefused", Found(LARGER), SAME, None, True, id="refused, and larger by now"),
        pytest.param("SourceRefused", Found(LATER), None, None, True, id="refused, and changed by now"),
        pytest.param("SourceRefused", Found(LARGER), None, Found(LARGER), False, id="refused again as it is now"),
        pytest.param("SourceChanged", AT_REST, None, None, False, id="kept changing, first look"),
        pytest.param("SourceChanged", AT_REST, AT_REST, None, True, id="kept changing, the same at two looks"),
        pytest.param("SourceChanged", ELSEWHERE_CHANGED, AT_REST, None, False, id="changed where no date tells"),
        pytest.param("SourceChanged", OPEN, OPEN, None, False, id="open for writing still"),
        pytest.param("SourceChanged", AT_REST, AT_REST, AT_REST, False, id="at rest as when it was tried before"),
    ],
)
def test_which_failed_files_come_back(
    error: str, found: Found, before: Found | None, tried: Found | None, expected: bool
) -> None:
    row = replace(FILE, stage=FileStage.FAILED, error=error)
    assert comes_back(row, found, before, tried) is expected
