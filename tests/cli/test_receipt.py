"""The command `receipt`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.cli.standin import StandIn
from tests.cli.terminal import on_terminal
from tests.cli.world import PROGRAM, LocalCloud, command, quick
from tests.photos import write_flight, write_photo
from tests.receipts.samples import HEAD, ODD_ROWS, row, sorted_rows, written
from tests.receipts.tool import schema_errors
from tui_uploader.cli.main import run
from tui_uploader.errors import EngineGone, NoSuchUpload, UploaderError
from tui_uploader.model.receipts import ReceiptFormat
from tui_uploader.receipts.csv_format import CsvWriter
from tui_uploader.receipts.json_format import JsonWriter

ROWS = sorted_rows(ODD_ROWS)
RECEIPTS = {ReceiptFormat.JSON: written(JsonWriter(), ROWS), ReceiptFormat.CSV: written(CsvWriter(), ROWS)}


class Receipts:
    """Of the engine; it may fail at the end."""

    def __init__(self) -> None:
        self.content = dict(RECEIPTS)
        self.error: UploaderError | None = None

    async def text(self, upload: int, form: ReceiptFormat) -> AsyncIterator[bytes]:
        assert upload == 3
        content = self.content[form]
        yield content[:100]
        yield content[100:]
        if self.error is not None:
            raise self.error


@pytest.fixture
def receipts(stand_in: StandIn) -> Receipts:
    found = stand_in.receipts = Receipts()
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.usefixtures("receipts")
@pytest.mark.parametrize("form", RECEIPTS)
def test_a_receipt_is_written_to_stdout_or_a_file(
    capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path, form: ReceiptFormat
) -> None:
    assert run(["receipt", "3", "--format", form]) == 0
    assert capfdbinary.readouterr().out == RECEIPTS[form]
    path = tmp_path / "receipt"
    assert run(["receipt", "3", "--format", form, "-o", str(path)]) == 0
    assert path.read_bytes() == RECEIPTS[form]
    assert names(tmp_path) == ["receipt"]
    assert run(["receipt", "--check", str(path)]) == 0


def test_only_an_earlier_receipt_of_the_upload_is_replaced(
    receipts: Receipts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "receipt.json"
    receipts.content[ReceiptFormat.JSON] = written(JsonWriter(), ROWS[:1])
    assert run(["receipt", "3", "-o", str(path)]) == 0
    receipts.content = dict(RECEIPTS)
    assert run(["receipt", "3", "-o", str(path)]) == 0
    assert path.read_bytes() == RECEIPTS[ReceiptFormat.JSON]
    edited = RECEIPTS[ReceiptFormat.JSON].replace(b"Quarry", b"quarry")
    other = written(JsonWriter(), ROWS, head=replace(HEAD, upload=4))
    for content in (b"", b"my thesis", edited, other):
        path.write_bytes(content)
        assert run(["receipt", "3", "-o", str(path)]) == 2
        assert path.read_bytes() == content
        assert "is there already" in capsys.readouterr().err
        assert names(tmp_path) == ["receipt.json"]
        assert run(["receipt", "3", "-o", str(path), "--force"]) == 0
        assert path.read_bytes() == RECEIPTS[ReceiptFormat.JSON]


def test_a_failure_leaves_what_was_there(receipts: Receipts, tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    path.write_bytes(b"before")
    receipts.error = EngineGone("The engine stopped before it answered.")
    assert run(["receipt", "3", "-o", str(path), "--force"]) == 6
    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["receipt.json"]
    receipts.error = NoSuchUpload("There is no upload 3.")
    assert run(["receipt", "3"]) == 2


@pytest.mark.usefixtures("receipts")
@pytest.mark.parametrize("target", ["absent/receipt.json", ".", "file/below"])
def test_a_place_where_nothing_can_be_written_is_named(
    tmp_path: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert run(["receipt", "3", "-o", str(tmp_path / target)]) == 2
    assert str(tmp_path) in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), ("3", "--check", "x"), ("--check", "x", "-o", "y"), ("0",), ("x",)])
def test_an_upload_or_a_file_to_check_is_needed(stand_in: StandIn, arguments: tuple[str, ...]) -> None:
    assert run(["receipt", *arguments]) == 2
    assert stand_in.connections == 0


def test_the_check_needs_no_engine_and_tells_by_its_exit_code(
    stand_in: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "receipt"
    path.write_bytes(written(JsonWriter(), [row(), row("/media/card/Z.JPG", duplicate_of="/a.JPG")], not_delivered=2))
    assert run(["receipt", "--check", str(path)]) == 0
    said = capsys.readouterr().out
    assert f"{path} is as tui-uploader 0.1.0 wrote it on 2026-05-11T10:15:00.000Z." in said
    assert 'Upload 3 to Quarry "north", =1 (17): 1 file (8.41 MB) stored and registered, and 1 copy of files' in said
    assert "Account client at https://cloud.pix4d.com." in said
    assert "It does not list 2 files of the upload" in said
    assert "no signature" in said
    path.write_bytes(path.read_bytes().replace(b"8412345", b"8412346"))
    assert run(["receipt", "--check", str(path)]) == 1
    assert capsys.readouterr().out.startswith(f"{path} proves nothing. ")
    path.write_bytes(b"something else")
    assert run(["receipt", "--check", str(path)]) == 2
    assert "is no receipt" in capsys.readouterr().out
    assert run(["receipt", "--check", str(tmp_path / "absent")]) == 2
    assert stand_in.connections == 0


def test_the_receipt_of_a_real_upload(cloud: LocalCloud, tmp_path: Path) -> None:
    card = tmp_path / "card"
    photos = write_flight(card, 4)
    odd = Path(os.fsdecode(os.fsencode(card) + b"/\xff\x1b[31m.JPG"))
    write_photo(odd)
    done = command("upload", str(card), "--new", "Quarry", "--no-process", "--wait", "--json")
    assert done.code == 0, done.err
    number = str(done.json["upload"])
    for form in (ReceiptFormat.JSON, ReceiptFormat.CSV):
        path = tmp_path / f"receipt.{form}"
        with path.open("wb") as out:
            shown = subprocess.run([*PROGRAM, "receipt", number, "--format", form], stdout=out, check=True)
        assert shown.returncode == 0
        assert quick("receipt", "--check", str(path)).code == 0
    document = json.loads((tmp_path / "receipt.json").read_text())
    assert {each["path"] for each in document["files"]} == {str(path) for path in (*photos, odd)}
    assert all(each["stored_at"] and each["proof"] for each in document["files"])
    assert document["head"]["cloud"] == cloud.url
    assert os.fsencode(odd.name) in (tmp_path / "receipt.csv").read_bytes()
    refused = quick("receipt", number, "--format", "mhl")
    assert refused.code == 2 and "json and csv" in refused.err
    with on_terminal("receipt", number, "--format", "csv") as terminal:
        assert terminal.exit_code() == 0
        assert "\x1b[31m" not in terminal.shown, "names of files command no terminal"
    odd.unlink()
    north = command("upload", str(card), "--new", "North", "--no-process", "--wait", "--json")
    assert north.code == 0, north.err
    listed = tmp_path / "list.mhl"
    assert quick("receipt", str(north.json["upload"]), "--format", "mhl", "-o", str(listed)).code == 0
    assert not schema_errors(listed)
