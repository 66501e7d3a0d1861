"""Any commands in any order, over a bad link, with crashes in between, against a simple model.

The model knows which photos the user has put on which card, and that is all: whatever happens, each of them arrives
once in the end. The real manager runs over a real journal and the real local cloud in one event loop.

STATE_MACHINE_EXAMPLES, a number, asks for that many runs, new ones each time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import shutil
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.engine.world import SETTINGS, World, add
from tests.local_cloud.root_reader import registered_images
from tests.photos import jpeg
from tui_uploader.cloud.contract import StartReceipt
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import (
    CloudError,
    LinkError,
    NoSuchProject,
    NoSuchUpload,
    NothingToUpload,
    NotPossibleNow,
    NotSignedIn,
    SignInError,
    TooFewImages,
)
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.accounts import Login, SignInRequest
from tui_uploader.model.files import FileQuery, FileSelection
from tui_uploader.model.projects import MIN_IMAGES
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.uploads import UploadStatus

FAULTS = (
    "drop:route=put,probability=0.05,bytes=500",
    "error500:route=put,probability=0.04,seed=1",
    "slowdown503:route=put,probability=0.03,seed=2",
    "lost_reply:route=put,probability=0.05,seed=3",
    "expired_token:route=put,probability=0.03,seed=4",
    "time_skewed:route=put,probability=0.02,seed=10",
    "lost_reply:route=register,probability=0.2,seed=5",
    "error500:route=register,probability=0.1,seed=6",
    "drop:route=credentials,probability=0.1,seed=7",
    "lost_reply:route=start,probability=0.3,seed=8",
    "drop:route=start,probability=0.3,seed=9",
)
PROJECTS = ("North", "South")
REFUSALS = (NotPossibleNow, NothingToUpload, NoSuchUpload, NoSuchProject, NotSignedIn, TooFewImages)
"""Refusals of commands that are not possible at the moment."""
CLOUD_TROUBLE = (LinkError, CloudError, SignInError)

Result = TypeVar("Result")
ImageSet = frozenset[str]
numbers = st.integers(0, 2**16)


@dataclass
class Cards:
    """Folders of photos, some with equal content, some with equal names; their content never changes."""

    folder: Path
    made: list[tuple[str, Path]] = field(default_factory=list)
    photos: defaultdict[str, dict[Path, bytes]] = field(default_factory=lambda: defaultdict(dict))
    """Contents by project and path."""

    def more(self, project: str, chance: random.Random) -> Path:
        card = self.folder / project / f"{len(self.made):03}"
        card.mkdir(parents=True)
        earlier = list(self.photos[project].values())
        for number in range(chance.randint(1, 9)):
            twin = earlier and chance.random() < 0.15
            photo = card / f"DJI_{number:04}.JPG"
            photo.write_bytes(chance.choice(earlier) if twin else jpeg(chance.randint(800, 4000)))
            self.photos[project][photo] = photo.read_bytes()
        self.made.append((project, card))
        return card


@dataclass
class Starts:
    """The sets of registered images for which processing was started, by project: each call of every engine."""

    root: Path
    sets: defaultdict[str, list[ImageSet]] = field(default_factory=lambda: defaultdict(list))

    def watched(self, login: Login) -> Pix4dCloud:
        starts = self

        class Watched(Pix4dCloud):
            async def start_processing(self, project_id: str) -> StartReceipt:
                starts.sets[project_id].append(frozenset(registered_images(starts.root, int(project_id))))
                return await super().start_processing(project_id)

        return Watched(login, SETTINGS)


class Unforeseen(logging.Handler):
    """Keeps unexpected errors from the log, such as impossible transitions of files and uploads."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.records.append(logging.Formatter().format(record))


class Machine:
    """The engine, its cloud, and its user, in one task of one loop, which is stopped between two steps."""

    def __init__(self, folder: Path) -> None:
        self.options = LocalCloudOptions(root=folder / "cloud", processing_seconds=0.3, faults=FAULTS)
        self.starts = Starts(self.options.root)
        self.world = World(folder, self.options, make_cloud=self.starts.watched)
        self.cards = Cards(self.world.card)
        self.homes = 0
        self.cloud = AsyncExitStack()
        self.engine = AsyncExitStack()
        self.manager: UploadManager | None = None
        self.statuses: list[UploadStatus] = []
        """Every status since the last look."""

    async def cloud_up(self, faults: tuple[str, ...]) -> None:
        self.world.options = replace(self.options, faults=faults)
        await self.cloud.enter_async_context(self.world.cloud_running())

    async def engine_up(self) -> UploadManager:
        self.manager = await self.engine.enter_async_context(self.world.engine(verify=False))
        return self.manager

    async def engine_down(self) -> None:
        self.manager = None
        await self.engine.aclose()

    async def crash(self) -> None:
        """The next engine gets only the journal that is on the disk now; running requests may still take effect."""
        before = self.world.directories.journal
        self.homes += 1
        kept = self.world.folder / f"crash-{self.homes}.sqlite"
        with closing(sqlite3.connect(before)) as journal, closing(sqlite3.connect(kept)) as copy:
            journal.backup(copy)
        await self.engine_down()
        for leftover in before.parent.glob(f"{before.name}*"):
            leftover.unlink()
        shutil.move(kept, before)
        await self.engine_up()

    def look(self) -> None:
        if self.manager is not None:
            self.statuses.extend(self.manager.queries.status().uploads)

    def uploads(self) -> list[UploadStatus]:
        return list(self.manager.queries.status().uploads) if self.manager else []


class EngineMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.unforeseen = Unforeseen()
        logging.getLogger("tui_uploader.engine").addHandler(self.unforeseen)
        self.runner = asyncio.Runner()
        self.orders: asyncio.Queue[tuple[Callable[[], Awaitable[Any]], asyncio.Future[Any]]] = asyncio.Queue()
        self.user: asyncio.Task[None] | None = None
        self.machine = Machine(self.folder)
        self.cloud_is_up = True
        self.run(self._begin())

    async def _begin(self) -> None:
        self.user = asyncio.create_task(self._obey())
        await self._in_one_task(lambda: self.machine.cloud_up(FAULTS))
        await self._in_one_task(self.machine.engine_up)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(asyncio.wait_for(work, 60))

    def do(self, order: Callable[[UploadManager], Awaitable[Result]], *allowed: type[Exception]) -> Result | None:
        """Carry out a command; None when it was refused for an allowed reason."""
        manager = self.machine.manager
        assert manager is not None
        with suppress(*REFUSALS, *allowed):
            return self.run(self._in_one_task(lambda: order(manager)))
        return None

    async def _in_one_task(self, order: Callable[[], Awaitable[Result]]) -> Result:
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        await self.orders.put((order, done))
        return await done

    async def _obey(self) -> None:
        """Opens and closes in one task: context variables do not move between tasks."""
        while True:
            order, done = await self.orders.get()
            try:
                done.set_result(await order())
            except Exception as error:
                done.set_exception(error)

    # ------------------------------------------------------------------------------------------------ the commands

    @rule(project=st.sampled_from(PROJECTS), seed=numbers, auto=st.booleans())
    def add_a_card(self, project: str, seed: int, auto: bool) -> None:
        card = self.machine.cards.more(project, random.Random(seed))
        self.do(lambda manager: add(manager, card, new=project, auto_process=auto))

    @precondition(lambda self: self.machine.cards.made)
    @rule(which=numbers)
    def add_it_again(self, which: int) -> None:
        project, card = self.machine.cards.made[which % len(self.machine.cards.made)]
        self.do(lambda manager: add(manager, card, new=project))

    def chosen(self, which: int) -> int | None:
        uploads = self.machine.uploads()
        return uploads[which % len(uploads)].upload if uploads else None

    @precondition(lambda self: self.machine.uploads())
    @rule(which=numbers)
    def pause(self, which: int) -> None:
        upload = self.chosen(which)
        assert upload is not None
        after = self.do(lambda manager: manager.pause(upload))
        assert after is None or after.state is UploadState.PAUSED

    @precondition(lambda self: self.machine.uploads())
    @rule(which=numbers)
    def resume(self, which: int) -> None:
        upload = self.chosen(which)
        assert upload is not None
        after = self.do(lambda manager: manager.resume(upload))
        assert after is None or after.state in (UploadState.ACTIVE, UploadState.COMPLETE)

    @precondition(lambda self: self.machine.uploads())
    @rule(which=numbers)
    def cancel(self, which: int) -> None:
        upload = self.chosen(which)
        assert upload is not None
        after = self.do(lambda manager: manager.cancel(upload))
        assert after is None or after.state is UploadState.CANCELLED

    @precondition(lambda self: self.machine.uploads())
    @rule(which=numbers)
    def dismiss(self, which: int) -> None:
        upload = self.chosen(which)
        assert upload is not None
        if self.do(lambda manager: manager.dismiss(upload)) is not None:
            assert upload not in {status.upload for status in self.machine.uploads()}

    @precondition(lambda self: self.machine.uploads())
    @rule(which=numbers, action=st.sampled_from(["retry", "restore"]))
    def all_files(self, which: int, action: str) -> None:
        upload = self.chosen(which)
        assert upload is not None
        everything = FileSelection(all=True)
        self.do(lambda manager: getattr(manager, action)(upload, everything))

    @precondition(lambda self: self.machine.uploads())
    @rule(which=numbers, seed=numbers)
    def remove_two_files(self, which: int, seed: int) -> None:
        upload = self.chosen(which)
        assert upload is not None

        async def remove(manager: UploadManager) -> int:
            window = await manager.queries.files(upload, FileQuery(limit=2000))
            some = random.Random(seed).sample(window.files, min(2, len(window.files)))
            return await manager.remove(upload, FileSelection(ids=tuple(item.id for item in some)))

        self.do(remove)

    @precondition(lambda self: self.machine.uploads())
    @rule(which=numbers, on=st.booleans())
    def automatic_processing(self, which: int, on: bool) -> None:
        upload = self.chosen(which)
        assert upload is not None
        after = self.do(lambda manager: manager.set_auto_process(upload, on))
        assert after is not None and after.auto_process is on

    @rule(project=st.sampled_from(PROJECTS), partial=st.booleans())
    def start_processing(self, project: str, partial: bool) -> None:
        self.do(lambda manager: manager.start_processing(project, partial=partial), *CLOUD_TROUBLE)

    # ------------------------------------------------------------------------------------------- what else happens

    @rule(milliseconds=st.sampled_from([1, 10, 40]), clocks=st.sampled_from([0.0, 3.0, 60.0]))
    def time_passes(self, milliseconds: int, clocks: float) -> None:
        self.machine.world.time.passed += clocks
        self.run(asyncio.sleep(milliseconds / 1000))

    @rule(right=st.booleans())
    def sign_out_and_in(self, right: bool) -> None:
        """With the wrong secret all files wait; with the right one the uploads continue."""
        login = self.machine.world.login(None if right else "wrong")
        self.do(lambda manager: manager.sign_out("default"))
        self.do(lambda manager: manager.sign_in(SignInRequest(login, verify=False)))

    @rule(gracefully=st.booleans())
    def another_engine(self, gracefully: bool) -> None:
        async def reopen() -> None:
            await self.machine.engine_down()
            await self.machine.engine_up()

        self.run(self._in_one_task(reopen if gracefully else self.machine.crash))

    @rule(faults=st.sampled_from([FAULTS, ()]))
    def the_cloud_goes_and_comes(self, faults: tuple[str, ...]) -> None:
        if self.cloud_is_up:
            self.run(self._in_one_task(self.machine.cloud.aclose))
        else:
            self.run(self._in_one_task(lambda: self.machine.cloud_up(faults)))
        self.cloud_is_up = not self.cloud_is_up

    # -------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def nothing_unforeseen_happens(self) -> None:
        assert not self.unforeseen.records

    @invariant()
    def the_truths_are_ordered(self) -> None:
        self.machine.look()
        statuses, self.machine.statuses = self.machine.statuses, []
        for status in statuses:
            volume = status.bytes
            assert 0 <= volume.registered <= volume.stored <= volume.sent <= volume.total, status

    @invariant()
    def what_is_called_uploaded_is_there_byte_for_byte(self) -> None:
        for name, project, files in registered(self.machine):
            if not files:
                continue
            assert project is not None
            images = {key.rpartition("/")[2] for key in registered_images(self.machine.options.root, int(project))}
            objects = objects_of(self.machine, project)
            for path, object_name in files.items():
                assert object_name in images
                assert objects[object_name] == self.machine.cards.photos[name][path]

    @invariant()
    def nothing_is_in_the_cloud_twice_or_from_nowhere(self) -> None:
        for name, project, _ in registered(self.machine):
            if project is not None:
                there = Counter(objects_of(self.machine, project).values())
                assert there <= Counter(dict.fromkeys(self.machine.cards.photos[name].values(), 1))

    # --------------------------------------------------------------------------------------------------- the end

    def teardown(self) -> None:
        try:
            if self.machine.manager is not None:
                self.run(self._in_one_task(lambda: settle(self.machine, self.cloud_is_up)))
                self.nothing_unforeseen_happens()
                self.the_truths_are_ordered()
            self.run(self._in_one_task(self.machine.engine_down))
            self.run(self._in_one_task(self.machine.cloud.aclose))
        finally:
            logging.getLogger("tui_uploader.engine").removeHandler(self.unforeseen)
            if self.user is not None:
                self.user.cancel()
            self.runner.close()
            shutil.rmtree(self.folder)


def registered(machine: Machine) -> list[tuple[str, str | None, dict[Path, str]]]:
    """Name and id of each project, and the names in it of the files that are called uploaded."""
    with closing(sqlite3.connect(machine.world.directories.journal)) as journal:
        found = []
        for number, name, remote in journal.execute("SELECT id, name, remote_id FROM projects").fetchall():
            rows = journal.execute(
                "SELECT path, object FROM files WHERE project = ? AND stage = ?", (number, FileStage.REGISTERED)
            )
            found.append((name, remote, {Path(os.fsdecode(path)): object_name for path, object_name in rows}))
        return found


def objects_of(machine: Machine, project: str) -> dict[str, bytes]:
    folders = (machine.options.root / "objects").rglob(f"project-{project}")
    return {path.name: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


async def settle(machine: Machine, cloud_is_up: bool) -> None:
    """The user mends everything and adds every card again; then each photo is uploaded exactly once."""
    if cloud_is_up:
        await machine.cloud.aclose()
    await machine.cloud_up(())
    manager = machine.manager
    assert manager is not None
    await manager.sign_in(SignInRequest(machine.world.login()))
    for project, card in machine.cards.made:
        await add(manager, card, new=project)
    for status in manager.queries.status().uploads:
        await manager.restore(status.upload, FileSelection(all=True))
        if (await manager.queries.upload(status.upload)).state in (UploadState.PAUSED, UploadState.CANCELLED):
            await manager.resume(status.upload)
        await manager.retry(status.upload, FileSelection(all=True))
    manager.try_now()
    try:
        await machine.world.in_the_long_run(lambda: all_uploaded(machine), 30)
        await machine.world.in_the_long_run(lambda: all_processed_or_told(machine), 30)
    except TimeoutError:
        raise AssertionError(f"stuck: {machine.uploads()} {machine.world.summary.projects}") from None
    for name in {project for project, _ in machine.cards.made}:
        await check_project(machine, manager, name)


def all_uploaded(machine: Machine) -> bool:
    return all(status.state is UploadState.COMPLETE for status in machine.uploads())


def all_processed_or_told(machine: Machine) -> bool:
    """Every set of enough images is processed, by the service's own word; or the user is asked to look, because that is
    not known."""
    summary = machine.world.summary
    return all(
        not project.start_in_doubt
        and project.start_images == images
        and project.word == "DONE"
        and (project.started_at is not None or "not known" in (project.reason or ""))
        for project in summary.projects.values()
        if (images := summary.project_files(project.id, FileStage.REGISTERED)) >= MIN_IMAGES
    )


async def check_project(machine: Machine, manager: UploadManager, name: str) -> None:
    """Each content of the cards is in the project once, as an object, as an image, and in the counts; processing was
    asked for at most once for each set of images."""
    project = await manager.queries.project(name)
    assert project.id is not None
    objects = objects_of(machine, project.id)
    names = [key.rpartition("/")[2] for key in registered_images(machine.options.root, int(project.id))]
    photos = machine.cards.photos[name]
    assert Counter(objects.values()) == Counter(dict.fromkeys(photos.values(), 1))
    assert sorted(names) == sorted(objects)
    uploads = [await manager.queries.upload(number) for number in project.uploads]
    assert sum(status.counts.uploaded for status in uploads) == len(objects) == project.images
    for status in uploads:
        assert status.bytes.sent == status.bytes.stored == status.bytes.registered == status.bytes.total
    sets = machine.starts.sets[project.id]
    assert min(map(len, sets), default=MIN_IMAGES) >= MIN_IMAGES
    assert (project.images >= MIN_IMAGES) <= machine.world.starts_of(project.id) <= len(set(sets))


def test_no_sequence_of_commands_loses_or_doubles_a_file() -> None:
    examples = os.environ.get("STATE_MACHINE_EXAMPLES")
    run_state_machine_as_test(
        EngineMachine,
        settings=settings(
            max_examples=int(examples or 5),
            stateful_step_count=30,
            derandomize=examples is None,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
