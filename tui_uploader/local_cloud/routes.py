"""Classify requests by method, path and query: pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

REST_PATHS = ("/oauth2/", "/project/")
"""Paths of the REST API; all others belong to S3."""


class Route(StrEnum):
    """Kinds of requests that a fault can select."""

    PUT = "put"
    PART = "part"
    COMPLETE = "complete"
    REGISTER = "register"
    TOKEN = "token"
    CREDENTIALS = "credentials"
    START = "start"
    OTHER = "other"


class Operation(StrEnum):
    """S3 operations that a profile can allow."""

    PUT_OBJECT = "PutObject"
    HEAD_OBJECT = "HeadObject"
    GET_OBJECT = "GetObject"
    LIST_OBJECTS = "ListObjects"
    CREATE_MULTIPART = "CreateMultipartUpload"
    UPLOAD_PART = "UploadPart"
    LIST_MULTIPARTS = "ListMultipartUploads"
    LIST_PARTS = "ListParts"
    COMPLETE_MULTIPART = "CompleteMultipartUpload"
    ABORT_MULTIPART = "AbortMultipartUpload"
    FORBIDDEN = "anything else"


_SUBRESOURCES = frozenset(
    {
        *("accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption", "intelligent-tiering"),
        *("inventory", "legal-hold", "lifecycle", "location", "logging", "metrics", "notification", "object-lock"),
        *("ownershipControls", "partNumber", "policy", "policyStatus", "publicAccessBlock", "replication"),
        *("requestPayment", "restore", "retention", "select", "tagging", "torrent", "uploadId", "uploads"),
        *("versionId", "versioning", "versions", "website"),
    }
)
"""Query parameters that select another S3 operation (Amazon S3 API reference)."""

_OF_OBJECT = {
    ("PUT", frozenset[str]()): Operation.PUT_OBJECT,
    ("HEAD", frozenset[str]()): Operation.HEAD_OBJECT,
    ("GET", frozenset[str]()): Operation.GET_OBJECT,
    ("POST", frozenset({"uploads"})): Operation.CREATE_MULTIPART,
    ("PUT", frozenset({"uploadId", "partNumber"})): Operation.UPLOAD_PART,
    ("GET", frozenset({"uploadId"})): Operation.LIST_PARTS,
    ("POST", frozenset({"uploadId"})): Operation.COMPLETE_MULTIPART,
    ("DELETE", frozenset({"uploadId"})): Operation.ABORT_MULTIPART,
}
_OF_BUCKET = {
    ("GET", frozenset[str]()): Operation.LIST_OBJECTS,
    ("GET", frozenset({"uploads"})): Operation.LIST_MULTIPARTS,
}


def operation_of(method: str, key: str, parameters: Iterable[str]) -> Operation:
    """`parameters`: names of the query parameters."""
    subresources = _SUBRESOURCES.intersection(parameters)
    if key:
        return _OF_OBJECT.get((method, subresources), Operation.FORBIDDEN)
    return _OF_BUCKET.get((method, subresources), Operation.FORBIDDEN)


_ROUTE_OF_OPERATION = {
    Operation.PUT_OBJECT: Route.PUT,
    Operation.UPLOAD_PART: Route.PART,
    Operation.COMPLETE_MULTIPART: Route.COMPLETE,
}
_ROUTE_OF_REST_PATH = (
    (re.compile(r"/oauth2/token/?"), "POST", Route.TOKEN),
    (re.compile(r"/project/api/v3/projects/[^/]+/s3_credentials/?"), "GET", Route.CREDENTIALS),
    (re.compile(r"/project/api/v3/projects/[^/]+/(inputs/bulk_register|results)/?"), "POST", Route.REGISTER),
    (re.compile(r"/project/api/v3/projects/[^/]+/start_processing/?"), "POST", Route.START),
)


def is_rest(path: str) -> bool:
    return path.startswith(REST_PATHS)


def route_of(method: str, path: str, parameters: Iterable[str]) -> Route:
    if is_rest(path):
        for pattern, wanted, route in _ROUTE_OF_REST_PATH:
            if method == wanted and pattern.fullmatch(path):
                return route
        return Route.OTHER
    key = path.lstrip("/").partition("/")[2]
    return _ROUTE_OF_OPERATION.get(operation_of(method, key, parameters), Route.OTHER)
