"""The REST client against a scripted service: tokens, refusals, hostile replies, and calls never to be repeated."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cloud.servers import CERTIFICATE, Call, Handler, Server, seen, serving
from tests.cloud.stores import byte_range, ignore
from tui_uploader.cloud.contract import StartReceipt, StoredResult
from tui_uploader.cloud.net.endpoint import Deadlines
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.errors import (
    CloudBusy,
    CloudFault,
    CloudRefused,
    CloudUnintelligible,
    LinkDown,
    LinkStalled,
    NoSuchProject,
    NotTheService,
    ProxyRefused,
    SignInRefused,
    TrustFailed,
    Unsupported,
    UploaderError,
    UsageError,
)
from tui_uploader.model.accounts import Login
from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.results import ResultType
from tui_uploader.settings import Settings

SECRET = "s3cr3t+/&="
QUICK = Deadlines(connect=2.0, stall=1.0, reply=1.0)
PROJECTS = "/project/api/v3/projects/"


def service(handler: Handler) -> Handler:
    """Issue tokens `token-1`, `token-2`, …; pass everything else to `handler`."""
    numbers = itertools.count(1)

    def handle(call: Call) -> None:
        if call.path != "/oauth2/token/":
            handler(call)
            return
        assert call.form()["client_secret"] == SECRET
        call.reply(200, {"access_token": f"token-{next(numbers)}", "token_type": "Bearer", "expires_in": 172800})

    return handle


@contextlib.asynccontextmanager
async def cloud_at(url: str, *, proxy: str | None = None) -> AsyncIterator[Pix4dCloud]:
    settings = Settings(ca_file=CERTIFICATE, proxy=proxy)
    cloud = Pix4dCloud(Login(url, "client", SECRET), settings, deadlines=QUICK)
    try:
        yield cloud
    finally:
        await cloud.close()


@contextlib.asynccontextmanager
async def talking(handler: Handler, *, tls: bool = False) -> AsyncIterator[tuple[Pix4dCloud, Server]]:
    with serving(handler, tls=tls) as server:
        async with cloud_at(server.url) as cloud:
            yield cloud, server


def reply(status: int, body: object = b"", **headers: str) -> Handler:
    def handle(call: Call) -> None:
        call.read_body()
        call.reply(status, body, **headers)

    return handle


# -------------------------------------------------------------------------------------------------------- signing in


@pytest.mark.parametrize("tls", [False, True])
async def test_the_login_is_sent_in_the_body(tls: bool) -> None:
    async with talking(service(reply(200)), tls=tls) as (cloud, server):
        await cloud.sign_in()
    assert seen(server.calls) == ["POST /oauth2/token/"]
    assert server.calls[0].form() == {
        "grant_type": "client_credentials",
        "client_id": "client",
        "client_secret": SECRET,
        "token_format": "jwt",
    }


async def test_a_service_that_wants_the_login_in_the_query_gets_it_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    def by_query(call: Call) -> None:
        if call.query.get("client_secret") == SECRET:
            call.reply(200, {"access_token": "t"})
        else:
            call.reply(400, {"error": "invalid_request"})

    async with talking(by_query) as (cloud, server):
        await cloud.sign_in()
        await cloud.sign_in()
    assert ["?" in call.target for call in server.calls] == [False, True, True]
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize("status", [400, 401])
async def test_a_wrong_secret_is_refused_and_never_quoted(status: int) -> None:
    body = {"error": "invalid_client", "error_description": f"no {SECRET}\x1b[2J"}
    async with talking(reply(status, body)) as (cloud, server):
        with pytest.raises(SignInRefused, match=f"HTTP {status}.*invalid_client") as caught:
            await cloud.sign_in()
    assert len(server.calls) == 2
    assert "s3cr3t" not in caught.value.message and caught.value.message.isprintable()


@pytest.mark.parametrize(
    "body", [{}, {"access_token": 5}, {"access_token": "a\r\nb: c"}, {"access_token": ""}, [1], "not json", b"\xff\xfe"]
)
async def test_an_invalid_token(body: object) -> None:
    async with talking(reply(200, body)) as (cloud, _):
        with pytest.raises(CloudUnintelligible):
            await cloud.sign_in()


@pytest.mark.parametrize("seconds", [None, -5, 0, "soon", True, 10**400, "3600", float("nan")])
async def test_an_absurd_lifetime_does_not_stop_the_sign_in(seconds: object) -> None:
    def handle(call: Call) -> None:
        call.read_body()
        call.reply(200, {"access_token": "t", "expires_in": seconds} if "oauth2" in call.path else {"id": 1})

    async with talking(handle) as (cloud, server):
        await cloud.project("1")
        await cloud.project("1")
    assert len(server.calls) == 3


async def test_a_refused_token_is_renewed_once_for_all_callers() -> None:
    def only_second(call: Call) -> None:
        good = call.headers["authorization"] == "Bearer token-2"
        call.reply(200 if good else 401, {"id": 1} if good else {"detail": "expired"})

    async with talking(service(only_second)) as (cloud, server):
        await asyncio.gather(*(cloud.project("1") for _ in range(5)))
    assert seen(server.calls).count("POST /oauth2/token/") == 2


async def test_a_service_that_refuses_its_own_tokens() -> None:
    async with talking(service(reply(401, {"detail": "no"}))) as (cloud, server):
        with pytest.raises(SignInRefused, match="just issued: no"):
            await cloud.project("1")
    assert len(server.calls) == 4


async def test_a_token_is_renewed_before_its_end() -> None:
    now = [1_000_000.0]
    with serving(service(reply(200, {"id": 1}))) as server:
        cloud = Pix4dCloud(Login(server.url, "client", SECRET), Settings(), clock=lambda: now[0], deadlines=QUICK)
        await cloud.project("1")
        now[0] += 172800 - 299
        await cloud.project("1")
        now[0] += 300
        await cloud.project("1")
        await cloud.close()
    assert server.calls[-1].headers["authorization"] == "Bearer token-2"
    assert seen(server.calls).count("POST /oauth2/token/") == 2


# ------------------------------------------------------------------------------------------- who answers, and what


def half_a_reply(call: Call) -> None:
    call.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")
    call.close()


PORTAL = reply(200, "<html>Welcome to the hotel</html>", content_type="text/html")


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (PORTAL, NotTheService),
        (reply(302, location="http://login.hotel.example/"), NotTheService),
        (reply(511, "<html>"), NotTheService),
        (reply(407), ProxyRefused),
        (reply(301, location="/oauth2/token"), CloudRefused),
        (reply(502, "<html>bad gateway</html>", content_type="text/html"), CloudFault),
        (reply(500, {"detail": "oops"}), CloudFault),
        (reply(503, "", retry_after="3"), CloudBusy),
        (reply(429, {"detail": "slow"}, retry_after="3"), CloudBusy),
        (reply(403, {"detail": "not yours"}), CloudRefused),
        (reply(200, "{broken"), CloudUnintelligible),
        (reply(200, "[" * 100_000), CloudUnintelligible),
        (reply(200, "[]"), CloudUnintelligible),
        (reply(200, b"x" * (9 * 1024**2)), CloudUnintelligible),
        (reply(200, b"not gzip", content_encoding="gzip"), CloudUnintelligible),
        (reply(404, {"detail": "Not found."}), NoSuchProject),
        (lambda call: call.close(), LinkDown),
        (half_a_reply, LinkDown),
        (lambda call: time.sleep(1.5), LinkStalled),
    ],
)
async def test_replies_that_are_not_a_project(handler: Handler, error: type[UploaderError]) -> None:
    async with talking(service(handler)) as (cloud, _):
        with pytest.raises(error, match=r"127\.0\.0\.1") as caught:
            await cloud.project("1")
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("99999999999", 3600),
        ("-5", None),
        ("soon", None),
        ("1e5", None),
        ("Wed, 01 May 2024 12:01:00 GMT", 60),
        ("Wed, 01 May 2024 11:59:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
    ],
)
async def test_the_pause_that_a_busy_service_asks_for(header: str, seconds: float | None) -> None:
    with serving(service(reply(429, retry_after=header))) as server:
        login = Login(server.url, "client", SECRET)
        cloud = Pix4dCloud(login, Settings(), clock=lambda: 1714564800, deadlines=QUICK)  # noon of that day
        with pytest.raises(CloudBusy) as caught:
            await cloud.project("1")
        await cloud.close()
    assert caught.value.retry_after == seconds


async def test_the_services_own_words_are_shown_by_field() -> None:
    async with talking(service(reply(400, {"name": ["Too \x1b[31mlong."], "x": {"y": 1}}))) as (cloud, _):
        with pytest.raises(CloudRefused, match=r"HTTP 400.*name: Too \\x1b\[31mlong"):
            await cloud.create_project("n")


@pytest.mark.parametrize("answer", [reply(405, {"detail": "no"}), reply(401), reply(500), reply(404)])
async def test_a_server_that_answers_like_the_service_is_reachable(answer: Handler) -> None:
    async with talking(answer) as (cloud, server):
        await cloud.probe()
    assert "authorization" not in server.calls[0].headers


@pytest.mark.parametrize("answer", [PORTAL, reply(302, location="https://portal.example/"), reply(511)])
async def test_a_portal_is_not_reachable(answer: Handler) -> None:
    async with talking(answer) as (cloud, _):
        with pytest.raises(NotTheService):
            await cloud.probe()


async def test_no_server() -> None:
    async with cloud_at("http://127.0.0.1:1") as cloud:
        with pytest.raises(LinkDown):
            await cloud.probe()


async def test_an_unknown_host_name() -> None:
    async with cloud_at("https://cloud.invalid") as cloud:
        with pytest.raises(LinkDown, match=r"cloud\.invalid"):
            await cloud.probe()


async def test_an_untrusted_certificate() -> None:
    with serving(reply(405), tls=True) as server:
        cloud = Pix4dCloud(Login(server.url, "c", SECRET), Settings(), deadlines=QUICK)
        with pytest.raises(TrustFailed, match="ca_file"):
            await cloud.probe()
        await cloud.close()


async def test_a_proxy_that_wants_a_password() -> None:
    with serving(reply(407)) as proxy:
        async with cloud_at("https://storage.test", proxy=f"http://127.0.0.1:{proxy.port}") as cloud:
            with pytest.raises(ProxyRefused, match="407"):
                await cloud.probe()
    assert proxy.calls[0].target == "storage.test:443"


@pytest.mark.parametrize(
    "url",
    ["http://cloud.pix4d.com", "ftp://127.0.0.1", "cloud.pix4d.com", "https://", "http://10.0.0.1:8000", "http://[::1"],
)
def test_rejected_addresses(url: str) -> None:
    with pytest.raises(UsageError):
        Pix4dCloud(Login(url, "c", SECRET), Settings())


# -------------------------------------------------------------------------------------------------------- projects


async def test_a_project_is_created_with_an_acceptable_name() -> None:
    made = {"id": 256164, "bucket_name": "b", "s3_base_path": "user-1/project-256164", "public_status": "CREATED"}
    async with talking(service(reply(201, made))) as (cloud, server):
        project = await cloud.create_project("  Field 7/8\\9 ")
    assert (project.id, project.name, project.word, project.state) == ("256164", "Field 7-8-9", "CREATED", None)
    assert project.web_address == f"{server.url}/dataset/256164/map"
    assert server.calls[-1].target == PROJECTS
    assert json.loads(server.calls[-1].body or b"") == {"name": "Field 7-8-9"}


async def test_the_predicted_name_is_the_one_sent() -> None:
    async with talking(service(reply(201, {"id": 1}))) as (cloud, server):
        for name, kept in ((" / ", "-"), ("x" * 99 + "  yy", "x" * 99), ("\ta\\b\n", "a-b"), ("a", "a")):
            assert cloud.kept_name(name) == cloud.kept_name(kept) == kept
            assert (await cloud.create_project(name)).name == kept
            assert json.loads(server.calls[-1].body or b"") == {"name": kept}


async def test_a_project_without_a_name_is_not_requested() -> None:
    async with talking(service(reply(201))) as (cloud, server):
        with pytest.raises(UsageError):
            await cloud.create_project("  ")
    assert server.calls == []


@pytest.mark.parametrize("handler", [lambda call: call.close(), reply(502, "<html>"), reply(500)])
async def test_creating_and_starting_are_never_repeated(handler: Handler) -> None:
    async with talking(service(handler)) as (cloud, server):
        with pytest.raises((LinkDown, CloudFault)):
            await cloud.create_project("n")
        with pytest.raises((LinkDown, CloudFault)):
            await cloud.start_processing("1")
    assert [call.path for call in server.calls if "oauth2" not in call.path] == [
        PROJECTS,
        f"{PROJECTS}1/start_processing/",
    ]


async def test_the_fields_of_a_project() -> None:
    body = {"id": "7", "name": None, "public_status": "ERROR", "error_reason": "no overlap", "unheard": [1]}
    async with talking(service(reply(200, body))) as (cloud, _):
        project = await cloud.project("7")
    assert (project.name, project.state, project.error_reason) == ("", ProcessingState.FAILED, "no overlap")


async def test_a_hostile_id_stays_inside_its_path() -> None:
    async with talking(service(reply(404))) as (cloud, server):
        with pytest.raises(NoSuchProject):
            await cloud.project("../../x?y#z\n")
    assert server.calls[-1].target == f"{PROJECTS}..%2F..%2Fx%3Fy%23z%0A/"


async def test_projects_come_newest_first_over_all_pages() -> None:
    def page(call: Call) -> None:
        number = int(call.query["page"])
        items = [{"id": number * 2, "name": "a"}, {"id": number * 2 + 1}, {"name": "no id"}, "odd"]
        call.reply(200, {"count": 4, "next": "http://evil.example/" if number < 2 else None, "results": items})

    async with talking(service(page)) as (cloud, _):
        assert [project.id for project in await cloud.projects()] == ["5", "4", "3", "2"]


async def test_a_list_without_other_projects_costs_one_call() -> None:
    """Its first page has new facts; a number that the service counts more means that all pages are read again."""
    counted = 3

    def page(call: Call) -> None:
        number = int(call.query["page"])
        items = [{"id": number, "name": "a", "public_status": "DONE", "image_count": len(server.calls)}]
        call.reply(200, {"count": counted, "next": "more" if number < counted else None, "results": items})

    async with talking(service(page)) as (cloud, server):
        first = await cloud.projects()
        calls = len(server.calls)
        again = await cloud.projects(first)
        assert len(server.calls) == calls + 1
        assert [project.id for project in again] == ["3", "2", "1"]
        assert [project.images for project in again][:2] == [project.images for project in first][:2]
        assert again[2].images != first[2].images
        counted = 4
        assert [project.id for project in await cloud.projects(again)] == ["4", "3", "2", "1"]


@pytest.mark.parametrize(("count", "images"), [(456, 456), (0, 0), (None, None), ("7", None), (-1, None), (True, None)])
async def test_the_images_of_a_project_where_the_service_counts_them(count: object, images: int | None) -> None:
    async with talking(service(reply(200, {"id": "7", "image_count": count}))) as (cloud, _):
        assert (await cloud.project("7")).images == images


@pytest.mark.parametrize("status", [403, 404, 405, 501])
async def test_unsupported_calls(status: int) -> None:
    async with talking(service(reply(status, {"detail": "no"}))) as (cloud, _):
        with pytest.raises(Unsupported):
            await cloud.projects()


async def test_pix4d_itself_is_not_asked_for_calls_that_it_lacks() -> None:
    cloud = Pix4dCloud(Login("https://cloud.pix4d.com", "c", SECRET), Settings(), deadlines=QUICK)
    for ask in (
        cloud.results.check_taken(),
        cloud.results.check_taken("1"),
        cloud.results.listed("1"),
        cloud.results.register("1", StoredResult(ResultType.DSM, "dsm.tif", "k")),
    ):
        with pytest.raises(Unsupported, match=r"only on its web page.*Nothing was sent.*https://cloud\.pix4d\.com"):
            await ask
    await cloud.close()


@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        (b"", StartReceipt()),
        ({"estimated_time": 3600}, StartReceipt(None, 3600)),
        ({"estimated_time": "odd", "estimated_waiting_time": 60}, StartReceipt(60, None)),
        ([1], StartReceipt()),
    ],
)
async def test_starting_processing(body: object, receipt: StartReceipt) -> None:
    async with talking(service(reply(200, body))) as (cloud, _):
        assert await cloud.start_processing("1") == receipt


# ----------------------------------------------------------------------------------------------------- the store


async def test_each_project_has_one_store_with_its_own_credentials(tmp_path: Path) -> None:
    with serving(reply(200, ETag="1")) as s3:
        credentials = {
            "access_key": "AKIDEXAMPLE00001",
            "secret_key": "x",
            "session_token": "y",
            "bucket": "bucket",
            "key": "user-1/project-2",
            "endpoint_override": f"127.0.0.1:{s3.port}",
        }
        async with talking(service(reply(200, credentials))) as (cloud, server):
            store = cloud.store("2")
            assert cloud.store("2") is store and cloud.store("3") is not store
            await store.open()
            with byte_range(tmp_path / "a.jpg") as body:
                await store.put("a.jpg", body, ignore)
    assert server.calls[-1].target == f"{PROJECTS}2/s3_credentials/"
    assert s3.calls[0].path == "/bucket/user-1/project-2/a.jpg"
    assert s3.calls[0].headers["x-amz-security-token"] == "y"


async def test_the_store_of_a_deleted_project() -> None:
    async with talking(service(reply(404))) as (cloud, _):
        with pytest.raises(NoSuchProject):
            await cloud.store("2").open()
