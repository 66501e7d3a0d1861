"""The REST API in the default profile."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests.local_cloud.clouds import PROJECTS, Client, Clock, a_cloud
from tui_uploader.local_cloud.server import ExternalS3, LocalCloudOptions
from tui_uploader.local_cloud.storage.projects import registered_images, starts

pytestmark = pytest.mark.asyncio(loop_scope="module")


def login(client: Client) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": client.address.client_id,
        "client_secret": client.address.client_secret,
        "token_format": "jwt",
    }


async def test_a_token_by_each_way_of_asking(client: Client) -> None:
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
async def test_no_token(client: Client, changed: dict[str, str], status: int, error: str) -> None:
    form = urlencode(login(client) | changed, errors="surrogateescape").encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    reply = await client.http.post("/oauth2/token/", content=form, headers=headers)
    assert (reply.status_code, reply.json()) == (status, {"error": error})


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x"]
)
async def test_a_broken_form_is_refused(client: Client, content_type: str) -> None:
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


async def test_an_s3_session_token_is_no_bearer_token(client: Client) -> None:
    headers = {"authorization": f"Bearer {client.credentials.session_token}"}
    assert (await client.http.get(PROJECTS, headers=headers)).status_code == 401


async def test_projects_are_made_shown_and_listed(client: Client) -> None:
    made = (await client.http.post(PROJECTS, json={"name": " Fjäll \u200f"})).json()
    assert made["s3_base_path"] == f"user-1/project-{made['id']}"
    shown = (await client.http.get(f"{PROJECTS}{made['id']}/")).json()
    assert (shown["id"], shown["name"], shown["public_status"]) == (made["id"], "Fjäll \u200f", "CREATED")
    assert shown["detail_url"] == f"{client.address.url}{PROJECTS}{made['id']}/"


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
async def test_a_page_that_is_not_there(client: Client, page: str) -> None:
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
async def test_names_that_are_none(client: Client, body: bytes) -> None:
    reply = await client.http.post(PROJECTS, content=body, headers={"content-type": "application/json"})
    assert reply.status_code == 400, reply.text
    assert isinstance(reply.json(), dict)


async def test_a_name_of_100_characters(client: Client) -> None:
    assert (await client.http.post(PROJECTS, json={"name": "ä" * 100})).status_code == 201


@pytest.mark.parametrize("project", ["999999", "0", "999999999999999"])
async def test_unknown_projects(client: Client, project: str) -> None:
    for path in ("", "s3_credentials/", "inputs/", "outputs/"):
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


async def test_credentials_name_the_host_that_the_client_knows(client: Client) -> None:
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
async def test_registration_of_nonsense(client: Client, keys: object) -> None:
    reply = await client.rest("POST", "inputs/bulk_register/", {"input_file_keys": keys})
    assert reply.status_code == 400


async def test_a_body_without_end_is_cut_off(client: Client) -> None:
    reply = await client.http.post(PROJECTS, content=b" " * (9 * 1024**2))
    assert reply.status_code == 413


async def test_extras_and_results(client: Client) -> None:
    await client.s3("PUT", "gcp.txt", b"x")
    await client.s3("PUT", "ortho.tif", b"x")
    await client.s3("PUT", "ortho-2.tif", b"x")
    assert (await client.rest("POST", "extras/", {"file_key": client.key("gcp.txt")})).status_code == 201
    assert (await client.rest("POST", "extras/", {"file_key": client.key("nothing")})).status_code == 400
    for name in ("ortho.tif", "ortho-2.tif"):
        result = {"file_key": client.key(name), "result_type": "orthomosaic"}
        assert (await client.rest("POST", "results/", result)).status_code == 201
    (output,) = (await client.rest("GET", "outputs/")).json()["outputs"]
    assert output["s3_key"] == client.key("ortho-2.tif"), "the second of a type replaces the first"
    assert (output["result_type"], output["availability"]) == ("orthomosaic", "done")
    for nonsense in ({"file_key": client.key("gcp.txt")}, {"file_key": "x", "result_type": "a b"}, {}):
        assert (await client.rest("POST", "results/", nonsense)).status_code == 400


async def test_a_mesh_has_several_files(client: Client) -> None:
    for name in ("m.obj", "m.mtl"):
        await client.s3("PUT", name, b"x")
        await client.rest("POST", "results/", {"file_key": client.key(name), "result_type": "mesh"})
    outputs = (await client.rest("GET", "outputs/")).json()["outputs"]
    assert {output["output_type"] for output in outputs} == {"obj", "mtl"}


async def test_a_project_without_images_does_not_start(client: Client) -> None:
    assert (await client.rest("POST", "start_processing/")).status_code == 400
    assert starts(client.address.root, client.project) == 0


async def test_processing_by_the_clock(tmp_path: Path) -> None:
    """Without S3, whose signatures follow the real clock; another store has the objects."""
    elsewhere = ExternalS3("http://10.0.0.7:9000", "AK", "SK", "us-west-2", "theirs")
    clock = Clock()
    async with a_cloud(LocalCloudOptions(tmp_path, processing_seconds=100, external_s3=elsewhere), clock) as client:

        async def status_at(seconds: float) -> str:
            clock.now = 1_700_000_000 + seconds
            return str((await client.rest("GET", "")).json()["public_status"])

        await client.rest("POST", "inputs/bulk_register/", {"input_file_keys": [client.key("a")]})
        started = (await client.rest("POST", "start_processing/")).json()
        assert started == {"estimated_waiting_time": 20, "estimated_time": 80}
        assert [await status_at(at) for at in (0, 19, 21, 99)] == ["WAITING", "WAITING", "PROCESSING", "PROCESSING"]
        outputs = (await client.rest("GET", "outputs/")).json()["outputs"]
        assert {output["availability"] for output in outputs} == {"in_progress"}
        assert await status_at(100) == "DONE"
        outputs = (await client.rest("GET", "outputs/")).json()["outputs"]
        assert {output["availability"] for output in outputs} == {"done"}
        assert starts(tmp_path, client.project) == 1
        await client.rest("POST", "start_processing/")
        assert await status_at(101) == "WAITING", "asked twice, done twice"
        assert starts(tmp_path, client.project) == 2


async def test_objects_can_lie_elsewhere(tmp_path: Path) -> None:
    elsewhere = ExternalS3("http://10.0.0.7:9000", "AK", "SK", "us-west-2", "theirs")
    assert "SK" not in repr(elsewhere)
    async with a_cloud(LocalCloudOptions(tmp_path, external_s3=elsewhere)) as client:
        assert client.address.s3_url == "http://10.0.0.7:9000"
        reply = (await client.rest("GET", "s3_credentials/")).json()
        given = [reply[name] for name in ("access_key", "secret_key", "bucket", "endpoint_override", "region")]
        assert given == ["AK", "SK", "theirs", "10.0.0.7:9000", "us-west-2"]
        reply = await client.rest("POST", "inputs/bulk_register/", {"input_file_keys": [client.key("unseen")]})
        assert reply.json() == {"nb_images_registered": 1}


async def test_tokens_end(tmp_path: Path) -> None:
    clock = Clock()
    async with a_cloud(LocalCloudOptions(tmp_path, token_lifetime=60), clock) as client:
        clock.now += 59
        assert (await client.rest("GET", "")).status_code == 200
        clock.now += 2
        reply = await client.rest("GET", "")
        assert (reply.status_code, reply.json()) == (401, {"detail": "Token has expired."})


async def test_replies_are_dated_by_the_clock(tmp_path: Path) -> None:
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
