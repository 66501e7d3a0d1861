"""PIX4Dcloud as a `Cloud`.

Paths, fields and replies follow PIX4D's public sample client (github.com/Pix4D/demo-pix4d-cloud-api) and third-party
clients; everything that PIX4D does not document is optional here.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable, Sequence, Set
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from tui_uploader.cloud.contract import (
    ObjectStore,
    Registration,
    RemoteProject,
    Shortfall,
    ShortfallResolution,
    StartReceipt,
    StoreConnections,
)
from tui_uploader.cloud.http.error_mapping import finite, foreign_answer, web_page
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.net.endpoint import Deadlines, Origin
from tui_uploader.cloud.pix4d import projects
from tui_uploader.cloud.pix4d.calls import ABOUT_ITEMS, NOT_OFFERED, PROJECTS, path_of_project, reason_of
from tui_uploader.cloud.pix4d.registration import Accepted, BatchRegistration, Refused, TooLarge, keys_named
from tui_uploader.cloud.pix4d.rest import TOKEN_PATH, RestApi
from tui_uploader.cloud.pix4d.results import ResultCalls
from tui_uploader.cloud.pix4d.shortfall import missing_objects, resolve
from tui_uploader.cloud.refresh import Renewable
from tui_uploader.cloud.s3.capabilities import KnownStores
from tui_uploader.cloud.s3.client import S3Client
from tui_uploader.cloud.s3.endpoint_policy import check_storage_endpoint
from tui_uploader.cloud.s3.session_credentials import SessionCredentials, session_credentials
from tui_uploader.cloud.s3.store import S3Store
from tui_uploader.cloud.server_clock import ServerClock
from tui_uploader.cloud.throttle import Throttle
from tui_uploader.errors import (
    CloudFault,
    CloudUnintelligible,
    LinkError,
    NoSuchProject,
    Unsupported,
    UploaderError,
    UsageError,
)
from tui_uploader.model.accounts import Login
from tui_uploader.settings import Settings
from tui_uploader.text import printable

REGISTER_BATCH = 500

_PROBE_SECONDS, _BETWEEN_PROBES = 3.2, 1.0
"""Within these seconds the kernel itself retries after 1, 2 and 3 s, before Linux 6.5 after 1 and 3 s."""

_PAGE_SIZE, _INPUTS_PAGE_SIZE = 100, 1000
_MAX_PAGES = 50
_TOO_MUCH_AT_ONCE = (413, 504)


@dataclass(frozen=True, slots=True)
class _Page:
    number: int
    items: list[object]
    count: object
    """The number of all items, as the service has it."""


class Pix4dCloud:
    """One account at one PIX4Dcloud; a `Cloud`. Belongs to one event loop."""

    def __init__(
        self,
        login: Login,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.time,
        deadlines: Deadlines | None = None,
    ) -> None:
        """Raises UsageError for an invalid address. Does not connect yet."""
        self.account = login.account
        self._web = login.cloud_url.rstrip("/")
        self._clock = ServerClock(clock)
        self._deadlines = deadlines or Deadlines()
        self._rest = RestApi(login, settings, self._clock, self._deadlines)
        self._pool = ConnectionPool(settings, self._deadlines)
        self._stores: dict[str, S3Store] = {}
        self._known_stores = KnownStores()
        self._credentials: list[Renewable[SessionCredentials]] = []
        self.registration_batch = REGISTER_BATCH
        self.results = ResultCalls(self._rest, self.project)

    async def close(self) -> None:
        for credentials in self._credentials:
            await credentials.close()
        await self._rest.close()
        await self._pool.close()

    def use_throttle(self, throttle: Throttle) -> None:
        self._pool.throttle = throttle

    @property
    def connections(self) -> StoreConnections:
        return self._pool

    async def sign_in(self) -> None:
        await self._rest.sign_in()

    async def probe(self) -> None:
        await self._rest.renew_connections()
        # Concurrently: over a lossy link, one after the other would take seconds.
        stores = {
            origin: asyncio.create_task(self._pool.probe(origin, _PROBE_SECONDS), name="probe-store")
            for origin in self._pool.known
            if origin != self._rest.origin
        }
        try:
            await self._probe_service()
            for origin, reached in stores.items():
                await self._note_store(origin, reached)
        finally:
            for reached in stores.values():
                reached.cancel()
            await asyncio.gather(*stores.values(), return_exceptions=True)

    async def _probe_service(self) -> None:
        # A bare connection first: it is the fastest way to notice a dead host or a name that does not resolve.
        await self._pool.probe(self._rest.origin, _PROBE_SECONDS)
        # This path needs no token and never answers with a web page, so a page comes from a proxy or portal.
        reply = await self._rest.anonymous("GET", TOKEN_PATH)
        foreign = foreign_answer(reply, self._rest.origin.host)
        if foreign is not None:
            raise foreign

    async def _note_store(self, origin: Origin, reached: asyncio.Task[None]) -> None:
        try:
            await reached
        except LinkError:
            self._pool.forget(origin)
            raise

    async def wait_reachable(self) -> None:
        origin = next(iter(self._pool.known), self._rest.origin)
        while True:
            began = time.monotonic()
            try:
                await self._pool.probe_known(origin, _PROBE_SECONDS)
            except LinkError as error:
                if isinstance(error.__cause__, ConnectionRefusedError):
                    raise
                await asyncio.sleep(max(0.0, began + _BETWEEN_PROBES - time.monotonic()))
            else:
                return

    # ------------------------------------------------------------------------------------------------ projects

    def kept_name(self, name: str) -> str:
        return projects.kept_name(name)

    async def create_project(self, name: str) -> RemoteProject:
        wanted = self.kept_name(name)
        if not wanted:
            raise UsageError("A project needs a name.")
        reply = await self._rest.call("POST", PROJECTS, "create the project", body={"name": wanted}, repeatable=False)
        return self._project_in(self._rest.json_object(reply), name=wanted)

    async def project(self, project_id: str) -> RemoteProject:
        return self._project_in(await self._of_project(project_id, "GET", "", "show the project"), id=project_id)

    async def projects(self, known: Sequence[RemoteProject] = ()) -> Sequence[RemoteProject]:
        found: list[RemoteProject] = []
        async with aclosing(self._pages(PROJECTS, _PAGE_SIZE, "list projects")) as pages:
            async for page in pages:
                named = [item for item in page.items if isinstance(item, dict) and projects.project_id(item.get("id"))]
                found += [self._project_in(item) for item in named]
                if page.number == 1 and (all_of_them := projects.merged(found, page.count, known)) is not None:
                    return all_of_them
        return projects.newest_first(found)

    def store(self, project_id: str) -> ObjectStore:
        store = self._stores.get(project_id)
        if store is None:

            async def fetch() -> SessionCredentials:
                fields = await self._of_project(project_id, "GET", "s3_credentials/", "issue storage credentials")
                check_storage_endpoint(fields, self._rest.origin)
                return session_credentials(fields, self._clock)

            credentials = Renewable(fetch, lambda each: each.life, self._clock.now)
            self._credentials.append(credentials)
            client = S3Client(
                project_id, credentials, self._pool, self._rest.origin, self._clock, self._deadlines, self._known_stores
            )
            store = S3Store(client)
            self._stores[project_id] = store
        return store

    # ------------------------------------------------------------------------------------------------ its files

    async def register_images(
        self, project_id: str, keys: Sequence[str], asked_before: Set[str] = frozenset()
    ) -> Registration:
        batches = BatchRegistration(partial(self._register, project_id), self.registration_batch, random.sample)
        try:
            return await batches.run(keys, asked_before)
        finally:
            self.registration_batch = batches.size

    async def resolve_shortfall(self, project_id: str, shortfall: Shortfall) -> ShortfallResolution:
        async def count(keys: Sequence[str]) -> int | None:
            answer = await self._register(project_id, keys)
            return answer.counted if isinstance(answer, Accepted) else None

        try:
            listed: Set[str] | None = await self.registered_images(project_id)
        except (Unsupported, CloudUnintelligible):
            listed = None
        return await resolve(shortfall, listed, partial(missing_objects, self.store(project_id)), count)

    async def _register(self, project_id: str, batch: Sequence[str]) -> Accepted | TooLarge | Refused:
        path = path_of_project(project_id, "inputs/bulk_register/")
        judged = (*ABOUT_ITEMS, 404, *_TOO_MUCH_AT_ONCE)
        body = {"input_file_keys": list(batch)}
        # Only the engine repeats this, knowing that fewer keys may be new; otherwise a lost reply looks like a refusal.
        reply = await self._rest.call(
            "POST", path, "register images", body=body, judged_by_caller=judged, repeatable=False
        )
        if reply.ok:
            return Accepted(_registered_count(reply))
        failure = self._refusal(reply, "register images")
        if reply.status in _TOO_MUCH_AT_ONCE:
            return TooLarge(failure)
        if reply.is_html and reply.status != 404:
            raise web_page(reply, self._rest.origin.host)
        named = {
            key: reason_of(self._rest.origin.host, reply, text)
            for key, text in keys_named(_json_or_nothing(reply), batch).items()
        }
        if reply.status == 404 and not named:
            raise _no_such_project(project_id, self._rest.origin.host)
        return Refused(failure, reason_of(self._rest.origin.host, reply), named)

    async def registered_images(self, project_id: str) -> Set[str]:
        """Return every text in the project's list of inputs, keys among them. Raises Unsupported, CloudUnintelligible.

        The documentation names the call, and neither its path nor its fields.
        """
        pages = self._pages(path_of_project(project_id, "inputs/"), _INPUTS_PAGE_SIZE, "list the images of a project")
        items = [item async for page in pages for item in page.items]
        fields = [item.values() if isinstance(item, dict) else (item,) for item in items]
        return frozenset(text for values in fields for text in values if isinstance(text, str))

    # ----------------------------------------------------------------------------------------------- processing

    async def start_processing(self, project_id: str) -> StartReceipt:
        path = path_of_project(project_id, "start_processing/")
        reply = await self._rest.call("POST", path, "start processing", repeatable=False, judged_by_caller=(404,))
        if reply.status == 404:
            raise _no_such_project(project_id, self._rest.origin.host)
        fields = _object_or_nothing(reply)
        return StartReceipt(
            waiting_seconds=_seconds(fields.get("estimated_waiting_time")),
            processing_seconds=_seconds(fields.get("estimated_time")),
        )

    # -------------------------------------------------------------------------------------------------- helpers

    async def _of_project(self, project_id: str, method: str, path: str, what: str) -> dict[str, object]:
        """Raises NoSuchProject."""
        reply = await self._rest.call(method, path_of_project(project_id, path), what, judged_by_caller=(404,))
        if reply.status == 404:
            raise _no_such_project(project_id, self._rest.origin.host)
        return self._rest.json_object(reply)

    async def _offered(self, method: str, path: str, what: str, body: dict[str, object] | None = None) -> Reply:
        """The reply to a call that a service may lack. Raises Unsupported."""
        reply = await self._rest.call(method, path, what, body=body, judged_by_caller=NOT_OFFERED)
        if reply.status in NOT_OFFERED:
            raise Unsupported(f"{self._rest.origin.host} (HTTP {reply.status}) does not offer to {what}.")
        return reply

    async def _pages(self, path: str, size: int, what: str) -> AsyncGenerator[_Page, None]:
        """A list, page by page. Raises Unsupported, CloudUnintelligible."""
        for page in range(1, _MAX_PAGES + 1):
            value = self._rest.json_value(await self._offered("GET", f"{path}?page={page}&page_size={size}", what))
            items = value.get("results") if isinstance(value, dict) else value
            if not isinstance(items, list):
                raise CloudUnintelligible(f"{self._rest.origin.host} sent no list when asked to {what}.")
            yield _Page(page, items, value.get("count") if isinstance(value, dict) else None)
            if not isinstance(value, dict) or not value.get("next") or not items:
                return

    def _refusal(self, reply: Reply, what: str) -> UploaderError:
        return self._rest.failure(reply, what) or CloudFault(f"{self._rest.origin.host} did not {what}.")

    def _project_in(self, fields: dict[str, object], *, id: str | None = None, name: str = "") -> RemoteProject:
        """Raises CloudUnintelligible for a project without an id."""
        project = projects.parsed_project(fields, self._web, id=id, name=name)
        if project is None:
            raise CloudUnintelligible(f"{self._rest.origin.host} sent a project without an id.")
        return project


def _seconds(value: object) -> float | None:
    seconds = finite(value)
    return seconds if seconds is not None and seconds >= 0 else None


def _registered_count(reply: Reply) -> int | None:
    count = finite(_object_or_nothing(reply).get("nb_images_registered"))
    return None if count is None else int(count)


def _object_or_nothing(reply: Reply) -> dict[str, object]:
    """The fields of a reply whose body is optional."""
    value = _json_or_nothing(reply)
    return value if isinstance(value, dict) else {}


def _json_or_nothing(reply: Reply) -> object:
    try:
        return reply.json()
    except ValueError:
        return None


def _no_such_project(project_id: str, host: str) -> NoSuchProject:
    return NoSuchProject(f"{host} (HTTP 404) has no project {printable(project_id, 100)} for this account.")
