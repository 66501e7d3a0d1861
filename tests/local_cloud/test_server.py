"""The server, inside a program and as `cloud serve`: output, end, options that cannot be used."""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.local_cloud.clouds import NO_CA
from tui_uploader.errors import UsageError
from tui_uploader.local_cloud.options import LocalCloudAddress, LocalCloudOptions
from tui_uploader.local_cloud.server import running, serve
from tui_uploader.local_cloud.storage.database import FILE_NAME, RootDatabase

SERVER = (sys.executable, "-m", "tui_uploader", "cloud", "serve", "--port", "0")


@asynccontextmanager
async def process(root: Path, *arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, str]]]:
    """A server process and the JSON it printed; killed at the end of the block if it still runs."""
    command = (*SERVER, "--root", str(root), "--json", *arguments)
    served = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert served.stdout
    try:
        async with asyncio.timeout(20):
            line = await served.stdout.readline()
        yield served, json.loads(line)
    finally:
        if served.returncode is None:
            served.kill()
        await served.communicate()


async def signs_in(address: dict[str, str]) -> bool:
    login = {name: address[name] for name in ("client_id", "client_secret")}
    async with httpx.AsyncClient(verify=NO_CA) as http:
        fields = {"grant_type": "client_credentials", **login}
        return (await http.post(f"{address['url']}/oauth2/token/", data=fields)).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_prints_one_line_of_json_and_stops_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    async with process(tmp_path / "deep" / "root") as (served, address):
        assert list(address) == ["url", "s3_url", "client_id", "client_secret", "root"]
        assert address["root"] == str(tmp_path / "deep" / "root")
        assert address["url"].startswith("http://127.0.0.1:")
        assert await signs_in(address)
        served.send_signal(number)
        async with asyncio.timeout(10):
            out, errors = await served.communicate()
        assert (served.returncode, out, errors) == (0, b"", b"")


async def test_the_root_keeps_its_login(tmp_path: Path) -> None:
    async with running(LocalCloudOptions(tmp_path)) as first:
        assert first.login_is_new
        assert first.client_secret in first.for_people()
        assert first.client_secret not in repr(first)
    async with running(LocalCloudOptions(tmp_path)) as again:
        assert (again.client_id, again.client_secret) == (first.client_id, first.client_secret)
        assert not again.login_is_new
        assert again.client_secret not in again.for_people()
        assert json.loads(again.as_json())["client_secret"] == first.client_secret


async def test_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    root = tmp_path / "root"
    async with running(LocalCloudOptions(root)):
        assert stat.S_IMODE(root.stat().st_mode) == 0o700
        files = [path for path in root.iterdir() if path.name.startswith(FILE_NAME)]
        assert len(files) == 3, "with its log and its index"
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


async def test_a_root_can_be_served_only_once(tmp_path: Path) -> None:
    async with running(LocalCloudOptions(tmp_path)):
        with pytest.raises(UsageError, match="already serves"):
            async with running(LocalCloudOptions(tmp_path)):
                pass
    async with running(LocalCloudOptions(tmp_path)):
        pass


async def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    async with running(LocalCloudOptions(tmp_path / "a")) as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(UsageError, match="cannot listen on"):
            async with running(LocalCloudOptions(tmp_path / "b", port=port)):
                pass


def not_a_database(root: Path) -> LocalCloudOptions:
    root.mkdir()
    (root / FILE_NAME).write_bytes(b"not a database at all" * 100)
    return LocalCloudOptions(root)


def a_newer_database(root: Path) -> LocalCloudOptions:
    root.mkdir()
    database = RootDatabase(root)
    with database.locked() as sql:
        sql.execute("PRAGMA user_version = 99")
    database.close()
    return LocalCloudOptions(root)


def a_file(root: Path) -> LocalCloudOptions:
    root.write_text("in the way")
    return LocalCloudOptions(root)


@pytest.mark.parametrize(
    ("prepared", "says"),
    [
        (not_a_database, "Cannot read"),
        (a_newer_database, "newer version"),
        (a_file, "Cannot use"),
        (lambda root: LocalCloudOptions(root, host="192.0.2.1"), "cannot listen on"),
        (lambda root: LocalCloudOptions(root, host="no such host"), "Cannot resolve"),
        (lambda root: LocalCloudOptions(root, faults=("flood",)), "Unknown fault"),
        (lambda root: LocalCloudOptions(root, tls_cert=root / "missing.pem"), "TLS"),
    ],
    ids=["damaged", "newer", "file", "address", "host", "fault", "certificate"],
)
async def test_unusable_options_are_refused_with_a_reason(tmp_path: Path, prepared: object, says: str) -> None:
    assert callable(prepared)
    options = prepared(tmp_path / "root")
    with pytest.raises(UsageError, match=says):
        async with running(options):
            pass


async def test_an_unusable_option_ends_the_process_with_a_reason(tmp_path: Path) -> None:
    command = (*SERVER, "--root", str(tmp_path), "--fault", "flood")
    served = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, errors = await served.communicate()
    assert (served.returncode, out) == (2, b"")
    assert b"Unknown fault 'flood'" in errors


async def test_serve_stops_when_it_is_cancelled(tmp_path: Path) -> None:
    ready: asyncio.Future[LocalCloudAddress] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(LocalCloudOptions(tmp_path), ready.set_result))
    address = await ready
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient(verify=NO_CA) as http:
            await http.get(address.url)
    async with running(LocalCloudOptions(tmp_path)):
        pass


async def test_the_server_stops_when_the_block_raises(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with running(LocalCloudOptions(tmp_path)):
            raise ZeroDivisionError
    async with running(LocalCloudOptions(tmp_path)):
        pass


@pytest.mark.parametrize(("host", "url"), [("::1", "http://[::1]:"), ("0.0.0.0", "http://127.0.0.1:")])
async def test_addresses(tmp_path: Path, host: str, url: str) -> None:
    async with running(LocalCloudOptions(tmp_path, host=host)) as address:
        assert address.url.startswith(url)
        assert await signs_in(json.loads(address.as_json()))


async def test_it_listens_on_loopback_by_default(tmp_path: Path) -> None:
    assert LocalCloudOptions(tmp_path).host == "127.0.0.1"


async def test_tls(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    chain, key = certificate
    trust = ssl.create_default_context(cafile=str(chain))
    async with running(LocalCloudOptions(tmp_path, tls_cert=chain, tls_key=key)) as address:
        assert address.url.startswith("https://")
        async with httpx.AsyncClient(base_url=address.url, verify=trust) as http:
            assert (await http.get("/project/api/v3/projects/")).status_code == 401


async def test_without_json_it_prints_the_login_for_people(tmp_path: Path) -> None:
    command = (*SERVER, "--root", str(tmp_path))
    served = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert served.stdout
    line = await served.stdout.readline()
    assert line.startswith(b"Local cloud at http://127.0.0.1:")
    served.terminate()
    rest, _ = await served.communicate()
    assert b"client secret" in rest
    assert served.returncode == 0
