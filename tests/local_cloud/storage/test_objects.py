"""The object store: killed at any instant, and listings of any keys."""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui_uploader.local_cloud.storage.database import RootDatabase
from tui_uploader.local_cloud.storage.multipart import MultipartStore, NamedPart, PartRecord
from tui_uploader.local_cloud.storage.objects import IncomingFile, LocalObjectStore, ObjectRecord


class Killed(BaseException):
    """Ends the process, in the eyes of the store."""


@contextmanager
def opened(root: Path) -> Iterator[LocalObjectStore]:
    database = RootDatabase(root)
    store = LocalObjectStore(root, database, lambda: 1.0)
    store.recover()
    try:
        yield store
    finally:
        store.close()
        database.close()


def sealed(store: LocalObjectStore, body: bytes) -> tuple[IncomingFile, ObjectRecord]:
    incoming = store.receive()
    incoming.write(body)
    incoming.seal()
    return incoming, ObjectRecord("k", len(body), hashlib.md5(body).hexdigest(), 1.0)


def content(store: LocalObjectStore) -> tuple[ObjectRecord, bytes]:
    stored, file = store.open("k")
    with file:
        return stored, file.read()


# A process that is killed closes no files.
killing = pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning", "ignore:Exception ignored in. <_io:pytest.PytestUnraisableExceptionWarning"
)


@contextmanager
def killed_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The block ends with `Killed`; its patches are undone."""
    with monkeypatch.context() as patch, pytest.raises(Killed):
        yield patch
    gc.collect()


@killing
@pytest.mark.parametrize("had", [None, b"the old content"])
@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("write", "had"),
        ("fsync", "had"),
        ("commit", "had"),
        ("rename", "new"),
        ("fsync of the folder", "new"),
    ],
)
def test_killed_while_an_object_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, had: bytes | None, moment: str, expected: str
) -> None:
    """A kill before the commit changes nothing; after it, recovery completes the change."""
    new = b"the new content"

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with opened(tmp_path) as store:
        if had is not None:
            store.publish(*sealed(store, had))
        with killed_in(monkeypatch) as patch:
            incoming = store.receive()
            incoming.write(new)
            if moment == "write":
                raise Killed
            if moment == "fsync":
                patch.setattr(os, "fsync", killed)
            incoming.seal()
            patch.setattr(
                *{
                    "commit": (RootDatabase, "transaction", killed),
                    "rename": (os, "rename", killed),
                    "fsync of the folder": (os, "fsync", killed),
                }[moment]
            )
            store.publish(incoming, ObjectRecord("k", len(new), hashlib.md5(new).hexdigest(), 2.0))
    with opened(tmp_path) as store:
        assert list(store.incoming.iterdir()) == []
        survivor = new if expected == "new" else had
        if survivor is None:
            assert store.find("k") is None
        else:
            stored, body = content(store)
            assert (body, stored.etag) == (survivor, hashlib.md5(survivor).hexdigest())


def put_part(store: LocalObjectStore, parts: MultipartStore, upload_id: str, number: int, body: bytes) -> NamedPart:
    incoming, stored = sealed(store, body)
    upload = parts.upload(upload_id, "k")
    parts.put_part(upload, PartRecord(number, stored.size, stored.etag, None, 1.0, incoming.name))
    return NamedPart(number, stored.etag)


@killing
@pytest.mark.parametrize("moment", ["assembly", "commit", "rename", "clean-up"])
def test_killed_while_parts_become_an_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    def killed(*_: object, **__: object) -> None:
        raise Killed

    with opened(tmp_path) as store:
        parts = MultipartStore(store, min_part=1)
        upload = parts.create("k", None, {})
        named = [put_part(store, parts, upload.id, number, b"%d" % number) for number in (1, 2)]
        # Left over from a process that ended while it received a part.
        store.receive().write(b"half a part")
        with killed_in(monkeypatch) as patch:
            target = {
                "assembly": (IncomingFile, "append", killed),
                "commit": (RootDatabase, "transaction", killed),
                "rename": (os, "rename", killed),
                "clean-up": (MultipartStore, "_remove", killed),
            }[moment]
            # A killed process does not clean up.
            patch.setattr(IncomingFile, "discard", lambda self: None)
            patch.setattr(*target)
            parts.complete(upload.id, "k", named)
    with opened(tmp_path) as store:
        parts = MultipartStore(store, min_part=1)
        if moment in ("assembly", "commit"):
            assert {path.name for path in store.incoming.iterdir()} == {p.incoming for p in parts.parts(upload)}
            parts.complete(upload.id, "k", named)
        assert content(store)[1] == b"12"
        assert list(store.incoming.iterdir()) == []


def test_a_part_without_its_file_is_removed(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        parts = MultipartStore(store)
        upload = parts.create("k", None, {})
        put_part(store, parts, upload.id, 1, b"x")
        (file,) = store.incoming.iterdir()
        file.unlink()
    with opened(tmp_path) as store:
        assert MultipartStore(store).parts(upload) == []


def test_parts_are_assembled_without_copy_file_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    with opened(tmp_path) as store:
        parts = MultipartStore(store, min_part=1)
        upload = parts.create("k", None, {})
        bodies = [os.urandom(3_000_000), os.urandom(17), os.urandom(1_100_000)]
        named = [put_part(store, parts, upload.id, number, body) for number, body in enumerate(bodies, 1)]
        parts.complete(upload.id, "k", named)
        assert content(store)[1] == b"".join(bodies)


def expected(keys: Sequence[str], prefix: str, delimiter: str) -> list[str]:
    """A listing by its definition."""
    entries = set()
    for key in keys:
        if key.startswith(prefix):
            head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            entries.add(prefix + head + delimiter if found else key)
    return sorted(entries)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.sets(st.text("ab/é\U0001f600", min_size=1, max_size=5), max_size=12),
    prefix=st.text("ab/", max_size=2),
    delimiter=st.sampled_from(["", "/", "b", "a/"]),
    size=st.integers(min_value=1, max_value=5),
)
def test_pages_add_up_for_any_keys(
    tmp_path_factory: pytest.TempPathFactory, keys: set[str], prefix: str, delimiter: str, size: int
) -> None:
    root = tmp_path_factory.mktemp("root")
    database = RootDatabase(root)
    store = LocalObjectStore(root, database, lambda: 0.0)
    store._size_of = lambda _: 0  # type: ignore[assignment,method-assign]  # not all of these keys can be files side by side
    with database.transaction() as sql:
        for number, key in enumerate(keys):
            sql.execute("INSERT INTO objects VALUES (?, 0, '', NULL, NULL, NULL, '{}', 0, ?)", (key, str(number)))
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        listing = store.listing(prefix, delimiter, after, size)
        page = sorted([*(stored.key for stored in listing.objects), *listing.common_prefixes])
        assert len(page) == size or listing.next_after is None
        found += page
        after = listing.next_after
    store.close()
    database.close()
    assert found == expected(sorted(keys), prefix, delimiter)
