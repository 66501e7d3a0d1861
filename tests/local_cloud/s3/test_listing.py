"""Lists of objects."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import pytest_asyncio

from tests.local_cloud.clouds import Client, Credentialed, a_cloud, code, create_multipart, xml
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.local_cloud.storage.database import FILE_NAME
from tui_uploader.local_cloud.storage.names import BUCKET
from tui_uploader.local_cloud.tokens import TokenService

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = ["a.jpg", "b c.jpg", "dir/1.jpg", "dir/2.jpg", "dir/sub/3.jpg", "z+%.jpg", "ä.jpg"]


async def listed(client: Client, **query: str) -> tuple[list[str], list[str], dict[str, str]]:
    """Names of objects and common prefixes, relative to the project, and the other fields."""
    parameters = {"prefix": client.key(""), "list-type": "2"} | {k.replace("_", "-"): v for k, v in query.items()}
    reply = await client.s3_at("GET", f"/{client.credentials.bucket}", query=parameters)
    assert reply.status_code == 200, reply.text
    root = ElementTree.fromstring(reply.text)
    space = root.tag.partition("}")[0] + "}"
    keys = [element.text or "" for element in root.iterfind(f"{space}Contents/{space}Key")]
    prefixes = [element.text or "" for element in root.iterfind(f"{space}CommonPrefixes/{space}Prefix")]
    start = len(client.key(""))
    return [key[start:] for key in keys], [prefix[start:] for prefix in prefixes], xml(reply)


@pytest_asyncio.fixture(loop_scope="module")
async def filled(client: Client) -> Client:
    for name in NAMES:
        assert (await client.s3("PUT", name, name.encode())).status_code == 200
    return client


async def test_everything(filled: Client) -> None:
    names, prefixes, fields = await listed(filled)
    assert (names, prefixes) == (NAMES, [])
    assert (fields["KeyCount"], fields["IsTruncated"], fields["MaxKeys"]) == (str(len(NAMES)), "false", "1000")
    assert fields["Size"] == str(len("ä.jpg".encode()))


async def test_by_prefix_and_folder(filled: Client) -> None:
    assert (await listed(filled, delimiter="/"))[:2] == (["a.jpg", "b c.jpg", "z+%.jpg", "ä.jpg"], ["dir/"])
    inner = filled.key("dir/")
    assert (await listed(filled, delimiter="/", prefix=inner))[:2] == (["dir/1.jpg", "dir/2.jpg"], ["dir/sub/"])
    assert (await listed(filled, prefix=filled.key("dir/s")))[0] == ["dir/sub/3.jpg"]
    assert (await listed(filled, start_after=filled.key("dir/2.jpg")))[0] == NAMES[4:]
    assert (await listed(filled, max_keys="0"))[0] == []


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("delimiter", ["", "/"])
async def test_page_by_page(filled: Client, size: int, delimiter: str) -> None:
    whole = await listed(filled, delimiter=delimiter)
    names: list[str] = []
    prefixes: list[str] = []
    query = {"max_keys": str(size), "delimiter": delimiter}
    while True:
        page = await listed(filled, **query)
        assert len(page[0]) + len(page[1]) <= size
        names += page[0]
        prefixes += page[1]
        if page[2]["IsTruncated"] == "false":
            break
        query["continuation_token"] = page[2]["NextContinuationToken"]
    assert (names, prefixes) == whole[:2]


async def test_version_1(filled: Client) -> None:
    first = await listed(filled, list_type="1", max_keys="5")
    assert (first[0], first[2]["IsTruncated"]) == (NAMES[:5], "true")
    rest = await listed(filled, list_type="1", marker=first[2]["NextMarker"])
    assert rest[0] == NAMES[5:]


async def test_names_url_encoded(filled: Client) -> None:
    assert (await listed(filled, encoding_type="url"))[0][1] == "b%20c.jpg"


async def test_only_objects_of_the_project_are_listed(filled: Client) -> None:
    bucket = f"/{filled.credentials.bucket}"
    for prefix in ("", "user-1/", filled.credentials.key[:-1], f"{filled.credentials.key}0/"):
        assert code(await filled.s3_at("GET", bucket, query={"list-type": "2", "prefix": prefix})) == (
            403,
            "AccessDenied",
        )
    assert code(await filled.s3_at("GET", bucket)) == (403, "AccessDenied")
    own = {"list-type": "2", "prefix": filled.credentials.key}
    assert (await filled.s3_at("GET", bucket, query=own)).status_code == 200


async def test_rights_and_lists_follow_whole_path_segments(tmp_path: Path) -> None:
    """`project-100001` is not a prefix of `project-1000010`, for any kind of list."""
    async with a_cloud(LocalCloudOptions(tmp_path)) as client:
        assert (await client.s3("PUT", "mine.jpg", b"x")).status_code == 200
        other = TokenService(signing_key_of(tmp_path)).issue_credentials(f"{client.credentials.key}0", 2**33)
        neighbour = replace(
            client,
            credentials=Credentialed(other.access_key, other.secret_key, other.session_token, BUCKET, other.prefix),
        )
        assert (await neighbour.s3("PUT", "theirs.jpg", b"x")).status_code == 200
        for query in (
            {},
            {"list-type": "2"},
            {"delimiter": "/"},
            {"max-keys": "1"},
            {"marker": client.key("mine.jpg")},
        ):
            asked = {"prefix": client.credentials.key, **query}
            reply = await client.s3_at("GET", f"/{BUCKET}", query=asked)
            assert reply.status_code == 200
            assert "project-1000010" not in reply.text
            assert "<IsTruncated>false<" in reply.text
            assert ("<Key>" in reply.text) is not bool({"marker", "delimiter"} & query.keys())
        upload = await create_multipart(neighbour, "big")
        for method, path, parameters in (
            ("GET", f"/{BUCKET}/{neighbour.key('theirs.jpg')}", {}),
            ("HEAD", f"/{BUCKET}/{neighbour.key('theirs.jpg')}", {}),
            ("PUT", f"/{BUCKET}/{neighbour.key('theirs.jpg')}", {}),
            ("GET", f"/{BUCKET}", {"prefix": neighbour.credentials.key}),
            ("GET", f"/{BUCKET}", {"uploads": "", "prefix": client.credentials.key}),
            ("PUT", f"/{BUCKET}/{neighbour.key('big')}", {"uploadId": upload, "partNumber": "1"}),
            ("DELETE", f"/{BUCKET}/{neighbour.key('big')}", {"uploadId": upload}),
        ):
            assert (await client.s3_at(method, path, query=parameters)).status_code == 403, (method, path)
        for odd in (client.key("../project-1000010/theirs.jpg"), client.key("a\0b")):
            assert (await client.s3_at("PUT", f"/{BUCKET}/{quote(odd)}")).status_code in (400, 403)
        for bucket in ("..", f"{BUCKET}/..", "elsewhere"):
            reply = await client.s3_at("PUT", f"/{quote(bucket, safe='')}/{client.key('a')}")
            assert reply.status_code in (403, 404)
        assert (await neighbour.s3("GET", "theirs.jpg")).content == b"x"
        at_own_key = {"uploadId": upload, "partNumber": "1"}
        assert code(await client.s3("PUT", "big", b"x", query=at_own_key)) == (404, "NoSuchUpload")


def signing_key_of(root: Path) -> bytes:
    with closing(sqlite3.connect(root / FILE_NAME)) as sql:
        return bytes(sql.execute("SELECT signing_key FROM login").fetchone()[0])


@pytest.mark.parametrize(
    "query", [{"max-keys": "-1"}, {"max-keys": "x"}, {"continuation-token": "%"}, {"continuation-token": "gA=="}]
)
async def test_invalid_parameters_are_refused(client: Client, query: dict[str, str]) -> None:
    asked = {"list-type": "2", "prefix": client.key(""), **query}
    assert code(await client.s3_at("GET", f"/{client.credentials.bucket}", query=asked)) == (400, "InvalidArgument")
