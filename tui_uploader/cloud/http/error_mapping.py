"""Map failures of sockets, TLS, HTTP, REST replies and S3 error codes to errors of `errors`.

Every message names the host and the HTTP status. Text from a server passes through `printable` with a limit; URLs,
request headers and the longer elements of S3 errors (which echo tokens) are never quoted.
"""

from __future__ import annotations

import errno
import http.client
import math
import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from tui_uploader import errors
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.errors import UploaderError
from tui_uploader.redaction import without_secrets
from tui_uploader.text import printable

MAX_RETRY_AFTER = 3600.0
_QUOTE_LIMIT = 300
_MAX_SEARCHED = 20_000
"""Characters that are searched for secrets, which takes time."""
_MARGIN = 600
"""Characters before that limit that are not quoted: a secret cut in two there might not be found."""


class Stalled(Exception):
    """Connected, but no byte moved for as long as the deadline allows."""

    def __init__(self, seconds: float | None = None) -> None:
        super().__init__()
        self.seconds = seconds
        """The deadline; None where no data was due, but the reply took too long as a whole."""


# --------------------------------------------------------------------------------------------------- sockets


def link_failure(error: BaseException, host: str, *, connected: bool = True, proxy: str | None = None) -> UploaderError:
    """The error for a failure between this machine and `host`, over `proxy` (`host:port`) if there is one.

    `connected`: the failure came after the connection was established. Takes errors of `socket`, `ssl`, `http.client`
    and httpx; httpx hides the reason in the chain of causes.
    """
    name = printable(host if proxy is None else f"{host} (through the proxy {proxy})", 400)
    if isinstance(error, Stalled):
        return errors.LinkStalled(_stall_message(name, error.seconds))
    if isinstance(error, (httpx.ReadTimeout, httpx.WriteTimeout)):
        return errors.LinkStalled(f"Connection to {name} stalled.")
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, UploaderError):
            return cause
        if isinstance(cause, ssl.SSLError):
            return _tls_failure(cause, name)
        if isinstance(cause, socket.gaierror):
            return errors.LinkDown(f"Cannot resolve the name {name}: {cause.strerror}.")
    if isinstance(error, httpx.ProxyError):
        status = re.match(r"\d{3}", str(error))
        return proxy_answer(int(status.group()) if status else 502, host, proxy)
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
        return errors.UsageError(f"Cannot send a request to {name}: the address or a header is malformed.")
    if isinstance(error, httpx.DecodingError):
        return errors.CloudUnintelligible(f"{name} sent a reply that cannot be decoded.")
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return _timeout(name, connected=connected and isinstance(error, TimeoutError))
    if isinstance(error, http.client.HTTPException) and not isinstance(
        error, (http.client.IncompleteRead, http.client.RemoteDisconnected)
    ):
        return errors.NotTheService(f"Invalid HTTP response from {name}. {_INTERCEPTED}")
    messages = (_connection_message(cause, name) for cause in chain)
    return errors.LinkDown(next(filter(None, messages), None) or _lost(name))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    pending = [error]
    while pending:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        if not isinstance(current, (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)):
            yield current
        if isinstance(current, BaseExceptionGroup):
            pending += current.exceptions
        pending += [cause for cause in (current.__cause__, current.__context__) if cause is not None]


def _timeout(name: str, *, connected: bool) -> UploaderError:
    if connected:
        return errors.LinkStalled(f"Connection to {name} stalled.")
    return errors.LinkDown(f"{name} did not answer in time.")


def _stall_message(name: str, seconds: float | None) -> str:
    if seconds is None:
        return f"The reply from {name} took too long."
    return f"Connection to {name} stalled: no data for {round(seconds, 1):g} s."


def _lost(name: str) -> str:
    return f"Lost the connection to {name}."


def _connection_message(cause: BaseException, name: str) -> str | None:
    if isinstance(cause, ConnectionRefusedError):
        return f"{name} refused the connection."
    if isinstance(cause, OSError) and cause.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN):
        return f"Cannot reach {name}: {os.strerror(cause.errno).lower()}."
    if isinstance(cause, (ConnectionError, http.client.IncompleteRead)):
        return _lost(name)
    if isinstance(cause, OSError) and cause.errno == errno.ENOTCONN:
        return _lost(name)
    if isinstance(cause, OSError) and cause.errno:
        return f"Connection to {name} failed: {os.strerror(cause.errno).lower()}."
    return None


_INTERCEPTED = "A proxy or captive portal may be intercepting the connection."
_CA_FILE = "If the network inspects TLS, add its CA certificate with the setting `ca_file`"
_USUAL_TRUST_ADVICE = f"Check this machine's date. {_CA_FILE}."
_UNKNOWN_AUTHORITY = (
    f"The connection may be intercepted. {_CA_FILE}; if the network requires a login, open any web page and sign in."
)
_WRONG_NAME = (
    "Another server may have answered, such as the login page of this network: open any web page and sign in there."
)
_TRUST_ADVICE: Mapping[int, str] = {
    9: "This machine's clock is slow: set the date.",
    10: "If this machine's date is wrong, set it.",
    **dict.fromkeys((18, 19, 20, 21), _UNKNOWN_AUTHORITY),
    **dict.fromkeys((62, 64), _WRONG_NAME),
}
"""By OpenSSL's codes (X509_STORE_CTX_get_error(3))."""


def _tls_failure(error: ssl.SSLError, name: str) -> UploaderError:
    # Errors that Python code raises, truststore's among them, may lack what the ssl module itself fills in.
    reason = getattr(error, "reason", None) or ""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = printable(getattr(error, "verify_message", None) or reason or "no reason given", _QUOTE_LIMIT)
        advice = _TRUST_ADVICE.get(getattr(error, "verify_code", 0), _USUAL_TRUST_ADVICE)
        return errors.TrustFailed(f"Cannot verify the certificate of {name}: {why.rstrip('.')}. {advice}")
    cut = isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError))
    if cut or "BAD_RECORD_MAC" in reason or "UNEXPECTED_EOF" in reason:
        return errors.LinkDown(_lost(name))
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG"):
        return errors.NotTheService(f"Invalid TLS response from {name}. {_INTERCEPTED}")
    return errors.TrustFailed(f"TLS with {name} failed: {printable(reason or 'no reason given', _QUOTE_LIMIT)}.")


def proxy_answer(status: int, host: str, proxy: str | None = None) -> UploaderError:
    """The error for a proxy that did not connect to `host`. `proxy`: the `host:port` of a configured proxy."""
    name = printable(host, 200)
    who = "A proxy" if proxy is None else f"The proxy {printable(proxy, 200)}"
    if status == 407:
        return errors.ProxyRefused(
            f"{who} requires a valid user name and password to connect to {name} (HTTP 407). Put them in the setting "
            "`proxy` or in HTTPS_PROXY: http://user:password@host:port."
        )
    if 400 <= status < 500:
        return errors.ProxyRefused(
            f"{who} refused to connect to {name} (HTTP {status}). Ask its administrator, or change the setting `proxy`."
        )
    return errors.LinkDown(f"{who} cannot reach {name} (HTTP {status}).")


# ---------------------------------------------------------------------------------------------- every HTTP reply


def retry_after(reply: Reply, now: float) -> float | None:
    """Seconds from the `Retry-After` header, which is a number or a date; at most an hour. `now`: the server's time."""
    text = reply.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,20}(\.\d{1,9})?", text):
        return min(MAX_RETRY_AFTER, float(text))
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return min(MAX_RETRY_AFTER, max(0.0, moment - now))


def foreign_answer(reply: Reply, host: str, *, of_store: bool = False) -> UploaderError | None:
    """The error for a reply that does not come from `host` but from a proxy or captive portal; else None."""
    is_page = reply.is_html_of_store if of_store else reply.is_html
    if reply.status == 407:
        return proxy_answer(407, host)
    if reply.status == 511 or (reply.ok and is_page):
        return _portal(reply, host)
    if 300 <= reply.status < 400:
        target = _location_host(reply)
        if target and target != host.lower():
            return _portal(reply, host)
    return None


def _portal(reply: Reply, host: str) -> UploaderError:
    return errors.NotTheService(
        f"Another server answered for {printable(host, 200)} (HTTP {reply.status}), such as the login page of this "
        "network. Open any web page in a browser and sign in there."
    )


def _location_host(reply: Reply) -> str | None:
    try:
        return urlsplit(reply.headers.get("location", "")).hostname
    except ValueError:
        return None


# ----------------------------------------------------------------------------------------------------------- REST


def rest_failure(reply: Reply, host: str, what: str, now: float) -> UploaderError | None:
    """The error of a REST reply; None for a success. `what` names the request: `create a project`."""
    name = printable(host, 200)
    foreign = foreign_answer(reply, host)
    if foreign is not None:
        return foreign
    status = reply.status
    if reply.ok:
        return None
    says = rest_text(reply)
    where = f"{name} (HTTP {status})"
    if status == 401:
        return errors.TokenExpired(f"{where} no longer accepts the access token{says}.")
    if status == 408:
        return errors.LinkStalled(f"{where} timed out waiting for the request.")
    if status == 429 or (status == 503 and "retry-after" in reply.headers):
        return errors.CloudBusy(f"{where} is busy{says}.", retry_after=retry_after(reply, now))
    if status >= 500:
        return errors.CloudFault(f"{where} reported a server error{says}.", retry_after=retry_after(reply, now))
    if 300 <= status < 400:
        return errors.CloudRefused(f"{where} answered the request to {what} with a redirect, which is not followed.")
    if status < 200:
        return errors.CloudUnintelligible(f"{where} sent no final reply.")
    if reply.is_html:
        return web_page(reply, host)
    return errors.CloudRefused(f"{where} refused to {what}{says}.")


def web_page(reply: Reply, host: str) -> UploaderError:
    """The error for a web page in place of the service's own reply, which some middlebox must have sent."""
    return errors.CloudUnintelligible(
        f"{printable(host, 200)} (HTTP {reply.status}) answered with a web page instead of an API reply.",
    )


def quoted(text: str) -> str:
    """Text from a server, made safe to quote.

    Secrets are removed before the text is shortened: one that is cut in two could not be found.
    """
    shown = without_secrets(text[:_MAX_SEARCHED])
    if len(text) > _MAX_SEARCHED:
        shown = shown[:-_MARGIN]
    return printable(shown, _QUOTE_LIMIT)


def rest_text(reply: Reply) -> str:
    """The service's explanation as `: …`, or an empty text.

    Understands the replies of Django REST framework: `{"detail": …}`, or lists of sentences by field.
    """
    if reply.is_html:
        return ""
    try:
        value = reply.json()
    except ValueError:
        return ""
    sentences = list(_sentences(value))[:3]
    return f": {quoted('; '.join(sentences)).rstrip('.')}" if sentences else ""


def _sentences(value: object) -> Iterator[str]:
    if isinstance(value, str) and value.strip():
        yield value.strip()
    elif isinstance(value, list):
        for item in value[:3]:
            if isinstance(item, str):
                yield item
    elif isinstance(value, dict):
        for key, inner in list(value.items())[:3]:
            plain = key in ("detail", "error", "error_description", "non_field_errors", "message")
            for sentence in _sentences(inner) if not isinstance(inner, dict) else ():
                yield sentence if plain else f"{key}: {sentence}"


# ------------------------------------------------------------------------------------------------------------- S3

KEY_EXPIRED_CODES = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidAccessKeyId", "TokenRefreshRequired"}
)
DENIED_CODES = frozenset({"AccessDenied", "AllAccessDisabled", "Forbidden"})
ACL_CODES = frozenset({"AccessControlListNotSupported"})
UNOFFERED_CODES = frozenset({"NotImplemented", "MethodNotAllowed"})

_CLASS_OF_CODE: Mapping[str, type[UploaderError]] = {
    **dict.fromkeys(KEY_EXPIRED_CODES, errors.StorageKeyExpired),
    **dict.fromkeys(UNOFFERED_CODES, errors.Unsupported),
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestExpired"), errors.ClockSkewed),
    **dict.fromkeys(("SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException"), errors.CloudBusy),
    **dict.fromkeys(("TooManyRequests", "RequestLimitExceeded", "OperationAborted"), errors.CloudBusy),
    "ConditionalRequestConflict": errors.CloudBusy,
    "PreconditionFailed": errors.NameTaken,
    "TemporaryRedirect": errors.CloudFault,
    **dict.fromkeys(("BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch"), errors.ChecksumRefused),
    **dict.fromkeys(("NoSuchUpload", "InvalidPart", "InvalidPartOrder"), errors.MultipartGone),
    "RequestTimeout": errors.LinkStalled,
    "IncompleteBody": errors.LinkDown,
    "InternalError": errors.CloudFault,
}
"""By the codes of the Amazon S3 API reference, "Error responses"."""

_CLASS_OF_STATUS: Mapping[int, type[UploaderError]] = {
    304: errors.NameTaken,  # older MinIO's answer to a write whose condition fails
    405: errors.Unsupported,
    408: errors.LinkStalled,
    412: errors.NameTaken,
    429: errors.CloudBusy,
    501: errors.Unsupported,
    503: errors.CloudBusy,
}
_CHECKSUM_COMPLAINT = re.compile(r"checksum.{0,40}(did not match|does not match|mismatch)", re.IGNORECASE)


def s3_failure(reply: Reply, host: str, code: str, message: str, now: float) -> UploaderError:
    """The error of a failed S3 call; `code` and `message` are empty if the reply has no XML."""
    foreign = foreign_answer(reply, host, of_store=True)
    if foreign is not None and not code:
        return foreign
    if reply.status in (302, 303, 307, 308) and not code:
        return _portal(reply, host)  # a real store explains a redirect in its document
    if reply.is_html_of_store and not code and 400 <= reply.status < 500:
        return web_page(reply, host)
    kind = _CLASS_OF_CODE.get(code)
    if kind is None and reply.status == 400 and _CHECKSUM_COMPLAINT.search(message):
        kind = errors.ChecksumRefused
    if kind is None:
        kind = (
            errors.CloudFault if reply.is_html_of_store and reply.status >= 500 else _CLASS_OF_STATUS.get(reply.status)
        )
    if kind is None:
        kind = errors.CloudFault if reply.status >= 500 else errors.CloudRefused
    words = ": ".join(quoted(text).rstrip(".") for text in (code, message) if text)
    says = f": {words}" if words else ""
    wait = retry_after(reply, now)
    return kind(f"Storage {printable(host, 200)} refused the request (HTTP {reply.status}){says}.", retry_after=wait)


def finite(value: object) -> float | None:
    """A finite number from JSON, or from its text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
