"""What the storage is asked: one list for many contents, and a question for each that the list does not settle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.engine.verification.fake_cloud import FakeAccount, FakeStore, Look
from tests.engine.verification.test_judgement import HOLDER
from tui_uploader.cloud.contract import StoredObject
from tui_uploader.engine.journal.tables.verified import Holder
from tui_uploader.engine.verification.storage import MANY, StorageCheck
from tui_uploader.errors import CloudBusy, LinkError, UploaderError
from tui_uploader.model.files import Proof
from tui_uploader.model.verification import Evidence, Finding

NAMES = [f"{number}.JPG" for number in range(MANY)]


@dataclass(slots=True)
class NotingStore(FakeStore):
    """Notes what it is asked."""

    asked: list[str] = field(default_factory=list)
    failure: UploaderError | None = None
    """Of the next list."""

    async def head(self, object_name: str) -> StoredObject | None:
        self.asked.append(object_name)
        return await FakeStore.head(self, object_name)

    async def list_objects(self, most: int) -> Mapping[str, StoredObject]:
        self.asked.append("list")
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        return await FakeStore.list_objects(self, most)


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        self.now += 1e-6
        return self.now


class Checked:
    """A project whose objects `NAMES` are all registered, and the check of its storage."""

    def __init__(self, look: Look = Look.MD5, *, may_list: bool = True) -> None:
        self.store, self.clock = NotingStore(look, may_list), Clock()
        self.account = FakeAccount({"remote-1": self.store})
        self.holders = [self.add(name) for name in NAMES]
        project = SimpleNamespace(id=1, remote_id="remote-1", account="a", name="Quarry")
        context: Any = SimpleNamespace(
            clocks=self.clock,
            summary=SimpleNamespace(projects={1: project}),
            account_of=lambda _: self.account,
        )
        self.check = StorageCheck(context)

    def add(self, name: str, proof: Proof = Proof.CRC32) -> Holder:
        content = name.encode()
        etag = self.store.put(name, content, proof)
        return replace(HOLDER, project=1, size=len(content), object=name, crc32=None, etag=etag, proof=proof)

    async def told(self, *holders: Holder) -> list[tuple[Finding, Evidence | None]]:
        judged = await self.check.confirm([[each] for each in holders or self.holders])
        return [(each.finding, each.evidence) for each in judged]


async def test_many_contents_cost_one_list() -> None:
    checked = Checked()
    assert await checked.told() == [(Finding.DELIVERED, Evidence.STORAGE)] * MANY
    assert checked.store.asked == ["list"]
    later = checked.add("later.JPG")
    assert await checked.told(later) == [(Finding.DELIVERED, Evidence.STORAGE)]
    assert checked.store.asked == ["list", "later.JPG"], "stored after the list"


async def test_few_contents_cost_a_question_each() -> None:
    checked = Checked()
    await checked.told(*checked.holders[:-1])
    assert sorted(checked.store.asked) == sorted(NAMES[:-1])
    await checked.told(checked.holders[-1])
    assert checked.store.asked[MANY - 1 :] == ["list"], "there were many by then"


@pytest.mark.parametrize("look", [Look.MD5, Look.PARTS, Look.CHECKSUMS])
async def test_the_storage_is_asked_about_what_the_list_does_not_prove(look: Look) -> None:
    checked = Checked(look)
    del checked.store.objects[NAMES[0]]
    checked.store.replace(NAMES[1], b"X.JPG")
    checked.store.replace(NAMES[2], b"longer than before")
    checked.holders[3] = replace(checked.holders[3], etag=None)
    checked.holders[4] = checked.add(NAMES[4], Proof.NONE)
    findings = [finding for finding, _ in await checked.told()]
    assert sorted(checked.store.asked) == sorted([*NAMES[:5], "list"])
    assert findings[:3] == [Finding.UNCONFIRMED] * 3
    assert findings[5:] == [Finding.DELIVERED] * (MANY - 5)


async def test_tags_that_are_no_checksums_prove_nothing() -> None:
    checked = Checked(Look.OPAQUE)
    assert await checked.told() == [(Finding.DELIVERED, Evidence.STORAGE_SIZE)] * MANY
    assert len(checked.store.asked) == MANY + 1


async def test_without_the_right_to_list_each_object_is_looked_at() -> None:
    checked = Checked(may_list=False)
    for _ in range(2):
        assert await checked.told() == [(Finding.DELIVERED, Evidence.STORAGE)] * MANY
    assert checked.store.asked.count("list") == 1


async def test_a_busy_storage_is_asked_for_a_list_again() -> None:
    checked = Checked()
    for failure in (CloudBusy("Slow down."), LinkError("No route.")):
        checked.store.failure = failure
        assert await checked.told() == [(Finding.DELIVERED, Evidence.STORAGE)] * MANY
    await checked.told()
    assert checked.store.asked.count("list") == 3 and len(checked.store.asked) == 2 * MANY + 3


async def test_a_list_is_not_used_for_long() -> None:
    checked = Checked()
    await checked.told()
    checked.store.objects.clear()
    checked.clock.now += 3600
    assert await checked.told() == [(Finding.UNCONFIRMED, None)] * MANY


async def test_where_the_account_may_only_list_the_list_counts_and_not_the_receipt() -> None:
    checked = Checked(Look.NOTHING)
    del checked.store.objects[NAMES[0]]
    checked.store.replace(NAMES[1], b"X.JPG")
    first, second, *others = await checked.told()
    assert (first[0], second[0]) == (Finding.UNCONFIRMED, Finding.UNCONFIRMED)
    assert others == [(Finding.DELIVERED, Evidence.STORAGE)] * (MANY - 2)
    later = [checked.add("later.JPG"), checked.add("and later.JPG")]
    assert await checked.told(*later) == [(Finding.DELIVERED, Evidence.STORAGE)] * 2
    assert checked.store.asked.count("list") == 2, "a newer one, for they were stored after the first"


async def test_objects_of_a_deleted_project_are_not_listed() -> None:
    checked = Checked()
    checked.account.deleted.add("remote-1")
    assert await checked.told() == [(Finding.UNCONFIRMED, None)] * MANY
    assert checked.store.asked == []
