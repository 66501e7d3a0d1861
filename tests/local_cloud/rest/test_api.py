"""The REST API in the default profile."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests.local_cloud.clouds import PROJECTS, Client, Clock, a_cloud
from tests.local_cloud.root_reader import registered_images, registered_results, starts
from tui_uploader.local_cloud.options import LocalCloudOptions

pytestmark = pytest.mark.asyncio(loop_scope="module")


def login(client: Client) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": client.address.client_id,
        "client_secret": client.address.client_secret,
        "token_format": "jwt",
    }


async def test_a_token_by_query_form_and_multipart(client: Client) -> None:
    url, fields = "/oauth2/token/", login(client)
    for reply in (
        await client.http.post(url, params=fields),
        await client.http.post(url, data=fields),
        await client.http.post(url, files={name: (None, text) for name, text in fields.items()}),
    ):
        assert reply.status_code == 200, reply.text
        token = reply.json()
        assert (token["token_type"], token["expires_in"]) == ("Bearer", 36000)
        assert token["access_token"].count(".") == 2
        headers = {"authorization": f"Bearer {token['access_token']}"}
        assert (await client.http.get(PROJECTS, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": "\udcff"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"client_id": ""}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
    ],
)
async def test_invalid_requests_get_no_token(client: Client, changed: dict[str, str], status: int, error: str) -> None:
    form = urlencode(login(client) | changed, errors="surrogateescape").encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    reply = await client.http.post("/oauth2/token/", content=form, headers=headers)
    assert (reply.status_code, reply.json()) == (status, {"error": error})


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x"]
)
async def test_a_malformed_form_is_refused(client: Client, content_type: str) -> None:
    for body in (b"\xff%&=&&" * 50, b"--x\r\nnothing", b""):
        reply = await client.http.post("/oauth2/token/", content=body, headers={"content-type": content_type})
        assert reply.status_code == 400, reply.text


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer nonsense", "Bearer a.b.c", "Basic eDp5", "Bearer ä.b.c"]
)
async def test_without_a_token_nothing_works(client: Client, authorization: str) -> None:
    headers = [(b"authorization", authorization.encode("latin-1"))]
    for method, path in (("GET", PROJECTS), ("POST", PROJECTS), ("GET", f"{PROJECTS}{client.project}/s3_credentials/")):
        reply = await client.http.request(method, path, headers=headers)
        assert (reply.status_code, list(reply.json())) == (401, ["detail"])


async def test_an_s3_session_token_is_not_an_access_token(client: Client) -> None:
    headers = {"authorization": f"Bearer {client.credentials.session_token}"}
    assert (await client.http.get(PROJECTS, headers=headers)).status_code == 401


async def test_projects_are_created_and_returned(client: Client) -> None:
    created = (await client.http.post(PROJECTS, json={"name": " Fjäll \u200f"})).json()
    assert created["s3_base_path"] == f"user-1/project-{created['id']}"
    shown = (await client.http.get(f"{PROJECTS}{created['id']}/")).json()
    assert (shown["id"], shown["name"], shown["public_status"]) == (created["id"], "Fjäll \u200f", "CREATED")
    assert shown["detail_url"] == f"{client.address.url}{PROJECTS}{created['id']}/"


async def test_the_list_has_pages(client: Client) -> None:
    newer = (await client.http.post(PROJECTS, json={"name": "newer"})).json()["id"]
    page = first = (await client.http.get(PROJECTS, params={"page_size": 1})).json()
    assert first["previous"] is None
    listed = [first["results"][0]["id"]]
    while page["next"]:
        earlier, page = page, (await client.http.get(page["next"])).json()
        assert (await client.http.get(page["previous"])).json() == earlier
        listed.append(page["results"][0]["id"])
    assert listed[:2] == [newer, client.project], "newest first"
    assert len(listed) == len(set(listed)) == first["count"]


@pytest.mark.parametrize("page", ["0", "9999", "-1", "x", "99999999999999999999"])
async def test_a_missing_page(client: Client, page: str) -> None:
    reply = await client.http.get(PROJECTS, params={"page": page})
    assert (reply.status_code, reply.json()) == (404, {"detail": "Invalid page."})


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"name": ""}',
        b'{"name": "  "}',
        b'{"name": 7}',
        b'{"name": null}',
        b'{"name": "a/b"}',
        b'{"name": "a\\\\b"}',
        b'{"name": "\\ud800"}',
        b'{"name": "a\\u0000"}',
        b'{"name": "' + b"x" * 101 + b'"}',
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"",
    ],
)
async def test_invalid_names_are_refused(client: Client, body: bytes) -> None:
    reply = await client.http.post(PROJECTS, content=body, headers={"content-type": "application/json"})
    assert reply.status_code == 400, reply.text
    assert isinstance(reply.json(), dict)


async def test_a_name_of_100_characters(client: Client) -> None:
    assert (await client.http.post(PROJECTS, json={"name": "ä" * 100})).status_code == 201


@pytest.mark.parametrize("project", ["999999", "0", "999999999999999"])
async def test_unknown_projects(client: Client, project: str) -> None:
    for path in ("", "s3_credentials/", "inputs/"):
        assert (await client.http.get(f"{PROJECTS}{project}/{path}")).status_code == 404
    assert (await client.http.post(f"{PROJECTS}{project}/start_processing/")).status_code == 404


async def test_other_paths_and_methods(client: Client) -> None:
    assert (await client.http.get(f"{PROJECTS}x/")).status_code == 404
    assert (await client.http.get(f"{PROJECTS}{'9' * 30}/")).status_code == 404
    assert (await client.http.get("/project/")).status_code == 404
    assert (await client.http.delete(f"{PROJECTS}{client.project}/")).status_code == 405
    reply = await client.http.post(PROJECTS.rstrip("/"), json={"name": "lost"})
    assert (reply.status_code, reply.headers["location"]) == (301, PROJECTS)


async def test_storage_credentials(client: Client) -> None:
    reply = (await client.rest("GET", "s3_credentials/")).json()
    assert reply["endpoint_override"] == client.address.url.removeprefix("http://")
    assert reply["key"] == f"user-1/project-{client.project}"
    assert reply["region"] == "eu-central-1"
    assert not reply["is_bucket_accelerated"]
    for name in ("expiration", "server_time"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", reply[name])
    again = (await client.rest("GET", "s3_credentials/")).json()
    assert again["access_key"] != reply["access_key"]


async def test_credentials_name_the_host_as_the_client_addressed_it(client: Client) -> None:
    path = f"{PROJECTS}{client.project}/s3_credentials/"
    reply = await client.http.get(path, headers={"host": "fieldbox.lan:8080"})
    assert reply.json()["endpoint_override"] == "fieldbox.lan:8080"
    assert (await client.http.get(path, headers={"host": "evil/path"})).status_code == 400


async def test_registration(client: Client) -> None:
    for name in ("a", "b"):
        await client.s3("PUT", name, b"x")
    keys = [client.key("a"), client.key("b"), client.key("missing"), "user-1/project-1/other", client.key("a")]
    reply = await client.rest("POST", "inputs/bulk_register/", {"input_file_keys": keys})
    assert reply.json() == {"nb_images_registered": 2}
    reply = await client.rest("POST", "inputs/bulk_register/", {"input_file_keys": keys})
    assert reply.json() == {"nb_images_registered": 0}
    assert registered_images(client.address.root, client.project) == [client.key("a"), client.key("b")]
    assert (await client.rest("GET", "")).json()["public_status"] == "UPLOADED"


@pytest.mark.parametrize("keys", [None, [], "a", [7], [None], {"a": 1}, ["a\0"]])
async def test_an_invalid_registration_is_refused(client: Client, keys: object) -> None:
    reply = await client.rest("POST", "inputs/bulk_register/", {"input_file_keys": keys})
    assert reply.status_code == 400


async def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    reply = await client.http.post(PROJECTS, content=b" " * (9 * 1024**2))
    assert reply.status_code == 413


async def register(client: Client, file: str, kind: str, **more: object) -> int:
    body = {"file_key": client.key(file), "result_type": kind} | more
    return (await client.rest("POST", "results/", body)).status_code


async def test_a_second_result_of_a_type_replaces_the_first(client: Client) -> None:
    await client.s3("PUT", "ortho.tif", b"x")
    await client.s3("PUT", "ortho-1f3a9c.tif", b"xyz")
    for name in ("ortho.tif", "ortho-1f3a9c.tif", "ortho-1f3a9c.tif"):  # the last one is a repeated call
        assert await register(client, name, "orthomosaic", name="ortho.tif", crs={"code": 32632}) == 201
    assert registered_results(client.address.root, client.project) == [(client.key("ortho-1f3a9c.tif"), "orthomosaic")]
    (listed,) = (await client.rest("GET", "results/")).json()["results"]
    assert (listed["name"], listed["size"], listed["crs"]) == ("ortho.tif", 3, {"code": 32632})
    (old,) = listed["replaced"]
    assert (old["file_key"], old["size"]) == (client.key("ortho.tif"), 1)
    assert (await client.s3("GET", "ortho.tif")).content == b"x", "the files of a replaced result are kept"


async def test_a_replaced_result_can_come_back(client: Client) -> None:
    for name in ("a.las", "b.las"):
        await client.s3("PUT", name, b"x")
    for name in ("a.las", "b.las", "a.las"):
        assert await register(client, name, "point_cloud") == 201
    assert registered_results(client.address.root, client.project) == [(client.key("a.las"), "point_cloud")]


async def test_a_mesh_has_several_files(client: Client) -> None:
    for name in ("m/m.obj", "m/m.mtl", "m/tex/0.jpg"):
        await client.s3("PUT", name, b"xy")
    companions = [client.key("m/m.mtl"), client.key("m/tex/0.jpg")]
    assert await register(client, "m/m.obj", "mesh", companion_keys=companions) == 201
    (listed,) = (await client.rest("GET", "results/")).json()["results"]
    assert (listed["companion_keys"], listed["size"], listed["replaced"]) == (companions, 6, [])


@pytest.mark.parametrize(
    "invalid",
    [
        {},
        {"file_key": "ortho.tif"},
        {"file_key": "ortho.tif", "result_type": "a b"},
        {"file_key": "ortho.tif", "result_type": "point_cloud"},
        {"file_key": "missing.tif", "result_type": "dsm"},
        {"file_key": "ortho.tif", "result_type": "dsm", "companion_keys": ["missing.tfw"]},
        {"file_key": "ortho.tif", "result_type": "dsm", "companion_keys": "ortho.tif"},
        {"file_key": "ortho.tif", "result_type": "dsm", "name": ""},
        {"file_key": "ortho.tif", "result_type": "dsm", "name": "x" * 256},
        {"file_key": "ortho.tif", "result_type": "dsm", "crs": "x" * 1000},
    ],
)
async def test_invalid_results(client: Client, invalid: dict[str, object]) -> None:
    await client.s3("PUT", "ortho.tif", b"x")
    given = invalid | ({"file_key": client.key(str(invalid["file_key"]))} if "file_key" in invalid else {})
    assert (await client.rest("POST", "results/", given)).status_code == 400
    assert registered_results(client.address.root, client.project) == []


async def test_a_project_without_images_does_not_start(client: Client) -> None:
    assert (await client.rest("POST", "start_processing/")).status_code == 400
    assert starts(client.address.root, client.project) == 0


async def test_processing_follows_the_clock(tmp_path: Path) -> None:
    start = time.time()  # botocore signs with the real time
    clock = Clock(start)
    async with a_cloud(LocalCloudOptions(tmp_path, processing_seconds=100), clock) as client:

        async def status_at(seconds: float) -> str:
            clock.now = start + seconds
            return str((await client.rest("GET", "")).json()["public_status"])

        await client.s3("PUT", "a", b"x")
        await client.rest("POST", "inputs/bulk_register/", {"input_file_keys": [client.key("a")]})
        started = (await client.rest("POST", "start_processing/")).json()
        assert started == {"estimated_waiting_time": 20, "estimated_time": 80}
        assert [await status_at(at) for at in (0, 19, 21, 99)] == ["WAITING", "WAITING", "PROCESSING", "PROCESSING"]
        assert await status_at(100) == "DONE"
        assert starts(tmp_path, client.project) == 1
        await client.rest("POST", "start_processing/")
        assert await status_at(101) == "WAITING", "a second start restarts it"
        assert starts(tmp_path, client.project) == 2


async def test_tokens_expire(tmp_path: Path) -> None:
    clock = Clock()
    async with a_cloud(LocalCloudOptions(tmp_path, token_lifetime=60), clock) as client:
        clock.now += 59
        assert (await client.rest("GET", "")).status_code == 200
        clock.now += 2
        reply = await client.rest("GET", "")
        assert (reply.status_code, reply.json()) == (401, {"detail": "Token has expired."})


async def test_replies_are_dated(tmp_path: Path) -> None:
    async with a_cloud(LocalCloudOptions(tmp_path), Clock()) as client:
        reply: httpx.Response = await client.rest("GET", "")
        assert reply.headers["date"] == "Tue, 14 Nov 2023 22:13:20 GMT"


async def test_registered_images_are_listed_in_pages(client: Client) -> None:
    keys = [client.key(f"{number}.jpg") for number in range(3)]
    for number in range(3):
        await client.s3("PUT", f"{number}.jpg", b"x")
    await client.rest("POST", "inputs/bulk_register/", {"input_file_keys": keys})
    first = (await client.rest("GET", "inputs/?page_size=2")).json()
    second = (await client.http.get(first["next"])).json()
    assert (first["count"], second["next"]) == (3, None)
    assert [image["file_key"] for page in (first, second) for image in page["results"]] == keys
