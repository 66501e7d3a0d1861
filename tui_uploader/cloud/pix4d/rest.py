"""Send requests to the REST API: access tokens, reply limits, and errors."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from functools import cache, partial

import httpx

from tui_uploader.cloud.http.error_mapping import (
    finite,
    foreign_answer,
    link_failure,
    rest_failure,
    rest_text,
)
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.http.reply_limits import MIN_REPLY_RATE, BodyDecoder
from tui_uploader.cloud.net.endpoint import Deadlines, Origin, origin_of, proxy_for, rest_client, trust_for
from tui_uploader.cloud.net.proxies import know_passwords
from tui_uploader.cloud.pix4d.rest_connections import RestConnections
from tui_uploader.cloud.refresh import Lifetime, Renewable, lifetime
from tui_uploader.cloud.server_clock import ServerClock
from tui_uploader.errors import (
    CloudUnintelligible,
    LinkError,
    LinkStalled,
    SignInRefused,
    TokenExpired,
    UploaderError,
    UsageError,
)
from tui_uploader.model.accounts import Login
from tui_uploader.redaction import Secrets
from tui_uploader.settings import Settings

TOKEN_PATH = "/oauth2/token/"
TOKEN_MARGIN = 300.0
ASSUMED_TOKEN_LIFETIME = 3600.0

_HEADER_TEXT = re.compile(r"[\x21-\x7e]+")
# Raised by httpx for a kept connection that the server closed at the very moment of its reuse.
_PERHAPS_STALE = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token."""

    value: str = field(repr=False)
    life: Lifetime
    secrets: Secrets = field(repr=False)


class RestApi:
    """The REST API of one cloud for one login."""

    def __init__(self, login: Login, settings: Settings, clock: ServerClock, deadlines: Deadlines) -> None:
        """Raises UsageError for an invalid address."""
        self.origin: Origin = origin_of(login.cloud_url)
        self._base = login.cloud_url.rstrip("/")
        self._login = login
        self._clock = clock
        self._deadlines = deadlines
        self._settings = settings
        trust = cache(partial(trust_for, self.origin, settings))
        self._connections = RestConnections(lambda: rest_client(self.origin, settings, deadlines, trust()))
        self._token = Renewable(self._ask_for_token, lambda token: token.life, clock.now)
        self._token_by_query = False
        self._secrets = Secrets(login.client_secret)
        know_passwords(settings, os.environ)

    async def close(self) -> None:
        await self._token.close()
        await self._connections.close()
        self._secrets = Secrets()  # no reply can quote them any more

    async def sign_in(self) -> None:
        """Get a new token now. Raises SignInRefused."""
        await self._token.renew()

    async def renew_connections(self) -> None:
        """Use new connections from now on, so that the service's name is resolved anew."""
        await self._connections.replace()

    async def anonymous(self, method: str, path: str) -> Reply:
        """The reply to a request without a token, whatever its status. Raises LinkError."""
        return await self._exchange(method, path, repeatable=True)

    async def call(
        self,
        method: str,
        path: str,
        what: str,
        *,
        body: Mapping[str, object] | None = None,
        repeatable: bool = True,
        judged_by_caller: Container[int] = (),
    ) -> Reply:
        """The reply if it is a success, or has one of the statuses that the caller handles.

        `what` names the request in errors. A rejected token is renewed once. `repeatable`: the request may be sent
        again if the connection breaks before a reply.
        """
        token = await self._token.get()
        reply = await self._exchange(method, path, token=token, body=body, repeatable=repeatable)
        if reply.status == 401:
            token = await self._token.replace(token)
            reply = await self._exchange(method, path, token=token, body=body, repeatable=repeatable)
        failure = self.failure(reply, what)
        if failure is not None and reply.status in judged_by_caller and not isinstance(failure, LinkError):
            return reply
        if isinstance(failure, TokenExpired):
            raise SignInRefused(
                f"{self.origin.host} (HTTP 401) rejected the access token that it had just issued"
                f"{rest_text(reply)}. Check the permissions of this API key."
            ) from failure
        if failure is not None:
            raise failure
        self._clock.learn(reply.headers.get("date"))
        return reply

    def failure(self, reply: Reply, what: str) -> UploaderError | None:
        """The error in `reply`; None for a success."""
        return rest_failure(reply, self.origin.host, what, self._clock.now())

    def json_object(self, reply: Reply) -> dict[str, object]:
        """The JSON object in a reply. Raises CloudUnintelligible."""
        value = self.json_value(reply)
        if not isinstance(value, dict):
            raise CloudUnintelligible(f"{self.origin.host} (HTTP {reply.status}) sent a reply that is not an object.")
        return value

    def json_value(self, reply: Reply) -> object:
        """The JSON value in a reply. Raises CloudUnintelligible."""
        try:
            return reply.json()
        except ValueError as error:
            raise CloudUnintelligible(
                f"{self.origin.host} (HTTP {reply.status}) sent a reply that is not valid JSON."
            ) from error

    # ---------------------------------------------------------------------------------------------- access token

    async def _ask_for_token(self) -> Token:
        """Get a token. Credentials go in the body; services written after the official sample want them in the query.

        Raises SignInRefused.
        """
        reply = await self._token_reply(by_query=self._token_by_query)
        if reply.status in (400, 401) and not self._token_by_query and foreign_answer(reply, self.origin.host) is None:
            second = await self._token_reply(by_query=True)
            if second.ok and not second.is_html:
                self._token_by_query = True
                reply = second
        failure = self.failure(reply, "sign in")
        if failure is not None and reply.status in (400, 401, 403):
            raise SignInRefused(
                f"{self.origin.host} (HTTP {reply.status}) rejected this client id and secret{rest_text(reply)}. "
                "API keys are created at account.pix4d.com and require a PIX4Dengine Cloud licence."
            ) from None
        if failure is not None:
            raise failure
        self._clock.learn(reply.headers.get("date"))
        return self._token_in(reply)

    async def _token_reply(self, *, by_query: bool) -> Reply:
        fields = {
            "grant_type": "client_credentials",
            "client_id": self._login.client_id,
            "client_secret": self._login.client_secret,
            "token_format": "jwt",
        }
        if by_query:
            return await self._exchange("POST", TOKEN_PATH, query=fields, repeatable=True)
        return await self._exchange("POST", TOKEN_PATH, form=fields, repeatable=True)

    def _token_in(self, reply: Reply) -> Token:
        fields = self.json_object(reply)
        value = fields.get("access_token")
        if not isinstance(value, str) or not _HEADER_TEXT.fullmatch(value):
            raise CloudUnintelligible(f"{self.origin.host} sent no usable access token.")
        seconds = finite(fields.get("expires_in"))
        if seconds is None or seconds <= 0:
            seconds = ASSUMED_TOKEN_LIFETIME
        return Token(value, lifetime(self._clock.now(), seconds, TOKEN_MARGIN), Secrets(value))

    # -------------------------------------------------------------------------------------------------- exchange

    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        token: Token | None = None,
        body: Mapping[str, object] | None = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        repeatable: bool,
    ) -> Reply:
        headers = {} if token is None else {"Authorization": f"Bearer {token.value}"}
        url = f"{self._base}{path}"
        async with self._connections.client() as client:
            try:
                request = client.build_request(method, url, headers=headers, json=body, data=form, params=query)
            except (httpx.InvalidURL, ValueError, TypeError):
                # The cause would quote the address, which may contain the secret.
                raise UsageError(f"Cannot send a request to {self.origin.host}: the address is malformed.") from None
            return await self._answer(client, request, repeatable=repeatable)

    async def _answer(self, client: httpx.AsyncClient, request: httpx.Request, *, repeatable: bool) -> Reply:
        try:
            return await self._whole_reply(client, request)
        except _PERHAPS_STALE as error:
            if not repeatable:
                raise self._link_failure(error) from None
        except httpx.HTTPError as error:
            raise self._link_failure(error) from None
        try:
            return await self._whole_reply(client, request)
        except httpx.HTTPError as error:
            raise self._link_failure(error) from None

    def _link_failure(self, error: httpx.HTTPError) -> UploaderError:
        proxy = proxy_for(self.origin, self._settings)
        return link_failure(error, self.origin.host, proxy=None if proxy is None else proxy.address)

    async def _whole_reply(self, client: httpx.AsyncClient, request: httpx.Request) -> Reply:
        """The reply, read raw and with total deadlines: httpx decodes without a limit, and its deadlines restart with
        each byte and each interim reply."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadlines.request) as limit:
                response = await client.send(request, stream=True)
                try:
                    body = BodyDecoder(response.headers.get("content-encoding", ""), self.origin.host)
                    limit.reschedule(loop.time() + self._deadlines.reply)
                    async for chunk in response.aiter_raw():
                        body.feed(chunk)
                        limit.reschedule((limit.when() or 0.0) + len(chunk) / MIN_REPLY_RATE)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise LinkStalled(f"The reply from {self.origin.host} took too long.") from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, headers, body.whole())
