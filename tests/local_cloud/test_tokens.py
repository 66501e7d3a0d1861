"""Access tokens and S3 credentials: accepted by the root that issued them, and by no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.local_cloud.tokens import TokenRefused, TokenService, UnknownAccessKey

TOKENS, ANOTHER = TokenService(b"signing key"), TokenService(b"another key")


def test_an_access_token_is_valid_until_it_expires() -> None:
    token = TOKENS.access_token("me", 1000)
    TOKENS.check_access_token(token, 999)
    with pytest.raises(TokenRefused, match="expired"):
        TOKENS.check_access_token(token, 1000)
    with pytest.raises(TokenRefused, match="Invalid"):
        ANOTHER.check_access_token(token, 999)


@given(st.text(max_size=80))
def test_no_other_text_is_a_token(text: str) -> None:
    with pytest.raises(TokenRefused):
        TOKENS.check_access_token(text, 0)
    with pytest.raises(TokenRefused):
        TOKENS.credentials_of("ASIA", text)


@given(st.integers(min_value=0), st.characters(codec="ascii"))
def test_no_character_of_a_token_can_be_changed(index: int, character: str) -> None:
    token = TOKENS.access_token("me", 1000)
    index %= len(token)
    changed = token[:index] + character + token[index + 1 :]
    if changed != token:
        with pytest.raises(TokenRefused):
            TOKENS.check_access_token(changed, 0)


def test_credentials_are_recognised_by_the_root_that_issued_them() -> None:
    issued = TOKENS.issue_credentials("user-1/project-7", 1000)
    assert TOKENS.credentials_of(issued.access_key, issued.session_token) == issued
    assert issued.secret_key not in repr(issued)
    assert issued.session_token not in repr(issued)
    assert TOKENS.issue_credentials("user-1/project-7", 1000).secret_key != issued.secret_key
    for access_key, token in ((issued.access_key, None), ("ASIAANOTHER", issued.session_token)):
        with pytest.raises(UnknownAccessKey):
            TOKENS.credentials_of(access_key, token)
    with pytest.raises(TokenRefused):
        ANOTHER.credentials_of(issued.access_key, issued.session_token)
    assert ANOTHER.issue_credentials("p", 0).secret_key != issued.secret_key
