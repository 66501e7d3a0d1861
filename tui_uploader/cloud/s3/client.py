"""Signs S3 calls, sends them, and puts right what a refusal blames: the key, the clock, the region, an option.

What was learned from refusals is remembered, what the store does not know for all projects there: no call is refused
the same thing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

from tui_uploader.cloud.contract import ByteRange, SentCallback
from tui_uploader.cloud.http.error_mapping import DENIED_CODES, KEY_EXPIRED_CODES, foreign_answer, s3_failure
from tui_uploader.cloud.http.messages import Reply, Request
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.http.source_files import FileRead
from tui_uploader.cloud.net.endpoint import Deadlines, Origin
from tui_uploader.cloud.refresh import Renewable
from tui_uploader.cloud.s3 import signing, xml
from tui_uploader.cloud.s3.capabilities import KnownStores, Option, StoreCapabilities
from tui_uploader.cloud.s3.endpoint_policy import is_region
from tui_uploader.cloud.s3.retry import Attempt, Blame, blamed, dropped, next_attempt
from tui_uploader.cloud.s3.session_credentials import DEFAULT_REGION, SessionCredentials, storage_endpoint
from tui_uploader.cloud.server_clock import ServerClock
from tui_uploader.errors import CloudRefused, NotPossibleNow, Unsupported, UploaderError

Result = TypeVar("Result")

_CLEARED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class S3Call:
    """One S3 call, before it is signed."""

    method: str
    object_name: str | None
    """None: the call is about the bucket."""
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | ByteRange = b""
    weight: int = 0
    """Bytes that the store has to look at before it answers."""
    options: Mapping[Option, tuple[str, str]] = field(default_factory=dict)
    """What the call does without where the store refuses it, and the header that says it."""
    plain_body: bytes | None = None
    """The body without `Option.PART_CHECKSUMS`, where that is among what the call carries."""

    @property
    def kind(self) -> str:
        """The operation, as S3 tells them apart: `PUT partNumber uploadId`."""
        return " ".join([self.method, *sorted(name for name, _ in self.query)])

    @property
    def carries(self) -> frozenset[Option]:
        """All options of the call."""
        return frozenset(self.options) | ({Option.PART_CHECKSUMS} if self.plain_body is not None else frozenset())

    def headers_for(self, attempt: Attempt) -> list[tuple[str, str]]:
        return [*self.headers, *(header for option, header in self.options.items() if option in attempt.options)]

    def body_for(self, attempt: Attempt) -> bytes | ByteRange:
        plain = self.plain_body is not None and Option.PART_CHECKSUMS not in attempt.options
        return self.plain_body or b"" if plain else self.body


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


class S3Client:
    """Those of one project."""

    def __init__(
        self,
        project_id: str,
        keys: Renewable[SessionCredentials],
        pool: ConnectionPool,
        cloud: Origin,
        clock: ServerClock,
        deadlines: Deadlines,
        stores: KnownStores,
    ) -> None:
        self._project_id = project_id
        self._keys = keys
        self._pool = pool
        self._cloud = cloud
        self._clock = clock
        self._deadlines = deadlines
        self._stores = stores
        self._region: str | None = None
        """As a refusal named it."""
        self._cleared: tuple[SessionCredentials, float] | None = None
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

    async def capabilities(self) -> StoreCapabilities:
        """Of the store that the project's files go to."""
        return self._capabilities(await self._keys.get())

    async def in_thread(self, work: Callable[[FileRead], Result]) -> Result:
        """The result of `work`, which reads a file: not where names are resolved and logins looked up."""
        return await self._pool.in_thread(work)

    async def feature(self, feature: str, call: S3Call, *, missing_ok: bool = False) -> Reply:
        """A call that the store may not offer to us, which is remembered: for all projects that it does not know the
        call, for this one that we have no right to it.

        Raises Unsupported.
        """
        missing = self._capabilities(await self._keys.get()).missing_features
        if feature in self._refused_features or feature in missing:
            raise Unsupported(f"The store does not offer {feature} to us.")
        try:
            return await self.send(call, missing_ok=missing_ok)
        except (CloudRefused, Unsupported) as error:
            if isinstance(error, _Denied | Unsupported):
                (missing if isinstance(error, Unsupported) else self._refused_features).add(feature)
                raise Unsupported(f"The store does not offer {feature} to us.") from error
            raise

    async def send(self, call: S3Call, sent: SentCallback | None = None, *, missing_ok: bool = False) -> Reply:
        """The reply of a call that succeeded."""
        answer = await self.answer(call, sent)
        if missing_ok and answer.reply.status == 404:
            return answer.reply
        return answer.success()

    async def answer(self, call: S3Call, sent: SentCallback | None = None) -> Answer:
        """The last answer to a call; each thing that a refusal blames is put right once. Raises LinkError."""
        key = await self._keys.get()
        store = self._capabilities(key)
        initial = attempt = Attempt(options=store.wanted(call.kind, call.carries))
        refused: set[Attempt] = set()
        corrected: set[str] = set()
        repeated = False
        while True:
            reply = await self._pool.exchange(*self._signed(call, key, attempt), sent)
            repeated = repeated or reply.repeated
            fields, code, error = self._judged(reply, key)
            if error is None:
                store.learn(call.kind, attempt.options, dropped(initial, attempt, refused))
                return Answer(reply, None, repeated)
            if not self._corrects(reply, fields, code, corrected):
                refused.add(attempt)
                blame = self._blame(store, call, attempt, reply, fields, code, error)
                following = next_attempt(
                    attempt,
                    refused,
                    code,
                    blame=blame,
                    acl_proven=store.is_proven(Option.ACL),
                    key_cleared=self._is_cleared(key),
                )
                if following is None:
                    if any(tried.options != initial.options for tried in refused):
                        store.note_vain(call.kind, code, self._clock.now())
                    if code in DENIED_CODES | KEY_EXPIRED_CODES and attempt.renewed:
                        self._cleared = (key, self._clock.now() + _CLEARED_SECONDS)
                    return Answer(reply, _denied(error) if code in DENIED_CODES else error, repeated)
                if following.renewed and not attempt.renewed:
                    key = await self._keys.replace(key)
                attempt = following
            if sent is not None:
                sent(0)

    def _capabilities(self, key: SessionCredentials) -> StoreCapabilities:
        endpoint = storage_endpoint(key, self._region or key.region, self._cloud)
        return self._stores.at(endpoint, f"{endpoint.origin.netloc}{endpoint.root}")

    def _blame(
        self,
        store: StoreCapabilities,
        call: S3Call,
        attempt: Attempt,
        reply: Reply,
        fields: Mapping[str, str],
        code: str,
        error: UploaderError,
    ) -> Blame:
        if type(error) not in (CloudRefused, Unsupported) or store.is_vain(call.kind, code, self._clock.now()):
            return Blame()
        proven = {option for option in attempt.options if store.is_proven(option, call.kind)}
        return blamed(reply, fields, code, attempt.options, proven)

    def _signed(self, call: S3Call, key: SessionCredentials, attempt: Attempt) -> tuple[Origin, Request]:
        region = self._region or key.region
        endpoint = storage_endpoint(key, region, self._cloud)
        path = endpoint.path("" if call.object_name is None else _object_key(key, call.object_name))
        query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in call.query)
        target = f"{path}?{query}" if query else path
        headers = signing.signed_headers(
            call.method,
            f"{endpoint.origin.url}{target}",
            [("Host", endpoint.origin.netloc), *call.headers_for(attempt)],
            access_key=key.access_key,
            secret_key=key.secret_key,
            session_token=key.session_token,
            region=region or DEFAULT_REGION,
            now=self._clock.now(),
        )
        patience = self._deadlines.reply_to(call.weight)
        return endpoint.origin, Request(call.method, target, headers, call.body_for(attempt), patience)

    def _judged(self, reply: Reply, key: SessionCredentials) -> tuple[Mapping[str, str], str, UploaderError | None]:
        """Fields, code and error of a refusal; a success has no error."""
        document = xml.parsed(reply.body)
        if reply.ok and document is not None and document.name.endswith(("Result", "Response")):
            return {}, "", None  # a document of S3, whatever its Content-Type says
        is_error = document is not None and document.name == "Error"
        if reply.ok and not is_error:
            return {}, "", foreign_answer(reply, self._host(key), of_store=True)
        fields = document.fields if document is not None and is_error else {}
        code = fields.get("Code", "")
        if not code and not reply.body:
            # HEAD has no body to name the reason in; an expired key is 400 to it.
            code = {400: "ExpiredToken", 403: "AccessDenied"}.get(reply.status, "")
        message = fields.get("Message", "")
        return fields, code, s3_failure(reply, self._host(key), code, message, self._clock.now())

    def _host(self, key: SessionCredentials) -> str:
        return storage_endpoint(key, self._region or key.region, self._cloud).origin.host

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

    def _is_cleared(self, key: SessionCredentials) -> bool:
        return self._cleared is not None and self._cleared[0] is key and self._clock.now() < self._cleared[1]


class _Denied(CloudRefused):
    """Refused for want of a right, whatever the key."""

    @property
    def kind(self) -> str:
        return CloudRefused.__name__


def _denied(error: UploaderError) -> UploaderError:
    return _Denied(error.message) if isinstance(error, CloudRefused) else error


def _object_key(key: SessionCredentials, object_name: str) -> str:
    return f"{key.prefix}/{object_name}" if key.prefix else object_name
