"""Bucket and key of path-style URLs."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.s3.request import split_path


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
        (b"/bucket/%C3%A4", ("bucket", "\u00e4")),
        (b"/bucket/a%CC%88", ("bucket", "a\u0308")),
    ],
)
def test_path_style_urls(path: bytes, expected: tuple[str, str]) -> None:
    assert split_path(path) == expected


@pytest.mark.parametrize("path", [b"", b"*", b"http://h/bucket/a", b"/bucket/%", b"/bucket/%zz", b"/bucket/%ff%fe"])
def test_malformed_paths_are_refused(path: bytes) -> None:
    with pytest.raises(S3Refusal) as refused:
        split_path(path)
    assert refused.value.code == "InvalidURI"
