"""The REST side: OAuth2 tokens, projects, S3 credentials, registration, processing.

Shapes of replies and errors follow what is known of PIX4Dcloud's API, which is a Django REST framework by its looks.
In the strict profile a reply has only what every client may count on, and fields that none has heard of.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from tui_uploader.local_cloud.bodies import BodyTooLarge
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile
from tui_uploader.local_cloud.rest.input import RestRefusal, form_fields, json_object, page_number, text_field
from tui_uploader.local_cloud.rest.processing import Phase, phase
from tui_uploader.local_cloud.storage.names import BUCKET
from tui_uploader.local_cloud.storage.projects import KeptLogin, KeptProject, ProjectStore, TooManyImages
from tui_uploader.local_cloud.threads import Threads
from tui_uploader.local_cloud.tokens import PassOffice, PassRefused

API = "/project/api/v3"
MAX_IMAGES = 4000
"""Images of one project (PIX4D, support article 203694199)."""
LONGEST_NAME = 100
STRICT_BATCH = 100
"""Keys of one registration that the strict profile takes; the service's own limit is not known."""
REGION = "eu-central-1"

_PAGE_SIZE, _LARGEST_PAGE, _LARGEST_INPUTS_PAGE = 30, 100, 1000
_RESULT_TYPE = re.compile(r"[a-z0-9_.-]{1,64}")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_NEVER_HEARD_OF = {"lane": {"color": "mauve", "slots": [3, 5, 8]}, "x_revision": 7, "quota_hint": None}
_WORD_NEVER_HEARD_OF = "PARKED_IN_LANE"

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Endpoint:
    pattern: re.Pattern[str]
    methods: Mapping[str, Callable[[Rest, Request], Awaitable[Response]]]


class Rest:
    """An ASGI application."""

    def __init__(
        self,
        store: ProjectStore,
        login: KeptLogin,
        passes: PassOffice,
        options: LocalCloudOptions,
        threads: Threads,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._login = login
        self._passes = passes
        self._options = options
        self._threads = threads
        self._now = now
        self._strict = options.profile is Profile.STRICT
        self._bucket = options.external_s3.bucket if options.external_s3 else BUCKET

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
        if handler is not Rest._token:
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
        token = self._passes.bearer_token(self._login.client_id, self._now() + lifetime)
        return self._reply({"access_token": token, "token_type": "Bearer", "expires_in": int(lifetime)})

    def _check_token(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        challenge = {"www-authenticate": "Bearer"}
        if scheme.lower() != "bearer":
            detail = "Authentication credentials were not provided."
            raise RestRefusal(HTTPStatus.UNAUTHORIZED, detail, headers=challenge)
        try:
            self._passes.check_bearer_token(token.strip(), self._now())
        except PassRefused as error:
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
            {"id": project.id, "bucket_name": self._bucket, "s3_base_path": project.prefix},
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
        required: Json = {"id": project.id, "name": project.name, "public_status": self._word(project)}
        return self._reply(required, optional=self._described(project, request))

    async def _credentials(self, request: Request) -> Response:
        project = await self._project(request)
        external = self._options.external_s3
        now = self._now()
        if external:
            required: Json = {
                "access_key": external.access_key,
                "secret_key": external.secret_key,
                "session_token": "",
                "bucket": external.bucket,
                "key": project.prefix,
                "endpoint_override": external.host,
            }
            return self._reply(required, optional={"region": external.region, "server_time": _iso(now)})
        key = self._passes.storage_key(project.prefix, now + self._options.credentials_lifetime)
        # The override is optional with the service, but without it nobody would find an S3 that is not Amazon's.
        required = {
            "access_key": key.access_key,
            "secret_key": key.secret_key,
            "session_token": key.session_token,
            "bucket": BUCKET,
            "key": project.prefix,
            "endpoint_override": _host(request),
        }
        optional: Json = {
            "region": REGION,
            "is_bucket_accelerated": False,
            "expiration": _iso(key.expires_at),
            "server_time": _iso(now),
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
            registration = await self._threads.run(
                self._store.register_images, project.id, keys, most=MAX_IMAGES, all_or_none=self._strict
            )
        except TooManyImages as error:
            raise RestRefusal(HTTPStatus.BAD_REQUEST, f"A project takes {MAX_IMAGES} images at most.") from error
        if self._strict and registration.unknown:
            raise RestRefusal(HTTPStatus.BAD_REQUEST, {"input_file_keys": ["Some keys do not exist."]})
        return self._reply({}, optional={"nb_images_registered": registration.added})

    async def _inputs(self, request: Request) -> Response:
        """The documentation names this call alone; its shape here is that of the other lists."""
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

    async def _register_extra(self, request: Request) -> Response:
        project = await self._project(request)
        key = text_field(await json_object(request), "file_key")
        if not await self._threads.run(self._store.register_extra, project.id, key):
            raise RestRefusal(HTTPStatus.BAD_REQUEST, {"file_key": ["No such file."]})
        return self._reply({}, optional={"file_key": key}, status=HTTPStatus.CREATED)

    async def _register_result(self, request: Request) -> Response:
        """A call of our own: the service's is not public. The strict profile does not know it either."""
        project = await self._project(request)
        if self._strict:
            raise RestRefusal(HTTPStatus.NOT_FOUND, "Not found.")
        fields = await json_object(request)
        key, result_type = text_field(fields, "file_key"), text_field(fields, "result_type")
        if not _RESULT_TYPE.fullmatch(result_type):
            raise RestRefusal(HTTPStatus.BAD_REQUEST, {"result_type": ["Not a valid type."]})
        if not await self._threads.run(self._store.register_result, project.id, key, result_type):
            raise RestRefusal(HTTPStatus.BAD_REQUEST, {"file_key": ["No such file."]})
        return self._reply({"file_key": key, "result_type": result_type}, status=HTTPStatus.CREATED)

    # --------------------------------------------------------------------------------------------- processing

    async def _start(self, request: Request) -> Response:
        project = await self._project(request)
        if not project.images + project.results:
            raise RestRefusal(HTTPStatus.BAD_REQUEST, "The project has no images.")
        start = await self._threads.run(self._store.start, project.id, self._options.processing_seconds)
        estimates: Json = {
            "estimated_waiting_time": start.waiting_seconds,
            "estimated_time": start.processing_seconds,
        }
        return self._reply({}, optional=estimates)

    async def _outputs(self, request: Request) -> Response:
        """The results that were registered, and of processing the names only: nothing is computed here."""
        project = await self._project(request)
        results = await self._threads.run(self._store.results, project.id)
        outputs = [
            self._output(result.result_type, result.key.rpartition(".")[2], "done", s3_key=result.key)
            for result in results
        ]
        if project.images:
            availability = {Phase.DONE: "done", Phase.WAITING: "in_progress", Phase.PROCESSING: "in_progress"}
            now_available = availability.get(self._phase(project), "not available")
            outputs += [self._output(*output, now_available) for output in _OUTPUTS]
        return self._reply({"outputs": outputs})

    def _output(self, result_type: str, output_type: str, availability: str, s3_key: str | None = None) -> Json:
        output: Json = {"result_type": result_type, "output_type": output_type, "availability": availability}
        if s3_key and not self._strict:
            output |= {"s3_key": s3_key, "s3_bucket": self._bucket, "s3_region": REGION}
        return output

    # ------------------------------------------------------------------------------------------------- shared

    async def _project(self, request: Request) -> KeptProject:
        project = await self._threads.run(self._store.project, int(request.path_params["project"]))
        if project is None:
            raise RestRefusal(HTTPStatus.NOT_FOUND, "Not found.")
        return project

    def _described(self, project: KeptProject, request: Request) -> Json:
        return {
            "id": project.id,
            "name": project.name,
            "public_status": self._word(project),
            "display_detailed_status": self._word(project).capitalize(),
            "error_reason": None,
            "create_date": _iso(project.created),
            "image_count": project.images,
            "bucket_name": self._bucket,
            "s3_base_path": project.prefix,
            "detail_url": f"{_origin(request)}{API}/projects/{project.id}/",
        }

    def _phase(self, project: KeptProject) -> Phase:
        return phase(project.images + project.results, project.start, self._now())

    def _word(self, project: KeptProject) -> str:
        current = self._phase(project)
        return _WORD_NEVER_HEARD_OF if self._strict and current is Phase.WAITING else current

    def _reply(self, required: Json, *, optional: Json | None = None, status: int = HTTPStatus.OK) -> Response:
        return JSONResponse(required | (_NEVER_HEARD_OF if self._strict else optional or {}), status)


_PROJECT = API + r"/projects/(?P<project>[0-9]{1,15})/"
_ENDPOINTS: Sequence[_Endpoint] = (
    _Endpoint(re.compile(r"/oauth2/token/"), {"POST": Rest._token}),
    _Endpoint(re.compile(API + r"/projects/"), {"GET": Rest._list, "POST": Rest._create}),
    _Endpoint(re.compile(_PROJECT), {"GET": Rest._get}),
    _Endpoint(re.compile(_PROJECT + r"s3_credentials/"), {"GET": Rest._credentials}),
    _Endpoint(re.compile(_PROJECT + r"inputs/bulk_register/"), {"POST": Rest._register_images}),
    _Endpoint(re.compile(_PROJECT + r"inputs/"), {"GET": Rest._inputs}),
    _Endpoint(re.compile(_PROJECT + r"extras/"), {"POST": Rest._register_extra}),
    _Endpoint(re.compile(_PROJECT + r"results/"), {"POST": Rest._register_result}),
    _Endpoint(re.compile(_PROJECT + r"start_processing/"), {"POST": Rest._start}),
    _Endpoint(re.compile(_PROJECT + r"outputs/"), {"GET": Rest._outputs}),
)
_OUTPUTS = (("ortho", "geotiff"), ("dsm", "geotiff"), ("point_cloud", "laz"), ("mesh", "obj"))


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(errors="replace"), right.encode(errors="replace"))


def _keys(fields: Mapping[str, object]) -> list[str]:
    keys = fields.get("input_file_keys")
    if not isinstance(keys, list) or not keys:
        raise RestRefusal(HTTPStatus.BAD_REQUEST, {"input_file_keys": ["Expected a list of keys."]})
    return [text_field({"input_file_keys": key}, "input_file_keys") for key in keys]


def _host(request: Request) -> str:
    """As the client called us: behind which name or address it found us, nobody else knows."""
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise RestRefusal(HTTPStatus.BAD_REQUEST, "Invalid HTTP_HOST header.")
    return host


def _origin(request: Request) -> str:
    return f"{request.scope['scheme']}://{_host(request)}"


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
