"""Tell one hook one message, whichever way it is told."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Mapping

from tui_uploader import codec
from tui_uploader.engine.hooks.apprise_process import NOT_TOLD, Telling
from tui_uploader.engine.hooks.command import failure_of, own_environment, run_program
from tui_uploader.engine.hooks.message import Message
from tui_uploader.errors import HookFailed, HookUnavailable
from tui_uploader.hook_settings import HookSettings
from tui_uploader.model.hooks import HookEvent, HookKind
from tui_uploader.settings import APP, Settings

_APPRISE = (sys.executable, "-P", "-X", "utf8", "-m", "tui_uploader.engine.hooks.apprise_process")
_KINDS: Mapping[HookEvent, str] = {
    HookEvent.COMPLETE: "success",
    HookEvent.FAILED: "failure",
    HookEvent.NEEDS_YOU: "warning",
    HookEvent.PROCESSING_DONE: "success",
    HookEvent.PROCESSING_FAILED: "failure",
    HookEvent.CARD_SAFE: "success",
    HookEvent.CARD_IMAGES_SAFE: "warning",
    HookEvent.CARD_NOT_SAFE: "warning",
}
"""Notify types of apprise, which choose colours and icons."""


async def deliver(hook: HookSettings, message: Message, settings: Settings) -> str:
    """Return what the hook answered, safe for a terminal.

    Raises HookFailed, HookUnavailable or a LinkError; `retryable` says whether it may work in a moment.
    """
    match hook.kind:
        case HookKind.COMMAND:
            return await _run(hook, message)
        case HookKind.WEBHOOK:
            return await _posted(hook, message, settings)
        case HookKind.SERVICE:
            return await _told_by_apprise(hook, message, settings)


async def _run(hook: HookSettings, message: Message) -> str:
    ended = await run_program(hook.command, message.body, hook.seconds, own_environment())
    if (failure := failure_of(hook.name, ended, hook.seconds)) is not None:
        raise HookFailed(failure)
    return ended.output


async def _posted(hook: HookSettings, message: Message, settings: Settings) -> str:
    def load() -> object:
        from tui_uploader.engine.hooks import webhook  # the libraries for HTTP take a while to load

        return webhook

    await asyncio.to_thread(load)
    from tui_uploader.engine.hooks.webhook import post

    return await post(hook.name, hook.address, message.body, hook.seconds, settings)


async def _told_by_apprise(hook: HookSettings, message: Message, settings: Settings) -> str:
    if importlib.util.find_spec("apprise") is None:
        raise HookFailed(
            f"{hook.name} is told by apprise, which is not installed: install `{APP}[notify]`, for example with"
            f" `pipx install '{APP}[notify]'`."
        )
    telling = Telling(hook.address, message.title, message.sentence, _KINDS[message.event])
    environment = own_environment()
    if settings.proxy is not None:
        environment |= {"HTTPS_PROXY": settings.proxy, "HTTP_PROXY": settings.proxy}
    if settings.ca_file is not None:
        environment["REQUESTS_CA_BUNDLE"] = str(settings.ca_file)
    ended = await run_program(_APPRISE, codec.to_json(telling), hook.seconds, environment)
    if ended.code == NOT_TOLD:
        # apprise does not tell whether it may work in a moment.
        raise HookUnavailable(f"{hook.name} could not be told: {ended.error.rstrip('.')}.")
    if (failure := failure_of(hook.name, ended, hook.seconds)) is not None:
        raise HookUnavailable(failure)
    return "told"
