"""A running local cloud, and a client whose requests are under the full control of the test."""

from __future__ import annotations

import asyncio
import base64
import itertools
import ssl
import zlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import httpx
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tui_uploader.local_cloud.options import LocalCloudAddress, LocalCloudOptions
from tui_uploader.local_cloud.server import running

PROJECTS = "/project/api/v3/projects/"
MIB = 1024**2
NO_CA = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of plain http: loading the system's certificates takes longer than most tests."""


@dataclass(frozen=True)
class Credentialed:
    """The reply of s3_credentials."""

    access_key: str
    secret_key: str
    session_token: str
    bucket: str
    key: str


@dataclass
class Clock:
    """Seconds since the epoch, set by the test."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class _PayloadAs(S3SigV4Auth):
    """Signs with a given value of x-amz-content-sha256."""

    payload_word = "UNSIGNED-PAYLOAD"

    def payload(self, request: AWSRequest) -> str:
        return self.payload_word


@dataclass
class Client:
    """A signed-in client with one project."""

    address: LocalCloudAddress
    http: httpx.AsyncClient
    project: int
    credentials: Credentialed
    region: str = "eu-central-1"

    def key(self, name: str) -> str:
        return f"{self.credentials.key}/{name}"

    def path(self, name: str) -> Path:
        """The file of an object."""
        return self.address.root / "objects" / self.credentials.bucket / self.key(name)

    def incoming(self) -> set[str]:
        """Files in `incoming/`."""
        return {path.name for path in (self.address.root / "incoming").iterdir()}

    async def rest(self, method: str, path: str, json: object = None) -> httpx.Response:
        return await self.http.request(method, f"{PROJECTS}{self.project}/{path}", json=json)

    async def s3(
        self,
        method: str,
        name: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        key: str | None = None,
        payload: str | None = None,
    ) -> httpx.Response:
        """Send a signed request for an object of the project, or any `key`; `payload` replaces the payload's hash."""
        target = quote(f"/{self.credentials.bucket}/" + (self.key(name) if key is None else key), safe="/~")
        return await self.s3_at(method, target, body, headers=headers, query=query, payload=payload)

    async def s3_at(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        payload: str | None = None,
    ) -> httpx.Response:
        url = self.address.url + target + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        signed = self.signed(method, url, body, headers or {}, payload)
        return await self.http.request(method, url, content=body, headers=signed)

    def signed(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], payload: str | None = None
    ) -> dict[str, str]:
        """The headers, including the signature."""
        request = AWSRequest(method, url, headers=dict(headers), data=body)
        credentials = Credentials(
            self.credentials.access_key, self.credentials.secret_key, self.credentials.session_token
        )
        auth = (S3SigV4Auth if payload is None else _PayloadAs)(credentials, "s3", self.region)
        if isinstance(auth, _PayloadAs) and payload is not None:
            auth.payload_word = payload
        auth.add_auth(request)
        return {str(name): str(text) for name, text in request.headers.items()}


async def signed_in(address: LocalCloudAddress, http: httpx.AsyncClient) -> Client:
    """A client with a new project. `http` gets the access token."""
    login = {"client_id": address.client_id, "client_secret": address.client_secret}
    reply = await http.post("/oauth2/token/", data={"grant_type": "client_credentials", **login})
    http.headers["authorization"] = f"Bearer {reply.json()['access_token']}"
    project = (await http.post(PROJECTS, json={"name": "A field"})).json()["id"]
    return Client(address, http, project, await fresh_credentials(http, project))


async def fresh_credentials(http: httpx.AsyncClient, project: int) -> Credentialed:
    reply = (await http.get(f"{PROJECTS}{project}/s3_credentials/")).json()
    return Credentialed(*(reply[name] for name in ("access_key", "secret_key", "session_token", "bucket", "key")))


@asynccontextmanager
async def a_cloud(
    options: LocalCloudOptions, clock: Clock | None = None, trust: Path | None = None
) -> AsyncIterator[Client]:
    """A local cloud and a client; botocore signs with the real time, so a `clock` for S3 must be near it."""
    served = running(options, clock) if clock else running(options)
    trusted = ssl.create_default_context(cafile=trust) if trust else NO_CA
    async with served as address, httpx.AsyncClient(base_url=address.url, timeout=20, verify=trusted) as http:
        yield await signed_in(address, http)


async def create_multipart(client: Client, name: str, **headers: str) -> str:
    sent = {key.replace("_", "-"): text for key, text in headers.items()}
    reply = await client.s3("POST", name, query={"uploads": ""}, headers=sent)
    assert reply.status_code == 200, reply.text
    return xml(reply)["UploadId"]


async def put_part(client: Client, name: str, upload_id: str, number: int, body: bytes) -> str:
    """The ETag, without quotes."""
    query = {"partNumber": str(number), "uploadId": upload_id}
    reply = await client.s3("PUT", name, body, query=query)
    assert reply.status_code == 200, reply.text
    return reply.headers["etag"].strip('"')


def part_list(parts: Iterable[tuple[int, str]], *, crc32: Mapping[int, str] | None = None) -> bytes:
    """A CompleteMultipartUpload document."""
    lines = [
        f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{etag}&quot;</ETag>"
        + (f"<ChecksumCRC32>{crc32[number]}</ChecksumCRC32>" if crc32 else "")
        + "</Part>"
        for number, etag in parts
    ]
    return f"<CompleteMultipartUpload>{''.join(lines)}</CompleteMultipartUpload>".encode()


async def complete(client: Client, name: str, upload_id: str, parts: Iterable[tuple[int, str]]) -> httpx.Response:
    return await client.s3("POST", name, part_list(parts), query={"uploadId": upload_id})


def xml(reply: httpx.Response) -> dict[str, str]:
    """Texts of a reply's elements by tag; of several with one tag, the last."""
    root = ElementTree.fromstring(reply.text)
    return {element.tag.rpartition("}")[2]: element.text or "" for element in root.iter()}


def code(reply: httpx.Response) -> tuple[int, str]:
    """Status and S3 error code."""
    assert reply.headers["content-type"] == "application/xml", reply.text
    return reply.status_code, xml(reply)["Code"]


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def aws_chunked(chunks: Sequence[bytes], trailers: Mapping[str, str]) -> bytes:
    """The unsigned aws-chunked coding."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    lines = "".join(f"{name}:{text}\r\n" for name, text in trailers.items())
    return body + b"0\r\n" + lines.encode() + b"\r\n"


def cut_at(data: bytes, positions: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(position % (len(data) + 1) for position in positions), len(data)]
    return [data[left:right] for left, right in itertools.pairwise(edges)]


async def raw(address: LocalCloudAddress, sent: bytes, seconds: float = 20) -> bytes:
    """Send raw bytes; return all that arrives until the server closes the connection."""
    host, _, port = address.url.rpartition("//")[2].rpartition(":")
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(sent)
        try:
            return await reader.read()
        finally:
            writer.close()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for loopback, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "local cloud")])
    now = datetime.now(UTC)
    addresses = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"
