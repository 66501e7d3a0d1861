"""The whole program with foreign stores: an upload during which the engine is killed three times, with credentials that
may only put objects."""

from __future__ import annotations

import asyncio
import hashlib
import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.chaos.flight import Flight, Load
from tests.chaos.machine import Machine
from tests.chaos.mishaps import is_complete
from tests.cloud.stores import open_store
from tests.local_cloud.root_reader import all_registered_images
from tests.until import until
from tests.wire.foreign_stores import BUCKET, REGION, ForeignStore, moto, seaweedfs
from tests.wire.joined_cloud import joined_cloud
from tui_uploader.cloud.contract import StoredObject
from tui_uploader.cloud.s3 import store as store_module
from tui_uploader.errors import Unsupported
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.engine import BandwidthChange
from tui_uploader.model.projects import NewProject
from tui_uploader.model.uploads import AddRequest

_CARD = Load(photos=40, size=100_000, large=(17 * 1024**2 + 12_345,))
_PACE = "10M"
"""Bytes per second: slow enough for kills in the middle of the upload."""
_KILLS = (0.1, 0.4, 0.75)
"""Shares of all bytes that are sent when the engine is killed."""


@dataclass
class JoinedMachine(Machine):
    """Uploads to a foreign store."""

    store: ForeignStore | None = None

    def images_there(self) -> set[str]:
        assert self.store is not None
        keys = self.store.keys().intersection(all_registered_images(self.cloud_root))
        return {key.rpartition("/")[2] for key in keys}

    @property
    def share(self) -> float:
        """The share of all bytes that is sent."""
        uploads = self.seen.uploads if self.seen else ()
        return sum(each.bytes.sent / each.bytes.total for each in uploads if each.bytes.total)


@pytest.fixture(params=[seaweedfs, moto], ids=["seaweedfs", "moto"], scope="module")
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignStore]:
    serving: Callable[[Path], AbstractContextManager[ForeignStore]] = request.param
    with serving(tmp_path_factory.mktemp("store")) as store:
        yield store


@pytest.fixture
async def machine(store: ForeignStore) -> AsyncIterator[JoinedMachine]:
    folder = tempfile.TemporaryDirectory(prefix="wire-")  # short: the path of the engine's socket contains it
    machine = JoinedMachine(Path(folder.name), store=store)
    async with joined_cloud(machine.cloud_root, store.session_credentials) as machine.login:
        watching = asyncio.create_task(machine.watch())
        try:
            yield machine
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await machine.stop()
            folder.cleanup()


async def test_a_card_arrives_over_three_kills_byte_for_byte_and_once(
    machine: JoinedMachine, store: ForeignStore
) -> None:
    flight = Flight(machine.card, _CARD)
    flight.write(random.Random(1))
    await _request_upload(machine)
    for share in _KILLS:
        await until(lambda share=share: machine.share >= share, 60)  # type: ignore[misc]
        assert not is_complete(machine)
        await machine.kill_engine()
        await machine.start_engine()
    await until(lambda: is_complete(machine), 60)
    kept = await asyncio.to_thread(store.objects, "user-")
    digests = {key: hashlib.sha256(content).digest() for key, content in kept.items()}
    images = Counter(digests[key] for key in all_registered_images(machine.cloud_root))
    assert images == Counter(digest for (digest,) in flight.wanted.values())
    assert set(digests.values()) == images.keys(), "the store has other objects, too"
    assert not machine.false_at_kills


async def _request_upload(machine: Machine) -> None:
    assert machine.login is not None
    await machine.start_engine()
    await machine.engine_listens()
    async with machine.front_end() as engine:
        await engine.set_bandwidth(BandwidthChange(limit=_PACE))
        await engine.sign_in(SignInRequest(machine.login, keep=True))
        await engine.add(AddRequest((str(machine.card),), NewProject("Quarry"), account=machine.login.account))


async def test_objects_are_listed_where_that_is_allowed(store: ForeignStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_KEYS_A_PAGE", 2)
    contents = {"a b.jpg": b"1", "c+d%20e.jpg": b"22", "f/ü&g.jpg": b"333", "f/h.jpg": b"", "i.jpg": b"55555"}

    def put_all() -> None:
        for name, content in contents.items():
            store.client("s3").put_object(Bucket=BUCKET, Key=f"user-1/listed/{name}", Body=content)
            store.client("s3").put_object(Bucket=BUCKET, Key=f"user-1/listed-2/{name}", Body=b"another's")

    await asyncio.to_thread(put_all)
    place: dict[str, Any] = {"bucket": BUCKET, "region": REGION, "key": "user-1/listed"}
    owner: dict[str, Any] = {"access_key": store.access_key, "secret_key": store.secret_key}
    async with open_store(store.endpoint, **owner, **place) as opened:
        await opened.store.open()
        found = await opened.store.list_objects(1000)
        assert found == {
            name: StoredObject(len(content), hashlib.md5(content).hexdigest()) for name, content in contents.items()
        }
        looked = {name: await opened.store.head(name) for name in contents}
        assert found == {name: replace(each, crc32=None) for name, each in looked.items() if each is not None}
    uploader = {**await asyncio.to_thread(store.session_credentials), **place}
    async with open_store(store.endpoint, **uploader) as opened:
        await opened.store.open()
        with pytest.raises(Unsupported):
            await opened.store.list_objects(1000)


async def test_the_credentials_may_put_and_nothing_else(store: ForeignStore) -> None:
    """The test above depends on it."""

    def use() -> None:
        s3 = store.client("s3", store.session_credentials())
        s3.put_object(Bucket=BUCKET, Key="a/b", Body=b"mine")
        with pytest.raises(ClientError, match=r"40[13]|AccessDenied|Forbidden"):
            s3.head_object(Bucket=BUCKET, Key="a/b")
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.list_objects_v2(Bucket=BUCKET)

    await asyncio.to_thread(use)
    assert await asyncio.to_thread(store.objects, "a/") == {"a/b": b"mine"}
