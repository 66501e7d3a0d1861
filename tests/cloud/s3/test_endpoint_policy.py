"""Which storage endpoints a service may name."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_uploader.cloud.net.endpoint import Origin, is_loopback, origin_of
from tui_uploader.cloud.s3.endpoint_policy import check_storage_endpoint, is_internal
from tui_uploader.cloud.s3.session_credentials import session_credentials, storage_endpoint
from tui_uploader.cloud.server_clock import ServerClock
from tui_uploader.errors import Remedy, StorageRefused, UploaderError

FIELDS = {
    "access_key": "AKIDEXAMPLE00001",
    "secret_key": "very-secret",
    "bucket": "prod-bucket",
    "key": "user-105714/project-256164",
}
PUBLIC, LOCAL = "https://cloud.pix4d.com", "http://127.0.0.1:8000"
OFFICE, SITE = "https://10.0.0.4", "https://maps.office.internal"


def fault(service: str = PUBLIC, **fields: object) -> str:
    """The complaint about credentials with these fields; empty if there is none."""
    try:
        check_storage_endpoint({**FIELDS, **fields}, origin_of(service))
    except StorageRefused as error:
        assert error.remedy is Remedy.PERSON and origin_of(service).host in str(error)
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("service", "address"),
    [
        (PUBLIC, "s3.eu-central-1.amazonaws.com"),
        (PUBLIC, "https://s3.example.org:9000/"),
        (PUBLIC, "https://s3.example.org/"),
        (PUBLIC, "https://[2606:4700:4700::1111]/"),
        (PUBLIC, "HTTPS://S3.Example.org."),
        (PUBLIC, "xn--mnchen-3ya.example"),
        (PUBLIC, "8.8.8.8:443"),
        (PUBLIC, "[2606:4700:4700::1111]:443"),
        (LOCAL, "127.0.0.1:9000"),
        (LOCAL, "http://[::1]:9000"),
        (LOCAL, "http://localhost:9000"),
        (LOCAL, "s3.example.org"),
        (OFFICE, "10.0.0.5:9000"),
        (OFFICE, "minio.office.internal:9000"),
        ("https://clouds.firm.corp", "10.0.0.5:9000"),
        (SITE, "https://127.0.0.1:9000"),
        (SITE, "minio"),
        ("https://localhost:8443", "localhost:9000"),
    ],
)
def test_allowed_addresses(service: str, address: str) -> None:
    assert fault(service, endpoint_override=address) == ""


@pytest.mark.parametrize(
    ("service", "address", "reason"),
    [
        (PUBLIC, "http://127.0.0.1:9000", "unencrypted http"),
        (PUBLIC, "http://s3.example.org", "unencrypted http"),
        (LOCAL, "http://s3.example.org", "unencrypted http"),
        ("https://127.0.0.1:8000", "http://127.0.0.1:9000", "unencrypted http"),
        (PUBLIC, "ftp://s3.example.org", "instead of https"),
        (PUBLIC, "https://joe:PW@s3.example.org", "contains a user name"),
        (PUBLIC, "joe:PW@s3.example.org", "contains a user name"),
        (PUBLIC, "https://s3.example.org/a/path", "not a valid host"),
        (PUBLIC, "s3.example.org?x", "not a valid host"),
        (PUBLIC, "s3.example.org#x", "not a valid host"),
        (PUBLIC, "s3.example.org\\@evil.org", "contains a user name"),
        (PUBLIC, "host:port:what", "not a valid host"),
        (PUBLIC, "s3.example.org:0", "not a valid host"),
        (PUBLIC, "s3.example.org:70000", "not a valid host"),
        (PUBLIC, "s3.example.org\0", "not a valid host"),
        (PUBLIC, "s3 .example.org", "not a valid host"),
        (PUBLIC, "s3.example.org\r\nHost: evil", "not a valid host"),
        (PUBLIC, "s3\ud800.example.org", "not a valid host"),
        (PUBLIC, "s3..example.org", "not a valid host"),
        (PUBLIC, "-s3.example.org", "not a valid host"),
        (PUBLIC, "xn--\u00fc.org", "not a valid host"),
        (PUBLIC, "xn--a-.org", "not a valid host"),
        (PUBLIC, "xn--99999999999.org", "not a valid host"),
        (PUBLIC, "\uff11\uff12\uff17.0.0.1", "not a valid host"),
        (PUBLIC, "a" * 64 + ".org", "not a valid host"),
        (PUBLIC, "2130706433", "not a valid host"),
        (PUBLIC, "127.1", "not a valid host"),
        (PUBLIC, "0x7f.0.0.1", "not a valid host"),
        (PUBLIC, "0x7f000001", "not a valid host"),
        (PUBLIC, "127.0.0.1:9000", "this machine"),
        (PUBLIC, "https://localhost", "this machine"),
        (PUBLIC, "LocalHost.", "this machine"),
        (PUBLIC, "x.localhost", "this machine"),
        (PUBLIC, "minio", "this machine"),
        (PUBLIC, "nas.local", "this machine"),
        (PUBLIC, "10.1.2.3", "this machine"),
        (PUBLIC, "192.168.0.1", "this machine"),
        (PUBLIC, "169.254.169.254", "this machine"),
        (PUBLIC, "0.0.0.0", "this machine"),
        (PUBLIC, "100.64.0.1", "this machine"),
        (PUBLIC, "224.0.0.1", "this machine"),
        (PUBLIC, "[::1]", "this machine"),
        (PUBLIC, "[::]", "this machine"),
        (PUBLIC, "[fe80::1]", "this machine"),
        (PUBLIC, "[fd00::1]", "this machine"),
        (PUBLIC, "[::ffff:127.0.0.1]", "this machine"),
        (PUBLIC, "[2002:7f00:1::]", "this machine"),
        (PUBLIC, "[64:ff9b::7f00:1]", "this machine"),
        (PUBLIC, "[::10.0.0.1]", "this machine"),
        (PUBLIC, "minio.firm.corp", "this machine"),
        (PUBLIC, "[127.0.0.1]", "not a valid host"),
        (PUBLIC, "[fe80::1%eth0]", "not a valid host"),
    ],
)
def test_forbidden_addresses(service: str, address: str, reason: str) -> None:
    problem = fault(service, endpoint_override=address)
    assert re.search(reason, problem) and "(`endpoint_override`)" in problem
    assert "PW" not in problem and problem.isprintable()


@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("bucket", "prod-bucket", True),
        ("bucket", "Old_Bucket.of.2009", True),
        ("bucket", "tenant:bucket", True),
        ("bucket", "..", False),
        ("bucket", "a..b", False),
        ("bucket", "a/b", False),
        ("bucket", "a\\b", False),
        ("bucket", "a b", False),
        ("bucket", "a\0", False),
        ("bucket", "-a", False),
        ("bucket", "a@b", False),
        ("bucket", "b" * 256, False),
        ("key", "user-1/project-2", True),
        ("key", "user-1/project-2/", True),
        ("key", "Überflug 7/süd", True),
        ("key", "../../etc", False),
        ("key", "a/../b", False),
        ("key", "a/./b", False),
        ("key", "a//b", False),
        ("key", "/a", False),
        ("key", "/", False),
        ("key", "..", False),
        ("key", "a\n", False),
        ("key", "a\ud800", False),
        ("key", "a\u202eb", False),
        ("key", "..\\..\\etc", False),
        ("key", "k" * 901, False),
        ("region", "eu-central-1", True),
        ("region", "r", True),
        ("region", "evil.example/", False),
        ("region", "-eu", False),
        ("region", "eu-", False),
        ("region", "EU", False),
    ],
)
def test_buckets_prefixes_and_regions(field: str, value: str, accepted: bool) -> None:
    problem = fault(**{field: value})
    assert (problem == "") is accepted
    assert accepted or f"(`{field}`)" in problem
    assert problem.isprintable()


_HOSTILE = st.one_of(
    st.text(max_size=40),
    st.text("0123456789abcdefx.:[]/@%-#?\\ ", max_size=40),
    st.ip_addresses().map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]:443"),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "http://", "https://", "//", "HTTPS://"]),
        st.sampled_from(["127.0.0.1", "[::1]", "localhost", "127.1", "a.org", "user@a.org", "10.0.0.1", "::1"]),
        st.sampled_from(["", ":0", ":80", ":99999", "@evil.org", "\0", ".", "%00", "\\@127.0.0.1"]),
        st.sampled_from(["", "/", "/x", "?y", "#z", "\r\n"]),
    ),
)


@settings(max_examples=1500, deadline=None)
@given(address=_HOSTILE)
def test_no_address_of_a_public_service_leads_to_this_machine_or_plain_http(address: str) -> None:
    """The policy and the connection parse addresses alike."""
    service = Origin(True, "cloud.pix4d.com", 443)
    fields: dict[str, object] = {**FIELDS, "endpoint_override": address}
    try:
        check_storage_endpoint(fields, service)
        origin = storage_endpoint(session_credentials(fields, ServerClock(lambda: 0.0)), None, service).origin
    except UploaderError:
        return
    assert origin.tls and not is_loopback(origin.host)
    assert address == "" or not is_internal(origin.host)
    try:
        address_used = ipaddress.ip_address(origin.host)
        # A 6to4 address is as public as the IPv4 address in it; what Python says of it changed with its version 3.13.
        assert (getattr(address_used, "sixtofour", None) or address_used).is_global
    except ValueError:
        assert origin.host.isascii() and "." in origin.host
