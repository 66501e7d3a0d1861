"""Watched folders."""

from __future__ import annotations

from msgspec.structs import replace

from tui_uploader.model.watches import Watch, WatchRequest
from tui_uploader.service.clients.paths import absolute
from tui_uploader.service.connection import CLOUD_PATIENCE, EngineConnection


class WatchesClient:
    """The methods of `engine.watches.watches.Watches` over the engine's socket."""

    def __init__(self, connection: EngineConnection) -> None:
        self._connection = connection

    async def list(self) -> tuple[Watch, ...]:
        return await self._connection.get("/v1/watches", tuple[Watch, ...])

    async def add(self, request: WatchRequest) -> Watch:
        """Watch a folder from now on; if it is watched already, change the settings.

        Raises UsageError for a folder that cannot be watched, NoSuchProject, NotSignedIn.
        """
        (path,) = absolute((request.path,))
        return await self._connection.post("/v1/watches", Watch, replace(request, path=path), patience=CLOUD_PATIENCE)

    async def remove(self, watch: int) -> Watch:
        """Stop watching a folder; what was added stays in its uploads. Raises NoSuchWatch."""
        return await self._connection.post(f"/v1/watches/{watch}/remove", Watch)
