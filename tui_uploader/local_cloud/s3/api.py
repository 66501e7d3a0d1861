"""The S3 API: path-style, one bucket, credentials that are limited to the objects of their project."""

from __future__ import annotations

import errno
import logging
import secrets
import sqlite3
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tui_uploader.local_cloud.bodies import BodyTooLarge
from tui_uploader.local_cloud.options import Checksums, Profile
from tui_uploader.local_cloud.routes import Operation
from tui_uploader.local_cloud.s3.errors import S3Refusal, s3_refusal
from tui_uploader.local_cloud.s3.objects import ObjectOperations
from tui_uploader.local_cloud.s3.parts import MultipartOperations
from tui_uploader.local_cloud.s3.request import S3Request, authorize
from tui_uploader.local_cloud.s3.xml import DECLARATION, error_document
from tui_uploader.local_cloud.storage.errors import StorageRefusal
from tui_uploader.local_cloud.tokens import TokenService

logger = logging.getLogger(__name__)


def _is_disk_full(error: OSError | sqlite3.OperationalError) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


class S3App:
    """The S3 API as an ASGI application."""

    def __init__(
        self,
        objects: ObjectOperations,
        parts: MultipartOperations,
        tokens: TokenService,
        profile: Profile,
        now: Callable[[], float],
        checksums: Checksums = Checksums.CRC32,
    ) -> None:
        self._objects = objects
        self._parts = parts
        self._tokens = tokens
        self._profile = profile
        self._now = now
        self._checksums = checksums

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        resource = scope["raw_path"].decode("latin-1")
        request_id = secrets.token_hex(8).upper()
        try:
            response = await self._answer(request, request_id)
        except S3Refusal as refusal:
            response = refused(refusal, resource, request_id)
        except StorageRefusal as refusal:
            response = refused(s3_refusal(refusal), resource, request_id)
        except BodyTooLarge:
            too_long = S3Refusal("MaxMessageLengthExceeded", "Your request was too large.")
            response = refused(too_long, resource, request_id)
        except ClientDisconnect:
            return
        except (OSError, sqlite3.OperationalError) as error:
            if not _is_disk_full(error):
                raise
            logger.error("The disk is full: %s", error)
            full = S3Refusal("ServiceUnavailable", "The disk of the local cloud is full.")
            response = refused(full, resource, request_id)
        response.headers["x-amz-request-id"] = request_id
        await response(scope, receive, send)

    async def _answer(self, request: Request, request_id: str) -> Response:
        authorized = authorize(request, self._tokens, self._profile, self._checksums, self._now())
        match authorized.operation:
            case Operation.PUT_OBJECT:
                return await self._objects.put(authorized)
            case Operation.HEAD_OBJECT:
                return await self._objects.head(authorized)
            case Operation.GET_OBJECT:
                return await self._objects.get(authorized)
            case Operation.LIST_OBJECTS:
                return await self._objects.list(authorized)
            case _:
                return await self._answer_multipart(authorized, request_id)

    async def _answer_multipart(self, request: S3Request, request_id: str) -> Response:
        match request.operation:
            case Operation.CREATE_MULTIPART:
                return await self._parts.create(request)
            case Operation.UPLOAD_PART:
                return await self._parts.put(request)
            case Operation.LIST_MULTIPARTS:
                return await self._parts.list_uploads(request)
            case Operation.LIST_PARTS:
                return await self._parts.list(request)
            case Operation.COMPLETE_MULTIPART:
                return await self._parts.complete(request, request_id)
            case Operation.ABORT_MULTIPART:
                return await self._parts.abort(request)
            case _:
                raise S3Refusal("AccessDenied", "Access Denied")


def refused(refusal: S3Refusal, resource: str, request_id: str) -> Response:
    return Response(
        DECLARATION + error_document(refusal, resource, request_id),
        status_code=refusal.status,
        media_type="application/xml",
        headers={"x-amz-request-id": request_id},
    )
