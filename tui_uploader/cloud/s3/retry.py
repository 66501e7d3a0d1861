"""What to try after the store refused: pure decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import combinations

from tui_uploader.cloud.http.error_mapping import ACL_CODES, DENIED_CODES, KEY_EXPIRED_CODES
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.s3.capabilities import ORDER, Option

_UNNAMED_CODES = frozenset({"NotImplemented", "InvalidRequest", "InvalidArgument"})
"""Of refusals that may be about an option although they name none."""
_TELLING_FIELDS = ("Code", "Message", "Header", "ArgumentName", "Condition")
"""Elements of S3's errors that may name an option. Others repeat the request, the object's name included."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a call is tried with: a key that was renewed on this call's complaint, and the optional things."""

    renewed: bool = False
    options: frozenset[Option] = frozenset()

    def without(self, *options: Option) -> Attempt:
        return replace(self, options=self.options - {*options})


@dataclass(frozen=True, slots=True)
class Blame:
    """The options that a refusal may be about."""

    options: tuple[Option, ...] = ()
    named: bool = False
    """The refusal names the option."""


def next_attempt(
    last: Attempt,
    refused: Set[Attempt],
    code: str,
    *,
    blame: Blame = Blame(),
    acl_proven: bool,
    key_cleared: bool,
) -> Attempt | None:
    """What to try after a refusal with `code`; None when nothing is left. Never the same attempt twice.

    AccessDenied may mean an expired key or an unwanted ACL. An ACL that was accepted before is the lesser suspect;
    otherwise the greater one, since dropping it costs no call. `key_cleared`: this very key was refused right after
    it was made, so its age is not the reason. The other options need no right but that to write, and a bucket's policy
    may ask for them: they go only where the store does not know them (`blame`, see `blamed`).
    """
    if blame.options:
        candidates = [last.without(*blame.options)] if blame.named else list(_leaving_out(last, refused, blame.options))
    elif code in KEY_EXPIRED_CODES:
        # HEAD is refused without a reason, so that what looks like an expired key may be the option.
        renewed = last if key_cleared else replace(last, renewed=True)
        candidates = [renewed, renewed.without(Option.CHECKSUM_MODE)]
    elif code in ACL_CODES:
        candidates = [last.without(Option.ACL)]
    elif code in DENIED_CODES:
        candidates = _after_denial(last, refused, acl_proven=acl_proven, key_cleared=key_cleared)
    else:
        return None
    return next((candidate for candidate in candidates if candidate not in refused), None)


def _leaving_out(last: Attempt, refused: Set[Attempt], blamed: Sequence[Option]) -> Iterator[Attempt]:
    """One at a time, then two at a time, until none is left; of each, what costs least first."""
    full = last.options.union(*(attempt.options for attempt in refused))
    order = [option for option in ORDER if option in blamed or option in full - last.options]
    for count in range(1, len(order) + 1):
        for chosen in combinations(order, count):
            yield replace(last, options=full.difference(chosen))


def _after_denial(last: Attempt, refused: Set[Attempt], *, acl_proven: bool, key_cleared: bool) -> list[Attempt]:
    if key_cleared:
        return [last.without(Option.ACL)]
    carried = any(Option.ACL in attempt.options for attempt in refused)
    order = [(True, True), (True, False)] if acl_proven else [(False, False), (True, True), (True, False)]
    return [
        replace(last, renewed=renewed, options=last.options | {Option.ACL} if acl else last.options - {Option.ACL})
        for renewed, acl in order
        if (carried or not acl) and (renewed or not last.renewed)
    ]


def blamed(
    reply: Reply, fields: Mapping[str, str], code: str, carried: Set[Option], proven: Set[Option] = frozenset()
) -> Blame:
    """What a refusal says about the options that the request carried.

    The one that it names, if it names one. A refusal that names something else is about that. One that names nothing
    may be about every option that this kind of call was not seen to succeed with (`proven`). S3 names a header that it
    does not implement in `Header`; others answer 400 and name it anywhere. `fields` are those of the reply's XML.
    """
    if reply.is_html_of_store or not (reply.ok or reply.status in (400, 501)):
        return Blame()
    told = " ".join(fields.get(name, "") for name in _TELLING_FIELDS).lower()
    named = [option for option in ORDER if option.value in told]
    if not named and code == "MalformedXML":
        named = [Option.PART_CHECKSUMS]
    if named:
        return Blame(tuple(option for option in named if option in carried)[:1], named=True)
    if fields.get("Header") or fields.get("ArgumentName"):
        return Blame()
    if code in _UNNAMED_CODES or (reply.status == 501 and not code):
        return Blame(tuple(option for option in ORDER if option in carried and option not in proven))
    return Blame()


def dropped(initial: Attempt, succeeded: Attempt, refused: Set[Attempt]) -> frozenset[Option]:
    """The options that the store does not take: it refused the same attempt with them."""
    return frozenset(
        option
        for option in initial.options - succeeded.options
        if any(
            attempt.renewed == succeeded.renewed and attempt.options >= succeeded.options | {option}
            for attempt in refused
        )
    )
