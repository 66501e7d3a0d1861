"""Any commands in any order, over a bad link, lose nothing, double nothing, and start processing once for each set.

RANDOM_SEEDS, numbers with commas between them, chooses other runs than the usual ones.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.engine.world import SETTINGS, World, add
from tests.photos import jpeg
from tests.until import until
from tui_uploader.cloud.contract import StartReceipt
from tui_uploader.cloud.pix4d import Pix4dCloud
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import NoSuchUpload, NothingToUpload, NotPossibleNow
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.local_cloud.store import registered_images
from tui_uploader.model import (
    MIN_IMAGES,
    FileQuery,
    FileSelection,
    FileStage,
    FileStatus,
    Login,
    UploadState,
)

FAULTS = (
    "drop:route=put,probability=0.05,bytes=500",
    "error500:route=put,probability=0.04,seed=1",
    "slowdown503:route=put,probability=0.03,seed=2",
    "lost_reply:route=put,probability=0.05,seed=3",
    "expired_token:route=put,probability=0.03,seed=4",
    "lost_reply:route=register,probability=0.2,seed=5",
    "error500:route=register,probability=0.1,seed=6",
    "drop:route=credentials,probability=0.1,seed=7",
    "lost_reply:route=start,probability=0.3,seed=8",
    "drop:route=start,probability=0.3,seed=9",
)
COMMANDS = 60
PROJECTS = ("North", "South")
SEEDS = [int(seed) for seed in os.environ.get("RANDOM_SEEDS", "1,2").split(",")]

ImageSet = frozenset[str]


@dataclass
class Cards:
    """Folders of photos, some with equal content, some with equal names."""

    folder: Path
    chance: random.Random
    made: int = 0

    def more(self, project: str) -> Path:
        self.made += 1
        card = self.folder / project / f"{self.made:03}"
        card.mkdir(parents=True)
        for number in range(self.chance.randint(1, 12)):
            earlier = sorted((self.folder / project).rglob("*.JPG"))
            twin = earlier and self.chance.random() < 0.15
            content = self.chance.choice(earlier).read_bytes() if twin else jpeg(self.chance.randint(800, 4000))
            (card / f"DJI_{number:04}.JPG").write_bytes(content)
        return card

    def photos(self, project: str) -> list[bytes]:
        return [path.read_bytes() for path in (self.folder / project).rglob("*.JPG")]


@dataclass
class Starts:
    """Which sets of registered images processing was asked for, by project: each call of every engine."""

    root: Path
    sets: defaultdict[str, list[ImageSet]] = field(default_factory=lambda: defaultdict(list))

    def watched(self, login: Login) -> Pix4dCloud:
        starts = self

        class Watched(Pix4dCloud):
            async def start_processing(self, project_id: str) -> StartReceipt:
                starts.sets[project_id].append(frozenset(registered_images(starts.root, int(project_id))))
                return await super().start_processing(project_id)

        return Watched(login, SETTINGS)


async def one_command(manager: UploadManager, cards: Cards, chance: random.Random) -> str:
    uploads = [status.upload for status in manager.status().uploads]
    command = chance.choice(
        ["add", "add", "pause", "pause", "resume", "resume", "cancel", "retry", "remove", "restore"]
    )
    if command == "add" or not uploads:
        project = chance.choice(PROJECTS)
        await add(manager, cards.more(project), new=project)
        return "add"
    upload = chance.choice(uploads)
    window = await manager.files(upload, FileQuery(limit=2000))
    ids = tuple(item.id for item in chance.sample(window.files, min(2, len(window.files))))
    match command:
        case "pause":
            await manager.pause(upload)
        case "resume":
            await manager.resume(upload)
        case "cancel":
            await manager.cancel(upload)
        case "retry":
            await manager.retry(upload, FileSelection(all=True))
        case "remove":
            await manager.remove(upload, FileSelection(ids=ids))
        case "restore":
            await manager.restore(upload, FileSelection(all=True))
    return f"{command} {upload}"


async def wild_times(world: World, cards: Cards, chance: random.Random) -> list[str]:
    """What was done."""
    done: list[str] = []
    async with world.cloud_running(), AsyncExitStack() as engine:
        manager = await engine.enter_async_context(world.engine())
        for _ in range(COMMANDS):
            if chance.random() < 0.06:
                await engine.aclose()
                manager = await engine.enter_async_context(world.engine())
                done.append("reopen")
            try:
                done.append(await asyncio.wait_for(one_command(manager, cards, chance), 20))
            except (NotPossibleNow, NothingToUpload, NoSuchUpload):
                done.append("refused")
            await asyncio.sleep(chance.choice([0, 0, 0.005, 0.02, 0.05]))
    return done


async def put_everything_right(manager: UploadManager) -> None:
    """Restore, resume and retry everything."""
    for status in manager.status().uploads:
        await manager.restore(status.upload, FileSelection(all=True))
        if (await manager.upload(status.upload)).state in (UploadState.PAUSED, UploadState.CANCELLED):
            await manager.resume(status.upload)
        await manager.retry(status.upload, FileSelection(all=True))
    manager.try_now()


def all_uploaded(manager: UploadManager) -> bool:
    return all(status.state is UploadState.COMPLETE for status in manager.status().uploads)


def all_processed_or_told(world: World) -> bool:
    """Every set of enough images is processed, as the service's own word has it; or somebody has to look, because it
    cannot be known whether it is."""
    summary = world.rooms.core.summary
    return all(
        not project.start_in_doubt
        and project.start_images == images
        and project.word == "DONE"
        and (project.started_at is not None or "not known" in (project.reason or ""))
        for project in summary.projects.values()
        if (images := summary.project_files(project.id, FileStage.REGISTERED)) >= MIN_IMAGES
    )


@pytest.mark.parametrize("seed", SEEDS)
async def test_random_commands_lose_and_double_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    options = LocalCloudOptions(root=tmp_path / "cloud", processing_seconds=0.3, faults=FAULTS)
    starts = Starts(options.root)
    world = World(tmp_path, options, make_cloud=starts.watched)
    cards = Cards(world.card, chance)
    done = await wild_times(world, cards, chance)
    world.options = replace(options, faults=())
    async with world.cloud_running(), world.engine() as manager:
        await put_everything_right(manager)
        try:
            await until(lambda: all_uploaded(manager), 30)
        except TimeoutError:
            raise AssertionError(f"stuck: {await unfinished(manager)} {done}") from None
        try:
            await world.in_the_long_run(lambda: all_processed_or_told(world))
        except TimeoutError:
            raise AssertionError(f"not processed: {world.rooms.core.summary.projects} {starts.sets} {done}") from None
        for name in {project.name for project in await manager.projects()}:
            await check_files(world, manager, name, cards.photos(name))
            await check_starts(world, manager, name, starts)


async def unfinished(manager: UploadManager) -> list[tuple[FileStatus, str | None, str]]:
    return [
        (item.status, item.reason, item.name)
        for status in manager.status().uploads
        for item in (await manager.files(status.upload, FileQuery(limit=2000))).files
        if item.status not in (FileStatus.UPLOADED, FileStatus.DUPLICATE)
    ]


async def check_files(world: World, manager: UploadManager, name: str, photos: list[bytes]) -> None:
    """The project has each content of the cards once, as an object, as an image, and in the counts."""
    project = await manager.project(name)
    assert project.id is not None
    folder = next((world.options.root / "objects").rglob(f"project-{project.id}"))
    objects = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    names = [key.rpartition("/")[2] for key in registered_images(world.options.root, int(project.id))]
    assert Counter(objects.values()) == Counter(dict.fromkeys(photos, 1))
    assert sorted(names) == sorted(objects)
    uploads = [await manager.upload(number) for number in project.uploads]
    assert sum(status.counts.uploaded for status in uploads) == len(objects) == project.images
    assert sum(status.counts.total for status in uploads) == len(photos)
    for status in uploads:
        assert status.bytes.sent == status.bytes.stored == status.bytes.registered == status.bytes.total


async def check_starts(world: World, manager: UploadManager, name: str, starts: Starts) -> None:
    """Processing was started, and at most once for each set of images that it was asked for."""
    project = await manager.project(name)
    assert project.id is not None
    sets = starts.sets[project.id]
    assert min(map(len, sets), default=MIN_IMAGES) >= MIN_IMAGES
    assert (project.images >= MIN_IMAGES) <= world.starts_of(project.id) <= len(set(sets))
