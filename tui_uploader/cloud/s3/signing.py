"""Sign S3 requests with botocore. Only the engine imports this module: botocore takes 0.1 s to load."""

from __future__ import annotations

import time
from collections.abc import Sequence

from botocore.auth import SIGV4_TIMESTAMP, S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def signed_headers(
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    *,
    access_key: str,
    secret_key: str,
    session_token: str | None,
    region: str,
    now: float,
) -> list[tuple[str, str]]:
    """`headers`, which include `Host`, plus those that sign them.

    `url` is signed as is: percent-encoded once, its query sorted. `now`: seconds since the epoch by the store's clock;
    botocore's own `add_auth` only knows the local clock, which is often wrong on field machines. The payload is not
    signed: the CRC32 in the signed headers protects it, and a SHA-256 would cost another read.
    """
    timestamp = time.strftime(SIGV4_TIMESTAMP, time.gmtime(now))
    complete = [*headers, ("X-Amz-Date", timestamp), ("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")]
    if session_token is not None:
        complete.append(("X-Amz-Security-Token", session_token))
    request = AWSRequest(method=method, url=url, headers=dict(complete))
    request.context["timestamp"] = timestamp
    signer = S3SigV4Auth(Credentials(access_key, secret_key, session_token), "s3", region)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    names = signer.signed_headers(signer.headers_to_sign(request))
    signature = signer.signature(text, request)
    scope = signer.scope(request)
    complete.append(
        ("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}")
    )
    return complete
