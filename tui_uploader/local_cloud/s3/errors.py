"""Error replies of S3.

Codes, messages and statuses are those of the list of error responses in the Amazon S3 API reference.
"""

from __future__ import annotations

from tui_uploader.local_cloud.storage import errors as storage
from tui_uploader.local_cloud.storage.errors import StorageRefusal

_STATUS = {
    "AccessDenied": 403,
    "AuthorizationHeaderMalformed": 400,
    "BadDigest": 400,
    "EntityTooLarge": 400,
    "EntityTooSmall": 400,
    "ExpiredToken": 400,
    "IncompleteBody": 400,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "InvalidArgument": 400,
    "InvalidDigest": 400,
    "InvalidPart": 400,
    "InvalidPartOrder": 400,
    "InvalidRange": 416,
    "InvalidRequest": 400,
    "InvalidToken": 400,
    "InvalidURI": 400,
    "KeyTooLongError": 400,
    "MalformedXML": 400,
    "MaxMessageLengthExceeded": 400,
    "MissingContentLength": 411,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NoSuchUpload": 404,
    "NotImplemented": 501,
    "OperationAborted": 409,
    "PreconditionFailed": 412,
    "RequestTimeTooSkewed": 403,
    "ServiceUnavailable": 503,
    "SignatureDoesNotMatch": 403,
    "SlowDown": 503,
    "XAmzContentSHA256Mismatch": 400,
}
_OF_STORAGE: dict[type[StorageRefusal], str] = {
    storage.KeyUnusable: "InvalidArgument",
    storage.KeyTooLong: "KeyTooLongError",
    storage.KeyBlocked: "InvalidRequest",
    storage.NoSuchObject: "NoSuchKey",
    storage.ObjectExists: "PreconditionFailed",
    storage.NoSuchMultipart: "NoSuchUpload",
    storage.MultipartBusy: "OperationAborted",
    storage.PartsOutOfOrder: "InvalidPartOrder",
    storage.PartTooSmall: "EntityTooSmall",
    storage.PartMismatch: "InvalidPart",
    storage.PartChecksumMissing: "InvalidRequest",
    storage.SizeMismatch: "InvalidRequest",
    storage.ChecksumMismatch: "BadDigest",
}


class S3Refusal(Exception):
    """A request that is answered with an error document; `code` is one of S3's error codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = _STATUS[code]


def s3_refusal(refusal: StorageRefusal) -> S3Refusal:
    """The error of S3 for a refusal of the storage."""
    return S3Refusal(_OF_STORAGE[type(refusal)], str(refusal))
