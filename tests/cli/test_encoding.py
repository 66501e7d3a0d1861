"""A path is bytes and a name is text, whatever the locales of the engine and of its front ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.world import PROGRAM, kill_engine
from tests.photos import write_photo
from tui_uploader.codec import from_json
from tui_uploader.service.spawn import ENGINE_COMMAND

LATIN_1 = "de_DE.ISO-8859-1"


def test_the_engine_decodes_paths_as_utf8_in_every_locale() -> None:
    python = ENGINE_COMMAND[: ENGINE_COMMAND.index("-m")]
    asked = [*python, "-c", "import sys; print(sys.getfilesystemencoding())"]
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0"}
    assert subprocess.run(asked, env=environment, capture_output=True, text=True, check=True).stdout == "utf-8\n"


CARD = {b"caf\xe9.jpg": "caf\udce9.jpg", "süd.jpg".encode(): "süd.jpg", b"plain.jpg": "plain.jpg"}
"""Names on the card, and how they are written in JSON (the second bytes are UTF-8, the first are not)."""


@pytest.fixture(scope="module")
def latin_1_locale(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """An environment in which ISO-8859-1 is the encoding of the session."""
    localedef = shutil.which("localedef")
    if localedef is None:
        pytest.skip("makes its locale with localedef")
    folder = tmp_path_factory.mktemp("locales")
    made = subprocess.run(
        [localedef, "-i", "de_DE", "-f", "ISO-8859-1", os.fspath(folder / LATIN_1)], capture_output=True, check=False
    )
    if not (folder / LATIN_1 / "LC_CTYPE").exists():
        pytest.skip(f"localedef has no sources for {LATIN_1}: {made.stderr.decode(errors='replace')}")
    return {"LC_ALL": LATIN_1, "LOCPATH": os.fspath(folder)}


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    yield
    kill_engine()


def ran(session: Mapping[str, str], card: Path, *arguments: str | bytes) -> bytes:
    """The answer of a command that is given on the card, with a login for a cloud that is not there."""
    login = {"PIX4D_CLOUD_URL": "http://127.0.0.1:9", "PIX4D_CLIENT_ID": "id", "PIX4D_CLIENT_SECRET": "secret"}
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    done = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=card,
        env={**clean, "PYTHONPATH": os.fspath(Path(__file__).parents[2]), **login, **session},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def names(answer: bytes) -> set[str]:
    return {from_json(line, dict[str, Any])["name"] for line in answer.splitlines()}


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS names files in UTF-8 alone")
@pytest.mark.parametrize(
    "latin_1_first", [True, False], ids=["engine of a Latin-1 session", "engine of a POSIX session"]
)
def test_sessions_of_different_locales_share_an_engine(
    tmp_path: Path, latin_1_locale: Mapping[str, str], latin_1_first: bool
) -> None:
    other = {"LC_ALL": "C.UTF-8"} if latin_1_first else {"LC_ALL": "C", "PYTHONUTF8": "0"}
    sessions = [(latin_1_locale, b"S\xfcd"), (other, "Süd".encode())]
    card = tmp_path / os.fsdecode(b"card-\xe4")
    for name in CARD:
        write_photo(card / os.fsdecode(name))
    # The first session starts the engine; the second names the same project and the same files, which changes nothing.
    for session, project in sessions if latin_1_first else reversed(sessions):
        ran(session, card, "upload", ".", "--new", project)
    for session, _ in sessions:
        assert names(ran(session, card, "files", "1", "--json")) == set(CARD.values())
    assert ran(latin_1_locale, card, "status").splitlines()[1].startswith(b"1  S\xfcd")
    assert ran(latin_1_locale, card, "remove", "1", b"caf\xe9.jpg") == b"1 file removed from the queue.\n"
    by_its_object = ran(latin_1_locale, card, "remove", "1", b"s\xfcd.jpg")
    assert by_its_object == b"1 file removed from the queue.\n"
    assert names(ran(other, card, "files", "1", "--json")) == {"plain.jpg"}
