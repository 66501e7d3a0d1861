"""The terminal's title and taskbar: what they say, how often, and that nothing stays behind."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.tui.values import HOSTILE, engine_status, upload_status
from tui_uploader.model.engine import EngineStatus, Link, LinkState
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import ByteCounts, Counts, EtaRange
from tui_uploader.tui.terminal.capabilities import Terminal
from tui_uploader.tui.terminal.title import Title, TitleWriter, title

UP, DOWN = Link(LinkState.UP), Link(LinkState.DOWN)
QUARRY = upload_status(name="Quarry", counts=Counts(waiting=1), volume=ByteCounts(100, 47, 40, 40), rate=1.0)
FAILED = upload_status(2, name="Quarry", counts=Counts(failed=1), volume=ByteCounts(100, 47, 40, 40))
RUNNING = replace(engine_status(QUARRY, link=UP), left=53, eta=EtaRange(400, 560))


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (engine_status(), Title("tui-uploader", 0, 0)),
        (engine_status(replace(QUARRY, state=UploadState.COMPLETE)), Title("tui-uploader", 0, 0)),
        (RUNNING, Title("47 % 8 min Quarry", 1, 47)),
        (replace(RUNNING, eta=None), Title("47 % Quarry", 1, 47)),
        (replace(RUNNING, link=DOWN), Title("OFFLINE 47 % Quarry", 2, 47)),
        (engine_status(FAILED, link=UP), Title("! 47 % Quarry", 2, 47)),
        (engine_status(replace(QUARRY, state=UploadState.PAUSED), link=UP), Title("paused 47 % Quarry", 4, 47)),
        (
            replace(RUNNING, uploads=(QUARRY, replace(QUARRY, upload=2, project_name="Six A"))),
            Title("47 % 8 min 2 uploads", 1, 47),
        ),
    ],
)
def test_what_the_title_says(status: EngineStatus, shown: Title) -> None:
    assert title(status) == shown


def written(terminal: Terminal, *statuses: EngineStatus) -> list[bytes]:
    sent: list[bytes] = []
    writer = TitleWriter(terminal, sent.append)
    for number, status in enumerate(statuses):
        writer.show(status, 10.0 * number)
    return [*sent, writer.end()]


def test_only_what_changed_is_written_and_all_is_cleared_at_the_end() -> None:
    more = replace(RUNNING, uploads=(replace(QUARRY, bytes=ByteCounts(100, 48, 40, 40)),))
    assert written(Terminal(), RUNNING, RUNNING, more, replace(more, eta=None)) == [
        b"\x1b[22;2t\x1b]2;47 % 8 min Quarry\a\x1b]9;4;1;47\a",
        b"\x1b]2;48 % 8 min Quarry\a\x1b]9;4;1;48\a",
        b"\x1b]2;48 % Quarry\a",
        b"\x1b]9;4;0;0\a\x1b[23;2t",
    ]


def test_it_is_written_every_few_seconds_at_most() -> None:
    sent: list[bytes] = []
    writer = TitleWriter(Terminal(), sent.append)
    for tenth in range(100):
        sizes = ByteCounts(1000, tenth * 10, 0, 0)
        writer.show(replace(RUNNING, uploads=(replace(QUARRY, bytes=sizes),)), tenth / 10)
    assert len(sent) == 4
    assert sum(map(len, sent)) < 200


def test_a_console_gets_nothing_and_tmux_a_wrapped_progress() -> None:
    assert written(Terminal(notices=False), RUNNING) == [b"", b""]
    title_code, end = written(Terminal(multiplexer="tmux"), RUNNING)
    assert b"\x1bPtmux;\x1b\x1b]9;4;1;47\a\x1b\\" in title_code
    assert b"\x1bPtmux;\x1b\x1b]9;4;0;0\a\x1b\\" in end


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_names_cannot_end_the_code(name: str, ascii_only: bool) -> None:
    status = replace(RUNNING, uploads=(replace(QUARRY, project_name=name + "\a\x1b\\\x9c"),))
    text = written(Terminal(ascii_only=ascii_only), status)[0].partition(b"\x1b]2;")[2].partition(b"\a\x1b]9;4")[0]
    assert not any(byte < 32 or byte == 127 for byte in text)
    assert "\x9c" not in text.decode()
    assert text.isascii() or not ascii_only
