"""Hand the login of a terminal's environment to the engine, for both front ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui_uploader.errors import CloudBusy, CloudFault, LinkError, UploaderError
from tui_uploader.model.accounts import Login, SignInRequest
from tui_uploader.settings import Settings

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient


@dataclass(frozen=True, slots=True)
class HandOver:
    """A login that the engine accepted."""

    account: str
    unchecked: UploaderError | None = None
    """Why the cloud could not check the login. The engine waits for the cloud."""


async def hand_over_login(engine: EngineClient, settings: Settings, *, check: bool = True) -> HandOver | None:
    """Give the engine the login of the environment; None if there is none.

    With `check` the cloud checks the login now. Without, a login that the engine already has for the account is kept:
    the one of this shell may be wrong, and uploads may be running. Raises SignInRefused, UsageError.
    """
    if settings.login is None:
        return None
    login = Login(settings.cloud_url, settings.login.client_id, settings.login.client_secret)
    if not check and login.account in [known.account for known in await engine.accounts()]:
        return HandOver(login.account)
    request = SignInRequest(login, keep=False, verify=check)
    try:
        return HandOver((await engine.sign_in(request)).account)
    except (LinkError, CloudBusy, CloudFault) as error:
        return HandOver((await engine.sign_in(replace(request, verify=False))).account, error)
