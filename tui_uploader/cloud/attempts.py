"""What to try after the store refused: pure decisions."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

from tui_uploader.cloud.messages import Reply
from tui_uploader.cloud.s3_headers import ABSENT_ONLY
from tui_uploader.cloud.translate import ACL_CODES, DENIED_CODES, KEY_EXPIRED_CODES


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a call is tried with: a key that was renewed on this call's complaint, the ACL, `ABSENT_ONLY`."""

    renewed: bool
    acl: bool
    absent_only: bool = False


def next_attempt(
    last: Attempt,
    refused: Set[Attempt],
    code: str,
    *,
    condition_unknown: bool = False,
    acl_proven: bool,
    key_cleared: bool,
) -> Attempt | None:
    """What to try after a refusal with `code`; None when nothing is left. Never the same attempt twice.

    AccessDenied may mean an expired key or an unwanted ACL. An ACL that was accepted before is the lesser suspect;
    otherwise the greater one, since dropping it costs no call. `key_cleared`: this very key was refused right after
    it was made, so its age is not the reason. The condition is never a suspect: it needs no right but that to write,
    and a bucket's policy may ask for it. It goes only where the store does not know it (`condition_unknown`).
    """
    if condition_unknown:
        candidates = [replace(last, absent_only=False)]
    elif code in KEY_EXPIRED_CODES:
        candidates = [replace(last, renewed=True)]
    elif code in ACL_CODES:
        candidates = [replace(last, acl=False)]
    elif code in DENIED_CODES:
        order = [(True, True), (True, False)] if acl_proven else [(False, False), (True, True), (True, False)]
        carried = any(attempt.acl for attempt in refused)
        candidates = [replace(last, renewed=renewed, acl=acl) for renewed, acl in order if carried or not acl]
        if key_cleared:
            candidates = [replace(last, acl=False)]
        elif last.renewed:
            candidates = [attempt for attempt in candidates if attempt.renewed]
    else:
        return None
    return next((candidate for candidate in candidates if candidate not in refused), None)


def condition_unknown(reply: Reply, fields: Mapping[str, str]) -> bool:
    """Whether a refusal of a conditional write means that the store knows none; `fields` are those of its XML.

    S3 names a header that it does not implement in `Header`; others answer 400 and name it anywhere.
    """
    name = ABSENT_ONLY[0].lower()
    if reply.status == 501 and not reply.is_html:
        return fields.get("Header", name).lower() == name
    return reply.status == 400 and any(name in text.lower() for text in fields.values())
