"""Lists of objects."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import pytest_asyncio

from tests.local_cloud.clouds import Client, code, xml

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = ["a.jpg", "b c.jpg", "dir/1.jpg", "dir/2.jpg", "dir/sub/3.jpg", "z+%.jpg", "ä.jpg"]


async def listed(client: Client, **query: str) -> tuple[list[str], list[str], dict[str, str]]:
    """Names of objects and of common prefixes without the project's own, and the single fields."""
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


async def test_the_first_version_of_the_call(filled: Client) -> None:
    first = await listed(filled, list_type="1", max_keys="5")
    assert (first[0], first[2]["IsTruncated"]) == (NAMES[:5], "true")
    rest = await listed(filled, list_type="1", marker=first[2]["NextMarker"])
    assert rest[0] == NAMES[5:]


async def test_names_url_encoded(filled: Client) -> None:
    assert (await listed(filled, encoding_type="url"))[0][1] == "b%20c.jpg"


async def test_only_what_is_ones_own(filled: Client) -> None:
    bucket = f"/{filled.credentials.bucket}"
    for prefix in ("", "user-1/", filled.credentials.key[:-1], f"{filled.credentials.key}0/"):
        assert code(await filled.s3_at("GET", bucket, query={"list-type": "2", "prefix": prefix})) == (
            403,
            "AccessDenied",
        )
    assert code(await filled.s3_at("GET", bucket)) == (403, "AccessDenied")
    own = {"list-type": "2", "prefix": filled.credentials.key}
    assert (await filled.s3_at("GET", bucket, query=own)).status_code == 200


@pytest.mark.parametrize(
    "query", [{"max-keys": "-1"}, {"max-keys": "x"}, {"continuation-token": "%"}, {"continuation-token": "gA=="}]
)
async def test_nonsense(client: Client, query: dict[str, str]) -> None:
    asked = {"list-type": "2", "prefix": client.key(""), **query}
    assert code(await client.s3_at("GET", f"/{client.credentials.bucket}", query=asked)) == (400, "InvalidArgument")
