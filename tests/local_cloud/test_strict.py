"""The strict profile: only what is certain, and fields and values that no client knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.local_cloud.clouds import PROJECTS, Client, a_cloud, code
from tests.local_cloud.root_reader import registered_images
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile

UNKNOWN = {"lane", "x_revision", "quota_hint"}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with a_cloud(LocalCloudOptions(tmp_path, profile=Profile.STRICT, processing_seconds=3600)) as client:
        yield client


async def test_replies_have_the_certain_and_unknown_fields(client: Client) -> None:
    made = (await client.http.post(PROJECTS, json={"name": "n"})).json()
    assert made.keys() == {"id", "bucket_name", "s3_base_path"} | UNKNOWN
    assert (await client.rest("GET", "")).json().keys() == {"id", "name", "public_status"} | UNKNOWN
    credentials = (await client.rest("GET", "s3_credentials/")).json()
    certain = {"access_key", "secret_key", "session_token", "bucket", "key"}
    assert credentials.keys() == certain | {"endpoint_override"} | UNKNOWN
    await client.s3("PUT", "a", b"x")
    reply = await client.rest("POST", "inputs/bulk_register/", {"input_file_keys": [client.key("a")]})
    assert reply.json().keys() == UNKNOWN
    assert (await client.rest("POST", "start_processing/")).json().keys() == UNKNOWN
    assert (await client.rest("GET", "")).json()["public_status"] == "PARKED_IN_LANE"


async def test_uncertain_endpoints_are_refused(client: Client) -> None:
    assert (await client.http.get(PROJECTS)).status_code == 403
    result = {"file_key": client.key("a"), "result_type": "dsm"}
    assert (await client.rest("POST", "results/", result)).status_code == 404


async def test_s3_allows_only_the_single_put(client: Client) -> None:
    assert (await client.s3("PUT", "a", b"x")).status_code == 200
    assert (await client.s3("HEAD", "a")).status_code == 403
    denied = (403, "AccessDenied")
    assert code(await client.s3("GET", "a")) == denied
    assert code(await client.s3("POST", "a", query={"uploads": ""})) == denied
    assert code(await client.s3("PUT", "a", b"x", query={"uploadId": "u", "partNumber": "1"})) == denied
    assert code(await client.s3("GET", "a", query={"uploadId": "u"})) == denied
    listed = {"list-type": "2", "prefix": client.key("")}
    assert code(await client.s3_at("GET", f"/{client.credentials.bucket}", query=listed)) == denied
    begun = {"uploads": "", "prefix": client.key("")}
    assert code(await client.s3_at("GET", f"/{client.credentials.bucket}", query=begun)) == denied
    acl = {"x-amz-acl": "bucket-owner-full-control"}
    assert code(await client.s3("PUT", "b", b"x", headers=acl)) == denied
    assert not client.path("b").exists()


async def test_a_put_can_require_a_new_object(client: Client) -> None:
    absent_only = {"if-none-match": "*"}
    replies = await asyncio.gather(*(client.s3("PUT", "a", b"%d" % n, headers=absent_only) for n in range(6)))
    assert sorted(reply.status_code for reply in replies) == [200, *[412] * 5]
    assert code(await client.s3("PUT", "a", b"x", headers=absent_only)) == (412, "PreconditionFailed")
    assert code(await client.s3("PUT", "b", b"x", headers={"if-none-match": '"etag"'})) == (501, "NotImplemented")
    assert (await client.s3("PUT", "a", b"x")).status_code == 200, "without the condition it overwrites"


async def test_an_unknown_key_prevents_a_registration(client: Client, tmp_path: Path) -> None:
    await client.s3("PUT", "a", b"x")
    keys = [client.key("a"), client.key("missing")]
    assert (await client.rest("POST", "inputs/bulk_register/", {"input_file_keys": keys})).status_code == 400
    assert registered_images(tmp_path, client.project) == []


async def test_large_batches_are_too_large(client: Client) -> None:
    reply = await client.rest("POST", "inputs/bulk_register/", {"input_file_keys": ["k"] * 101})
    assert reply.status_code == 413
