"""A cloud inside the process: what the verification asks of it, and the truth about what it has."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from zlib_ng import zlib_ng

from tui_uploader.cloud.contract import StoredObject
from tui_uploader.errors import CloudRefused, NoSuchProject, Unsupported
from tui_uploader.model.files import Proof

_versions = itertools.count()


class Look(Enum):
    """What an account sees of the objects in the storage."""

    CHECKSUMS = "checksums"
    MD5 = "md5"
    """ETags that are MD5s, without a checksum."""
    PARTS = "parts"
    """The ETags of objects that were sent in parts."""
    OPAQUE = "opaque"
    """ETags that change with the content, and tell nothing else."""
    NOTHING = "nothing"
    """The account may not look."""
    REFUSED = "refused"
    """Every question fails."""


@dataclass(slots=True)
class FakeObject:
    content: bytes
    etag: str
    sent: bytes
    """What the PUT delivered, whatever became of it."""
    proof: Proof
    replaced: bool = False


@dataclass(slots=True)
class FakeStore:
    """The storage of one project, and which objects the service has registered."""

    look: Look
    may_list: bool = False
    objects: dict[str, FakeObject] = field(default_factory=dict)
    registered: set[str] = field(default_factory=set)
    receipts: dict[str, bytes] = field(default_factory=dict)
    """What the storage proved that it received, by object: all that an account knows that may not look."""

    def put(self, name: str, content: bytes, proof: Proof, *, damaged: bool = False) -> str:
        """Store an object; `damaged`: other bytes of that length arrive, which only a store without proof accepts."""
        kept = content[:-1] + bytes([content[-1] ^ 1]) if damaged and content else content
        self.objects[name] = FakeObject(kept, self._etag(kept), content, proof)
        if proof is not Proof.NONE:
            self.receipts[name] = content
        return self.objects[name].etag

    def replace(self, name: str, content: bytes) -> None:
        before = self.objects[name]
        self.objects[name] = FakeObject(content, self._etag(content), before.sent, before.proof, replaced=True)

    def _etag(self, content: bytes) -> str:
        if self.look is Look.OPAQUE:
            return f"version-{next(_versions)}"
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return f"{digest}-2" if self.look is Look.PARTS else digest

    async def open(self) -> None: ...

    async def head(self, object_name: str) -> StoredObject | None:
        if self.look is Look.NOTHING:
            raise Unsupported("The storage does not offer looking at objects to this account.")
        if self.look is Look.REFUSED:
            raise CloudRefused("The storage refuses this.")
        found = self.objects.get(object_name)
        if found is None:
            return None
        crc32 = zlib_ng.crc32(found.content) if self.look is Look.CHECKSUMS else None
        return StoredObject(len(found.content), found.etag, crc32)

    async def list_objects(self, most: int) -> Mapping[str, StoredObject]:
        if not self.may_list or len(self.objects) > most:
            raise Unsupported("The storage does not offer lists of objects to this account.")
        if self.look is Look.REFUSED:
            raise CloudRefused("The storage refuses this.")
        return {name: StoredObject(len(each.content), each.etag) for name, each in self.objects.items()}

    def truly_has(self, name: str) -> bytes | None:
        """The content that this account can know to be in the project under this name."""
        if name not in self.registered:
            return None
        match self.look:
            case Look.REFUSED:
                return None
            case Look.NOTHING:
                return self.receipts.get(name)
            case _:
                found = self.objects.get(name)
                return None if found is None else found.content

    def can_prove(self, name: str) -> bool:
        """Whether the storage shows that it has what it has."""
        found = self.objects.get(name)
        if found is None or (self.look is Look.NOTHING and not self.may_list):
            return not self.may_list
        return not found.replaced and (self.look is not Look.OPAQUE or found.proof is not Proof.NONE)


@dataclass(slots=True)
class FakeLink:
    down: bool = False


@dataclass(slots=True)
class FakeAccount:
    """What the engine knows of an account that is signed in."""

    stores: dict[str, FakeStore] = field(default_factory=dict)
    link: FakeLink = field(default_factory=FakeLink)
    deleted: set[str] = field(default_factory=set)
    """Projects that the service no longer has."""

    @property
    def cloud(self) -> Any:
        return self

    async def project(self, project_id: str) -> None:
        if project_id in self.deleted:
            raise NoSuchProject("There is no such project.")

    def store(self, project_id: str) -> FakeStore:
        return self.stores[project_id]


@dataclass(slots=True)
class FakeAccounts:
    signed_in: dict[str, FakeAccount] = field(default_factory=dict)

    def of(self, account: str) -> FakeAccount | None:
        return self.signed_in.get(account)
