"""Whole uploads on a real terminal: typed keys go in, and the result is judged by the content of the cloud."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.world import quick
from tests.photos import jpeg, of_yesterday
from tests.tui.pty_session import PtySession
from tests.tui.real_terminal import DOWN, ENTER, ESCAPE, PATIENCE, Field, field

SLOWLY = "4k"
"""A limit at which an upload of some small files takes longer than the app takes to start."""


@pytest.fixture(scope="module")
def work() -> Iterator[Field]:
    """One engine and cloud for all tests here; each test uploads to projects of its own."""
    with field("--fault", "stall:route=put,probability=1,seconds=0.5") as ready:
        yield ready


def close_news(terminal: PtySession) -> None:
    """Escape closes news once they could have been read; before that it does nothing here."""

    def closed() -> bool:
        if "DONE" in terminal.text:
            terminal.feed(ESCAPE)
        return "DONE" not in terminal.text

    terminal.wait_for(closed)


def test_first_start_to_last_byte(work: Field) -> None:
    card = work.card("alpha", 12)
    with work.app() as terminal:
        terminal.wait_for("No uploads yet.")
        terminal.wait_for(lambda: quick("whoami").code == 0)  # the app has handed over its login before
        terminal.feed("ualpha\t")
        terminal.wait_for(f"{work.home}/alpha/")
        terminal.feed(ENTER)
        terminal.wait_for("12 images")
        terminal.feed(f"alpha{ENTER}")
        terminal.wait_for("Upload 12 images to new alpha")
        terminal.feed(ENTER)
        terminal.wait_for("⇡")
        terminal.wait_for("Submitted for processing", PATIENCE)
        terminal.wait_for("0 active")
        close_news(terminal)
        terminal.wait_for("alpha: processing done.")
        assert all(f"✓ {photo}" in terminal.text for photo in card)
    assert work.stored("alpha") == card
    assert work.counts(1)["uploaded"] == len(card)


def test_keys_typed_while_news_open_go_where_they_were_meant(work: Field) -> None:
    work.card("theta", 6)
    theta = work.queue("theta", "--no-process")
    with work.app(columns=80, rows=24) as terminal:
        terminal.wait_for(lambda: work.is_complete(theta))
        terminal.wait_for("✓ theta_006.JPG")
        terminal.feed("/Ort")
        started = quick("process", "theta")
        assert started.code == 0, started.err
        typed = "ho res"
        terminal.feed(typed[:3])
        terminal.wait_for("Submitted for processing")
        terminal.feed(typed[3:])
        terminal.wait_for("Ortho res")
        terminal.feed(ENTER)
        terminal.wait_for(" matches: ")
        terminal.feed(f"{ESCAPE}")
        terminal.wait_for("✓ theta_006.JPG")
        assert "DONE" in terminal.text
        close_news(terminal)


def test_processing_starts_on_request(work: Field) -> None:
    card = work.card("beta", 6)
    beta = work.queue("beta", "--no-process")
    with work.app() as terminal:
        terminal.wait_for(lambda: work.is_complete(beta))
        terminal.wait_for("[2] Files  beta  6 files, 12.0 KB   ✓6")  # only now it knows that there are enough
        assert work.upload(beta)["processing"] == "not_started"
        terminal.feed("P")
        terminal.wait_for("Start processing beta with 6 images?")
        terminal.feed("y")
        terminal.wait_for("Submitted for processing")
    assert work.upload(beta)["processing"] != "not_started"
    assert work.stored("beta") == card


def test_a_removed_waiting_file_is_never_sent(work: Field) -> None:
    card = work.card("gamma", 40)
    assert quick("limit", SLOWLY).code == 0
    gamma = work.queue("gamma", "--no-process")
    assert quick("pause", str(gamma)).code == 0
    assert quick("limit", "off").code == 0
    with work.app() as terminal:
        terminal.wait_for("[2] Files  gamma  40 files")
        terminal.wait_for("paused")
        terminal.feed("/gamma_04")
        terminal.wait_for("1 of 40")
        terminal.feed(f"{ENTER}x")
        terminal.wait_for("1 file removed from the queue; U to undo.")
        terminal.feed(ESCAPE)
        terminal.wait_for("[2] Files  gamma  39 files")
        terminal.feed("/gamma_039")
        terminal.wait_for("1 of 39")
        terminal.feed(f"{ENTER}x")
        terminal.wait_for(lambda: sum(work.counts(gamma).values()) == 38)
        terminal.feed("U")
        terminal.wait_for("1 file put back into the queue.")
        terminal.feed("p")
        terminal.wait_for(lambda: work.is_complete(gamma), PATIENCE)
    del card["gamma_040.JPG"]
    assert work.stored("gamma") == card
    assert work.counts(gamma) == {"uploaded": 39, "uploading": 0, "waiting": 0, "duplicate": 0, "failed": 0}


def test_a_cancelled_upload_keeps_its_files_and_can_be_resumed(work: Field) -> None:
    card = work.card("delta", 72)
    assert quick("limit", SLOWLY).code == 0
    delta = work.queue("delta", "--no-process")
    with work.app() as terminal:
        terminal.wait_for(lambda: work.stored("delta"))
        terminal.wait_for("[2] Files  delta  72 files")
        terminal.feed("c")
        terminal.wait_for("Cancel the upload to delta?")
        terminal.feed(ENTER)  # the default is no
        terminal.wait_for(lambda: "Cancel the upload" not in terminal.text)
        assert work.upload(delta)["state"] == "active"
        terminal.feed("c")
        terminal.wait_for("Cancel the upload to delta?")
        terminal.feed("y")
        terminal.wait_for(lambda: work.upload(delta)["state"] == "cancelled")
        terminal.wait_for("Cancelled. p resumes")  # keys are about what is on the screen
        arrived = work.stored("delta")
        assert 0 < len(arrived) < len(card)
        assert arrived.items() <= card.items()
        assert quick("limit", "off").code == 0
        terminal.feed("p")
        terminal.wait_for(lambda: work.is_complete(delta), PATIENCE)
    assert work.stored("delta") == card


def test_repaired_files_are_retried_with_one_key(work: Field) -> None:
    card = work.card("epsilon", 6)
    spoiled = [work.home / "epsilon" / f"epsilon_{number:03}.JPG" for number in (2, 5)]
    for photo in spoiled:
        photo.write_bytes(card[photo.name][:700])
        of_yesterday(photo)
    epsilon = work.queue("epsilon", "--no-process")
    with work.app() as terminal:
        terminal.wait_for(lambda: work.counts(epsilon).get("failed") == 2)
        terminal.wait_for("✗2")
        for photo in spoiled:
            card[photo.name] = jpeg()
            photo.write_bytes(card[photo.name])
        terminal.feed("r")
        terminal.wait_for(lambda: work.is_complete(epsilon))
        terminal.wait_for("✓6")
    assert work.stored("epsilon") == card


def test_keys_sent_together_act_one_by_one(work: Field) -> None:
    """A slow connection delivers them together; each has to find the focus where the one before has put it."""
    for name in ("eta", "zeta"):
        work.card(name, 1)
        number = work.queue(name, "--no-process")
    with work.app() as terminal:
        terminal.wait_for(lambda: work.is_complete(number))
        terminal.wait_for("[2] Files  zeta  1")
        terminal.feed(f"1{DOWN}{ENTER}")
        terminal.wait_for("[2] Files  eta  1")
        terminal.feed(f"1k{ENTER}/nothing{ENTER}")
        terminal.wait_for("None of the 1 files matches")
        terminal.feed(f"{ESCAPE}")
        terminal.wait_for("[2] Files  zeta  1")
        terminal.feed("CA new one")
        terminal.wait_for("A new one")
        terminal.feed(ESCAPE)
        terminal.wait_for("P starts it")  # `w` in a name does not hide the uploads
