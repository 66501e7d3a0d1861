"""Requests that the storage refuses; the text of each is the message for the client."""

from __future__ import annotations


class StorageRefusal(Exception):
    """Base of all refusals of the storage."""


class KeyUnusable(StorageRefusal):
    """A key that cannot become a path below the bucket's folder."""


class KeyTooLong(StorageRefusal):
    """A key, or a segment of one, with more bytes than S3 or the file system accepts."""


class KeyBlocked(StorageRefusal):
    """A key whose path is a folder of other objects, or leads through a file."""


class NoSuchObject(StorageRefusal):
    """No object has this key."""


class ObjectExists(StorageRefusal):
    """An object has this key already, and the request allows only a new one."""


class NoSuchMultipart(StorageRefusal):
    """No multipart upload has this id and key."""


class MultipartBusy(StorageRefusal):
    """The multipart upload is being completed or aborted."""


class PartsOutOfOrder(StorageRefusal):
    """The part numbers of the request do not ascend."""


class PartTooSmall(StorageRefusal):
    """A part other than the last is smaller than S3 allows."""


class PartMismatch(StorageRefusal):
    """A part of the request is not stored, or has another ETag or checksum."""


class PartChecksumMissing(StorageRefusal):
    """The request lacks the checksum of a part, which a composite checksum needs."""


class SizeMismatch(StorageRefusal):
    """The object has another size than the request says."""


class ChecksumMismatch(StorageRefusal):
    """The object has another checksum than the request says."""
