"""The first line: numbers that matter are never cut, and what is wrong is said in words."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from tests.service.stand_in import StandInManager
from tests.tui.conftest import add_upload, showing
from tests.tui.headless import watch_updates
from tests.tui.values import HOSTILE, engine_status, text_of, upload_status
from tests.until import until
from tui_uploader.model.accounts import Account
from tui_uploader.model.engine import AccountLink, Bandwidth, BudgetPeriod, EngineStatus, Link, LinkState
from tui_uploader.model.files import Hold
from tui_uploader.model.hooks import HookEvent, HookFailure
from tui_uploader.model.uploads import EtaRange, Notice, UploadStatus
from tui_uploader.settings import Directories
from tui_uploader.tui.lines.glyphs import UNICODE
from tui_uploader.tui.lines.spans import between
from tui_uploader.tui.terminal.capabilities import Terminal
from tui_uploader.tui.widgets.first_line import banner_lines, summary
from tui_uploader.wording.banner import Banner, banner

NOW = datetime(2026, 11, 29, 14, 22, 30).timestamp()
SINCE = datetime(2026, 11, 29, 14, 22).timestamp()
UP = Link(LinkState.UP)
REASON = "cloud.pix4d.com refused the connection. Check the network, then try again."
DOWN = Link(LinkState.DOWN, SINCE, NOW + 8, REASON)
ANNA = Account("anna@https://cloud.pix4d.com", "https://cloud.pix4d.com", "anna@acme-survey", "file")


def upload(number: int, hold: Hold | None = None, **fields: object) -> UploadStatus:
    return replace(upload_status(number), hold=hold, **fields)


def busy(**fields: object) -> EngineStatus:
    status = engine_status(upload(1), link=UP, streams=4, rate=250_000.0)
    limited = Bandwidth(limit=250_000, rate=250_000)
    return replace(status, left=85_000_000, eta=EtaRange(300, 660), bandwidth=limited, **fields)


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (
            118,
            "anna@acme-survey PIX4Dcloud 85.0 MB left 250 KB/s (limit 250 KB/s) all done ~14:30 (8 min) online",
        ),
        (78, "anna@acme-su⋯  85.0 MB left  250 KB/s (limit 250)  done ~14:30 (8 min)  online"),
        (58, "anna@⋯  85.0 MB left  250 KB/s (limit 250)  ~14:30  online"),
    ],
)
def test_names_give_way_to_numbers(width: int, shown: str) -> None:
    left, right = summary(busy(), [ANNA], NOW, width, "⋯", read_only=False)
    line = text_of(between(left, right, width, UNICODE))
    assert line.split() == shown.split()
    assert cell_len(line) <= width


@pytest.mark.parametrize(
    ("width", "hooks", "mark"),
    [
        (118, ("notify.sh",), "hook notify.sh fails"),
        (78, ("notify.sh",), "hook fails"),
        (118, ("notify.sh", "hooks.example"), "2 hooks fail"),
        (118, ("\x1b[2J" * 9,), "hook fails"),
    ],
)
def test_hooks_that_fail_are_told_before_the_names_and_cost_no_number(
    width: int, hooks: tuple[str, ...], mark: str
) -> None:
    failures = tuple(HookFailure(0.0, hook, HookEvent.FAILED, "It does not exist.") for hook in hooks)
    status = busy(hook_failures=failures)
    left, right = summary(status, [ANNA], NOW, width, "⋯", read_only=False)
    line = text_of(between(left, right, width, UNICODE))
    assert text_of(left).startswith(mark) and line.isprintable()
    assert cell_len(line) <= width and "85.0 MB left" in line and "online" in line


def test_an_idle_engine_shows_who_and_the_limit() -> None:
    idle = replace(engine_status(link=UP), bandwidth=Bandwidth(limit=2_000_000, rate=2_000_000))
    left, right = summary(idle, [ANNA], NOW, 78, "⋯", read_only=True)
    assert (text_of(left), text_of(right)) == (
        "READ-ONLY  anna@acme-survey  PIX4Dcloud",
        "limit 2 MB/s  online",
    )
    two = summary(idle, [ANNA, replace(ANNA, cloud_url="http://127.0.0.1:80")], NOW, 78, "⋯", read_only=False)
    assert text_of(two[0]) == "2 accounts  PIX4Dcloud, 127.0.0.1:80"


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("width", [58, 78, 118, 198])
def test_any_account_name_fits(name: str, width: int) -> None:
    left, right = summary(busy(), [replace(ANNA, client_id=name * 3)], NOW, width, "⋯", read_only=True)
    line = text_of(between(left, right, width, UNICODE))
    assert cell_len(line) <= width and line.endswith("online") and "85.0 MB left" in line
    assert not any(ord(character) < 32 for character in line)


WAIT_2, WAIT_1 = "2 uploads wait, nothing is lost.", "1 upload waits, nothing is lost."


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (busy(), None),
        (
            engine_status(upload(1, Hold.OFFLINE), upload(2, Hold.OFFLINE), upload(3, Hold.PAUSED), link=DOWN),
            Banner(
                "OFFLINE since 14:22",
                "next try in 8 s",
                "r: now",
                "cloud.pix4d.com refused the connection.",
                WAIT_2,
                counts_down=True,
            ),
        ),
        (
            replace(
                engine_status(upload(1, Hold.OFFLINE), link=replace(DOWN, next_try=NOW - 1, reason=None)),
                links=(AccountLink("anna@a", UP), AccountLink("ben@b", DOWN)),
            ),
            Banner("OFFLINE for ben since 14:22", "trying now", "r: now", "", WAIT_1, counts_down=True),
        ),
        (
            engine_status(
                upload(1, Hold.SIGNED_OUT, notice=Notice("NotSignedIn", "Sign in. Please.", True)), link=DOWN
            ),
            Banner("NOT SIGNED IN", cause="Sign in. Please.", waits=WAIT_1),
        ),
        (
            replace(engine_status(), links=(AccountLink("anna@a", UP, Notice("SignInRefused", "Refused.", True)),)),
            Banner("NOT SIGNED IN as anna", cause="Refused."),
        ),
        (
            replace(
                engine_status(upload(1, Hold.BUDGET), link=UP),
                bandwidth=Bandwidth(
                    budget=1_000_000, per=BudgetPeriod.DAY, rate=0, used_up=True, until=SINCE + 9.633 * 3600
                ),
            ),
            Banner("DATA BUDGET USED UP (1 MB a day)", "continues Sun 23:59", "b: change", waits=WAIT_1),
        ),
        (
            replace(engine_status(upload(1, Hold.LIMIT), link=UP), bandwidth=Bandwidth(limit=0, rate=0)),
            Banner("SENDING PAUSED by the limit", "", "b: change", waits=WAIT_1),
        ),
        (
            engine_status(upload(1, Hold.MEDIUM, notice=Notice("SourceUnreadable", "No answer.", False)), link=UP),
            Banner("CARD OR DISK NOT READABLE", cause="No answer.", waits=WAIT_1),
        ),
    ],
)
def test_why_nothing_moves(status: EngineStatus, shown: Banner | None) -> None:
    if shown is not None and shown.then == "continues Sun 23:59":
        shown = replace(shown, then="continues 23:59")
    assert banner(status, NOW) == shown


OFFLINE = Banner("OFFLINE since Sat 14:22", "next try in 2 min 08 s", "r: now", REASON, WAIT_2)
ESSENCE = "! OFFLINE since Sat 14:22, next try in 2 min 08 s (r: now)."


@pytest.mark.parametrize("width", [58, 78, 118, 198])
@pytest.mark.parametrize("cause", ["", REASON, REASON * 5, *HOSTILE])
def test_the_cause_gives_way_and_nothing_else(width: int, cause: str) -> None:
    lines = banner_lines(replace(OFFLINE, cause=cause), width, "⋯")
    assert len(lines) <= 2 and all(cell_len(line) <= width for line in lines)
    words = " ".join(" ".join(lines).split())
    assert ESSENCE in words and WAIT_2 in words
    if width >= 198 and cause in ("", REASON):
        assert len(lines) == 1


async def test_the_countdown_is_readable_at_80_columns_and_ticks_only_offline(
    manager: StandInManager, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_upload(manager, "east")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("∙ east")
        line = screen.app.main.first_line
        wall = NOW
        monkeypatch.setattr(line, "_wall", lambda: wall)
        status = engine_status(upload(1, Hold.OFFLINE), link=DOWN)
        await screen.shows_status(status, "! OFFLINE since 14:22, next try in 8 s (r: now).", WAIT_1)
        await screen.pilot.pause()
        updates = watch_updates(screen.app, monkeypatch)
        line.update()
        await screen.pilot.pause()
        assert not updates
        wall += 3
        await screen.shows("next try in 5 s (r: now)")
        await screen.shows_status(replace(status, link=UP), "online")
        assert "OFFLINE" not in screen.text


async def test_without_colour_the_banner_is_reversed(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories, (80, 24), Terminal(no_color=True, theme="ansi-dark")) as screen:
        await screen.shows_status(engine_status(upload(1, Hold.OFFLINE), link=DOWN), "OFFLINE since")
        style = next(iter(screen.app.main.first_line.render_line(0))).style
        assert style is not None and style.reverse and style.bold


async def test_a_tiny_terminal_shows_the_banner_and_the_per_cent(
    manager: StandInManager, directories: Directories, tmp_path: Path
) -> None:
    async with showing(directories, (30, 8)) as screen:
        offline = engine_status(upload(1, Hold.OFFLINE), link=DOWN)
        await screen.shows_status(offline, "! OFFLINE since", "0 % North field")
        await until(lambda: all(cell_len(line) <= 30 for line in screen.lines))
