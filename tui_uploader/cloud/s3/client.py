"""Sign and send S3 calls, and correct what a refusal blames: the credentials, the clock, the region or an option.

Lessons from refusals are kept, missing features for all projects at the store, so no call is refused twice for the
same reason.
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
from tui_uploader.cloud.s3.retry import Attempt, Blame, blame_for, next_attempt, refused_options
from tui_uploader.cloud.s3.session_credentials import DEFAULT_REGION, SessionCredentials, storage_endpoint
from tui_uploader.cloud.server_clock import ServerClock
from tui_uploader.errors import CloudRefused, NotPossibleNow, Unsupported, UploaderError

T = TypeVar("T")

_FRESH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class S3Call:
    """An S3 call before it is signed."""

    method: str
    object_name: str | None
    """None for a call about the bucket."""
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | ByteRange = b""
    weight: int = 0
    """Bytes that the store has to process before it replies."""
    options: Mapping[Option, tuple[str, str]] = field(default_factory=dict)
    """Optional headers, which are left out if the store refuses them."""
    plain_body: bytes | None = None
    """The body without `Option.PART_CHECKSUMS`, for calls that carry that option."""

    @property
    def kind(self) -> str:
        """The operation, as S3 distinguishes them: `PUT partNumber uploadId`."""
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
class S3Answer:
    """The last reply to a call, after all corrections."""

    reply: Reply
    error: UploaderError | None
    """None for a success."""
    repeated: bool
    """An earlier attempt got no reply: it may already have taken effect."""

    def success(self) -> Reply:
        """The reply. Raises the error if there is one."""
        if self.error is not None:
            raise self.error
        return self.reply


class S3Client:
    """Sends the S3 calls of one project."""

    def __init__(
        self,
        project_id: str,
        credentials: Renewable[SessionCredentials],
        pool: ConnectionPool,
        cloud: Origin,
        clock: ServerClock,
        deadlines: Deadlines,
        stores: KnownStores,
    ) -> None:
        self._project_id = project_id
        self._credentials = credentials
        self._pool = pool
        self._cloud = cloud
        self._clock = clock
        self._deadlines = deadlines
        self._stores = stores
        self._region: str | None = None
        """The region that a refusal named."""
        self._fresh: tuple[SessionCredentials, float] | None = None
        """Credentials that were refused although just issued, and until when this counts."""
        self._refused_features: set[str] = set()

    async def open(self) -> None:
        await self._credentials.get()

    def object_key(self, object_name: str) -> str:
        current = self._credentials.current
        if current is None:
            raise NotPossibleNow(f"There are no storage credentials for project {self._project_id} yet.")
        return _object_key(current, object_name)

    def now(self) -> float:
        """The store's time, as learned from the service."""
        return self._clock.now()

    async def capabilities(self) -> StoreCapabilities:
        """The capabilities of the project's store."""
        return self._capabilities(await self._credentials.get())

    async def in_thread(self, work: Callable[[FileRead], T]) -> T:
        """The result of `work`, which reads a file, from the pool's own threads: reads may hang."""
        return await self._pool.in_thread(work)

    async def feature(self, feature: str, call: S3Call, *, missing_ok: bool = False) -> Reply:
        """The reply to a call that the store may not offer.

        An unknown call is remembered for all projects at the store, a missing right for this one. Raises Unsupported.
        """
        missing = self._capabilities(await self._credentials.get()).missing_features
        if feature in self._refused_features or feature in missing:
            raise Unsupported(f"The storage does not offer {feature} to this account.")
        try:
            return await self.send(call, missing_ok=missing_ok)
        except (CloudRefused, Unsupported) as error:
            if isinstance(error, _Denied | Unsupported):
                (missing if isinstance(error, Unsupported) else self._refused_features).add(feature)
                raise Unsupported(f"The storage does not offer {feature} to this account.") from error
            raise

    async def send(self, call: S3Call, sent: SentCallback | None = None, *, missing_ok: bool = False) -> Reply:
        """The reply to a successful call; with `missing_ok` also a 404. Raises the error of any other."""
        answer = await self.answer(call, sent)
        if missing_ok and answer.reply.status == 404:
            return answer.reply
        return answer.success()

    async def answer(self, call: S3Call, sent: SentCallback | None = None) -> S3Answer:
        """Send a call; everything that a refusal blames is corrected once. Raises LinkError."""
        credentials = await self._credentials.get()
        store = self._capabilities(credentials)
        initial = attempt = Attempt(options=store.usable(call.kind, call.carries))
        refused: set[Attempt] = set()
        corrected: set[str] = set()
        repeated = False
        while True:
            reply = await self._pool.exchange(*self._signed(call, credentials, attempt), sent)
            repeated = repeated or reply.repeated
            fields, code, error = self._evaluate(reply, credentials)
            if error is None:
                store.learn(call.kind, attempt.options, refused_options(initial, attempt, refused))
                return S3Answer(reply, None, repeated)
            if not self._correct(reply, fields, code, corrected):
                refused.add(attempt)
                blame = self._blame(store, call, attempt, reply, fields, code, error)
                following = next_attempt(
                    attempt,
                    refused,
                    code,
                    blame=blame,
                    acl_proven=store.is_proven(Option.ACL),
                    credentials_fresh=self._is_fresh(credentials),
                )
                if following is None:
                    if any(tried.options != initial.options for tried in refused):
                        store.note_failed_fallback(call.kind, code, self._clock.now())
                    if code in DENIED_CODES | KEY_EXPIRED_CODES and attempt.renewed:
                        self._fresh = (credentials, self._clock.now() + _FRESH_SECONDS)
                    return S3Answer(reply, _denied(error) if code in DENIED_CODES else error, repeated)
                if following.renewed and not attempt.renewed:
                    credentials = await self._credentials.replace(credentials)
                attempt = following
            if sent is not None:
                sent(0)

    def _capabilities(self, credentials: SessionCredentials) -> StoreCapabilities:
        endpoint = storage_endpoint(credentials, self._region or credentials.region, self._cloud)
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
        if type(error) not in (CloudRefused, Unsupported) or store.fallback_failed(call.kind, code, self._clock.now()):
            return Blame()
        proven = {option for option in attempt.options if store.is_proven(option, call.kind)}
        return blame_for(reply, fields, code, attempt.options, proven)

    def _signed(self, call: S3Call, credentials: SessionCredentials, attempt: Attempt) -> tuple[Origin, Request]:
        region = self._region or credentials.region
        endpoint = storage_endpoint(credentials, region, self._cloud)
        path = endpoint.path("" if call.object_name is None else _object_key(credentials, call.object_name))
        query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in call.query)
        target = f"{path}?{query}" if query else path
        headers = signing.signed_headers(
            call.method,
            f"{endpoint.origin.url}{target}",
            [("Host", endpoint.origin.netloc), *call.headers_for(attempt)],
            access_key=credentials.access_key,
            secret_key=credentials.secret_key,
            session_token=credentials.session_token,
            region=region or DEFAULT_REGION,
            now=self._clock.now(),
        )
        reply_timeout = self._deadlines.reply_to(call.weight)
        return endpoint.origin, Request(call.method, target, headers, call.body_for(attempt), reply_timeout)

    def _evaluate(
        self, reply: Reply, credentials: SessionCredentials
    ) -> tuple[Mapping[str, str], str, UploaderError | None]:
        """Fields, code and error of a refusal; the error is None for a success."""
        document = xml.parsed(reply.body)
        if reply.ok and document is not None and document.name.endswith(("Result", "Response")):
            return {}, "", None  # an S3 document, whatever its Content-Type
        is_error = document is not None and document.name == "Error"
        if reply.ok and not is_error:
            return {}, "", foreign_answer(reply, self._host(credentials), of_store=True)
        fields = document.fields if document is not None and is_error else {}
        code = fields.get("Code", "")
        if not code and not reply.body:
            # The reply to HEAD has no body to name the reason; expired credentials give a 400.
            code = {400: "ExpiredToken", 403: "AccessDenied"}.get(reply.status, "")
        message = fields.get("Message", "")
        return fields, code, s3_failure(reply, self._host(credentials), code, message, self._clock.now())

    def _host(self, credentials: SessionCredentials) -> str:
        return storage_endpoint(credentials, self._region or credentials.region, self._cloud).origin.host

    def _correct(self, reply: Reply, fields: Mapping[str, str], code: str, corrected: set[str]) -> bool:
        """Learn the time or the region from a refusal, each at most once per call; False if there was none."""
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

    def _is_fresh(self, credentials: SessionCredentials) -> bool:
        return self._fresh is not None and self._fresh[0] is credentials and self._clock.now() < self._fresh[1]


class _Denied(CloudRefused):
    """Refused for a missing right, whatever the credentials."""

    @property
    def kind(self) -> str:
        return CloudRefused.__name__


def _denied(error: UploaderError) -> UploaderError:
    return _Denied(error.message) if isinstance(error, CloudRefused) else error


def _object_key(credentials: SessionCredentials, object_name: str) -> str:
    return f"{credentials.prefix}/{object_name}" if credentials.prefix else object_name
