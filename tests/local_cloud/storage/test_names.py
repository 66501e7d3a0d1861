"""Keys and the paths they become: none leads out of the bucket's folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.local_cloud.storage.errors import KeyTooLong, KeyUnusable, StorageRefusal
from tui_uploader.local_cloud.storage.names import check_key


@pytest.mark.parametrize(
    "key",
    ["..", "../x", "a/../../x", "a/..", "/etc/passwd", "//a", "a//b", "a/", "./a", "a/./b", "a\0b", "", "a/b/../c"],
)
def test_keys_that_leave_their_folder_are_refused(key: str) -> None:
    with pytest.raises(KeyUnusable):
        check_key(key)


@pytest.mark.parametrize("key", ["a" * 256, "a/" + "ä" * 128, "/".join(["a" * 200] * 6)])
def test_keys_that_are_too_long_for_a_file_system_are_refused(key: str) -> None:
    with pytest.raises(KeyTooLong):
        check_key(key)


@pytest.mark.parametrize(
    "key",
    ["a" * 255, "ä" * 127 + "a", "a b", "a+b", "100%.jpg", "#1?.jpg", "...", "..a", "a..", "~", "-rf", "a\nb", "\\"],
)
def test_unusual_keys_are_accepted(key: str) -> None:
    check_key(key)


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_an_accepted_key_stays_below_its_folder(key: str) -> None:
    try:
        check_key(key)
    except StorageRefusal:
        return
    path = Path("/objects/bucket", *key.split("/"))
    assert str(path) == f"/objects/bucket/{key}"
    assert path.resolve() == path
