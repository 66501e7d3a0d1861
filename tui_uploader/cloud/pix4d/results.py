"""Processed results in the API of a cloud like PIX4Dcloud.

PIX4D has published no call for them. The one here is ours, for other clouds: `results/` below a project. POST takes
`result_type`, `name`, `file_key`, `companion_keys` and `crs`, and replaces the project's result of that type; GET lists
what the project has.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from tui_uploader.cloud.contract import Registration, RemoteResult, StoredResult
from tui_uploader.cloud.http.error_mapping import finite
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.pix4d.calls import ABOUT_ITEMS, NO_SUCH_CALL, NOT_OFFERED, path_of_project, reason_of
from tui_uploader.cloud.pix4d.rest import RestApi
from tui_uploader.errors import Unsupported
from tui_uploader.model.results import CoordinateSystem, ResultType
from tui_uploader.text import printable

_MOST = 1000
_LONGEST_NAME = 255
_LARGEST_CODE = 10**7


class ResultCalls:
    """The calls for results at one service; a `ResultRegistry`."""

    def __init__(self, rest: RestApi, find_project: Callable[[str], Awaitable[object]]) -> None:
        """`find_project` raises NoSuchProject."""
        self._rest = rest
        self._find_project = find_project
        self._taken = False if is_pix4d(rest.origin.host) else None
        """None: not asked yet."""

    async def check_taken(self, project_id: str | None = None) -> None:
        if self._taken is None and project_id is not None:
            await self.listed(project_id)
        if self._taken is False:
            raise not_taken(self._rest.origin.host)

    async def register(self, project_id: str, result: StoredResult) -> Registration:
        reply = await self._ask(project_id, "POST", "register a result", registration(result))
        if reply.ok:
            return Registration((result.key,))
        return Registration((), {result.key: reason_of(self._rest.origin.host, reply)})

    async def listed(self, project_id: str) -> Sequence[RemoteResult]:
        reply = await self._ask(project_id, "GET", "list the results of a project")
        return listed(self._rest.json_value(reply)) if reply.ok else ()

    async def _ask(self, project_id: str, method: str, what: str, body: dict[str, object] | None = None) -> Reply:
        """Raises Unsupported, and NoSuchProject if the project is what was not found."""
        if self._taken is False:
            raise not_taken(self._rest.origin.host)
        judged = (*ABOUT_ITEMS, *(NOT_OFFERED if method == "GET" else NO_SUCH_CALL))
        path = path_of_project(project_id, "results/")
        reply = await self._rest.call(method, path, what, body=body, judged_by_caller=judged, repeatable=True)
        if reply.status == 404:
            await self._find_project(project_id)
        self._taken = reply.status not in NOT_OFFERED
        if not self._taken:
            raise not_taken(self._rest.origin.host)
        return reply


def is_pix4d(host: str) -> bool:
    """Whether the host is one of the real service, which is known to have no call for results."""
    return host == "pix4d.com" or host.endswith(".pix4d.com")


def not_taken(host: str) -> Unsupported:
    """Why nothing was sent, and what can be done."""
    if is_pix4d(host):
        return Unsupported(
            f"{host} takes processed results only on its web page: its public API has no call that adds them to a "
            f"project. Nothing was sent. Upload them at https://{host}, or to a cloud whose API takes results."
        )
    return Unsupported(
        f"{host} has no call that adds processed results to a project. Nothing was sent. Ask who runs it, or upload "
        "them to a cloud whose API takes results."
    )


def registration(result: StoredResult) -> dict[str, object]:
    """The body of a registration."""
    body: dict[str, object] = {
        "result_type": str(result.type),
        "name": result.name,
        "file_key": result.key,
        "companion_keys": list(result.companions),
    }
    return body if result.crs is None else body | {"crs": msgspec.to_builtins(result.crs)}


def listed(value: object) -> Sequence[RemoteResult]:
    """The results in a decoded reply, without those of types that we do not know."""
    items = value.get("results") if isinstance(value, dict) else value
    return tuple(_results(items)) if isinstance(items, list) else ()


def _results(items: Sequence[object]) -> Iterator[RemoteResult]:
    types = {str(each): each for each in ResultType}
    for item in items[:_MOST]:
        if not isinstance(item, dict):
            continue
        kind, name, key = (item.get(field) for field in ("result_type", "name", "file_key"))
        if not isinstance(kind, str) or kind not in types or not isinstance(key, str):
            continue
        shown = name if isinstance(name, str) and name else key.rpartition("/")[2]
        size = finite(item.get("size"))
        yield RemoteResult(
            types[kind],
            printable(shown, _LONGEST_NAME),
            key,
            int(size) if size is not None and size > 0 else 0,
            _time(item.get("registered_at")),
            _crs(item.get("crs")),
        )


def _time(value: object) -> float | None:
    """Seconds since the epoch of an ISO 8601 time with a zone."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if found is None or found.tzinfo is None else found.timestamp()
    except (ValueError, OverflowError):
        return None


def _crs(value: object) -> CoordinateSystem | None:
    if not isinstance(value, Mapping):
        return None
    code, name, projected = (value.get(field) for field in ("code", "name", "projected"))
    return CoordinateSystem(
        code if type(code) is int and 0 < code < _LARGEST_CODE else None,
        printable(name, _LONGEST_NAME) if isinstance(name, str) else "",
        projected if isinstance(projected, bool) else None,
    )
