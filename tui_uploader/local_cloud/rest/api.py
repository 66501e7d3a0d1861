"""The REST API: OAuth2 tokens, projects, S3 credentials, registration, processing.

Replies and errors have the shapes known from PIX4Dcloud, which seems to use Django REST framework. In the strict
profile, replies have only the certain fields, and some that no client knows.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from tui_uploader.local_cloud.bodies import BodyTooLarge
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile
from tui_uploader.local_cloud.rest.input import RestRefusal, form_fields, json_object, page_number, text_field
from tui_uploader.local_cloud.rest.processing import Phase, phase, processing_seconds, waiting_seconds
from tui_uploader.local_cloud.rest.results import described, iso_time, result_in
from tui_uploader.local_cloud.storage.names import BUCKET
from tui_uploader.local_cloud.storage.projects import CloudProject, ProjectFull, ProjectStore, RootLogin
from tui_uploader.local_cloud.storage.results import ResultStore
from tui_uploader.local_cloud.threads import Threads
from tui_uploader.local_cloud.tokens import TokenRefused, TokenService

API = "/project/api/v3"
MAX_IMAGES = 4000
"""Images of one project (PIX4D, support article 203694199)."""
LONGEST_NAME = 100
STRICT_BATCH = 100
"""Largest registration, in keys, in the strict profile; the limit of PIX4Dcloud is not known."""
REGION = "eu-central-1"

_PAGE_SIZE, _LARGEST_PAGE, _LARGEST_INPUTS_PAGE = 30, 100, 1000
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_UNKNOWN_FIELDS = {"lane": {"color": "mauve", "slots": [3, 5, 8]}, "x_revision": 7, "quota_hint": None}
_UNKNOWN_STATUS = "PARKED_IN_LANE"

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Endpoint:
    pattern: re.Pattern[str]
    methods: Mapping[str, Callable[[RestApp, Request], Awaitable[Response]]]


class RestApp:
    """The REST API as an ASGI application."""

    def __init__(
        self,
        store: ProjectStore,
        results: ResultStore,
        login: RootLogin,
        tokens: TokenService,
        options: LocalCloudOptions,
        threads: Threads,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._results = results
        self._login = login
        self._tokens = tokens
        self._options = options
        self._threads = threads
        self._now = now
        self._strict = options.profile is Profile.STRICT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except RestRefusal as refusal:
            response = JSONResponse(refusal.body, refusal.status, refusal.headers)
        except BodyTooLarge:
            response = JSONResponse({"detail": "The body is too large."}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.scope["path"]
        for endpoint in _ENDPOINTS:
            if found := endpoint.pattern.fullmatch(path):
                break
            if endpoint.pattern.fullmatch(path + "/"):
                return RedirectResponse(path + "/", HTTPStatus.MOVED_PERMANENTLY)
        else:
            raise RestRefusal(HTTPStatus.NOT_FOUND, "Not found.")
        handler = endpoint.methods.get(request.method)
        if handler is None:
            raise RestRefusal(HTTPStatus.METHOD_NOT_ALLOWED, f'Method "{request.method}" not allowed.')
        if handler is not RestApp._token:
            self._check_token(request)
        request.scope["path_params"] = found.groupdict()
        return await handler(self, request)

    # ------------------------------------------------------------------------------------------------ sign-in

    async def _token(self, request: Request) -> Response:
        fields = await form_fields(request)
        if fields.get("grant_type") != "client_credentials":
            error = "unsupported_grant_type" if fields.get("grant_type") else "invalid_request"
            return JSONResponse({"error": error}, HTTPStatus.BAD_REQUEST)
        id_fits = _same(fields.get("client_id", ""), self._login.client_id)
        secret_fits = _same(fields.get("client_secret", ""), self._login.client_secret)
        if not (id_fits and secret_fits):
            return JSONResponse({"error": "invalid_client"}, HTTPStatus.UNAUTHORIZED)
        lifetime = self._options.token_lifetime
        token = self._tokens.access_token(self._login.client_id, self._now() + lifetime)
        return self._reply({"access_token": token, "token_type": "Bearer", "expires_in": int(lifetime)})

    def _check_token(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        challenge = {"www-authenticate": "Bearer"}
        if scheme.lower() != "bearer":
            detail = "Authentication credentials were not provided."
            raise RestRefusal(HTTPStatus.UNAUTHORIZED, detail, headers=challenge)
        try:
            self._tokens.check_access_token(token.strip(), self._now())
        except TokenRefused as error:
            raise RestRefusal(HTTPStatus.UNAUTHORIZED, str(error), headers=challenge) from error

    # ----------------------------------------------------------------------------------------------- projects

    async def _create(self, request: Request) -> Response:
        name = text_field(await json_object(request), "name").strip()
        if not name:
            raise RestRefusal(HTTPStatus.BAD_REQUEST, {"name": ["This field may not be blank."]})
        if len(name) > LONGEST_NAME:
            long = f"Ensure this field has no more than {LONGEST_NAME} characters."
            raise RestRefusal(HTTPStatus.BAD_REQUEST, {"name": [long]})
        if "/" in name or "\\" in name:
            raise RestRefusal(HTTPStatus.BAD_REQUEST, {"name": ["Slashes are not allowed."]})
        project = await self._threads.run(self._store.create, name)
        return self._reply(
            {"id": project.id, "bucket_name": BUCKET, "s3_base_path": project.prefix},
            optional=self._described(project, request),
            status=HTTPStatus.CREATED,
        )

    async def _list(self, request: Request) -> Response:
        if self._strict:
            raise RestRefusal(HTTPStatus.FORBIDDEN, "You do not have permission to perform this action.")
        page = page_number(request, "page", 1)
        size = min(page_number(request, "page_size", _PAGE_SIZE), _LARGEST_PAGE)
        count, projects = await self._threads.run(self._store.page, (page - 1) * size, size)
        if page > 1 and not projects:
            raise RestRefusal(HTTPStatus.NOT_FOUND, "Invalid page.")

        def address(number: int) -> str:
            return f"{_origin(request)}{API}/projects/?page={number}&page_size={size}"

        return self._reply(
            {
                "count": count,
                "next": address(page + 1) if page * size < count else None,
                "previous": address(page - 1) if page > 1 else None,
                "results": [self._described(project, request) for project in projects],
            }
        )

    async def _get(self, request: Request) -> Response:
        project = await self._project(request)
        required: Json = {"id": project.id, "name": project.name, "public_status": self._public_status(project)}
        return self._reply(required, optional=self._described(project, request))

    async def _credentials(self, request: Request) -> Response:
        project = await self._project(request)
        now = self._now()
        issued = self._tokens.issue_credentials(project.prefix, now + self._options.credentials_lifetime)
        # PIX4Dcloud may omit endpoint_override; here clients need it, because this S3 is not Amazon's.
        required: Json = {
            "access_key": issued.access_key,
            "secret_key": issued.secret_key,
            "session_token": issued.session_token,
            "bucket": BUCKET,
            "key": project.prefix,
            "endpoint_override": _host(request),
        }
        optional: Json = {
            "region": REGION,
            "is_bucket_accelerated": False,
            "expiration": iso_time(issued.expires_at),
            "server_time": iso_time(now),
        }
        return self._reply(required, optional=optional)

    # ------------------------------------------------------------------------------------------- registration

    async def _register_images(self, request: Request) -> Response:
        project = await self._project(request)
        keys = _keys(await json_object(request))
        if self._strict and len(keys) > STRICT_BATCH:
            detail = f"No more than {STRICT_BATCH} keys at a time."
            raise RestRefusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        try:
            registered = await self._threads.run(
                self._store.register_images, project.id, keys, most=MAX_IMAGES, all_or_none=self._strict
            )
        except ProjectFull as error:
            raise RestRefusal(HTTPStatus.BAD_REQUEST, f"A project takes {MAX_IMAGES} images at most.") from error
        if self._strict and registered.unknown:
            raise RestRefusal(HTTPStatus.BAD_REQUEST, {"input_file_keys": ["Some keys do not exist."]})
        return self._reply({}, optional={"nb_images_registered": registered.added})

    async def _inputs(self, request: Request) -> Response:
        """The documentation only mentions this endpoint; its shape here is that of the other lists."""
        project = await self._project(request)
        if self._strict:
            raise RestRefusal(HTTPStatus.NOT_FOUND, "Not found.")
        page = page_number(request, "page", 1)
        size = min(page_number(request, "page_size", _PAGE_SIZE), _LARGEST_INPUTS_PAGE)
        keys = await self._threads.run(self._store.images, project.id)
        mine = keys[(page - 1) * size : page * size]
        more = f"{_origin(request)}{request.url.path}?page={page + 1}&page_size={size}"
        results = [{"file_key": key} for key in mine]
        return self._reply({"count": len(keys), "next": more if page * size < len(keys) else None, "results": results})

    async def _register_result(self, request: Request) -> Response:
        """An endpoint of our own, for that of PIX4Dcloud is not public. The strict profile lacks it."""
        project = await self._project_with_results(request)
        result = result_in(await json_object(request))
        unknown = await self._threads.run(self._results.register, project.id, result)
        if unknown:
            field = "file_key" if result.key in unknown else "companion_keys"
            raise RestRefusal(HTTPStatus.BAD_REQUEST, {field: [f"No such file: {unknown[0]}"]})
        return self._reply({"file_key": result.key, "result_type": result.result_type}, status=HTTPStatus.CREATED)

    async def _list_results(self, request: Request) -> Response:
        """The current results, each with those that it replaced."""
        project = await self._project_with_results(request)
        listed = described(await self._threads.run(self._results.results, project.id))
        return self._reply({"count": len(listed), "next": None, "previous": None, "results": listed})

    async def _project_with_results(self, request: Request) -> CloudProject:
        project = await self._project(request)
        if self._strict:
            raise RestRefusal(HTTPStatus.NOT_FOUND, "Not found.")
        return project

    # --------------------------------------------------------------------------------------------- processing

    async def _start(self, request: Request) -> Response:
        project = await self._project(request)
        if not project.images + project.results:
            raise RestRefusal(HTTPStatus.BAD_REQUEST, "The project has no images.")
        run = await self._threads.run(self._store.start, project.id, self._options.processing_seconds)
        estimates: Json = {"estimated_waiting_time": waiting_seconds(run), "estimated_time": processing_seconds(run)}
        return self._reply({}, optional=estimates)

    # ------------------------------------------------------------------------------------------------- shared

    async def _project(self, request: Request) -> CloudProject:
        project = await self._threads.run(self._store.project, int(request.path_params["project"]))
        if project is None:
            raise RestRefusal(HTTPStatus.NOT_FOUND, "Not found.")
        return project

    def _described(self, project: CloudProject, request: Request) -> Json:
        return {
            "id": project.id,
            "name": project.name,
            "public_status": self._public_status(project),
            "display_detailed_status": self._public_status(project).capitalize(),
            "error_reason": None,
            "create_date": iso_time(project.created),
            "image_count": project.images,
            "result_count": project.results,
            "bucket_name": BUCKET,
            "s3_base_path": project.prefix,
            "detail_url": f"{_origin(request)}{API}/projects/{project.id}/",
        }

    def _phase(self, project: CloudProject) -> Phase:
        return phase(project.images + project.results, project.run, self._now())

    def _public_status(self, project: CloudProject) -> str:
        current = self._phase(project)
        return _UNKNOWN_STATUS if self._strict and current is Phase.WAITING else current

    def _reply(self, required: Json, *, optional: Json | None = None, status: int = HTTPStatus.OK) -> Response:
        return JSONResponse(required | (_UNKNOWN_FIELDS if self._strict else optional or {}), status)


_PROJECT = API + r"/projects/(?P<project>[0-9]{1,15})/"
_ENDPOINTS: Sequence[_Endpoint] = (
    _Endpoint(re.compile(r"/oauth2/token/"), {"POST": RestApp._token}),
    _Endpoint(re.compile(API + r"/projects/"), {"GET": RestApp._list, "POST": RestApp._create}),
    _Endpoint(re.compile(_PROJECT), {"GET": RestApp._get}),
    _Endpoint(re.compile(_PROJECT + r"s3_credentials/"), {"GET": RestApp._credentials}),
    _Endpoint(re.compile(_PROJECT + r"inputs/bulk_register/"), {"POST": RestApp._register_images}),
    _Endpoint(re.compile(_PROJECT + r"inputs/"), {"GET": RestApp._inputs}),
    _Endpoint(re.compile(_PROJECT + r"results/"), {"GET": RestApp._list_results, "POST": RestApp._register_result}),
    _Endpoint(re.compile(_PROJECT + r"start_processing/"), {"POST": RestApp._start}),
)


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(errors="replace"), right.encode(errors="replace"))


def _keys(fields: Mapping[str, object]) -> list[str]:
    keys = fields.get("input_file_keys")
    if not isinstance(keys, list) or not keys:
        raise RestRefusal(HTTPStatus.BAD_REQUEST, {"input_file_keys": ["Expected a list of keys."]})
    return [text_field({"input_file_keys": key}, "input_file_keys") for key in keys]


def _host(request: Request) -> str:
    """Host and port as the client addressed them: no other name of this server is sure to work for it."""
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise RestRefusal(HTTPStatus.BAD_REQUEST, "Invalid HTTP_HOST header.")
    return host


def _origin(request: Request) -> str:
    return f"{request.scope['scheme']}://{_host(request)}"
