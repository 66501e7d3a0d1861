"""Parse and validate REST requests; errors have the shapes of Django REST framework."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from tui_uploader.local_cloud.bodies import read_body
from tui_uploader.text import whole_number

_LONGEST_BODY = 8 * 1024**2
"""Bytes; 4,000 of the longest keys need half of it."""
_LONGEST_FORM_FIELD = 64 * 1024
_MOST_FORM_FIELDS = 20
_LARGEST_PAGE_NUMBER = 999_999


class RestRefusal(Exception):
    """A request that is answered with an error; a text becomes `{"detail": …}`."""

    def __init__(
        self, status: HTTPStatus, detail: str | Mapping[str, object], *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(str(detail))
        self.status = status
        self.body = {"detail": detail} if isinstance(detail, str) else dict(detail)
        self.headers = headers


async def json_object(request: Request) -> Mapping[str, object]:
    """The body as a JSON object; an empty body counts as an empty object. Raises RestRefusal, BodyTooLarge."""
    body = await read_body(request, _LONGEST_BODY)
    try:
        value = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise RestRefusal(HTTPStatus.BAD_REQUEST, "JSON parse error.") from error
    if not isinstance(value, dict):
        raise RestRefusal(HTTPStatus.BAD_REQUEST, {"non_field_errors": ["Invalid data. Expected a dictionary."]})
    return value


def text_field(fields: Mapping[str, object], name: str) -> str:
    """A required field. Raises RestRefusal unless it is a string without NUL that can be encoded as UTF-8."""
    value = fields.get(name)
    if value is None:
        raise RestRefusal(HTTPStatus.BAD_REQUEST, {name: ["This field is required."]})
    if not isinstance(value, str) or "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise RestRefusal(HTTPStatus.BAD_REQUEST, {name: ["Not a valid string."]})
    return value


def page_number(request: Request, parameter: str, default: int) -> int:
    """A number in the query. Raises RestRefusal unless it is a whole number from 1."""
    number = whole_number(request.query_params.get(parameter, str(default)), _LARGEST_PAGE_NUMBER)
    if not number:
        raise RestRefusal(HTTPStatus.NOT_FOUND, "Invalid page.")
    return number


async def form_fields(request: Request) -> dict[str, str]:
    """Fields of the query and of a URL-encoded or multipart body. Raises RestRefusal, BodyTooLarge."""
    fields = dict(request.query_params)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/x-www-form-urlencoded":
        body = await read_body(request, _LONGEST_FORM_FIELD)
        try:
            fields |= parse_qsl(body.decode("latin-1"), max_num_fields=_MOST_FORM_FIELDS)
        except ValueError as error:
            raise RestRefusal(HTTPStatus.BAD_REQUEST, {"error": "invalid_request"}) from error
    elif content_type == "multipart/form-data":
        try:
            form = await request.form(max_files=0, max_fields=_MOST_FORM_FIELDS, max_part_size=_LONGEST_FORM_FIELD)
        except MultiPartException as error:
            raise RestRefusal(HTTPStatus.BAD_REQUEST, {"error": "invalid_request"}) from error
        fields |= {name: value for name, value in form.items() if not isinstance(value, UploadFile)}
    return fields
