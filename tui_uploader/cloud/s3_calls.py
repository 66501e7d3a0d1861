"""Signs S3 calls, sends them, and puts right what a refusal blames: the key, the clock, the region, the ACL.

What was learned from refusals is remembered for the project: nobody is refused the same thing twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import quote

from tui_uploader.cloud import s3_xml, sigv4
from tui_uploader.cloud.attempts import Attempt, condition_unknown, next_attempt
from tui_uploader.cloud.contract import SentCallback, Span
from tui_uploader.cloud.messages import Reply, Request
from tui_uploader.cloud.pool import ConnectionPool
from tui_uploader.cloud.renewal import Renewable, ServerClock
from tui_uploader.cloud.s3_headers import ABSENT_ONLY, OWNER_ACL
from tui_uploader.cloud.storage_key import DEFAULT_REGION, StorageKey, endpoint_of, is_region
from tui_uploader.cloud.translate import DENIED_CODES, foreign_answer, s3_failure
from tui_uploader.cloud.transport import Deadlines, Origin
from tui_uploader.errors import CloudRefused, NotPossibleNow, Unsupported, UploaderError

Result = TypeVar("Result")

_CLEARED_SECONDS = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One S3 call, before it is signed."""

    method: str
    object_name: str | None
    """None: the call is about the bucket."""
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Span = b""
    acl: bool = False
    """Whether this kind of call takes the ACL."""
    absent_only: bool = False
    """Whether the call makes an object, which must not replace another."""
    weight: int = 0
    """Bytes that the store has to look at before it answers."""


@dataclass(frozen=True, slots=True)
class Answer:
    reply: Reply
    error: UploaderError | None
    """None for a success."""
    repeated: bool
    """An attempt before this one stayed without an answer: it may have taken effect."""

    def success(self) -> Reply:
        """Raises the error."""
        if self.error is not None:
            raise self.error
        return self.reply


class S3Calls:
    """Those of one project."""

    def __init__(
        self,
        project_id: str,
        keys: Renewable[StorageKey],
        pool: ConnectionPool,
        cloud: Origin,
        clock: ServerClock,
        deadlines: Deadlines,
    ) -> None:
        self._project_id = project_id
        self._keys = keys
        self._pool = pool
        self._cloud = cloud
        self._clock = clock
        self._deadlines = deadlines
        self._region: str | None = None
        """As a refusal named it."""
        self._acl_wanted = True
        self._acl_proven = False
        self._knows_conditions = True
        self._cleared: tuple[StorageKey, float] | None = None
        """A key that was refused right after it was made, and until when that tells anything."""
        self._refused_features: set[str] = set()

    async def open(self) -> None:
        await self._keys.get()

    def object_key(self, object_name: str) -> str:
        current = self._keys.current
        if current is None:
            raise NotPossibleNow(f"The storage key of project {self._project_id} was not fetched yet.")
        return _object_key(current, object_name)

    def now(self) -> float:
        """The store's time, as far as it is known."""
        return self._clock.now()

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """The result of `work`, which reads a file: not where names are resolved and logins looked up."""
        return await self._pool.in_thread(work)

    async def feature(self, feature: str, call: Call, *, missing_ok: bool = False) -> Reply:
        """A call that the store may not offer to us; that it does not is remembered.

        Raises Unsupported.
        """
        if feature in self._refused_features:
            raise Unsupported(f"The store does not offer {feature} to us.")
        try:
            return await self.send(call, missing_ok=missing_ok)
        except (CloudRefused, Unsupported) as error:
            if isinstance(error, _Denied | Unsupported):
                self._refused_features.add(feature)
                raise Unsupported(f"The store does not offer {feature} to us.") from error
            raise

    async def send(self, call: Call, sent: SentCallback | None = None, *, missing_ok: bool = False) -> Reply:
        """The reply of a call that succeeded."""
        answer = await self.answer(call, sent)
        if missing_ok and answer.reply.status == 404:
            return answer.reply
        return answer.success()

    async def answer(self, call: Call, sent: SentCallback | None = None) -> Answer:
        """The last answer to a call; each thing that a refusal blames is put right once. Raises LinkError."""
        key = await self._keys.get()
        attempt = Attempt(
            renewed=False,
            acl=call.acl and self._acl_wanted,
            absent_only=call.absent_only and self._knows_conditions,
        )
        refused: set[Attempt] = set()
        corrected: set[str] = set()
        repeated = False
        while True:
            reply = await self._pool.exchange(*self._signed(call, key, attempt), sent)
            repeated = repeated or reply.repeated
            fields, code, error = self._judged(reply, key)
            if error is None:
                self._learn(call, attempt, refused)
                return Answer(reply, None, repeated)
            if not self._corrects(reply, fields, code, corrected):
                refused.add(attempt)
                following = next_attempt(
                    attempt,
                    refused,
                    code,
                    condition_unknown=attempt.absent_only and condition_unknown(reply, fields),
                    acl_proven=self._acl_proven,
                    key_cleared=self._is_cleared(key),
                )
                if following is None:
                    if code in DENIED_CODES and attempt.renewed:
                        self._cleared = (key, self._clock.now() + _CLEARED_SECONDS)
                    return Answer(reply, _denied(error) if code in DENIED_CODES else error, repeated)
                if following.renewed and not attempt.renewed:
                    key = await self._keys.replace(key)
                attempt = following
            if sent is not None:
                sent(0)

    def _signed(self, call: Call, key: StorageKey, attempt: Attempt) -> tuple[Origin, Request]:
        region = self._region or key.region
        endpoint = endpoint_of(key, region, self._cloud)
        path = endpoint.path("" if call.object_name is None else _object_key(key, call.object_name))
        query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in call.query)
        target = f"{path}?{query}" if query else path
        headers = sigv4.signed_headers(
            call.method,
            f"{endpoint.origin.url}{target}",
            [("Host", endpoint.origin.netloc), *call.headers, *_headers_of(attempt)],
            access_key=key.access_key,
            secret_key=key.secret_key,
            session_token=key.session_token,
            region=region or DEFAULT_REGION,
            now=self._clock.now(),
        )
        patience = self._deadlines.reply_to(call.weight)
        return endpoint.origin, Request(call.method, target, headers, call.body, patience)

    def _judged(self, reply: Reply, key: StorageKey) -> tuple[Mapping[str, str], str, UploaderError | None]:
        """Fields, code and error of a refusal; a success has no error."""
        document = s3_xml.parsed(reply.body)
        if reply.ok and document is not None and document.name.endswith("Result"):
            return {}, "", None  # a document of S3, whatever its Content-Type says
        is_error = document is not None and document.name == "Error"
        if reply.ok and not is_error:
            return {}, "", foreign_answer(reply, self._host(key))
        fields = document.fields if document is not None and is_error else {}
        code = fields.get("Code", "")
        if not code and not reply.body:
            # HEAD has no body to name the reason in; an expired key is 400 to it.
            code = {400: "ExpiredToken", 403: "AccessDenied"}.get(reply.status, "")
        message = key.redacted(fields.get("Message", ""))
        return fields, code, s3_failure(reply, self._host(key), code, message, self._clock.now())

    def _host(self, key: StorageKey) -> str:
        return endpoint_of(key, self._region or key.region, self._cloud).origin.host

    def _corrects(self, reply: Reply, fields: Mapping[str, str], code: str, corrected: set[str]) -> bool:
        """Take the time or the region from a refusal; each at most once in a call."""
        if code == "RequestTimeTooSkewed" and "time" not in corrected:
            corrected.add("time")
            return self._clock.learn(fields.get("ServerTime")) or self._clock.learn(reply.headers.get("date"))
        if reply.status in (301, 307, 400) and "region" not in corrected:
            region = reply.headers.get("x-amz-bucket-region") or fields.get("Region", "")
            if is_region(region) and region != self._region:
                corrected.add("region")
                self._region = region
                return True
        return False

    def _is_cleared(self, key: StorageKey) -> bool:
        return self._cleared is not None and self._cleared[0] is key and self._clock.now() < self._cleared[1]

    def _learn(self, call: Call, attempt: Attempt, refused: Set[Attempt]) -> None:
        """From the attempt that succeeded."""
        if attempt.acl:
            self._acl_proven = True
        elif replace(attempt, acl=True) in refused:
            self._acl_wanted = False
        if call.absent_only and not attempt.absent_only and self._knows_conditions:
            self._knows_conditions = False
            _log.warning("The store of project %s cannot be kept from overwriting objects.", self._project_id)


class _Denied(CloudRefused):
    """Refused for want of a right, whatever the key."""

    @property
    def kind(self) -> str:
        return CloudRefused.__name__


def _denied(error: UploaderError) -> UploaderError:
    return _Denied(error.message) if isinstance(error, CloudRefused) else error


def _object_key(key: StorageKey, object_name: str) -> str:
    return f"{key.prefix}/{object_name}" if key.prefix else object_name


def _headers_of(attempt: Attempt) -> list[tuple[str, str]]:
    return [*([OWNER_ACL] if attempt.acl else []), *([ABSENT_ONLY] if attempt.absent_only else [])]
