"""Logins and accounts."""

from __future__ import annotations

import msgspec


class Login(msgspec.Struct, frozen=True):
    """An API credential. Its repr omits the secret."""

    cloud_url: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Login(cloud_url={self.cloud_url!r}, client_id={self.client_id!r})"

    @property
    def account(self) -> str:
        return f"{self.client_id}@{self.cloud_url}"


class SignInRequest(msgspec.Struct, frozen=True):
    login: Login
    keep: bool = False
    """Store it for later engines (keyring, or a private file); otherwise it is kept until this engine exits."""
    profile: str = "default"
    verify: bool = True
    """Request a token now, and fail if the cloud refuses it."""


class Account(msgspec.Struct, frozen=True):
    """A signed-in account, without the secret."""

    account: str
    cloud_url: str
    client_id: str
    source: str
    """Origin of the login: `environment`, `keyring`, `file`, `engine`."""
