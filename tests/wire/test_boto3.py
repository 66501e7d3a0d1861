"""Amazon's Python client against the local cloud."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local_cloud.clouds import Client, a_cloud, crc32
from tests.wire.conftest import MIB, contents
from tui_uploader.local_cloud.options import LocalCloudOptions

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

BODY = os.urandom(20_000_000)
PARTS = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=4)


class Where(TypedDict):
    Bucket: str
    Key: str


def where(client: Client, name: str) -> Where:
    return {"Bucket": client.credentials.bucket, "Key": client.key(name)}


def boto(client: Client, trust: Path | None = None) -> S3Client:
    credentials = client.credentials
    s3: S3Client = boto3.client(
        "s3",
        endpoint_url=client.address.url,
        region_name=client.region,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.session_token,
        config=Config(s3={"addressing_style": "path"}, signature_version="s3v4", retries={"max_attempts": 0}),
        verify=None if trust is None else str(trust),
    )
    return s3


async def test_put_head_and_get(client: Client) -> None:
    def talk() -> None:
        s3, at = boto(client), where(client, "a b+c%.jpg")
        put = s3.put_object(**at, Body=BODY, ContentType="image/jpeg", Metadata={"drone": "M3E"})
        assert (put["ETag"], put["ChecksumCRC32"]) == (f'"{hashlib.md5(BODY).hexdigest()}"', crc32(BODY))
        head = s3.head_object(**at, ChecksumMode="ENABLED")
        assert (head["ContentLength"], head["ContentType"], head["Metadata"]) == (
            len(BODY),
            "image/jpeg",
            {"drone": "M3E"},
        )
        assert head["ChecksumCRC32"] == crc32(BODY)
        assert s3.get_object(**at)["Body"].read() == BODY
        part = s3.get_object(**at, Range="bytes=1000000-1999999")
        assert part["Body"].read() == BODY[1000000:2000000]
        assert part["ContentRange"] == f"bytes 1000000-1999999/{len(BODY)}"

    await asyncio.to_thread(talk)
    assert client.path("a b+c%.jpg").read_bytes() == BODY


async def test_upload_and_download_in_parts(client: Client, tmp_path: Path) -> None:
    (tmp_path / "up").write_bytes(BODY)

    def talk() -> None:
        s3, bucket, key = boto(client), client.credentials.bucket, client.key("deep/er/large.tif")
        s3.upload_file(str(tmp_path / "up"), bucket, key, Config=PARTS)
        assert s3.head_object(Bucket=bucket, Key=key)["ETag"].endswith('-3"')
        s3.download_file(bucket, key, str(tmp_path / "down"), Config=PARTS)

    await asyncio.to_thread(talk)
    assert client.path("deep/er/large.tif").read_bytes() == BODY
    assert (tmp_path / "down").read_bytes() == BODY


async def test_parts_by_hand_with_every_kind_of_checksum(client: Client) -> None:
    """A client resumes: it lists the parts first."""

    def talk() -> None:
        s3, at = boto(client), where(client, "a")
        upload = s3.create_multipart_upload(**at, ChecksumAlgorithm="SHA256")["UploadId"]
        for number, body in ((1, BODY[: 8 * MIB]), (2, BODY[8 * MIB :])):
            s3.upload_part(**at, UploadId=upload, PartNumber=number, Body=body, ChecksumAlgorithm="SHA256")
        pages = s3.get_paginator("list_parts").paginate(**at, UploadId=upload, PaginationConfig={"PageSize": 1})
        parts = [part for page in pages for part in page["Parts"]]
        assert [part["Size"] for part in parts] == [8 * MIB, len(BODY) - 8 * MIB]
        begun = s3.get_paginator("list_multipart_uploads").paginate(Bucket=at["Bucket"], Prefix=at["Key"])
        assert [found["UploadId"] for page in begun for found in page["Uploads"]] == [upload]
        named: list[CompletedPartTypeDef] = [
            {"PartNumber": part["PartNumber"], "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}
            for part in parts
        ]
        done = s3.complete_multipart_upload(**at, UploadId=upload, MultipartUpload={"Parts": named})
        assert done["ChecksumSHA256"].endswith("-2")
        with pytest.raises(ClientError, match="NoSuchUpload"):
            s3.abort_multipart_upload(**at, UploadId=upload)

    await asyncio.to_thread(talk)
    assert client.path("a").read_bytes() == BODY


async def test_lists(client: Client, card: Path) -> None:
    def talk() -> list[str]:
        s3, bucket, prefix = boto(client), client.credentials.bucket, client.key("")
        for name, body in contents(card).items():
            s3.put_object(Bucket=bucket, Key=prefix + name, Body=body)
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": 2}
        )
        folders = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/")["CommonPrefixes"]
        assert folders == [{"Prefix": f"{prefix}DCIM/"}]
        return [entry["Key"].removeprefix(prefix) for page in pages for entry in page["Contents"]]

    listed = await asyncio.to_thread(talk)
    assert listed == sorted(contents(card))
    assert contents(client.path("")) == contents(card)


async def test_a_write_on_the_condition_that_the_name_is_free(client: Client) -> None:
    def talk() -> None:
        s3, at = boto(client), where(client, "a")
        s3.put_object(**at, Body=b"first", IfNoneMatch="*")
        with pytest.raises(ClientError) as refused:
            s3.put_object(**at, Body=b"second", IfNoneMatch="*")
        answer = refused.value.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("PreconditionFailed", 412)
        upload = s3.create_multipart_upload(**at)["UploadId"]
        part = s3.upload_part(**at, UploadId=upload, PartNumber=1, Body=b"third")
        named: list[CompletedPartTypeDef] = [
            {"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}
        ]
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3.complete_multipart_upload(**at, UploadId=upload, MultipartUpload={"Parts": named}, IfNoneMatch="*")
        s3.abort_multipart_upload(**at, UploadId=upload)
        with pytest.raises(ClientError, match="NotImplemented"):
            s3.put_object(**at, Body=b"second", IfNoneMatch='"etag"')

    await asyncio.to_thread(talk)
    assert client.path("a").read_bytes() == b"first"


async def test_over_tls_the_checksum_comes_in_a_trailer(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    options = LocalCloudOptions(tmp_path / "cloud", tls_cert=certificate[0], tls_key=certificate[1])
    async with a_cloud(options, trust=certificate[0]) as client:
        seen: list[object] = []

        def note(request: AWSPreparedRequest, **_: object) -> None:
            seen.append(request.headers["X-Amz-Content-SHA256"])

        def talk() -> None:
            s3 = boto(client, certificate[0])
            s3.meta.events.register("before-send.s3.PutObject", note)
            s3.put_object(**where(client, "a"), Body=BODY)

        await asyncio.to_thread(talk)
        assert seen == [b"STREAMING-UNSIGNED-PAYLOAD-TRAILER"]
        assert client.path("a").read_bytes() == BODY


async def test_expired_credentials_are_named(tmp_path: Path) -> None:
    async with a_cloud(LocalCloudOptions(tmp_path / "cloud", credentials_lifetime=0)) as client:

        def talk() -> None:
            with pytest.raises(ClientError) as refused:
                boto(client).put_object(**where(client, "a"), Body=b"x")
            answer = refused.value.response
            assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("ExpiredToken", 400)

        await asyncio.to_thread(talk)
