"""`verify` with the real engine and a local cloud: from the files of a card to the exit code."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.cli.world import LocalCloud, command, engine_pid, finished, kill_engine, quick, started
from tests.photos import jpeg, of_yesterday, write_flight


def uploaded(card: Path, photos: int = 4) -> None:
    write_flight(card, photos)
    done = command("upload", str(card), "--new", "Quarry", "--no-process", "--wait", "--json")
    assert done.code == 0, done.err


def one_more(card: Path, name: str = "DJI_0999.JPG") -> Path:
    path = card / name
    path.write_bytes(jpeg(3_000))
    of_yesterday(path)
    return path


def test_a_card_is_safe_until_something_is_added_and_safe_again_when_that_is_uploaded(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    card = tmp_path / "card"
    uploaded(card)
    safe = command("verify", str(card), "--json")
    assert safe.code == 0, safe.err
    record = safe.json
    assert (record["safe"], record["verdict"], record["files"], record["delivered"]) == (True, "safe", 4, 4)
    assert (record["missing"], record["others"], record["projects"]) == ([], [], ["Quarry"])
    assert record["evidence"] == {"storage": 4}

    added = one_more(card)
    text = quick("verify", str(card))
    assert text.code == 1
    assert f"NOT SAFE: 1 of 5 images is not in the cloud. Do not wipe {card}." in text.out
    assert f"  {added}: is in no project" in text.out

    queued = quick("verify", str(card), "--upload", "--json")
    assert queued.code == 1
    assert queued.json["queued"]["project_name"] == "Quarry"
    assert [each["path"] for each in queued.json["missing"]] == [str(added)]
    done = command("upload", str(card), "--new", "Quarry", "--no-process", "--wait", "--json")
    assert done.code == 0, done.err
    assert quick("verify", str(card)).out.splitlines()[-1] == (
        f"SAFE: everything in {card} is in the cloud. It may be wiped."
    )
    assert cloud.stored() == 5


def test_other_files_need_images_only(cloud: LocalCloud, tmp_path: Path) -> None:
    card = tmp_path / "card"
    uploaded(card)
    (card / "DJI_0001.MP4").write_bytes(b"film")
    (card / "\x1b[31mflight\udcff.log").write_bytes(b"log")
    (card / "._hidden").write_bytes(b"x")
    for path in card.iterdir():
        of_yesterday(path)
    assert quick("verify", str(card)).code == 1
    only = quick("verify", str(card), "--images-only", "--json")
    assert only.code == 0
    assert (only.json["safe"], only.json["verdict"]) == (False, "safe_for_images")
    others = {each["path"]: each["kind"] for each in only.json["others"]}
    assert others == {f"{card}/DJI_0001.MP4": "video", f"{card}/\x1b[31mflight\udcff.log": "log"}
    assert [each["path"] for each in only.json["apart"]] == [f"{card}/._hidden"]
    text = quick("verify", str(card), "--images-only").out
    assert "\x1b" not in text
    assert "SAFE FOR IMAGES: all 4 images in " in text
    assert "1 video (4 B) and 1 log (3 B) are not: wiping destroys them." in text


def test_paths_are_those_of_the_folder_of_the_command(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded(tmp_path / "card")
    monkeypatch.chdir(tmp_path)
    assert quick("verify", "card", "--json").json["paths"] == [str(tmp_path / "card")]


def test_what_cannot_be_verified(cloud: LocalCloud, tmp_path: Path) -> None:
    card = tmp_path / "card"
    uploaded(card)
    missing = quick("verify", str(tmp_path / "nothing"), "--json")
    assert missing.code == 1
    assert not missing.json["safe"]
    assert missing.json["reasons"]
    assert quick("verify", str(card), "--project", "Moon").code == 2
    (tmp_path / "empty").mkdir()
    empty = quick("verify", str(tmp_path / "empty"))
    assert empty.code == 1
    assert "NOT SAFE" in empty.out
    lost = one_more(tmp_path / "empty")
    unclear = quick("verify", str(lost.parent), "--upload")
    assert unclear.code == 2
    assert "No file of this card is in a project. Name the project for the missing images with --project P." in (
        unclear.err
    )
    named = quick("verify", str(lost.parent), "--upload", "--project", "Quarry")
    assert named.code == 1
    assert "1 missing image queued for Quarry as upload" in named.out


def test_an_interrupt_cancels_and_a_killed_engine_continues(cloud: LocalCloud, tmp_path: Path) -> None:
    card = tmp_path / "card"
    uploaded(card)
    with (card / "long.MP4").open("wb") as film:
        film.truncate(40_000_000_000)  # sparse: reading takes long, storing nothing
    of_yesterday(card / "long.MP4")
    reading = started("verify", str(card))
    _wait_until_it_reads()
    reading.send_signal(signal.SIGINT)
    stopped = finished(reading)
    assert stopped.code == 130
    assert "Verification cancelled: nothing is proven." in stopped.err
    assert _states() == ["cancelled"]

    reading = started("verify", str(card), "--json")
    _wait_until_it_reads()
    before = engine_pid()
    kill_engine()
    _wait_until_it_reads(before)
    (card / "new.JPG").write_bytes(jpeg())  # before or while the card is read again: it cannot be safe
    with (card / "long.MP4").open("r+b") as film:
        film.truncate(4_000)
    done = finished(reading)
    assert done.code == 1
    assert done.json["verdict"] == "not_safe"


def _wait_until_it_reads(before: int | None = None) -> None:
    """Return when a verification runs, in another engine than `before`."""
    deadline = time.monotonic() + 30.0
    while "running" not in _states() or engine_pid() == before:
        assert time.monotonic() < deadline, "it never runs"


def _states() -> list[str]:
    return [each["state"] for each in quick("status", "--json").json["verifications"]]
