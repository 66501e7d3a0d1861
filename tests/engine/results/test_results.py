"""Processed results, from the card to the project: what belongs together, what is replaced, and what is refused."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tests.engine.world import SETTINGS, World, files_by_name, settled, when
from tests.intake.results.files import LV_95, geotiff, las, mtl, obj, write
from tests.local_cloud.root_reader import registered_results
from tests.photos import jpeg
from tui_uploader.cloud.contract import ByteRange, StoredResult
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import (
    CrsDiffers,
    NothingToUpload,
    ResultExists,
    ResultTypeUnclear,
    SourceDamaged,
    Unsupported,
    UsageError,
)
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile
from tui_uploader.model.accounts import Login
from tui_uploader.model.files import FileSelection
from tui_uploader.model.history import EventKind
from tui_uploader.model.projects import ExistingProject, NewProject, ProjectKind
from tui_uploader.model.results import Finding, ResultType
from tui_uploader.model.states import FileStage, FileStatus
from tui_uploader.model.uploads import AddRequest, Counts, UploadStatus

MESH = {
    "site.obj": obj(),
    "site.mtl": mtl(["tex/0.jpg", "tex/1.jpg"]),
    "tex/0.jpg": jpeg(2_000),
    "tex/1.jpg": jpeg(2_000),
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(tmp_path / "root"))


@pytest.fixture
async def manager(world: World) -> AsyncIterator[UploadManager]:
    async with world.cloud_running(), world.engine() as manager:
        yield manager


def request(*paths: Path, new: str = "Quarry", **more: Any) -> AddRequest:
    return AddRequest(tuple(map(str, paths)), NewProject(new), kind=ProjectKind.RESULTS, **more)


async def upload(manager: UploadManager, *paths: Path, **more: Any) -> UploadStatus:
    return await settled(manager, (await manager.add(request(*paths, **more))).upload)


def registered(world: World, status: UploadStatus) -> Mapping[str, str]:
    """Types of the current results of the project, by the object of their main file without the project's prefix."""
    assert status.project is not None
    rows = registered_results(world.options.root, int(status.project))
    return {key.partition(f"project-{status.project}/")[2]: kind for key, kind in rows}


def stored(world: World) -> dict[str, bytes]:
    folder = next((world.options.root / "objects").rglob("project-*"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def register_theirs(world: World, project: str) -> None:
    """Another machine uploads an orthomosaic to the project."""
    cloud, content = Pix4dCloud(world.login(), world.settings), geotiff(4, width=48)
    store = cloud.store(project)
    await store.open()
    write(world.folder, {"theirs.tif": content})
    with (world.folder / "theirs.tif").open("rb") as file:
        await store.put("theirs.tif", ByteRange(file, 0, len(content), zlib.crc32(content)), lambda _: None)
    await cloud.results.register(project, StoredResult(ResultType.ORTHOMOSAIC, "theirs.tif", store.key("theirs.tif")))
    await cloud.close()


async def replaced_events(manager: UploadManager) -> list[str]:
    return [event.detail for event in await manager.queries.history(0, 500) if event.kind is EventKind.RESULT_REPLACED]


async def test_a_mesh_arrives_whole_and_is_registered_once(world: World, manager: UploadManager) -> None:
    write(world.card, MESH)
    done = await upload(manager, world.card)
    assert done.counts == Counts(uploaded=4), "two equal textures are two files of it"
    assert stored(world) == {f"site/{name}": content for name, content in MESH.items()}, "as its files refer to them"
    assert registered(world, done) == {"site/site.obj": "mesh"}
    items = await files_by_name(manager, done.upload)
    assert {item.result for item in items.values()} == {ResultType.MESH}
    assert items["0.jpg"].belongs_to == str(world.card / "site.obj") and items["site.obj"].belongs_to is None


async def test_the_same_mesh_again_is_a_duplicate(world: World, manager: UploadManager) -> None:
    write(world.card, MESH)
    await upload(manager, world.card)
    write(world.folder / "copy", MESH)
    (question,) = await manager.results.survey(request(world.card))
    assert question.known and question.replaces is None
    again = await upload(manager, world.card)
    assert again.counts == Counts(duplicate=4)
    copied = await upload(manager, world.folder / "copy", replace=True)
    assert copied.counts == Counts(duplicate=4)
    assert await replaced_events(manager) == []


async def test_a_mesh_with_another_texture_takes_the_place_of_the_first(world: World, manager: UploadManager) -> None:
    write(world.card, MESH)
    await upload(manager, world.card)
    changed = MESH | {"tex/1.jpg": jpeg(2_100)}
    write(world.card, changed)
    with pytest.raises(ResultExists, match=r"Quarry has a mesh already: site\.obj .*site\.obj .*--replace"):
        await manager.add(request(world.card))
    done = await upload(manager, world.card, replace=True)
    assert done.counts == Counts(uploaded=4)
    ((main, kind),) = registered(world, done).items()
    folder = main.partition("/")[0]
    assert kind == "mesh" and folder.startswith("site-"), "the folder has another name, the files keep theirs"
    objects = stored(world)
    assert {f"{folder}/{name}": content for name, content in changed.items()}.items() <= objects.items()
    assert {f"site/{name}": content for name, content in MESH.items()}.items() <= objects.items()
    assert await replaced_events(manager) == ["site.obj\nsite.obj"]


async def test_an_orthomosaic_is_replaced_and_comes_back(world: World, manager: UploadManager) -> None:
    write(world.card, {"ortho.tif": geotiff(4)})
    first = await upload(manager, world.card)
    (shown,) = (await manager.queries.project("Quarry")).results
    assert (shown.type, shown.name) == (ResultType.ORTHOMOSAIC, "ortho.tif") and shown.uploaded_at
    write(world.card, {"ortho.tif": geotiff(4, width=40)})
    (question,) = await manager.results.survey(request(world.card))
    assert question.replaces == shown and not question.known
    with pytest.raises(ResultExists, match="Nothing was queued"):
        await manager.add(request(world.card))
    second = await upload(manager, world.card, replace=True)
    ((key, _),) = registered(world, second).items()
    assert key.startswith("ortho-") and stored(world)[key] == geotiff(4, width=40)
    assert [(each.name, each.size) for each in (await manager.queries.project("Quarry")).results] == [
        ("ortho.tif", len(geotiff(4, width=40)))
    ], "under the same name"
    old = (await files_by_name(manager, first.upload))["ortho.tif"]
    assert old.replaced and old.status is FileStatus.UPLOADED
    write(world.folder / "old", {"ortho.tif": geotiff(4)})
    back = await upload(manager, world.folder / "old", replace=True)
    assert (back.counts, registered(world, back)) == (Counts(uploaded=1), {"ortho.tif": "orthomosaic"})
    assert len(await replaced_events(manager)) == 2


async def test_results_of_several_types_side_by_side(world: World, manager: UploadManager) -> None:
    write(world.card, {"ortho.tif": geotiff(4), "site_dsm.tif": geotiff(1, 32, 3), "site.las": las(), **MESH})
    done = await upload(manager, world.card)
    assert sorted(registered(world, done).values()) == ["dsm", "mesh", "orthomosaic", "point_cloud"]
    project = await manager.queries.project("Quarry")
    assert {each.type for each in project.results} == set(ResultType) - {ResultType.DTM, ResultType.INDEX}


async def test_what_is_undecided_is_asked_before_anything_is_queued(world: World, manager: UploadManager) -> None:
    write(world.card, {"plan.tif": geotiff(1, 32, 3)})
    with pytest.raises(ResultTypeUnclear, match=r"plan\.tif can be .* --as "):
        await manager.add(request(world.card))
    (question,) = await manager.results.survey(request(world.card))
    assert question.type is None and {ResultType.DSM, ResultType.DTM} <= set(question.choices)
    with pytest.raises(UsageError, match=r"plan\.tif is no mesh"):
        await manager.add(request(world.card, result_type=ResultType.MESH))
    assert manager.queries.status().uploads == ()
    done = await upload(manager, world.card, result_type=ResultType.DTM)
    assert registered(world, done) == {"plan.tif": "dtm"}


async def test_two_of_one_type_are_not_told_apart_by_chance(world: World, manager: UploadManager) -> None:
    write(world.card, {"may.las": las(), "june.las": las(20)})
    with pytest.raises(UsageError, match=r"may\.las.*one result of each type"):
        await manager.add(request(world.card))


async def test_another_coordinate_system_has_to_be_agreed_to(world: World, manager: UploadManager) -> None:
    write(world.card, {"ortho.tif": geotiff(4)})
    await upload(manager, world.card)
    write(world.folder / "new", {"ortho.tif": geotiff(4, keys=LV_95)})
    (question,) = await manager.results.survey(request(world.folder / "new"))
    assert Finding.OTHER_CRS in [finding.what for finding in question.findings]
    with pytest.raises(CrsDiffers, match=r"EPSG:2056.*ortho\.tif in EPSG:32632.*--other-crs"):
        await manager.add(request(world.folder / "new", replace=True))
    done = await upload(manager, world.folder / "new", replace=True, other_crs=True)
    assert done.counts == Counts(uploaded=1)


async def test_cut_off_results_are_refused_before_they_are_sent(world: World, manager: UploadManager) -> None:
    write(world.card, {"site.las": las(100)[:-40]})
    with pytest.raises(SourceDamaged):
        await manager.add(request(world.card))
    (question,) = await manager.results.survey(request(world.card))
    assert question.refusal
    write(world.card, {"ortho.tif": geotiff(4)})
    done = await upload(manager, world.card)
    assert done.counts == Counts(uploaded=1, failed=1), "one that is refused is not overlooked"
    assert registered(world, done) == {"ortho.tif": "orthomosaic"}


async def test_results_do_not_go_to_a_project_of_images(world: World, manager: UploadManager) -> None:
    write(world.card, {"a.jpg": jpeg(), "site.las": las()})
    project = await manager.create_project("Flight", ProjectKind.IMAGES, None)
    await manager.add(AddRequest((str(world.card / "a.jpg"),), ExistingProject("Flight")))
    with pytest.raises(UsageError, match="Flight is a project of images"):
        await manager.add(AddRequest((str(world.card),), ExistingProject(project.id or ""), kind=ProjectKind.RESULTS))
    with pytest.raises(NothingToUpload, match="no results"):
        await manager.add(request(world.card / "a.jpg"))


async def test_a_failed_texture_holds_its_mesh_back(world: World) -> None:
    world.settle_times = replace(world.settle_times, young=60.0)  # nothing is read before the texture is gone
    write(world.card, MESH | {"tex/1.jpg": jpeg(2_100)})
    async with world.cloud_running(), world.engine() as manager:
        added = await manager.add(request(world.card))
        (world.card / "tex/1.jpg").unlink()
        await world.in_the_long_run(lambda: manager.queries.upload_status(added.upload).settled)
        done = manager.queries.upload_status(added.upload)
        assert done.counts == Counts(failed=4) and world.objects() == {}
        reasons = {name: item.reason or "" for name, item in (await files_by_name(manager, done.upload)).items()}
        assert "not uploaded without 1.jpg" in reasons["site.obj"]
        write(world.card, {"tex/1.jpg": MESH["tex/1.jpg"]})
        added = await manager.add(request(world.card))
        await world.in_the_long_run(lambda: manager.queries.upload_status(added.upload).settled)
        again = manager.queries.upload_status(added.upload)
        assert again.counts == Counts(uploaded=4) and registered(world, again) == {"site/site.obj": "mesh"}


async def test_a_removed_texture_takes_its_mesh_along(world: World, manager: UploadManager) -> None:
    write(world.card, MESH)
    added = await manager.add(request(world.card))
    await manager.pause(added.upload)
    if manager.queries.upload_status(added.upload).counts.waiting == 4:
        assert await manager.remove(added.upload, FileSelection(names=("0.jpg",))) == 4
        assert await manager.restore(added.upload, FileSelection(names=("site.mtl",))) == 4
    await manager.resume(added.upload)
    assert (await settled(manager, added.upload)).counts == Counts(uploaded=4)


async def test_what_came_meanwhile_from_another_machine_is_not_replaced_unasked(world: World) -> None:
    world.settle_times = replace(world.settle_times, young=60.0)  # the other one is there before ours is read
    write(world.card, {"ortho.tif": geotiff(4)})
    async with world.cloud_running(), world.engine() as manager:
        project = (await manager.create_project("Quarry", ProjectKind.RESULTS, None)).id or ""

        async def uploaded(**more: Any) -> UploadStatus:
            added = await manager.add(request(world.card, **more))
            if not more:
                await register_theirs(world, project)
            await world.in_the_long_run(lambda: manager.queries.upload_status(added.upload).settled)
            return manager.queries.upload_status(added.upload)

        done = await uploaded()
        (item,) = (await files_by_name(manager, done.upload)).values()
        assert "has an orthomosaic meanwhile: theirs.tif" in (item.reason or "")
        assert registered(world, done) == {"theirs.tif": "orthomosaic"}
        with pytest.raises(ResultExists, match=r"theirs\.tif"):
            await manager.add(request(world.card))
        again = await uploaded(replace=True)
        assert (again.counts, registered(world, again)) == (Counts(uploaded=1), {"ortho.tif": "orthomosaic"})
        assert await replaced_events(manager) == ["theirs.tif\northo.tif"]


async def test_the_real_service_is_not_troubled(world: World) -> None:
    """Said at once, also without a network: nothing is queued, walked or created."""
    write(world.card, MESH)
    async with world.cloud_running():
        world.make_cloud = lambda login: Pix4dCloud(
            Login("https://cloud.pix4d.com", login.client_id, login.client_secret), world.settings
        )
        async with world.engine(verify=False) as manager:
            with pytest.raises(Unsupported, match="only on its web page"):
                await manager.add(request(world.card))
            with pytest.raises(Unsupported, match="only on its web page"):
                await manager.results.survey(request(world.card))
            with pytest.raises(Unsupported):
                await manager.create_project("Maps", ProjectKind.RESULTS, None)
            assert manager.queries.status().uploads == () and world.summary.uploads == {}


async def test_a_cloud_without_results_is_found_out_before_a_byte_is_sent(world: World) -> None:
    world.options = LocalCloudOptions(world.options.root, profile=Profile.STRICT)
    write(world.card, MESH)
    async with world.cloud_running(), world.engine() as manager:
        done = await upload(manager, world.card)
        assert done.counts == Counts(failed=4) and world.bytes_sent == 0 and world.objects() == {}
        reasons = {item.reason or "" for item in (await files_by_name(manager, done.upload)).values()}
        assert all("Nothing was sent" in reason for reason in reasons)
        with pytest.raises(Unsupported, match="Nothing was sent"):  # known from now on
            await manager.add(request(world.card, new="Other"))


@pytest.mark.parametrize("instant", [FileStage.SENDING, FileStage.STORED])
async def test_a_replacement_survives_a_stop_of_the_engine(world: World, instant: FileStage) -> None:
    write(world.card, MESH)
    async with world.cloud_running():
        async with world.engine() as manager:
            await upload(manager, world.card)
            write(world.card, {"tex/1.jpg": jpeg(2_100)})
            added = await manager.add(request(world.card, replace=True))
            await when(manager, added.upload, lambda status: world.files(added.upload, instant) or status.settled)
        async with world.engine() as manager:
            done = await settled(manager, added.upload)
            assert done.counts == Counts(uploaded=4)
            assert len(registered(world, done)) == 1 and await replaced_events(manager) == ["site.obj\nsite.obj"]


async def test_results_of_condensed_uploads_are_still_known(world: World) -> None:
    world.settings = structs.replace(SETTINGS, keep_dismissed_days=1)
    write(world.card, MESH | {"ortho.tif": geotiff(4)})
    async with world.cloud_running(), world.engine() as manager:
        done = await upload(manager, world.card)
        await manager.dismiss(done.upload)
        kept = 5

        async def count() -> None:
            nonlocal kept
            rows = await world.journal.read(lambda connection: connection.execute("SELECT 1 FROM files").fetchall())
            kept = len(rows)

        async with asyncio.timeout(30):
            while kept:
                await world.in_the_long_run(lambda: world.summary.past[done.upload].condensed, leap=100_000.0)
                await count()
        shown = (await manager.queries.project("Quarry")).results
        assert {(each.type, each.size) for each in shown} == {
            (ResultType.MESH, sum(map(len, MESH.values()))),
            (ResultType.ORTHOMOSAIC, len(geotiff(4))),
        }
        assert (await upload(manager, world.card)).counts == Counts(duplicate=5)
        write(world.card, {"tex/1.jpg": jpeg(5_000)})
        with pytest.raises(ResultExists):
            await manager.add(request(world.card))
        await upload(manager, world.card, replace=True)
        (new,) = [each for each in (await manager.queries.project("Quarry")).results if each.type is ResultType.MESH]
        assert new.size == sum(map(len, (MESH | {"tex/1.jpg": jpeg(5_000)}).values()))
        assert await replaced_events(manager) == ["site.obj\nsite.obj"]
