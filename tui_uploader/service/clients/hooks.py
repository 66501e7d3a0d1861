"""Commands, web addresses and services that are told what happens."""

from __future__ import annotations

from tui_uploader.model.hooks import Hook, HookEvent, HookTest
from tui_uploader.service.connection import ENGINE_PATIENCE, EngineConnection
from tui_uploader.service.protocol import HookTestRequest


class HookClient:
    """Every method raises only errors of `errors`, and UsageError when the settings file is invalid."""

    def __init__(self, connection: EngineConnection) -> None:
        self._connection = connection

    async def listed(self) -> tuple[Hook, ...]:
        return await self._connection.get("/v1/hooks", tuple[Hook, ...])

    async def test(self, event: HookEvent | None = None) -> tuple[HookTest, ...]:
        """Tell all hooks a sample now, once each; without `event` the first one that each wants to know."""
        longest = max((hook.seconds for hook in await self.listed()), default=0.0)
        patience = ENGINE_PATIENCE + 2 * longest  # one that is being told something else is told when that has ended
        request = HookTestRequest(event)
        return await self._connection.post("/v1/hooks/test", tuple[HookTest, ...], request, patience=patience)
