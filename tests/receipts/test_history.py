"""ASC MHL histories on a card are begun and continued so that the public tool accepts them, and never damaged."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import xxhash
from ascmhl.history import MHLHistory

from tests.receipts.samples import HEAD, row
from tests.receipts.tool import ascmhl, schema_errors
from tui_uploader.errors import ReceiptInvalid
from tui_uploader.model.receipts import ReceiptRow, ReceiptVerdict
from tui_uploader.receipts.checking import check
from tui_uploader.receipts.history import HistoryUpdate
from tui_uploader.receipts.mhl_format import MhlWriter, c4

CONTENTS = {"DCIM/a.jpg": b"one", "DCIM/b & c.jpg": b"two", "DCIM/ä.jpg": b"three"}


@pytest.fixture
def card(tmp_path: Path) -> Path:
    folder = tmp_path / "NO NAME"
    for name, content in CONTENTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def rows(card: Path, names: Iterable[str] = tuple(CONTENTS)) -> list[ReceiptRow]:
    """What an upload of these files delivered."""
    paths = sorted((card / name for name in names), key=os.fsencode)
    return [
        row(str(path), size=path.stat().st_size, xxh128=xxhash.xxh3_128_hexdigest(path.read_bytes())) for path in paths
    ]


def update(card: Path, delivered: list[ReceiptRow], moment: str = "2026-05-11_101500Z") -> int:
    """Write the next generation. Returns the number of files in it."""
    changed = HistoryUpdate(str(card))
    writer = MhlWriter(str(card), "machine", changed.earlier.action_of, changed.earlier.ignored)
    for piece in (writer.head(HEAD), writer.rows(delivered), writer.end()):
        changed.write(piece)
    changed.end(writer.c4, moment)
    return writer.files


def lists(card: Path) -> list[str]:
    return sorted(path.name for path in (card / "ascmhl").iterdir())


def everything(card: Path) -> dict[str, bytes]:
    return {str(path.relative_to(card)): path.read_bytes() for path in card.rglob("*") if path.is_file()}


def test_a_new_history_is_as_the_tool_expects(card: Path) -> None:
    assert update(card, rows(card)) == 3
    assert lists(card) == ["0001_NO_NAME_2026-05-11_101500Z.mhl", "ascmhl_chain.xml"]
    assert sorted(path.name for path in card.iterdir()) == ["DCIM", "ascmhl"]
    assert [schema_errors(card / "ascmhl" / name) for name in lists(card)] == [[], []]
    assert ascmhl("verify", card) == (0, "")
    assert ascmhl("diff", card) == (0, "")
    (card / "DCIM" / "a.jpg").write_bytes(b"onE")
    code, said = ascmhl("verify", card)
    assert code and "hash mismatch" in said and "DCIM/a.jpg" in said and "b & c" not in said
    (card / "DCIM" / "a.jpg").unlink()
    code, said = ascmhl("diff", card)
    assert code and "DCIM/a.jpg" in said
    (card / "DCIM" / "a.jpg").write_bytes(b"one")
    (card / "DCIM" / "new.jpg").write_bytes(b"one")
    code, said = ascmhl("verify", card)
    assert code and "found new file DCIM/new.jpg" in said


def test_the_tool_and_this_program_continue_each_others_history(card: Path) -> None:
    update(card, rows(card, ["DCIM/a.jpg", "DCIM/b & c.jpg"]))
    code, said = ascmhl("create", "-h", "md5", "-i", "*.tmp", card)
    assert code == 0, said
    (card / "DCIM" / "d.jpg").write_bytes(b"four")
    (card / "DCIM" / "x.tmp").write_bytes(b"left out by the tool's pattern")
    delivered = rows(card, [*CONTENTS, "DCIM/d.jpg"])
    assert update(card, delivered) == 2, "what this program told before is not repeated"
    text = next(path for path in (card / "ascmhl").iterdir() if path.name.startswith("0003")).read_text()
    assert text.count('action="original"') == 1, "one file is new"
    assert "<pattern>*.tmp</pattern>" in text
    assert not schema_errors(card / "ascmhl" / "ascmhl_chain.xml")
    assert ascmhl("verify", card) == (0, "")
    code, said = ascmhl("create", "-h", "xxh128", card)
    assert code == 0, said
    assert len(lists(card)) == 5
    assert ascmhl("verify", card) == (0, "")


def test_what_the_history_says_of_a_file_is_compared(card: Path) -> None:
    assert ascmhl("create", "-h", "xxh128", card)[0] == 0
    (card / "DCIM" / "a.jpg").write_bytes(b"changed since")
    update(card, rows(card))
    text = next(path for path in (card / "ascmhl").iterdir() if path.name.startswith("0002")).read_text()
    assert (text.count('action="verified"'), text.count('action="failed"')) == (2, 1)
    code, said = ascmhl("verify", card)
    assert code and "DCIM/a.jpg" in said


def test_a_repeated_receipt_adds_nothing(card: Path) -> None:
    update(card, rows(card))
    assert update(card, rows(card)[:0]) == 0


def _change_list(card: Path) -> None:
    path = next((card / "ascmhl").glob("*.mhl"))
    path.write_bytes(path.read_bytes().replace(b"xxh128", b"xxh64", 1))


def _rewrite(old: bytes, new: bytes, card: Path) -> None:
    chain = card / "ascmhl" / "ascmhl_chain.xml"
    assert old in chain.read_bytes()
    chain.write_bytes(chain.read_bytes().replace(old, new))


def _replace_by_link(path: Path) -> None:
    path.symlink_to(path.rename(path.with_name("elsewhere")))


BROKEN: dict[str, Callable[[Path], object]] = {
    "list changed": _change_list,
    "list missing": lambda card: next((card / "ascmhl").glob("*.mhl")).unlink(),
    "chain missing": lambda card: (card / "ascmhl" / "ascmhl_chain.xml").unlink(),
    "chain cut off": lambda card: _rewrite(b"</hashlist>", b"", card),
    "chain of another prefix": lambda card: _rewrite(b"</ascmhldirectory>", b"</a:ascmhldirectory>", card),
    "path climbs": lambda card: _rewrite(b"<path>", b"<path>../ascmhl/", card),
    "document type": lambda card: _rewrite(
        b"<ascmhldirectory", b'<!DOCTYPE x [<!ENTITY a "b">]>\n<ascmhldirectory', card
    ),
    "deep": lambda card: _rewrite(b"<path>", b"<a>" * 1000 + b"</a>" * 1000 + b"<path>", card),
    "no number": lambda card: _rewrite(b'sequencenr="1"', b'sequencenr="one"', card),
    "a list more": lambda card: (card / "ascmhl" / "0002_x.mhl").write_bytes(b"<hashlist/>"),
    "no folder": lambda card: (card / "ascmhl").rename(card / "elsewhere") and (card / "ascmhl").write_bytes(b""),
    "a link": lambda card: _replace_by_link(card / "ascmhl"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_history_that_does_not_match_its_chain_is_left_alone(card: Path, how: str) -> None:
    update(card, rows(card, ["DCIM/a.jpg"]))
    BROKEN[how](card)
    before = everything(card)
    with pytest.raises(ReceiptInvalid):
        HistoryUpdate(str(card))
    assert everything(card) == before


def test_a_generation_that_is_given_up_leaves_no_trace(card: Path) -> None:
    before = everything(card)
    begun = HistoryUpdate(str(card))
    begun.write(b"some bytes")
    begun.abandon()
    assert everything(card) == before
    assert not (card / "ascmhl").exists()
    update(card, rows(card, ["DCIM/a.jpg"]))
    before = everything(card)
    begun = HistoryUpdate(str(card))
    begun.write(b"some bytes")
    begun.abandon()
    assert everything(card) == before


@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
@pytest.mark.parametrize("calls", range(1, 12))
def test_an_update_that_is_killed_anywhere_is_made_up_for(
    card: Path, monkeypatch: pytest.MonkeyPatch, calls: int, first: bool
) -> None:
    """Whatever was reached, the tool accepts what is there, and the next attempt succeeds."""
    if not first:
        update(card, rows(card, ["DCIM/a.jpg"]))
    done = 0

    class Killed(BaseException):
        pass

    def counted(original: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            nonlocal done
            done += 1
            if done >= calls:
                raise Killed
            return original(*arguments, **named)

        return call

    with monkeypatch.context() as patch:
        for name in ("mkdir", "rename", "unlink", "fsync", "rmdir"):
            patch.setattr(os, name, counted(getattr(os, name)))
        try:
            update(card, rows(card), "2026-05-11_101500Z")
        except Killed:
            pass
    MHLHistory.load_from_path(str(card))  # raises where the tool would
    update(card, rows(card), "2026-05-11_101600Z")
    found = MHLHistory.load_from_path(str(card))
    assert {Path(path).name for path in found.set_of_file_paths()} == {Path(name).name for name in CONTENTS}
    assert sorted(path.name for path in card.iterdir()) == ["DCIM", "ascmhl"]
    assert not [name for name in lists(card) if name.endswith(".part")]


def test_the_chain_tells_an_edited_list(card: Path) -> None:
    update(card, rows(card))
    path = next((card / "ascmhl").glob("*.mhl"))
    assert check(path).verdict is ReceiptVerdict.VALID
    path.write_bytes(path.read_bytes().replace(b"original", b"verified", 1))
    assert check(path).verdict is ReceiptVerdict.EDITED
    alone = path.rename(card / "alone.mhl")
    assert check(alone).verdict is ReceiptVerdict.UNKNOWN


@pytest.mark.parametrize("name", ["\udcff.jpg", "\x1b[31m.jpg", "\ud800.jpg", "\ufffe.jpg"])
def test_names_that_xml_cannot_express_are_refused(name: str) -> None:
    with pytest.raises(ReceiptInvalid, match="json and csv"):
        writer = MhlWriter("/card", "machine")
        writer.rows([row(f"/card/{name}"), row("/card/z.jpg")])


def test_a_file_that_was_uploaded_twice_is_told_as_it_was_last() -> None:
    writer = MhlWriter("/card", "machine")
    twice = [row("/card/a.jpg", xxh128="0" * 32), row("/card/a.jpg", xxh128="1" * 32), row("/elsewhere/b.jpg")]
    text = (writer.rows(twice) + writer.end()).decode()
    assert writer.files == 1
    assert "1" * 32 in text and "0" * 32 not in text and "elsewhere" not in text


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        # The id of no bytes, as in SMPTE ST 2114.
        ("", "c459dsjfscH38cYeXXYogktxf4Cd9ibshE3BHUo6a58hBXmRQdZrAkZzsWcbWtDg5oQstpDuni4Hirj75GEmTc1sFT"),
    ],
)
def test_c4_ids(digest: str, expected: str) -> None:
    assert c4(hashlib.sha512(digest.encode()).digest()) == expected
