"""Bearer tokens and storage keys, made and recognised without keeping them.

Each is its own signed statement, so a restart forgets none and there is no table of them to grow or to lock. The
secret key of a storage key is derived from its access key; nobody but the holder of the root's signing key can.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from tui_uploader.local_cloud.s3.errors import S3Refusal


class PassRefused(Exception):
    """A token that was not made here, or that ran out; the message is for the client."""


@dataclass(frozen=True, slots=True)
class StorageKey:
    """Temporary S3 credentials for the objects of one project. The secrets are in no repr."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(repr=False)
    prefix: str
    """Base path without trailing slash; every object key begins with it and a slash."""
    expires_at: float


class PassOffice:
    """Makes and recognises passes with the signing key of a root."""

    def __init__(self, signing_key: bytes) -> None:
        self._signing_key = signing_key

    def bearer_token(self, client_id: str, expires_at: float) -> str:
        """A JWT (HS256), as the service's `token_format=jwt` asks for."""
        return self._signed("JWT", {"sub": client_id, "exp": expires_at, "jti": secrets.token_hex(8)})

    def check_bearer_token(self, token: str, now: float) -> None:
        """Raises PassRefused."""
        if not _in_time(self._statement("JWT", token), now):
            raise PassRefused("Token has expired.")

    def storage_key(self, prefix: str, expires_at: float) -> StorageKey:
        access_key = "ASIA" + base64.b32encode(secrets.token_bytes(10)).decode()
        statement = {"key": access_key, "prefix": prefix, "exp": expires_at}
        return StorageKey(
            access_key=access_key,
            secret_key=self._secret_key(access_key),
            session_token=self._signed("S3", statement),
            prefix=prefix,
            expires_at=expires_at,
        )

    def recognised(self, access_key: str, session_token: str | None) -> StorageKey:
        """The storage key that a request names; it may have run out. Raises S3Refusal for one not made here."""
        if session_token is None:
            raise S3Refusal("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        try:
            statement = self._statement("S3", session_token)
        except PassRefused as error:
            raise S3Refusal("InvalidToken", "The provided token is malformed or otherwise invalid.") from error
        if statement["key"] != access_key:
            raise S3Refusal("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        return StorageKey(
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
        """What a token of this kind says. Raises PassRefused."""
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(body).encode(), signature.encode(errors="replace")):
            raise PassRefused("Invalid token.")
        head, _, statement = body.partition(".")
        # Signed here means made here: the form needs no more doubt.
        if json.loads(_from_base64url(head))["typ"] != kind:
            raise PassRefused("Invalid token.")
        found: Mapping[str, object] = json.loads(_from_base64url(statement))
        return found

    def _signature(self, body: str) -> str:
        return _base64url(hmac.digest(self._signing_key, body.encode(errors="replace"), "sha256"))


def _in_time(statement: Mapping[str, object], now: float) -> bool:
    return now < float(str(statement["exp"]))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
