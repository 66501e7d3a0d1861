"""Decide what to try after a store refused a call. Pure decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import combinations

from tui_uploader.cloud.http.error_mapping import ACL_CODES, DENIED_CODES, KEY_EXPIRED_CODES
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.s3.capabilities import ORDER, Option

_UNNAMED_CODES = frozenset({"NotImplemented", "InvalidRequest", "InvalidArgument"})
"""Codes of refusals that may be about an option without naming it."""
_NAMING_FIELDS = ("Code", "Message", "Header", "ArgumentName", "Condition")
"""Elements of S3 errors that may name an option. Others repeat the request, including the object name."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The variable parts of a call: credentials that were renewed for it, or not, and the options it carries."""

    renewed: bool = False
    options: frozenset[Option] = frozenset()

    def without(self, *options: Option) -> Attempt:
        return replace(self, options=self.options - {*options})


@dataclass(frozen=True, slots=True)
class Blame:
    """The options that may have caused a refusal."""

    options: tuple[Option, ...] = ()
    named: bool = False
    """The refusal names the option, so it is certain."""


def next_attempt(
    last: Attempt,
    refused: Set[Attempt],
    code: str,
    *,
    blame: Blame = Blame(),
    acl_proven: bool,
    credentials_fresh: bool,
) -> Attempt | None:
    """The next attempt after a refusal with `code`, or None. Never the same attempt twice.

    AccessDenied may mean expired credentials or an unwanted ACL. If the ACL was accepted before, the credentials are
    renewed first; otherwise the ACL is dropped first, which costs no extra call. `credentials_fresh`: they were refused
    right after they were issued, so their age is not the reason. The other options need no extra rights, and a bucket
    policy may require them, so they are dropped only if the store does not know them (see `blame_for`).
    """
    if blame.options:
        candidates = [last.without(*blame.options)] if blame.named else list(_fallbacks(last, refused, blame.options))
    elif code in KEY_EXPIRED_CODES:
        # HEAD is refused without a reason: what looks like expired credentials may be the option.
        renewed = last if credentials_fresh else replace(last, renewed=True)
        candidates = [renewed, renewed.without(Option.CHECKSUM_MODE)]
    elif code in ACL_CODES:
        candidates = [last.without(Option.ACL)]
    elif code in DENIED_CODES:
        candidates = _after_denial(last, refused, acl_proven=acl_proven, credentials_fresh=credentials_fresh)
    else:
        return None
    return next((candidate for candidate in candidates if candidate not in refused), None)


def _fallbacks(last: Attempt, refused: Set[Attempt], blamed: Sequence[Option]) -> Iterator[Attempt]:
    """Attempts without one of the blamed options, then without two, and so on; the cheapest loss first."""
    full = last.options.union(*(attempt.options for attempt in refused))
    order = [option for option in ORDER if option in blamed or option in full - last.options]
    for count in range(1, len(order) + 1):
        for chosen in combinations(order, count):
            yield replace(last, options=full.difference(chosen))


def _after_denial(last: Attempt, refused: Set[Attempt], *, acl_proven: bool, credentials_fresh: bool) -> list[Attempt]:
    if credentials_fresh:
        return [last.without(Option.ACL)]
    carried = any(Option.ACL in attempt.options for attempt in refused)
    order = [(True, True), (True, False)] if acl_proven else [(False, False), (True, True), (True, False)]
    return [
        replace(last, renewed=renewed, options=last.options | {Option.ACL} if acl else last.options - {Option.ACL})
        for renewed, acl in order
        if (carried or not acl) and (renewed or not last.renewed)
    ]


def blame_for(
    reply: Reply, fields: Mapping[str, str], code: str, carried: Set[Option], proven: Set[Option] = frozenset()
) -> Blame:
    """The options that a refusal blames, of those that the request carried.

    That is the option it names, if any. A refusal that names something else blames no option; one that names nothing
    may be about every option that this kind of call has not succeeded with (`proven`). S3 names a header that it does
    not implement in `Header`; other stores reply 400 and name it anywhere. `fields`: those of the reply's XML.
    """
    if reply.is_html_of_store or not (reply.ok or reply.status in (400, 501)):
        return Blame()
    text = " ".join(fields.get(name, "") for name in _NAMING_FIELDS).lower()
    named = [option for option in ORDER if option.value in text]
    if not named and code == "MalformedXML":
        named = [Option.PART_CHECKSUMS]
    if named:
        return Blame(tuple(option for option in named if option in carried)[:1], named=True)
    if fields.get("Header") or fields.get("ArgumentName"):
        return Blame()
    if code in _UNNAMED_CODES or (reply.status == 501 and not code):
        return Blame(tuple(option for option in ORDER if option in carried and option not in proven))
    return Blame()


def refused_options(initial: Attempt, succeeded: Attempt, refused: Set[Attempt]) -> frozenset[Option]:
    """The options that the store does not accept: it refused an otherwise equal attempt with them."""
    return frozenset(
        option
        for option in initial.options - succeeded.options
        if any(
            attempt.renewed == succeeded.renewed and attempt.options >= succeeded.options | {option}
            for attempt in refused
        )
    )
