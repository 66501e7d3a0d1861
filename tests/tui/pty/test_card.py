"""May the card be wiped? Asked on a real terminal, answered by a real engine in front of a real cloud."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.photos import jpeg, of_yesterday
from tests.tui.real_terminal import ENTER, ESCAPE, PATIENCE, Field, field


@pytest.fixture
def work() -> Iterator[Field]:
    with field() as ready:
        yield ready


def test_a_card_is_safe_until_one_more_file_is_on_it(work: Field) -> None:
    card = work.card("north", 6)
    upload = work.queue("north", "--no-process")
    with work.app(columns=80, rows=24) as terminal:
        terminal.wait_for("K checks whether the card may be wiped", PATIENCE)
        terminal.feed("K")
        terminal.wait_for("Every file in it is read again")
        terminal.feed(ENTER)
        terminal.wait_for(f"Everything in {work.home}/north is in the cloud. It may be wiped.", PATIENCE)
        terminal.feed(ESCAPE)
        terminal.wait_for("/north is safe to wipe (K)")

        late = work.home / "north" / "late\x1b[2J.JPG"
        late.write_bytes(jpeg(4_000))
        of_yesterday(late)
        terminal.feed("K")
        terminal.wait_for("It may be wiped.")
        terminal.feed("r")
        terminal.wait_for("1 of 7 images is not in the cloud.", PATIENCE)
        terminal.wait_for("late\\x1b[2J.JPG")
        terminal.feed("u")
        terminal.wait_for("1 missing image queued for north as upload")
        terminal.wait_for(lambda: len(work.cloud.objects()) == len(card) + 1, PATIENCE)
        terminal.wait_for(lambda: work.is_complete(upload + 1), PATIENCE)
        terminal.feed("r")
        terminal.wait_for("It may be wiped.", PATIENCE)
        assert terminal.cell(*terminal.find("SAFE")).bg not in ("default", terminal.cell(0, 0).bg)
