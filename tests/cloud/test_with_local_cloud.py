"""The client and the local cloud, each written from the facts about the service rather than from the other."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cloud.servers import CERTIFICATE
from tests.cloud.stores import byte_range, ignore
from tui_uploader.cloud.contract import MIN_PART, ByteRange, ObjectStore, Part, StoredResult
from tui_uploader.cloud.net.endpoint import Deadlines
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.cloud.s3 import store as store_module
from tui_uploader.errors import (
    ChecksumRefused,
    CloudBusy,
    CloudFault,
    LinkDown,
    LinkStalled,
    NameTaken,
    NoSuchProject,
    SignInRefused,
    Unsupported,
    UploaderError,
)
from tui_uploader.local_cloud.options import LocalCloudAddress, LocalCloudOptions, Profile
from tui_uploader.local_cloud.server import running
from tui_uploader.model.accounts import Login
from tui_uploader.model.files import Proof
from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.results import CoordinateSystem, ResultType
from tui_uploader.settings import Settings

NAMES = [
    "DJI_0001.JPG",
    "with space+plus%25&amp;#hash?.jpg",
    "ünïcode-\U0001f6f0-日本.tif",
    "x" * 251 + ".jpg",
    "..hidden.jpg",
    "a'b\"c;d=e@f:g,h(i)[j]{k}~!$*.jpg",
]
QUICK = Deadlines(connect=5, stall=1.0, reply=5)


@contextlib.asynccontextmanager
async def clouds(
    root: Path,
    *faults: str,
    profile: Profile = Profile.DEFAULT,
    tls: bool = False,
    lifetime: float = 3600,
    clock: Callable[[], float] = time.time,
    secret: str | None = None,
) -> AsyncIterator[tuple[Pix4dCloud, LocalCloudAddress]]:
    """A client that has not signed in yet, and the cloud it is for."""
    certificate = CERTIFICATE if tls else None
    options = LocalCloudOptions(
        root, profile=profile, faults=faults, tls_cert=certificate, credentials_lifetime=lifetime
    )
    async with running(options) as address:
        login = Login(address.url, address.client_id, secret or address.client_secret)
        cloud = Pix4dCloud(login, Settings(ca_file=CERTIFICATE), clock=clock, deadlines=QUICK)
        try:
            yield cloud, address
        finally:
            await cloud.close()


async def new_store(cloud: Pix4dCloud) -> tuple[str, ObjectStore]:
    project = await cloud.create_project("A field")
    store = cloud.store(project.id)
    await store.open()
    return project.id, store


def kept(address: LocalCloudAddress, key: str) -> Path:
    (bucket,) = (address.root / "objects").iterdir()
    return bucket / key


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("profile", list(Profile))
async def test_from_sign_in_to_processing(tmp_path: Path, profile: Profile, tls: bool) -> None:
    async with clouds(tmp_path / "root", profile=profile, tls=tls) as (cloud, address):
        await cloud.probe()
        await cloud.sign_in()
        project_id, store = await new_store(cloud)
        assert (await cloud.project(project_id)).state in (None, ProcessingState.PROCESSING)
        for number, name in enumerate(NAMES):
            with byte_range(tmp_path / f"{number}.jpg", 300_000 + number) as body:
                stored = await store.put(name, body, ignore)
                assert stored.size == body.length
            assert kept(address, store.key(name)).read_bytes() == (tmp_path / f"{number}.jpg").read_bytes()
        registration = await cloud.register_images(project_id, [store.key(name) for name in NAMES])
        assert len(registration.registered) == len(NAMES) and not registration.shortfalls
        await cloud.start_processing(project_id)
        state = (await cloud.project(project_id)).state
        assert state in (ProcessingState.WAITING, ProcessingState.PROCESSING, None)


async def test_multipart_with_all_rights(tmp_path: Path) -> None:
    async with clouds(tmp_path / "root") as (cloud, address):
        _, store = await new_store(cloud)
        with byte_range(tmp_path / "big.tif", 2 * MIN_PART + 12_345) as whole:
            upload_id = await store.create_multipart("big.tif")
            parts = await put_parts(store, upload_id, whole)
            assert await store.list_parts("big.tif", upload_id) == [replace(part, proof=Proof.NONE) for part in parts]
            stored = await store.complete_multipart("big.tif", upload_id, parts, whole.length)
            assert (await store.head("big.tif")) is not None
            assert stored.size == whole.length
            # The same once more: what a lost reply makes of it.
            again = await store.complete_multipart("big.tif", upload_id, parts, whole.length)
            assert again.size == whole.length
        assert await store.head("nothing.tif") is None
        content = (tmp_path / "big.tif").read_bytes()
        assert hashlib.md5(kept(address, store.key("big.tif")).read_bytes()).digest() == hashlib.md5(content).digest()
        gone = await store.create_multipart("other.tif")
        neighbour = await store.create_multipart("other.tiff")
        listed = await store.list_multiparts("other.tif")
        assert listed is not None and [multipart.id for multipart in listed] == [gone] != [neighbour]
        assert 0 <= listed[0].age < 60
        await store.abort_multipart("other.tif", gone)
        await store.abort_multipart("other.tif", gone)
        assert await store.list_multiparts("other.tif") == []


async def put_parts(store: ObjectStore, upload_id: str, whole: ByteRange) -> list[Part]:
    parts = []
    for number, offset in enumerate(range(0, whole.length, MIN_PART), 1):
        data = os.pread(whole.file.fileno(), MIN_PART, offset)
        part = ByteRange(whole.file, offset, len(data), zlib.crc32(data))
        parts.append(await store.put_part("big.tif", upload_id, number, part, ignore))
    return parts


async def test_all_objects_of_a_project_are_listed_in_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_KEYS_A_PAGE", 2)
    names = [*NAMES, "flight 1/DJI_0001.JPG", "flight 1/DJI_0001.JPG ", "results/tiles/0/0.png"]
    async with clouds(tmp_path / "root") as (cloud, address):
        (_, store), (_, other) = await new_store(cloud), await new_store(cloud)
        assert await store.list_objects(1000) == {}
        sent = {}
        for number, name in enumerate(names):
            with byte_range(tmp_path / "a.jpg", 10 + number) as body:
                sent[name] = replace(await store.put(name, body, ignore), crc32=None, proof=Proof.NONE)
                await other.put(name, body, ignore)
        assert await store.list_objects(len(names)) == sent
        with pytest.raises(Unsupported, match="more than 8 objects"):
            await store.list_objects(len(names) - 1)
        kept(address, store.key("DJI_0001.JPG")).unlink()
        assert (await store.list_objects(1000)).keys() == sent.keys() - {"DJI_0001.JPG"}


async def test_the_strict_profile_accepts_only_single_puts(tmp_path: Path) -> None:
    async with clouds(tmp_path / "root", profile=Profile.STRICT) as (cloud, _):
        project_id, store = await new_store(cloud)
        with pytest.raises(Unsupported):
            await store.create_multipart("big.tif")
        with pytest.raises(Unsupported):
            await store.head("big.tif")
        with pytest.raises(Unsupported):
            await store.list_objects(1000)
        assert await store.list_parts("big.tif", "u") is None
        with pytest.raises(Unsupported):
            await cloud.projects()
        with pytest.raises(Unsupported):
            await cloud.results.check_taken(project_id)
        with byte_range(tmp_path / "a.jpg") as body:
            await store.put("a.jpg", body, ignore)


async def test_registration_continues_in_smaller_batches(tmp_path: Path) -> None:
    async with clouds(tmp_path / "root", profile=Profile.STRICT) as (cloud, _):
        project_id, store = await new_store(cloud)
        keys = [store.key(f"{number}.jpg") for number in range(230)]
        with byte_range(tmp_path / "a.jpg", 10) as body:
            for number in range(len(keys)):
                await store.put(f"{number}.jpg", body, ignore)
        assert (await cloud.register_images(project_id, keys)).registered == tuple(keys)
        registration = await cloud.register_images(
            project_id, [*keys[:50], store.key("missing"), *keys[50:]], frozenset(keys)
        )
        assert sorted(registration.registered) == sorted(keys)
        assert list(registration.refused) == [store.key("missing")]


async def test_projects_and_results(tmp_path: Path) -> None:
    async with clouds(tmp_path / "root") as (cloud, _):
        first, store = await new_store(cloud)
        second = (await cloud.create_project("B/field")).id
        assert [(project.id, project.name) for project in await cloud.projects()] == [
            (second, "B-field"),
            (first, "A field"),
        ]
        with byte_range(tmp_path / "dsm.tif") as body:
            await store.put("dsm.tif", body, ignore)
        dsm = StoredResult(ResultType.DSM, "DSM of May.tif", store.key("dsm.tif"), crs=CoordinateSystem(32632))
        await cloud.results.check_taken(first)
        assert (await cloud.results.register(first, dsm)).registered == (dsm.key,)
        (listed,) = await cloud.results.listed(first)
        assert (listed.name, listed.key, listed.size, listed.crs) == (
            "DSM of May.tif",
            dsm.key,
            (tmp_path / "dsm.tif").stat().st_size,
            CoordinateSystem(32632),
        )
        gone = await cloud.results.register(first, replace(dsm, key=store.key("gone.tif")))
        assert "No such file" in gone.refused[store.key("gone.tif")]
        with pytest.raises(NoSuchProject):
            await cloud.project("999999")


async def test_a_wrong_secret(tmp_path: Path) -> None:
    async with clouds(tmp_path / "root", secret="wrong") as (cloud, _):
        with pytest.raises(SignInRefused, match="invalid_client"):
            await cloud.sign_in()


async def test_data_that_differs_from_what_was_read(tmp_path: Path) -> None:
    async with clouds(tmp_path / "root") as (cloud, _):
        _, store = await new_store(cloud)
        with byte_range(tmp_path / "a.jpg") as body:
            wrong = ByteRange(body.file, 0, body.length, body.crc32 ^ 1)
            with pytest.raises(ChecksumRefused):
                await store.put("a.jpg", wrong, ignore)
            upload_id = await store.create_multipart("a.jpg")
            with pytest.raises(ChecksumRefused):
                await store.put_part("a.jpg", upload_id, 1, wrong, ignore)
        assert await store.head("a.jpg") is None


@pytest.mark.parametrize("profile", list(Profile))
async def test_a_clock_that_is_a_day_slow(tmp_path: Path, profile: Profile) -> None:
    async with clouds(tmp_path / "root", profile=profile, clock=lambda: time.time() - 86_400) as (cloud, _):
        _, store = await new_store(cloud)
        with byte_range(tmp_path / "a.jpg") as body:
            await store.put("a.jpg", body, ignore)


@pytest.mark.parametrize("profile", list(Profile))
async def test_credentials_that_live_for_two_seconds(tmp_path: Path, profile: Profile) -> None:
    async with clouds(tmp_path / "root", profile=profile, lifetime=2) as (cloud, _):
        _, store = await new_store(cloud)
        end = time.monotonic() + 3
        puts = 0

        async def put_again() -> None:
            nonlocal puts
            with byte_range(tmp_path / "a.jpg", 100_000) as body:
                await store.put(f"{puts}.jpg", body, ignore)
            puts += 1

        while time.monotonic() < end:
            await put_again()
    assert puts > 10


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("drop:route=put,bytes=400000", LinkDown),
        ("stall:route=put,bytes=100000,seconds=8", LinkStalled),
        ("error500:route=put", CloudFault),
        ("error502html:route=put", CloudFault),
        ("slowdown503:route=put", CloudBusy),
        ("expired_token:route=put,bytes=100000", None),
        ("time_skewed:route=put", None),
    ],
)
@pytest.mark.parametrize("tls", [False, True])
async def test_faults_of_a_put(tmp_path: Path, fault: str, error: type[UploaderError] | None, tls: bool) -> None:
    """The client reports faults that it cannot correct itself; the next attempt succeeds."""
    size = 24 * 1024**2
    async with clouds(tmp_path / "root", fault, tls=tls) as (cloud, address):
        _, store = await new_store(cloud)
        sent: list[int] = []
        with byte_range(tmp_path / "a.jpg", os.urandom(4096) * (size // 4096)) as body:
            if error is not None:
                with pytest.raises(error):
                    await store.put("a.jpg", body, sent.append)
            await store.put("a.jpg", body, sent.append)
        assert sent[-1] == size
        assert kept(address, store.key("a.jpg")).stat().st_size == size


async def test_a_completion_with_200_and_an_error_inside(tmp_path: Path) -> None:
    async with clouds(tmp_path / "root", "complete200error") as (cloud, _):
        _, store = await new_store(cloud)
        with byte_range(tmp_path / "big.tif", MIN_PART + 1) as whole:
            upload_id = await store.create_multipart("big.tif")
            parts = await put_parts(store, upload_id, whole)
            with pytest.raises(CloudFault):
                await store.complete_multipart("big.tif", upload_id, parts, whole.length)
            assert (await store.complete_multipart("big.tif", upload_id, parts, whole.length)).size == whole.length


async def test_a_restarted_server_is_used_again(tmp_path: Path) -> None:
    """Kept connections to the stopped server do not make calls fail."""
    options = LocalCloudOptions(tmp_path / "root")
    with byte_range(tmp_path / "a.jpg", 1_000_000) as body:
        async with running(options) as address:
            login = Login(address.url, address.client_id, address.client_secret)
            cloud = Pix4dCloud(login, Settings(), deadlines=QUICK)
            _, store = await new_store(cloud)
            await store.put("a.jpg", body, ignore)
        port = int(address.url.rpartition(":")[2])
        with pytest.raises(LinkDown):
            await store.put("b.jpg", body, ignore)
        async with running(LocalCloudOptions(tmp_path / "root", port=port)):
            await store.put("b.jpg", body, ignore)
            await cloud.probe()
        await cloud.close()


# ------------------------------------------------------------------------------------------ nothing is ever overwritten


@pytest.mark.parametrize("profile", list(Profile))
async def test_a_taken_name_is_not_overwritten(tmp_path: Path, profile: Profile) -> None:
    async with clouds(tmp_path / "root", profile=profile) as (cloud, address):
        _, store = await new_store(cloud)
        with (
            byte_range(tmp_path / "first.jpg", 300_000) as first,
            byte_range(tmp_path / "second.jpg", 300_000) as second,
        ):
            await store.put("a.jpg", first, ignore)
            for body in (second, first):
                with pytest.raises(NameTaken, match=r"a\.jpg"):
                    await store.put("a.jpg", body, ignore)
            await store.put("b.jpg", second, ignore)
        assert kept(address, store.key("a.jpg")).read_bytes() == (tmp_path / "first.jpg").read_bytes()


@pytest.mark.parametrize("profile", list(Profile))
async def test_one_of_many_writers_of_a_name_wins(tmp_path: Path, profile: Profile) -> None:
    async with clouds(tmp_path / "root", profile=profile) as (cloud, address):
        _, store = await new_store(cloud)
        with contextlib.ExitStack() as stack:
            bodies = [stack.enter_context(byte_range(tmp_path / f"{number}.jpg", 200_000)) for number in range(12)]
            ends = await asyncio.gather(*(store.put("a.jpg", body, ignore) for body in bodies), return_exceptions=True)
        (winner,) = [number for number, end in enumerate(ends) if not isinstance(end, BaseException)]
        assert all(isinstance(end, NameTaken) for number, end in enumerate(ends) if number != winner)
        assert kept(address, store.key("a.jpg")).read_bytes() == (tmp_path / f"{winner}.jpg").read_bytes()


async def test_after_a_lost_reply_head_shows_whose_object_it_is(tmp_path: Path) -> None:
    async with clouds(tmp_path / "root", "lost_reply:route=put") as (cloud, _):
        _, store = await new_store(cloud)
        with byte_range(tmp_path / "a.jpg", 300_000) as body:
            with pytest.raises(LinkDown):
                await store.put("a.jpg", body, ignore)
            with pytest.raises(NameTaken):
                await store.put("a.jpg", body, ignore)
        found = await store.head("a.jpg")
        assert found is not None and (found.size, found.crc32) == (300_000, body.crc32)
        assert found.etag == hashlib.md5((tmp_path / "a.jpg").read_bytes()).hexdigest()


@pytest.mark.parametrize("tls", [False, True])
async def test_a_reply_lost_on_a_kept_connection_costs_nothing(tmp_path: Path, tls: bool) -> None:
    """The client retries and recognises its own object."""
    async with clouds(tmp_path / "root", "lost_reply:route=put,after=1,times=1", tls=tls) as (cloud, _):
        _, store = await new_store(cloud)
        sent: list[int] = []
        with byte_range(tmp_path / "a.jpg", 300_000) as body:
            await store.put("first.jpg", body, ignore)
            stored = await store.put("a.jpg", body, sent.append)
        assert (stored.size, stored.crc32) == (300_000, body.crc32)
        assert 0 in sent and sent[-1] == 300_000


async def test_without_the_right_to_head_an_object_is_not_taken_for_ours(tmp_path: Path) -> None:
    # Of the requests before, one brought the ACL, which the strict profile refuses.
    fault = "lost_reply:route=put,after=2,times=1"
    async with clouds(tmp_path / "root", fault, profile=Profile.STRICT) as (cloud, _):
        _, store = await new_store(cloud)
        with byte_range(tmp_path / "a.jpg", 300_000) as body:
            await store.put("first.jpg", body, ignore)
            with pytest.raises(NameTaken):
                await store.put("a.jpg", body, ignore)


async def test_a_completion_overwrites_nothing(tmp_path: Path) -> None:
    async with clouds(tmp_path / "root") as (cloud, address):
        _, store = await new_store(cloud)
        with byte_range(tmp_path / "big.tif", MIN_PART + 1) as whole, byte_range(tmp_path / "a.jpg") as other:
            upload_id = await store.create_multipart("big.tif")
            parts = await put_parts(store, upload_id, whole)
            await store.put("big.tif", other, ignore)
            with pytest.raises(NameTaken):
                await store.complete_multipart("big.tif", upload_id, parts, whole.length)
            await store.abort_multipart("big.tif", upload_id)
            # The upload is gone now; the name is taken all the same.
            with pytest.raises(NameTaken):
                await store.complete_multipart("big.tif", upload_id, parts, whole.length)
        assert kept(address, store.key("big.tif")).read_bytes() == (tmp_path / "a.jpg").read_bytes()


async def test_a_completion_whose_reply_was_lost(tmp_path: Path) -> None:
    """On a kept connection the call itself finds its object; later, another process does, by either checksum."""
    async with clouds(tmp_path / "root", "lost_reply:route=complete") as (cloud, address):
        project_id, store = await new_store(cloud)
        with byte_range(tmp_path / "big.tif", MIN_PART + 1) as whole:
            upload_id = await store.create_multipart("big.tif")
            parts = await put_parts(store, upload_id, whole)
            stored = await store.complete_multipart("big.tif", upload_id, parts, whole.length)
        other = Pix4dCloud(Login(address.url, address.client_id, address.client_secret), Settings(), deadlines=QUICK)
        later = other.store(project_id)
        without_md5s = [replace(part, etag="opaque") for part in parts]
        without_crc32s = [replace(part, crc32=None) for part in parts]
        for remembered in (parts, without_md5s, without_crc32s):
            assert await later.complete_multipart("big.tif", upload_id, remembered, whole.length) == stored
        with pytest.raises(NameTaken):
            await later.complete_multipart("big.tif", upload_id, parts[:1], whole.length)
        await other.close()
