"""POST the JSON to a web address of the user, over the proxy and with the certificates of the program's settings.

User name and password of the address become basic authorization. Redirects are not followed: neither these nor the
message go anywhere but to the named host. Only the host appears in sentences.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import httpx

from tui_uploader.cloud.http.error_mapping import link_failure, quoted, retry_after
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.net.endpoint import Deadlines, Origin, is_loopback, proxy_for, rest_client, trust_for
from tui_uploader.errors import HookFailed, HookUnavailable, UploaderError
from tui_uploader.settings import Settings
from tui_uploader.text import printable

_MOST_READ = 4096
"""Bytes of a reply, of which only the beginning is quoted."""
_BUSY = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class WebAddress:
    """Its repr omits everything that may be secret."""

    origin: Origin
    target: str
    """Path and query."""
    credentials: tuple[str, str] | None

    def __repr__(self) -> str:
        return f"WebAddress({self.origin.host!r})"


def web_address(address: str) -> WebAddress:
    """The parts of an address that `hook_settings` accepted."""
    parts = urlsplit(address)
    tls = parts.scheme == "https"
    origin = Origin(tls, parts.hostname or "", parts.port or (443 if tls else 80))
    credentials = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return WebAddress(origin, f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}", credentials)


async def post(name: str, address: str, body: str, seconds: float, settings: Settings) -> str:
    """Send `body` and return the status of the reply, `HTTP 204`.

    Raises HookFailed, HookUnavailable or a LinkError: `retryable` says whether it may work in a moment. The time limit
    is of everything: connecting, sending, and the reply.
    """
    to = web_address(address)
    if to.credentials is not None and not to.origin.tls and not is_loopback(to.origin.host):
        raise HookFailed(f"{name} is an address with http, which would send its password unencrypted. Use https.")
    try:
        async with asyncio.timeout(seconds):
            reply = await _reply(to, body, seconds, settings)
    except TimeoutError:
        raise HookUnavailable(f"{name} did not answer within {seconds:g} s.") from None
    except httpx.HTTPError as error:
        raise _lost(error, to, settings) from None
    except (httpx.InvalidURL, httpx.CookieConflict, ValueError):
        raise HookFailed(f"{name} is no address that a request can be sent to.") from None
    _check(name, reply)
    return f"HTTP {reply.status}"


async def _reply(to: WebAddress, body: str, seconds: float, settings: Settings) -> Reply:
    tls = await asyncio.to_thread(trust_for, to.origin, settings)
    limits = Deadlines(connect=seconds, stall=seconds, reply=seconds)
    headers = {"Content-Type": "application/json", "Accept": "*/*", "Accept-Encoding": "identity"}
    auth = None if to.credentials is None else httpx.BasicAuth(*to.credentials)
    received = b""
    async with (
        rest_client(to.origin, settings, limits, tls) as client,
        client.stream("POST", f"{to.origin.url}{to.target}", content=body, headers=headers, auth=auth) as response,
    ):
        async for chunk in response.aiter_raw():
            received += chunk[:_MOST_READ]
            if len(received) >= _MOST_READ:
                break
    return Reply(response.status_code, {key.lower(): value for key, value in response.headers.items()}, received)


def _check(name: str, reply: Reply) -> None:
    """Raises HookFailed or HookUnavailable for any status but 2xx."""
    if reply.ok:
        return
    where = f"{name} (HTTP {reply.status})"
    if 300 <= reply.status < 400:
        raise HookFailed(
            f"{where} redirects to another address. Redirects are not followed, so that nothing secret goes there: put"
            " the final address into config.toml."
        )
    lines = reply.body.decode("utf-8", "replace").split()
    says = f": {quoted(' '.join(lines)).rstrip('.')}" if lines and not reply.is_html else ""
    if reply.status >= 500 or reply.status in _BUSY:
        raise HookUnavailable(f"{where} cannot take it now{says}.", retry_after=retry_after(reply, time.time()))
    raise HookFailed(f"{where} refused it{says}.")


def _lost(error: httpx.HTTPError, to: WebAddress, settings: Settings) -> UploaderError:
    proxy = proxy_for(to.origin, settings)
    return link_failure(error, printable(to.origin.host, 200), proxy=None if proxy is None else proxy.address)
