"""Tokens and storage keys: recognised by the root that made them, and by no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.tokens import PassOffice, PassRefused

OFFICE, ANOTHER = PassOffice(b"signing key"), PassOffice(b"another key")


def test_a_bearer_token_is_good_until_its_end() -> None:
    token = OFFICE.bearer_token("me", 1000)
    OFFICE.check_bearer_token(token, 999)
    with pytest.raises(PassRefused, match="expired"):
        OFFICE.check_bearer_token(token, 1000)
    with pytest.raises(PassRefused, match="Invalid"):
        ANOTHER.check_bearer_token(token, 999)


@given(st.text(max_size=80))
def test_no_other_text_is_a_token(text: str) -> None:
    with pytest.raises(PassRefused):
        OFFICE.check_bearer_token(text, 0)
    with pytest.raises(S3Refusal):
        OFFICE.recognised("ASIA", text)


@given(st.integers(min_value=0), st.characters(codec="ascii"))
def test_no_character_of_a_token_can_be_changed(place: int, character: str) -> None:
    token = OFFICE.bearer_token("me", 1000)
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    if changed != token:
        with pytest.raises(PassRefused):
            OFFICE.check_bearer_token(changed, 0)


def test_a_storage_key_is_recognised_as_it_was_made() -> None:
    key = OFFICE.storage_key("user-1/project-7", 1000)
    assert OFFICE.recognised(key.access_key, key.session_token) == key
    assert key.secret_key not in repr(key)
    assert key.session_token not in repr(key)
    assert OFFICE.storage_key("user-1/project-7", 1000).secret_key != key.secret_key
    with pytest.raises(S3Refusal) as refused:
        ANOTHER.recognised(key.access_key, key.session_token)
    assert refused.value.code == "InvalidToken"
    assert ANOTHER.storage_key("p", 0).secret_key != key.secret_key
