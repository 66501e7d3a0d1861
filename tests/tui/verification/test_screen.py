"""The verification screen, alone, in front of a card of mere values."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.tui.dialog_app import opened
from tests.tui.values import HOSTILE
from tests.tui.verification.card import FILES, UNSAFE_CARD, Card, screen_of
from tests.until import until
from tests.values import COMPLETE, READING_CARD, SAFE_CARD
from tui_uploader.errors import NoSuchVerification, UsageError
from tui_uploader.model.verification import (
    CardFileKind,
    Finding,
    Verdict,
    VerificationRequest,
    VerificationState,
    VerifiedFile,
)
from tui_uploader.text import printable
from tui_uploader.tui.lines.glyphs import ASCII
from tui_uploader.tui.messages import Noticed
from tui_uploader.tui.verification.screen import VerificationScreen


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_a_safe_card(size: tuple[int, int]) -> None:
    card = Card(SAFE_CARD, ())
    async with opened(lambda: screen_of(card), *size) as dialog:
        await dialog.shows(
            "May this card be wiped?  /media/card",
            "SAFE",
            "Everything in /media/card is in the cloud. It may be wiped.",
            "Proof: 412 files by size and checksum in the storage.",
            "Found in Quarry.",
            "ALL FOLDERS, 1",
            "r again",
            "Esc close",
        )
        assert "u upload" not in dialog.text
        await dialog.press("u")
        await dialog.shows("No image is missing: there is nothing to upload.")
        await dialog.press("escape")
        assert await dialog.answered() is None
    assert card.asked == []


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_an_unsafe_card(size: tuple[int, int]) -> None:
    card = Card(UNSAFE_CARD)
    async with opened(lambda: screen_of(card), *size) as dialog:
        await dialog.shows(
            "NOT SAFE",
            "2 of 412 images are not in the cloud, 1 file or folder could not be read. Do not wipe /media/card.",
            "The card was taken out while it was read.",
            "Not in the cloud either: 1 video (9.00 KB).",
            "Not counted: 1 hidden file (12 B).",
            "NOT IN THE CLOUD, 2 images",
            "DCIM/a.JPG",
            "is in no project",
            "u upload 2 missing",
            "Esc close",
        )
        await dialog.press("tab")
        await dialog.shows("/media/card/DCIM/a.JPG")
        await dialog.press("tab")
        await dialog.shows("/media/card/DCIM/c.JPG cannot be read: I/O error")
        await dialog.press("tab")
        await dialog.shows("410 in the cloud, 2 missing")
        await dialog.press("tab", "tab")
        await dialog.shows("/media/card/DCIM/._d hidden file")
        await dialog.press("shift+tab")
        await dialog.shows("/media/card/DCIM/d.MP4 video")


async def test_reading_is_followed_to_the_verdict() -> None:
    card = Card(READING_CARD)
    async with opened(lambda: screen_of(card)) as dialog:
        await dialog.shows(
            "READING  50 %", "reading 212 of 412 files, 3.10 of 6.20 GB, 88.0 MB/s, 35 s left", "c cancel"
        )
        await dialog.shows("Esc closes this screen and stops nothing.", "c cancel")
        assert "SAFE" not in dialog.text
        await dialog.press("r", "u")
        await dialog.shows("What is missing is known when everything is read.")
        card.status_now = replace(READING_CARD, files_read=412, bytes_read=6_200_000_000)
        await dialog.shows("412 files read (6.20 GB), comparing with the storage")
        assert card.windows == []
        card.status_now = replace(UNSAFE_CARD, reasons=())
        await dialog.shows("NOT SAFE", "NOT IN THE CLOUD, 2 images", "DCIM/a.JPG")
    assert card.asked == []


async def test_a_verification_that_is_not_listed_any_more_is_asked_for() -> None:
    card = Card(READING_CARD)
    async with opened(lambda: screen_of(card, listed=False)) as dialog:
        await dialog.shows("READING")
        card.status_now = SAFE_CARD
        await dialog.shows("Everything in /media/card is in the cloud.")
    card = Card(READING_CARD)
    card.refusal = NoSuchVerification("There is no verification 5, or it is no longer kept.")
    async with opened(lambda: screen_of(card, listed=False)) as dialog:
        await dialog.shows("There is no verification 5, or it is no longer kept.")


async def test_cancelling_leaves_no_verdict() -> None:
    card = Card(READING_CARD)
    async with opened(lambda: screen_of(card)) as dialog:
        await dialog.shows("READING")
        await dialog.press("c")
        await dialog.shows("CANCELLED", "212 of 412 files in /media/card read, nothing is proven. Do not wipe it.")
        await dialog.shows("It did not come to its end: r reads again.")
        assert "SAFE" not in dialog.text
        await dialog.press("c")
        await dialog.shows("Nothing to cancel: the card is not being read.")
    assert card.asked == [("cancel", 5)]


async def test_r_reads_the_same_paths_again() -> None:
    card = Card(replace(UNSAFE_CARD, project="Quarry"))
    async with opened(lambda: screen_of(card)) as dialog:
        await dialog.shows("NOT SAFE", "DCIM/a.JPG")
        await dialog.press("r")
        await dialog.shows("READING  0 %")
        assert "DCIM/a.JPG" not in dialog.text
        assert card.asked == [VerificationRequest(("/media/card",), "Quarry")]
        card.status_now = replace(SAFE_CARD, verification=card.status_now.verification)
        card.listed = ()
        await dialog.shows("Everything in /media/card is in the cloud.", "ALL FOLDERS, 1")
        assert "NOT IN THE CLOUD" not in dialog.text


async def test_u_queues_what_is_missing() -> None:
    card, queued = Card(UNSAFE_CARD), []
    async with opened(lambda: screen_of(card, queued=lambda *told: queued.append(told))) as dialog:
        await dialog.shows("u upload 2 missing")
        await dialog.press("u")
        await dialog.shows(
            "2 missing images queued for Quarry as upload 3. When it is complete, r reads the card again."
        )
    assert card.asked == [("upload", 5, None)]
    assert queued == [(COMPLETE, UNSAFE_CARD)]


async def test_what_the_engine_refuses_queues_nothing() -> None:
    card, queued = Card(UNSAFE_CARD), []
    card.refusal = UsageError("Not now.")
    async with opened(lambda: screen_of(card, queued=lambda *told: queued.append(told))) as dialog:
        await dialog.shows("u upload 2 missing")
        await dialog.press("u")
        await until(lambda: card.asked)
    assert queued == []


async def test_other_keys() -> None:
    card = Card(UNSAFE_CARD)
    copied: list[str] = []
    others: list[bool] = []
    async with opened(lambda: screen_of(card, copy=copied.append, other=lambda: others.append(True))) as dialog:
        await dialog.shows("DCIM/a.JPG")
        await dialog.press("y")  # on a heading
        await dialog.press("j", "y", "n")
        await until(lambda: others)
        assert copied == ["/media/card/DCIM/a.JPG"]
        await dialog.press("K")
        await dialog.answered()


async def test_a_large_card_is_read_in_windows() -> None:
    many = tuple(
        VerifiedFile(f"/media/card/{number:06}.JPG", 1, CardFileKind.IMAGE, Finding.MISSING, "is in no project")
        for number in range(200_000)
    )
    card = Card(replace(UNSAFE_CARD, findings={Finding.MISSING: 200_000}), many)
    async with opened(lambda: screen_of(card)) as dialog:
        await dialog.shows("NOT IN THE CLOUD, 200,000 images", "000000.JPG")
        await dialog.press("end")
        await dialog.shows("ALL FOLDERS, 1", "199999.JPG")
        screen = dialog.pilot.app.screen
        assert isinstance(screen, VerificationScreen)
        assert len(screen.table.window.rows) < 200
        await dialog.press("g")
        await dialog.shows("000000.JPG")
    assert max(limit for _, _, limit in card.windows) < 200


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_names_are_harmless(name: str) -> None:
    path = f"/media/card/{name}"
    file = VerifiedFile(path, 1, CardFileKind.IMAGE, Finding.MISSING, f"is queued in {name}")
    status = replace(
        UNSAFE_CARD, findings={Finding.MISSING: 1}, paths=(f"/media/{name}",), projects=(name,), reasons=(name,)
    )
    card = Card(status, (file,))
    async with opened(lambda: screen_of(card)) as dialog:
        await dialog.shows("NOT IN THE CLOUD, 1 image")
        await dialog.press("j")
        await until(lambda: dialog.lines[-3:])
        assert all(line == printable(line) for line in dialog.lines)
        if "[red]" in name:
            await dialog.shows("[red]bold[/red]")


async def test_notices_are_shown_except_the_verdict_that_stands_there() -> None:
    card = Card(SAFE_CARD)
    async with opened(lambda: screen_of(card)) as dialog:
        await dialog.shows("It may be wiped.")
        screen = dialog.pilot.app.screen
        assert isinstance(screen, VerificationScreen)
        screen.show_notice(Noticed("SAFE: everything in /media/card is in the cloud. It may be wiped."))
        screen.show_notice(Noticed("North: upload complete.\x1b[2J"))
        await dialog.shows("North: upload complete.\\x1b[2J")
        assert "SAFE: everything" not in dialog.text


async def test_ascii_only() -> None:
    for status in (UNSAFE_CARD, READING_CARD):
        async with opened(lambda status=status: screen_of(Card(status), glyphs=ASCII)) as dialog:  # type: ignore[misc]
            await dialog.shows("May this card be wiped?")
            scrollbar = "▁▂▃▄▅▆▇█"
            assert all(line.strip(scrollbar + " ").isascii() for line in dialog.lines)


def test_every_verdict_has_its_own_colours_and_word() -> None:
    from tui_uploader.tui.verification.lines import headline, look

    states = [replace(SAFE_CARD, verdict=verdict) for verdict in Verdict]
    states += [READING_CARD, replace(SAFE_CARD, state=VerificationState.CANCELLED, verdict=None)]
    assert len({look(status) for status in states}) == len(states)
    assert len({headline(status)[0] for status in states}) == len(states)
    assert look(replace(SAFE_CARD, verdict=None)) == "-not-safe"
    assert [file.finding.unsafe for file in FILES] == [True, True, True, False, False]
