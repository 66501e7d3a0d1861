"""Keys and the paths they become: none leads out of the bucket's folder."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.storage.names import check_key, split_path


@pytest.mark.parametrize(
    "key",
    ["..", "../x", "a/../../x", "a/..", "/etc/passwd", "//a", "a//b", "a/", "./a", "a/./b", "a\0b", "", "a/b/../c"],
)
def test_keys_that_lead_somewhere_else_are_refused(key: str) -> None:
    with pytest.raises(S3Refusal) as refused:
        check_key(key)
    assert refused.value.status == 400


@pytest.mark.parametrize("key", ["a" * 256, "a/" + "ä" * 128, "/".join(["a" * 200] * 6)])
def test_keys_that_no_file_system_holds_are_refused(key: str) -> None:
    with pytest.raises(S3Refusal) as refused:
        check_key(key)
    assert refused.value.code == "KeyTooLongError"


@pytest.mark.parametrize(
    "key",
    ["a" * 255, "ä" * 127 + "a", "a b", "a+b", "100%.jpg", "#1?.jpg", "...", "..a", "a..", "~", "-rf", "a\nb", "\\"],
)
def test_odd_but_honest_keys_are_taken(key: str) -> None:
    check_key(key)
    assert split_path(b"/bucket/" + quote(key).encode()) == ("bucket", key)


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_a_checked_key_stays_below_its_folder(key: str) -> None:
    try:
        check_key(key)
    except S3Refusal:
        return
    place = Path("/objects/bucket", *key.split("/"))
    assert str(place) == f"/objects/bucket/{key}"
    assert place.resolve() == place


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_a_key_is_decoded_exactly_once(key: str) -> None:
    assert split_path(f"/bucket/{quote(key)}".encode()) == ("bucket", key)
    twice = quote(quote(key))
    assert split_path(f"/bucket/{twice}".encode()) == ("bucket", quote(key))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/", ("", "")),
        (b"/bucket", ("bucket", "")),
        (b"/bucket/", ("bucket", "")),
        (b"/bucket/a+b%2Bc", ("bucket", "a+b+c")),
        (b"/bucket//a", ("bucket", "/a")),
        (b"/bucket/%2e%2e/x", ("bucket", "../x")),
    ],
)
def test_path_style_addresses(path: bytes, expected: tuple[str, str]) -> None:
    assert split_path(path) == expected


@pytest.mark.parametrize("path", [b"", b"*", b"http://h/bucket/a", b"/bucket/%", b"/bucket/%zz", b"/bucket/%ff%fe"])
def test_what_is_no_address_is_refused(path: bytes) -> None:
    with pytest.raises(S3Refusal) as refused:
        split_path(path)
    assert refused.value.code == "InvalidURI"


def test_normal_forms_are_not_mixed() -> None:
    composed, decomposed = "\u00e4", "a\u0308"
    assert len({split_path(f"/b/{quote(name)}".encode())[1] for name in (composed, decomposed)}) == 2
