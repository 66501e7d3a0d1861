"""Draws a card, what was uploaded of it, and what went wrong since; verifies it, and knows the truth.

The truth comes from the bytes on the disk and in the storage alone, by code that shares nothing with the verification.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import xxhash
from zlib_ng import zlib_ng

from tests.engine.verification.fake_cloud import FakeAccount, FakeAccounts, FakeStore, Look
from tui_uploader.engine.context import Clocks, EngineContext
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import (
    commands,
    deduplication,
    files,
    projects,
    retention,
    stored_files,
    uploads,
    walked,
)
from tui_uploader.engine.journal.tables.known_contents import Content
from tui_uploader.engine.notifier import Notifier
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.engine.verification import second_walk, storage
from tui_uploader.engine.verification.card_walk import Root
from tui_uploader.engine.verification.verifier import Verifier
from tui_uploader.engine.worker import WorkerFaults
from tui_uploader.errors import NotPossibleNow
from tui_uploader.intake.scan import candidate_of
from tui_uploader.model.files import Proof
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileEvent, FileStage, UploadEvent
from tui_uploader.model.verification import Finding, Verdict, VerificationState, VerificationStatus

T = TypeVar("T")

SETTLE = 0.012
"""Three ticks of the kernel's clock: longer than the steps in which tmpfs dates changes."""
FOLDERS = ("", "DCIM", "DCIM/100MEDIA", "DCIM/101 \u00c4", ".hidden", "System Volume Information", "DCIM/.thumbs")
STEMS = ("DJI_0001", "DJI_0002", "DJI_0003", "IMG_\udcff7", "flight 1", "._DJI_0001", "a\nb")
ENDINGS = (".JPG", ".JPG", ".JPG", ".jpeg", ".tif", ".MP4", ".obs", ".txt", "")
IMAGES = (".jpg", ".jpeg", ".tif", ".tiff")
STAGES = (
    *(FileStage.REGISTERED,) * 12,
    *(FileStage.FOUND, FileStage.READY, FileStage.SENDING, FileStage.STORED, FileStage.FAILED, FileStage.REMOVED),
)


@dataclass(slots=True)
class Told:
    """How one case went."""

    verdict: Verdict | None
    wrong: list[str]
    """What the verification said that is not true."""
    timid: bool
    """It said NOT SAFE although nothing spoke against the card."""
    crashes: int = 0


@dataclass
class Case:
    """One card, one machine, and its clouds."""

    seed: int
    folder: Path
    random: random.Random = field(init=False)
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    stores: dict[int, FakeStore] = field(default_factory=dict)
    """By project in the journal."""
    usable: dict[int, bool] = field(default_factory=dict)
    disturbed: bool = False
    """The card changed while it was verified."""
    walking_again: bool = False
    crashes: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.listing = random.Random(f"listing {self.seed}")
        self.calm = self.random.random() < 0.4
        """Everything is uploaded, and almost nothing goes wrong."""

    @property
    def card(self) -> Path:
        return self.folder / "card"

    # ----------------------------------------------------------------------------------------------------- card

    def draw_card(self) -> None:
        chance = self.random
        base = bytes(chance.randrange(256) for _ in range(chance.choice((5, 5, 9, 4096))))
        self.pool = [base, base[:-1] + bytes([base[-1] ^ 1]), base[::-1], base + b"x", b"raw", b"RAW"]
        if not self.calm:
            self.pool.append(b"")
        self.card.mkdir(parents=True)
        endings = (".JPG", ".jpeg", ".tif") if chance.random() < 0.5 else ENDINGS
        for _ in range(chance.randrange(0 if chance.random() < 0.05 else 1, 9)):
            path = self.card / chance.choice(FOLDERS) / (chance.choice(STEMS) + chance.choice(endings))
            path.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(path):
                continue
            others = list(self.files())
            if others and chance.random() < 0.1:
                path.hardlink_to(chance.choice(others))
            elif chance.random() < 0.05:
                path.symlink_to(chance.choice((self.card, self.card / "nothing", Path("/etc/hostname"))))
            else:
                path.write_bytes(chance.choice(self.pool))

    def files(self) -> Iterator[Path]:
        for folder, _, names in os.walk(self.card):
            yield from (Path(folder, name) for name in sorted(names) if not Path(folder, name).is_symlink())

    def change_card(self) -> None:
        """Do what a camera, a person or a program does to a card."""
        chance, present = self.random, sorted(self.files())
        if not present or chance.random() < 0.15:
            path = self.card / "DCIM" / f"NEW_{chance.randrange(9)}.JPG"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(chance.choice(self.pool))
            return
        path = chance.choice(present)
        before = path.stat()
        match chance.randrange(6):
            case 0:  # other bytes, same size and same time
                content = path.read_bytes()
                path.write_bytes(content[:-1] + bytes([content[-1] ^ 2]) if content else b"")
                os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            case 1:
                path.write_bytes(chance.choice(self.pool))
                os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            case 2:
                path.rename(path.with_name(f"moved {path.name}"))
            case 3:
                path.unlink()
            case 4:  # two files change places
                other = chance.choice(present)
                spare = self.card / "spare.JPG"
                path.rename(spare)
                if other != path:
                    other.rename(path)
                spare.rename(other)
            case 5:
                with path.open("ab") as file:
                    file.write(b"more")

    # --------------------------------------------------------------------------------------------------- uploads

    def draw_projects(self, connection: sqlite3.Connection) -> None:
        for number in range(1, self.random.choice((2, 2, 3))):
            look = self.random.choice(tuple(Look))
            account = f"account{self.random.randrange(2)}@cloud"
            if self.calm and look in (Look.REFUSED, Look.OPAQUE):
                look = Look.CHECKSUMS
            project = projects.add_project(
                connection, account, f"Quarry {number}", ProjectKind.IMAGES, remote_id=f"remote-{number}"
            )
            self.stores[project] = FakeStore(look, may_list=self.listing.random() < 0.7)
            signed_in = self.accounts.signed_in.setdefault(account, FakeAccount())
            signed_in.stores[f"remote-{number}"] = self.stores[project]
        if not self.calm and self.random.random() < 0.2:
            self.random.choice(list(self.accounts.signed_in.values())).link.down = True
        if not self.calm and self.random.random() < 0.1:
            del self.accounts.signed_in[self.random.choice(list(self.accounts.signed_in))]
        for row in connection.execute("SELECT id, account FROM projects"):
            found = self.accounts.of(row["account"])
            self.usable[row["id"]] = found is not None and not found.link.down
            if found is not None and not self.calm and self.random.random() < 0.07:
                found.deleted.add(f"remote-{row['id']}")
                self.usable[row["id"]] = False

    def upload(self, connection: sqlite3.Connection) -> None:
        """Bring some files of the card to some stage, as the engine's workers do."""
        chance = self.random
        project = chance.choice(list(self.stores))
        upload = uploads.add_sources(connection, project, [str(self.card)], True, 1.0)
        share = 1.0 if self.calm else chance.choice((0.3, 0.8, 1.0))
        chosen = [path for path in sorted(self.files()) if chance.random() < share]
        if self.calm and chance.random() < 0.7:
            chosen = [path for path in chosen if path.stat().st_size]
        walked.add_candidates(connection, upload, project, [candidate_of(str(path)) for path in chosen])
        for path in chosen:
            self._bring(connection, upload, project, path, FileStage.REGISTERED if self.calm else chance.choice(STAGES))
        if not self.calm and chance.random() < 0.4:
            with contextlib.suppress(NotPossibleNow):
                event = chance.choice((UploadEvent.CANCEL, UploadEvent.PAUSE, UploadEvent.SCANNED))
                uploads.move_upload(connection, upload, event, 2.0)
                if event is UploadEvent.CANCEL and chance.random() < 0.5:
                    commands.dismiss(connection, upload, 2.0)
                    if upload in retention.due(connection, 3.0):
                        retention.condense(connection, upload, 500)

    def _bring(self, connection: sqlite3.Connection, upload: int, project: int, path: Path, wanted: FileStage) -> None:
        found = connection.execute(
            "SELECT * FROM files WHERE upload = ? AND path = ? ORDER BY id DESC", (upload, os.fsencode(path))
        ).fetchone()
        row = FileRecord.of(found)
        if row.stage is not FileStage.FOUND or wanted is FileStage.FOUND:
            return
        if wanted is FileStage.FAILED:
            files.fail(connection, row.id, "SourceDamaged", "It is cut off.")
            return
        content = path.read_bytes()
        identity = xxhash.xxh3_128(content).hexdigest()
        deduplication.settle_check(connection, row.id, row.candidate, Content(identity, zlib_ng.crc32(content)))
        again = connection.execute("SELECT * FROM files WHERE id = ?", (row.id,)).fetchone()
        if again is None:
            return
        row = FileRecord.of(again)
        if wanted is FileStage.REMOVED and row.stage in (FileStage.READY, FileStage.DUPLICATE):
            files.move(connection, row.id, FileEvent.REMOVE)
        if row.stage is not FileStage.READY or wanted in (FileStage.READY, FileStage.REMOVED):
            return
        if files.pick(connection, row.id) is None or wanted is FileStage.SENDING:
            return
        store = self.stores[project]
        proof = {Look.CHECKSUMS: Proof.CRC32, Look.PARTS: Proof.CRC32, Look.MD5: Proof.MD5}.get(store.look)
        proof = proof or (Proof.CRC32 if self.calm else self.random.choice((Proof.CRC32, Proof.MD5, Proof.NONE)))
        damaged = proof is Proof.NONE and self.random.random() < 0.3
        etag = store.put(row.object or "", content, proof, damaged=damaged)
        stored_files.mark_stored(connection, row.id, etag, proof, 1.5)
        if wanted is FileStage.REGISTERED:
            stored_files.register(connection, [row.id], 1.6)
            store.registered.add(row.object or "")
            if not self.calm and self.random.random() < 0.1:  # a result that another one took the place of
                connection.execute("UPDATE files SET replaced_at = 2.0 WHERE id = ?", (row.id,))
                store.registered.discard(row.object or "")

    def change_storage(self) -> None:
        chance = self.random
        store = chance.choice(list(self.stores.values()))
        if not store.objects:
            return
        name = chance.choice(sorted(store.objects))
        content = store.objects[name].content
        match chance.randrange(3):
            case 0:
                del store.objects[name]
            case 1:
                store.replace(name, chance.choice(self.pool))
            case 2:
                store.replace(name, content[:-1] + bytes([content[-1] ^ 4]) if content else b"other")

    # ------------------------------------------------------------------------------------------------------- run

    async def run(self) -> Told:
        self.draw_card()
        journal = Journal.open(self.folder / "journal" / "journal.sqlite")
        await journal.write(self.draw_projects)
        for _ in range(1 if self.calm else self.random.choice((1, 1, 2, 3))):
            await journal.write(self.upload)
        for _ in range(0 if self.calm and self.random.random() < 0.6 else self.random.choice((0, 1, 1, 2))):
            self.change_card()
        for _ in range(0 if self.calm else self.random.choice((0, 0, 1, 2))):
            self.change_storage()
        paths = self._paths()
        only = self.random.choice(list(self.stores)) if self.random.random() < 0.3 else None
        status = await self._verified(journal, paths, only)
        return self._compared(status, paths, only)

    def _paths(self) -> tuple[str, ...]:
        inner = sorted({str(path.parent) for path in self.files()} | {str(self.card)})
        chosen: list[str] = [str(self.card)]
        if self.random.random() < 0.2:
            chosen.append(self.random.choice(inner))
        elif self.random.random() < 0.1:
            chosen = [self.random.choice([*inner, *map(str, self.files())])]
        if self.random.random() < 0.03:
            chosen.append(str(self.folder / "no such card"))
        return tuple(dict.fromkeys(chosen))

    async def _verified(self, journal: Journal, paths: tuple[str, ...], only: int | None) -> VerificationStatus:
        """Verify, with crashes and changes on the way."""
        crashes = self.random.choice((0, 0, 0, 1, 2))
        number: int | None = None
        while True:
            context, crash = self._context(journal), asyncio.Event()
            verifier = Verifier(context, SETTLE)
            if number is None:
                number = (await verifier.start(paths, only, None)).verification
            else:
                await verifier.load()
            self._disturb(context, crash if self.crashes < crashes else None)
            crashing = asyncio.create_task(crash.wait())
            ending = asyncio.create_task(_ended(context, verifier, number))
            await asyncio.wait({crashing, ending}, return_when=asyncio.FIRST_COMPLETED, timeout=60)
            ended = ending.done() and verifier.status(number).state is not VerificationState.RUNNING
            status = verifier.status(number)
            crashing.cancel()
            ending.cancel()
            await verifier.close()
            context.sources.close()
            await journal.close()
            if ended:
                return status
            assert crash.is_set(), f"case {self.seed} hangs: {status}"
            self.crashes += 1
            for change in (self.change_card, self.change_storage):
                if self.random.random() < 0.4:
                    change()
                    self.disturbed = True
            journal = Journal.open(self.folder / "journal" / "journal.sqlite")

    def _context(self, journal: Journal) -> EngineContext:
        clocks, notifier, nothing = Clocks(time.time, time.monotonic, random.random), Notifier(), _nothing()
        return EngineContext(
            clocks=clocks,
            notifier=notifier,
            journal=journal,
            accounts=self.accounts,  # type: ignore[arg-type]
            governor=nothing,
            streams=nothing,
            storage=nothing,
            progress=nothing,
            quiet=nothing,
            sources=SourceThreads(),
            unfinished=nothing,
            faults=WorkerFaults(clocks.monotonic, notifier),
        )

    def _disturb(self, context: EngineContext, crash: asyncio.Event | None) -> None:
        """Have something happen in the middle: at one of the questions that the verification asks the journal."""
        crash_at = self.random.randrange(1, 14) if crash is not None else -1
        change_at = self.random.randrange(1, 14) if self.random.random() < 0.25 else -1
        asked = 0
        read: Callable[[Callable[[sqlite3.Connection], Any]], Any] = context.journal.read
        self.walking_again = False

        async def disturbed_read(question: Callable[[sqlite3.Connection], T]) -> T:
            nonlocal asked
            asked += 1
            if asked == change_at and not self.walking_again:
                self.change_card()
                self.disturbed = True
            if asked == crash_at and crash is not None:
                crash.set()
                await asyncio.sleep(3600)
            answer: T = await read(question)
            return answer

        context.journal.read = disturbed_read  # type: ignore[method-assign]
        _WATCHED[id(context)] = self

    # ----------------------------------------------------------------------------------------------------- truth

    def _compared(self, status: VerificationStatus, paths: tuple[str, ...], only: int | None) -> Told:
        assert status.state is VerificationState.DONE, status
        has = {
            (content, store.can_prove(name))
            for project, store in self.stores.items()
            if only in (None, project) and self.usable[project]
            for name in store.objects.keys() | store.receipts.keys()
            if (content := store.truly_has(name)) is not None
        }
        safe, present = {content for content, _ in has}, self._present(paths)
        lost = [path for path in present if path.read_bytes() not in safe]
        images = [path for path in present if path.suffix.lower() in IMAGES]
        lost_images = [path for path in lost if path in images]
        wrong = []
        if status.verdict is Verdict.SAFE and (lost or not present):
            wrong.append(f"safe, although these are not in the cloud: {lost}")
        if status.verdict is Verdict.SAFE_FOR_IMAGES and (lost_images or (not images and lost == present)):
            wrong.append(f"images safe, although these are not in the cloud: {lost_images}")
        if status.findings.get(Finding.DELIVERED, 0) > len(present) - len(lost) and not self.disturbed:
            wrong.append(f"{status.findings} delivered, but {len(lost)} of {len(present)} are not in the cloud")
        sound = not any("no such card" in path for path in paths) and not self.disturbed
        doubtful = [path for path in present if sound and (path.read_bytes(), True) not in has]
        timid = status.verdict is Verdict.NOT_SAFE and bool(present) and not doubtful and sound
        return Told(status.verdict, wrong, timid, self.crashes)

    def _present(self, paths: tuple[str, ...]) -> list[Path]:
        """The files that wiping would destroy, hidden and system files apart."""
        found = set()
        for path in map(Path, paths):
            if path.is_file():
                found.add(path)
            for folder, _, names in os.walk(path):
                steps = Path(folder).relative_to(path).parts
                if any(step.startswith(".") or step == "System Volume Information" for step in steps):
                    continue
                below = [Path(folder, name) for name in names if not name.startswith(".")]
                found.update(each for each in below if each.is_file() and not each.is_symlink())
        return sorted(found)


_WATCHED: dict[int, Case] = {}


def _nothing() -> Any:
    """Parts of the engine that a verification does not use."""
    return None


async def _ended(context: EngineContext, verifier: Verifier, number: int) -> None:
    with context.notifier.watching() as changed:
        while verifier.status(number).state is VerificationState.RUNNING:
            await changed.wait()
            changed.clear()


@contextlib.contextmanager
def cases_prepared() -> Iterator[None]:
    """Let cases know when their card is walked again, for what changes after that cannot be noticed, and have objects
    listed for small cards."""
    run = second_walk.SecondWalk.run

    async def noted(self: second_walk.SecondWalk, roots: Sequence[Root]) -> None:
        _WATCHED[id(self._context)].walking_again = True
        await run(self, roots)

    second_walk.SecondWalk.run = noted  # type: ignore[method-assign]
    many, storage.MANY = storage.MANY, 2
    try:
        yield
    finally:
        second_walk.SecondWalk.run = run  # type: ignore[method-assign]
        storage.MANY = many
        _WATCHED.clear()


async def told_of(seed: int, folder: Path) -> Told:
    """Run the case with this seed in a new folder, and remove it."""
    folder.mkdir()
    try:
        return await Case(seed, folder).run()
    finally:
        shutil.rmtree(folder)
