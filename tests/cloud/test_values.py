"""The pure parts: addresses, credentials, status words, times, XML."""

from __future__ import annotations

import errno
import http.client
import logging
import socket
import ssl
import subprocess
import sys
import time
from email.utils import formatdate

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cloud.servers import CERTIFICATE
from tui_uploader.cloud.contract import Part, RemoteProject
from tui_uploader.cloud.http.error_mapping import Stalled, link_failure
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.net.endpoint import (
    Origin,
    origin_of,
    silence_leaky_loggers,
    tls_context,
)
from tui_uploader.cloud.net.proxies import proxy_of
from tui_uploader.cloud.pix4d import projects
from tui_uploader.cloud.refresh import lifetime
from tui_uploader.cloud.s3 import xml
from tui_uploader.cloud.s3.headers import found_in
from tui_uploader.cloud.s3.session_credentials import SessionCredentials, session_credentials, storage_endpoint
from tui_uploader.cloud.server_clock import ServerClock, moment_of
from tui_uploader.errors import (
    CloudUnintelligible,
    LinkDown,
    LinkStalled,
    NotTheService,
    TrustFailed,
    UploaderError,
    UsageError,
)
from tui_uploader.model.projects import ProcessingState
from tui_uploader.settings import Settings

FIELDS: dict[str, object] = {
    "access_key": "AKIDEXAMPLE00001",
    "secret_key": "very-secret",
    "session_token": "session-token",
    "bucket": "prod-bucket",
    "key": "user-105714/project-256164",
}
CLOUD = origin_of("https://cloud.pix4d.com")
LOCAL = origin_of("http://127.0.0.1:8000")


def made_key(**fields: object) -> SessionCredentials:
    return session_credentials({**FIELDS, **fields}, ServerClock(time.time))


# ------------------------------------------------------------------------------------------------------ endpoints


@pytest.mark.parametrize(
    ("fields", "cloud", "url"),
    [
        ({"region": "eu-central-1"}, CLOUD, "https://prod-bucket.s3.eu-central-1.amazonaws.com/k"),
        ({}, CLOUD, "https://prod-bucket.s3.amazonaws.com/k"),
        ({"region": "cn-north-1"}, CLOUD, "https://prod-bucket.s3.cn-north-1.amazonaws.com.cn/k"),
        ({"region": "us-east-1", "bucket": "a.b"}, CLOUD, "https://s3.us-east-1.amazonaws.com/a.b/k"),
        ({"is_bucket_accelerated": True}, CLOUD, "https://prod-bucket.s3-accelerate.amazonaws.com/k"),
        ({"is_bucket_accelerated": "yes", "region": "r"}, CLOUD, "https://prod-bucket.s3.r.amazonaws.com/k"),
        (
            {"is_bucket_accelerated": True, "endpoint_override": "s3.example.org:9000"},
            CLOUD,
            "https://s3.example.org:9000/prod-bucket/k",
        ),
        ({"endpoint_override": "https://s3.example.org"}, CLOUD, "https://s3.example.org/prod-bucket/k"),
        ({"endpoint_override": "127.0.0.1:9000"}, LOCAL, "http://127.0.0.1:9000/prod-bucket/k"),
        ({"endpoint_override": "[::1]:9000"}, LOCAL, "http://[::1]:9000/prod-bucket/k"),
        ({"endpoint_override": "127.0.0.1:9000"}, CLOUD, "https://127.0.0.1:9000/prod-bucket/k"),
        ({"endpoint_override": "s3.example.org"}, LOCAL, "https://s3.example.org/prod-bucket/k"),
    ],
)
def test_bucket_addresses(fields: dict[str, object], cloud: Origin, url: str) -> None:
    key = made_key(**fields)
    endpoint = storage_endpoint(key, key.region, cloud)
    assert endpoint.origin.url + endpoint.path("k") == url


def test_plain_http_to_another_machine_is_refused() -> None:
    with pytest.raises(UsageError, match=r"s3\.example\.org"):
        storage_endpoint(made_key(endpoint_override="http://s3.example.org"), None, LOCAL)


def test_an_invalid_override() -> None:
    with pytest.raises(CloudUnintelligible):
        storage_endpoint(made_key(endpoint_override="host:port:what"), None, CLOUD)


@given(st.text(min_size=1, max_size=80))
def test_every_name_becomes_a_path_that_decodes_to_it(name: str) -> None:
    from urllib.parse import unquote_to_bytes

    path = storage_endpoint(made_key(), "eu-west-1", CLOUD).path(name.encode("utf-8", "replace").decode())
    assert path.isascii() and path.isprintable() and not set(path) & set(' ?#"<>')
    assert unquote_to_bytes(path)[1:] == name.encode("utf-8", "replace")


# ------------------------------------------------------------------------------------------------- credentials


@pytest.mark.parametrize(
    "fields",
    [
        {"access_key": None},
        {"secret_key": 5},
        {"bucket": ""},
        {"key": None},
        {"session_token": "a\r\nx-evil: 1"},
        {"access_key": "ключ"},
        {"region": "evil.example/"},
    ],
)
def test_unusable_credentials(fields: dict[str, object]) -> None:
    with pytest.raises(CloudUnintelligible):
        made_key(**fields)


def test_reprs_omit_secrets() -> None:
    shown = repr(made_key()) + repr(proxy_of("http://u:hunter2@p:1")) + repr(Settings(proxy="http://u:hunter2@p:1"))
    assert not any(secret in shown for secret in ("very-secret", "session-token", "AKID", "hunter2"))


def test_credentials_are_renewed_ten_minutes_before_their_end() -> None:
    end = time.time() + 3600
    key = made_key(expiration=formatdate(end, usegmt=True))
    assert key.life.due == pytest.approx(end - 600, abs=2)
    assert key.life.end == pytest.approx(end - 2, abs=2)


@pytest.mark.parametrize("expiration", [None, "soon", 17, "2001-01-01T00:00:00Z"])
def test_credentials_without_a_plausible_end_are_renewed_after_45_minutes(expiration: object) -> None:
    assert made_key(expiration=expiration).life.due == pytest.approx(time.time() + 45 * 60, abs=2)


def test_the_services_time_counts_for_the_end_of_credentials() -> None:
    clock = ServerClock(lambda: 0.0)
    key = session_credentials(
        {**FIELDS, "server_time": "2030-01-01T00:00:00Z", "expiration": "2030-01-01T00:00:05Z"}, clock
    )
    start = moment_of("2030-01-01T00:00:00+00:00")
    assert start is not None and clock.now() == start
    assert start + 2 < key.life.due < key.life.end < start + 5


@given(st.floats(0.1, 1e7), st.floats(1, 1e4))
def test_renewal_is_due_before_the_end_however_short_the_life(seconds: float, margin: float) -> None:
    life = lifetime(100.0, seconds, margin)
    assert 100 < life.due < life.end < 100 + seconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-01T12:00:00Z", 1714564800),
        ("2024-05-01T14:00:00+02:00", 1714564800),
        ("2024-05-01T12:00:00", 1714564800),
        ("Wed, 01 May 2024 12:00:00 GMT", 1714564800),
        ("yesterday", None),
        ("", None),
        ("9" * 400, None),
        (None, None),
    ],
)
def test_moments(text: str | None, moment: float | None) -> None:
    assert moment_of(text) == moment


# --------------------------------------------------------------------------------------------- addresses, proxies


@pytest.mark.parametrize(
    ("url", "netloc"),
    [
        ("https://cloud.pix4d.com", "cloud.pix4d.com"),
        ("https://cloud.pix4d.com:443/", "cloud.pix4d.com"),
        ("https://host:8443", "host:8443"),
        ("http://localhost:80", "localhost"),
        ("http://127.3.2.1:8000", "127.3.2.1:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_origins(url: str, netloc: str) -> None:
    assert origin_of(url).netloc == netloc


@pytest.mark.parametrize("name", ["nowhere.pem", "servers.py"])
def test_an_invalid_ca_file(name: str) -> None:
    path = CERTIFICATE.with_name(name)
    with pytest.raises(UsageError, match=name):
        tls_context(Settings(ca_file=path))


def test_the_systems_authorities_are_trusted_and_names_are_checked() -> None:
    context = tls_context(Settings())
    assert context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname


def test_libraries_that_log_urls_and_tokens_are_silent() -> None:
    silence_leaky_loggers()
    for name in ("httpx", "botocore.auth", "httpcore.http11"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)


# ------------------------------------------------------------------------------------------------------ failures


def caused(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__cause__ = inner
    return outer


def certificate_error() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_message = "expired\x1b"
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(-2, "Name or service not known"), LinkDown),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), LinkDown),
        (OSError(errno.ENETUNREACH, "x"), LinkDown),
        (ConnectionResetError(errno.ECONNRESET, "x"), LinkDown),
        (http.client.RemoteDisconnected("x"), LinkDown),
        (http.client.IncompleteRead(b""), LinkDown),
        (OSError(errno.EMFILE, "x"), LinkDown),
        (ssl.SSLEOFError(8, "x"), LinkDown),
        (TimeoutError(errno.ETIMEDOUT, "x"), LinkStalled),
        (Stalled(), LinkStalled),
        (httpx.ReadTimeout("x"), LinkStalled),
        (httpx.ConnectTimeout("x"), LinkDown),
        (httpx.PoolTimeout("x"), LinkDown),
        (httpx.RemoteProtocolError("x"), LinkDown),
        (caused(httpx.ConnectError("x"), certificate_error()), TrustFailed),
        (caused(httpx.ConnectError("x"), socket.gaierror(-3, "again")), LinkDown),
        (certificate_error(), TrustFailed),
        (http.client.BadStatusLine("SSH\x1b"), NotTheService),
        (httpx.InvalidURL("x"), UsageError),
    ],
)
def test_failures_of_libraries_become_errors_of_ours(error: BaseException, kind: type[UploaderError]) -> None:
    ours = link_failure(error, "host\x1b.example")
    assert type(ours) is kind
    assert "host\\x1b.example" in ours.message and ours.message.isprintable()


# ------------------------------------------------------------------------------------------------- words, XML, imports


@pytest.mark.parametrize(
    ("word", "state"),
    [
        (None, None),
        ("", None),
        ("NEW", None),
        ("Created", None),
        ("uploaded", None),
        ("WAITING", ProcessingState.WAITING),
        ("Waiting for credits", ProcessingState.WAITING),
        ("waiting_for_credits", ProcessingState.WAITING),
        ("PROCESSING", ProcessingState.PROCESSING),
        ("DONE", ProcessingState.DONE),
        ("Processed", ProcessingState.DONE),
        ("ERROR", ProcessingState.FAILED),
        ("failed", ProcessingState.FAILED),
        ("CANCELED", ProcessingState.FAILED),
        ("Cancelled", ProcessingState.FAILED),
        ("DENSIFYING \x1b[31m", ProcessingState.PROCESSING),
    ],
)
def test_status_words(word: str | None, state: ProcessingState | None) -> None:
    assert projects.state_of_word(word) is state


@given(st.binary(max_size=200))
def test_no_document_breaks_the_parser(body: bytes) -> None:
    document = xml.parsed(body)
    assert document is None or document.name


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<a>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b"<?xml version='1.0' encoding='klingon'?><a/>",
        b"<a>&undefined;</a>",
    ],
)
def test_documents_that_are_rejected(body: bytes) -> None:
    assert xml.parsed(body) is None


@given(st.integers(0, 2**32 - 1))
def test_checksums_round_trip_as_text(crc32: int) -> None:
    assert xml.crc32_from_text(xml.crc32_text(crc32)) == crc32


def test_an_etag_cannot_break_out_of_the_completion() -> None:
    document = xml.parsed(xml.completion([Part(1, 1, "</ETag><x>&")], checksums=True))
    assert document is not None and document.rows[0]["ETag"] == '"</ETag><x>&"'


def test_the_contract_alone_loads_no_http_and_no_botocore() -> None:
    program = (
        "import sys, tui_uploader.cloud.contract, tui_uploader.cloud.login_store\n"
        "print([name for name in ('botocore', 'httpx', 'keyring') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("length", ["", "-1", "1.5", "٣", "9" * 5000])
def test_an_object_size_that_is_no_number_of_bytes_is_an_invalid_reply(length: str) -> None:
    with pytest.raises(CloudUnintelligible, match="no object size"):
        found_in(Reply(200, {"content-length": length, "etag": '"abc"'}, b""))


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["9", "10", "8"], ["10", "9", "8"]),
        (["9", "a", "10"], ["9", "a", "10"]),
        (["9", "٣"], ["9", "٣"]),
        (["9", "1" * 5000], ["9", "1" * 5000]),
    ],
)
def test_projects_are_sorted_by_id_where_all_ids_are_numbers(ids: list[str], expected: list[str]) -> None:
    found = projects.newest_first([RemoteProject(each, "Quarry", None, None) for each in ids])
    assert [project.id for project in found] == expected
