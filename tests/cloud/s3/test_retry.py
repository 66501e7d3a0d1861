"""The attempts after a refusal, and what is learned about the store."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.cloud.http.error_mapping import ACL_CODES, DENIED_CODES, KEY_EXPIRED_CODES
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.s3.capabilities import ORDER, Option, StoreCapabilities
from tui_uploader.cloud.s3.retry import Attempt, Blame, blame_for, next_attempt, refused_options

ACL, CHECKSUM, CONDITION = Option.ACL, Option.CHECKSUM, Option.IF_NONE_MATCH
OF_A_PUT = frozenset({ACL, CHECKSUM, CONDITION})
FIRST = Attempt(options=OF_A_PUT)
UNNAMED = "NotImplemented"

option_sets = st.frozensets(st.sampled_from(ORDER), max_size=5)


@given(
    codes=st.lists(st.sampled_from(sorted(KEY_EXPIRED_CODES | ACL_CODES | DENIED_CODES | {"Other"})), max_size=16),
    options=option_sets,
    guesses=st.lists(st.lists(st.sampled_from(ORDER), unique=True, max_size=3), min_size=16, max_size=16),
    named=st.booleans(),
    proven=st.booleans(),
    cleared=st.booleans(),
)
def test_no_attempt_is_made_twice(
    codes: list[str], options: frozenset[Option], guesses: list[list[Option]], named: bool, proven: bool, cleared: bool
) -> None:
    last, refused = Attempt(options=options), set[Attempt]()
    for code, guessed in zip(codes, guesses, strict=False):
        refused.add(last)
        blame = Blame(tuple(option for option in guessed if option in last.options), named=named)
        following = next_attempt(last, refused, code, blame=blame, acl_proven=proven, credentials_fresh=cleared)
        if following is None:
            break
        assert following not in refused
        assert following.options <= options, "nothing is added to what the call wanted"
        assert following.renewed or not last.renewed
        if not blame.options:
            assert last.options - following.options <= {ACL, Option.CHECKSUM_MODE}
        last = following


@pytest.mark.parametrize("code", sorted(DENIED_CODES))
@pytest.mark.parametrize("proven", [False, True])
@pytest.mark.parametrize("cleared", [False, True])
def test_a_denial_drops_the_acl_alone(code: str, proven: bool, cleared: bool) -> None:
    refused = set[Attempt]()
    last: Attempt | None = FIRST
    while last is not None:
        assert last.options >= {CHECKSUM, CONDITION}
        refused.add(last)
        last = next_attempt(last, refused, code, acl_proven=proven, credentials_fresh=cleared)
    assert len(refused) == (2 if cleared else 3 if proven else 4)


def test_after_a_refused_head_credentials_are_renewed_before_an_option_is_dropped() -> None:
    first = Attempt(options=frozenset({Option.CHECKSUM_MODE}))
    tried = [first]
    while following := next_attempt(tried[-1], {*tried}, "ExpiredToken", acl_proven=False, credentials_fresh=False):
        tried.append(following)
    assert tried == [first, Attempt(renewed=True, options=first.options), Attempt(renewed=True)]


@given(wanted=option_sets, unknown=option_sets, names=st.booleans(), proven=option_sets)
def test_only_unknown_options_are_dropped(
    wanted: frozenset[Option], unknown: frozenset[Option], names: bool, proven: frozenset[Option]
) -> None:
    """The store refuses unknown options, with or without naming them."""
    proven = proven - unknown
    last, refused = Attempt(options=wanted), set[Attempt]()
    while offending := [option for option in reversed(ORDER) if option in last.options & unknown]:
        refused.add(last)
        fields = {"Code": UNNAMED} | ({"Header": offending[0].value} if names else {})
        blame = blame_for(Reply(501, {}, b"<Error/>"), fields, UNNAMED, last.options, proven)
        following = next_attempt(last, refused, UNNAMED, blame=blame, acl_proven=False, credentials_fresh=False)
        assert following is not None
        last = following
    assert last.options == wanted - unknown
    assert refused_options(Attempt(options=wanted), last, refused) == wanted & unknown
    assert len(refused) < 2 ** len(wanted - proven) if not names else len(refused) == len(wanted & unknown)


def test_unnamed_options_are_dropped_cheapest_first() -> None:
    last, refused, tried = FIRST, set[Attempt](), []
    while True:
        refused.add(last)
        following = next_attempt(
            last, refused, UNNAMED, blame=Blame((CONDITION, ACL, CHECKSUM)), acl_proven=False, credentials_fresh=False
        )
        if following is None:
            break
        tried.append(OF_A_PUT - following.options)
        last = following
    assert tried == [
        {ACL}, {CHECKSUM}, {CONDITION},
        {ACL, CHECKSUM}, {ACL, CONDITION}, {CHECKSUM, CONDITION},
        {ACL, CHECKSUM, CONDITION},
    ]  # fmt: skip


EVERY = list(ORDER)


@pytest.mark.parametrize(
    ("status", "fields", "expected"),
    [
        (501, {}, EVERY),
        (501, {"Code": "NotImplemented"}, EVERY),
        (501, {"Code": "NotImplemented", "Header": "If-None-Match"}, [CONDITION]),
        (501, {"Code": "NotImplemented", "Header": "X-Amz-Acl"}, [ACL]),
        (501, {"Code": "NotImplemented", "Header": "Transfer-Encoding"}, []),
        (501, {"Code": "NotImplemented", "Header": "x-amz-tagging"}, []),
        (400, {"Code": "InvalidArgument", "ArgumentName": "If-None-Match"}, [CONDITION]),
        (400, {"Code": "InvalidArgument", "Message": "if-none-match is not supported"}, [CONDITION]),
        (400, {"Code": "InvalidArgument", "ArgumentName": "partNumber"}, []),
        (400, {"Code": "InvalidArgument"}, EVERY),
        (400, {"Code": "InvalidRequest", "Message": "Bad value"}, EVERY),
        (400, {"Code": "InvalidRequest", "Message": "x-amz-checksum-crc32 is unknown"}, [CHECKSUM]),
        (400, {"Code": "InvalidRequest", "Message": "no x-amz-checksum-algorithm"}, [Option.CHECKSUM_ALGORITHM]),
        (400, {"Code": "Odd", "Message": "no x-amz-acl here"}, [ACL]),
        (400, {"Code": "MalformedXML"}, [Option.PART_CHECKSUMS]),
        (200, {"Code": "MalformedXML"}, [Option.PART_CHECKSUMS]),
        (400, {"Code": "MalformedXML", "Message": "unexpected element ChecksumCRC32"}, [Option.PART_CHECKSUMS]),
        (400, {"Code": "Odd", "Resource": "/bucket/project/if-none-match.jpg"}, []),
        (400, {"Code": "Odd"}, []),
        (400, {}, []),
        (403, {"Code": "AccessDenied", "Message": "If-None-Match"}, []),
        (403, {"Code": "SignatureDoesNotMatch", "Message": "x-amz-acl"}, []),
        (405, {"Code": "MethodNotAllowed"}, []),
        (412, {"Code": "PreconditionFailed", "Condition": "If-None-Match"}, []),
        (500, {"Code": "InternalError"}, []),
    ],
)
def test_the_options_that_a_refusal_blames(status: int, fields: dict[str, str], expected: list[Option]) -> None:
    reply, code = Reply(status, {}, b"<Error/>"), fields.get("Code", "")
    assert blame_for(reply, fields, code, {*EVERY}).options == tuple(expected)
    assert blame_for(reply, fields, code, set()).options == ()
    if expected == EVERY:
        assert blame_for(reply, fields, code, {*EVERY}, {*EVERY[1:]}).options == (EVERY[0],)


def test_a_web_page_blames_no_option() -> None:
    assert blame_for(Reply(501, {"content-type": "text/html"}, b"<html>"), {}, "", {CONDITION}) == Blame()


def test_a_refused_option_is_used_only_where_it_succeeded() -> None:
    store = StoreCapabilities("store.example")
    store.learn("PUT", {ACL, CONDITION}, set())
    store.learn("POST uploadId", set(), {CONDITION})
    assert store.usable("PUT", {ACL, CONDITION}) == {ACL, CONDITION}, "it is known to be taken there"
    assert store.usable("POST uploadId", {CONDITION}) == set()
    store.learn("PUT", {ACL}, {CONDITION})
    assert store.usable("PUT", {ACL, CONDITION}) == {ACL}
    assert store.is_proven(ACL) and not store.is_proven(ACL, "POST uploads") and not store.is_proven(CONDITION)


def test_a_fallback_that_did_not_help_is_not_repeated_soon() -> None:
    store = StoreCapabilities("store.example")
    store.note_failed_fallback("PUT", "InvalidRequest", 100.0)
    assert store.fallback_failed("PUT", "InvalidRequest", 159.0) and not store.fallback_failed(
        "PUT", "InvalidRequest", 160.0
    )
    assert not store.fallback_failed("PUT", "InvalidArgument", 101.0) and not store.fallback_failed(
        "HEAD", "InvalidRequest", 101.0
    )
