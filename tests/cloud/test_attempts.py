"""What is tried after a refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.cloud.attempts import Attempt, condition_unknown, next_attempt
from tui_uploader.cloud.messages import Reply
from tui_uploader.cloud.translate import ACL_CODES, DENIED_CODES, KEY_EXPIRED_CODES

UNKNOWN_CONDITION = "the condition is not known"
FIRST = Attempt(renewed=False, acl=True, absent_only=True)


@given(
    codes=st.lists(
        st.sampled_from(sorted(KEY_EXPIRED_CODES | ACL_CODES | DENIED_CODES | {"Other", UNKNOWN_CONDITION})),
        max_size=16,
    ),
    acl=st.booleans(),
    absent_only=st.booleans(),
    proven=st.booleans(),
    cleared=st.booleans(),
)
def test_no_attempt_is_made_twice(codes: list[str], acl: bool, absent_only: bool, proven: bool, cleared: bool) -> None:
    last, refused = Attempt(renewed=False, acl=acl, absent_only=absent_only), set[Attempt]()
    for code in codes:
        refused.add(last)
        following = next_attempt(
            last,
            refused,
            code,
            condition_unknown=last.absent_only and code == UNKNOWN_CONDITION,
            acl_proven=proven,
            key_cleared=cleared,
        )
        if following is None:
            break
        assert following not in refused
        assert acl or not following.acl
        assert following.renewed or not last.renewed
        dropped = last.absent_only and not following.absent_only
        assert dropped == (last.absent_only and code == UNKNOWN_CONDITION), "nothing else drops the condition"
        assert last.absent_only or not following.absent_only
        last = following
    assert len(refused) <= 8


@pytest.mark.parametrize("code", sorted(DENIED_CODES))
@pytest.mark.parametrize("proven", [False, True])
@pytest.mark.parametrize("cleared", [False, True])
def test_a_denial_never_drops_the_condition(code: str, proven: bool, cleared: bool) -> None:
    refused = set[Attempt]()
    last: Attempt | None = FIRST
    while last is not None:
        assert last.absent_only
        refused.add(last)
        last = next_attempt(last, refused, code, acl_proven=proven, key_cleared=cleared)
    assert len(refused) == (2 if cleared else 3 if proven else 4)


def test_what_the_store_does_not_know_goes_alone() -> None:
    following = next_attempt(
        FIRST, {FIRST}, "NotImplemented", condition_unknown=True, acl_proven=False, key_cleared=False
    )
    assert following == Attempt(renewed=False, acl=True, absent_only=False)


@pytest.mark.parametrize(
    ("status", "fields", "unknown"),
    [
        (501, {}, True),
        (501, {"Code": "NotImplemented", "Header": "If-None-Match"}, True),
        (501, {"Code": "NotImplemented", "Header": "Transfer-Encoding"}, False),
        (400, {"Code": "InvalidArgument", "ArgumentName": "If-None-Match"}, True),
        (400, {"Code": "InvalidArgument", "Message": "if-none-match is not supported"}, True),
        (400, {"Code": "InvalidArgument", "ArgumentName": "partNumber"}, False),
        (400, {}, False),
        (403, {"Code": "AccessDenied", "Message": "If-None-Match"}, False),
        (412, {"Code": "PreconditionFailed", "Condition": "If-None-Match"}, False),
        (500, {"Code": "InternalError"}, False),
    ],
)
def test_who_does_not_know_the_condition(status: int, fields: dict[str, str], unknown: bool) -> None:
    assert condition_unknown(Reply(status, {}, b"<Error/>"), fields) is unknown


def test_a_gateways_page_says_nothing_of_conditions() -> None:
    assert not condition_unknown(Reply(501, {"content-type": "text/html"}, b"<html>"), {})
