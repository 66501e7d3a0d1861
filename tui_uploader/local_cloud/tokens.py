"""Access tokens and temporary S3 credentials, issued and verified without storing them.

Each carries its own signed statement, so a restart invalidates none and no table of them grows. The secret key of S3
credentials is derived from their access key with the root's signing key.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field


class TokenRefused(Exception):
    """A token that was not issued here or has expired; the message is for the client."""


class UnknownAccessKey(Exception):
    """An access key that was not issued here."""


@dataclass(frozen=True, slots=True)
class IssuedCredentials:
    """Temporary S3 credentials for the objects of one project. The secrets are in no repr."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(repr=False)
    prefix: str
    """Base path without trailing slash; every object key begins with it and a slash."""
    expires_at: float


class TokenService:
    """Issues and verifies tokens and credentials with the signing key of a root."""

    def __init__(self, signing_key: bytes) -> None:
        self._signing_key = signing_key

    def access_token(self, client_id: str, expires_at: float) -> str:
        """A JWT (HS256), as `token_format=jwt` of PIX4Dcloud asks for."""
        return self._signed("JWT", {"sub": client_id, "exp": expires_at, "jti": secrets.token_hex(8)})

    def check_access_token(self, token: str, now: float) -> None:
        """Raises TokenRefused."""
        if now >= float(str(self._statement("JWT", token)["exp"])):
            raise TokenRefused("Token has expired.")

    def issue_credentials(self, prefix: str, expires_at: float) -> IssuedCredentials:
        access_key = "ASIA" + base64.b32encode(secrets.token_bytes(10)).decode()
        statement = {"key": access_key, "prefix": prefix, "exp": expires_at}
        return IssuedCredentials(
            access_key=access_key,
            secret_key=self._secret_key(access_key),
            session_token=self._signed("S3", statement),
            prefix=prefix,
            expires_at=expires_at,
        )

    def credentials_of(self, access_key: str, session_token: str | None) -> IssuedCredentials:
        """The credentials that a request names; they may have expired. Raises UnknownAccessKey, TokenRefused."""
        if session_token is None:
            raise UnknownAccessKey(access_key)
        statement = self._statement("S3", session_token)
        if statement["key"] != access_key:
            raise UnknownAccessKey(access_key)
        return IssuedCredentials(
            access_key=access_key,
            secret_key=self._secret_key(access_key),
            session_token=session_token,
            prefix=str(statement["prefix"]),
            expires_at=float(str(statement["exp"])),
        )

    def _secret_key(self, access_key: str) -> str:
        derived = hmac.digest(self._signing_key, b"secret key of " + access_key.encode(), "sha256")
        return base64.b64encode(derived).decode()[:40]

    def _signed(self, kind: str, statement: Mapping[str, object]) -> str:
        head = _base64url(json.dumps({"alg": "HS256", "typ": kind}).encode())
        body = f"{head}.{_base64url(json.dumps(statement).encode())}"
        return f"{body}.{self._signature(body)}"

    def _statement(self, kind: str, token: str) -> Mapping[str, object]:
        """The statement of a token of this kind. Raises TokenRefused."""
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(body).encode(), signature.encode(errors="replace")):
            raise TokenRefused("Invalid token.")
        head, _, statement = body.partition(".")
        # The signature is ours, so the form needs no further check.
        if json.loads(_from_base64url(head))["typ"] != kind:
            raise TokenRefused("Invalid token.")
        found: Mapping[str, object] = json.loads(_from_base64url(statement))
        return found

    def _signature(self, body: str) -> str:
        return _base64url(hmac.digest(self._signing_key, body.encode(errors="replace"), "sha256"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
