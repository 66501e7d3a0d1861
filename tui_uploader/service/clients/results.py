"""Processed results."""

from __future__ import annotations

from msgspec.structs import replace

from tui_uploader.model.results import ResultQuestion
from tui_uploader.model.uploads import AddRequest
from tui_uploader.service.clients.paths import absolute
from tui_uploader.service.connection import CLOUD_PATIENCE, EngineConnection


class ResultsClient:
    """Questions about results over the engine's socket."""

    def __init__(self, connection: EngineConnection) -> None:
        self._connection = connection

    async def survey(self, request: AddRequest) -> tuple[ResultQuestion, ...]:
        """The results in the paths of a request, and what the user has to decide before it can be added.

        Nothing is queued, or created at the service. Raises Unsupported if the cloud takes no results, UsageError,
        NoSuchPath, SourceUnreadable, NoSuchProject, NotSignedIn.
        """
        given = replace(request, paths=absolute(request.paths))
        return await self._connection.post(
            "/v1/results/survey", tuple[ResultQuestion, ...], given, patience=CLOUD_PATIENCE
        )
