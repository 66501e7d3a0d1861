"""The whole engine against the local cloud: from paths to registered images, and every command on the way."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.world import World, add, files_by_name, settled, when
from tests.intake.results.files import las, write
from tests.photos import jpeg, write_flight, write_photo
from tests.until import until
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import (
    NoSuchFile,
    NoSuchPath,
    NoSuchProject,
    NoSuchUpload,
    NothingToUpload,
    NotPossibleNow,
    NotSignedIn,
    SignInRefused,
    TooFewImages,
    TooManyImages,
    UsageError,
)
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.engine import LinkState
from tui_uploader.model.files import FileQuery, FileSelection
from tui_uploader.model.projects import ExistingProject, NewProject, ProcessingState, ProjectKind
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import AddRequest, Counts


@pytest.fixture(params=[Profile.DEFAULT, Profile.STRICT])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> LocalCloudOptions:
    return LocalCloudOptions(root=tmp_path / "cloud", profile=request.param, processing_seconds=0.5)


@pytest.fixture
def world(tmp_path: Path, options: LocalCloudOptions) -> World:
    return World(tmp_path, options)


@pytest.fixture
def default_world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", processing_seconds=0.5))


@pytest.fixture
async def manager(default_world: World) -> AsyncIterator[UploadManager]:
    async with default_world.cloud_running(), default_world.engine() as manager:
        yield manager


async def test_a_flight_is_registered_and_processed_once(world: World) -> None:
    photos = write_flight(world.card, 8)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card)
        done = await when(manager, upload.upload, lambda status: status.processing.state is ProcessingState.DONE)
        assert (done.state, done.counts) == (UploadState.COMPLETE, Counts(uploaded=8))
        size = sum(photo.stat().st_size for photo in photos)
        assert (done.bytes.total, done.bytes.sent, done.bytes.stored, done.bytes.registered) == (size,) * 4
        assert done.project is not None
        assert world.starts_of(done.project) == 1
        assert world.objects() == {photo.name: photo.read_bytes() for photo in photos}
        assert not manager.queries.busy


async def test_large_files_are_sent_in_parts(world: World) -> None:
    large = write_photo(world.card / "DJI_0001.JPG", 40 * 1024**2)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        done = await settled(manager, upload.upload)
        assert done.counts == Counts(uploaded=1)
        assert world.objects() == {"DJI_0001.JPG": large.read_bytes()}


async def test_repeating_the_command_sends_and_starts_nothing(default_world: World) -> None:
    world = default_world
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        first = await add(manager, world.card)
        done = await when(manager, first.upload, lambda status: status.processing.state is ProcessingState.DONE)
        second = await add(manager, world.card)
        assert (second.project, second.upload != first.upload) == (first.project or done.project, True)
        again = await settled(manager, second.upload)
        assert (again.state, again.counts, again.bytes.sent) == (UploadState.COMPLETE, Counts(duplicate=6), 0)
        assert done.project is not None
        assert world.starts_of(done.project) == 1


async def test_duplicates_name_clashes_and_broken_files_are_distinguished(default_world: World) -> None:
    world = default_world
    write_flight(world.card / "100MEDIA", 3)
    write_flight(world.card / "101MEDIA", 1)
    (world.card / "101MEDIA" / "COPY.JPG").write_bytes((world.card / "100MEDIA" / "DJI_0002.JPG").read_bytes())
    (world.card / "101MEDIA" / "CUT.JPG").write_bytes(jpeg(5000)[:3000])
    (world.card / "101MEDIA" / "EMPTY.JPG").touch()
    (world.card / "NOTES.TXT").write_text("no photo")
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card)
        done = await settled(manager, upload.upload)
        assert (done.state, done.counts, done.skipped) == (
            UploadState.ACTIVE,
            Counts(uploaded=4, duplicate=1, failed=2),
            1,
        )
        found = await files_by_name(manager, upload.upload)
        assert found["COPY.JPG"].duplicate_of == str(world.card / "100MEDIA" / "DJI_0002.JPG")
        assert found["CUT.JPG"].reason
        assert found["EMPTY.JPG"].reason
        clash = [name for name in world.objects() if name.startswith("DJI_0001-")]
        assert len(clash) == 1
        assert sorted(world.objects().values()) == sorted(path.read_bytes() for path in world.card.rglob("DJI_*.JPG"))
        [skipped] = await manager.queries.skipped(upload.upload)
        assert skipped.path.endswith("NOTES.TXT")
        failed = FileSelection(statuses=(FileStatus.FAILED,))
        assert await manager.remove(upload.upload, failed) == 2
        await when(manager, upload.upload, lambda status: status.state is UploadState.COMPLETE)


HOSTILE_NAMES = [
    b"with space.jpg",
    b"100%.jpg",
    b"a+b#c?.jpg",
    "é.jpg".encode(),
    b"e\xcc\x81.jpg",
    "🛰.jpg".encode(),
    b"x" * 251 + b".jpg",
    b"new\nline.jpg",
    b"\x1b[31mred.jpg",
    b"no utf8 \xff\xfe.jpg",
    b"a..%2f..%2fetc.jpg",
]


async def test_hostile_names_are_uploaded_without_overwriting(world: World) -> None:
    world.card.mkdir()
    for name in HOSTILE_NAMES:
        Path(os.fsdecode(os.fsencode(world.card) + b"/" + name)).write_bytes(jpeg())
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        done = await settled(manager, upload.upload)
        assert done.counts == Counts(uploaded=len(HOSTILE_NAMES)), await files_by_name(manager, upload.upload)
        found = await files_by_name(manager, upload.upload)
        assert {os.fsencode(name) for name in found} == set(HOSTILE_NAMES)
        local = {item.object: Path(item.path).read_bytes() for item in found.values()}
        assert world.objects() == local


async def test_two_projects_get_their_share_at_the_same_time(default_world: World) -> None:
    world = default_world
    write_flight(world.card / "one", 40, 20_000)
    write_flight(world.card / "two", 40, 20_000)
    async with world.cloud_running(), world.engine() as manager:
        one, two = await asyncio.gather(
            add(manager, world.card / "one", new="One"), add(manager, world.card / "two", new="Two")
        )
        for upload in (one, two):
            assert (await settled(manager, upload.upload)).counts == Counts(uploaded=40)
        assert len({(await manager.queries.upload(upload.upload)).project for upload in (one, two)}) == 2


async def test_pause_stops_at_once_and_resume_continues(default_world: World) -> None:
    world = default_world
    world.options = replace(world.options, faults=("stall:route=put,seconds=60,every=1",))
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card)
        await when(manager, upload.upload, lambda status: status.counts.uploading)
        paused = await asyncio.wait_for(manager.pause(upload.upload), 5)
        assert (paused.state, paused.counts) == (UploadState.PAUSED, Counts(waiting=6))
        reasons = {item.reason for item in (await files_by_name(manager, upload.upload)).values()}
        assert reasons == {"paused"}
        assert not manager.queries.busy
        with pytest.raises(NotPossibleNow, match="paused"):
            await manager.pause(upload.upload)


async def test_cancelling_keeps_uploaded_files_and_can_be_undone(default_world: World) -> None:
    world = default_world
    world.options = replace(world.options, faults=("stall:route=put,seconds=60,every=1,after=3",))
    photos = write_flight(world.card, 8)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card)
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts.uploaded == 3)
        cancelled = await manager.cancel(upload.upload)
        assert (cancelled.state, cancelled.counts) == (UploadState.CANCELLED, Counts(uploaded=3, waiting=5))
        assert cancelled.settled
    world.options = replace(world.options, faults=())
    async with world.cloud_running(), world.engine() as manager:
        await manager.resume(upload.upload)
        done = await when(manager, upload.upload, lambda status: status.processing.state is ProcessingState.DONE)
        assert done.counts == Counts(uploaded=8)
        assert world.objects() == {photo.name: photo.read_bytes() for photo in photos}


async def test_failed_files_are_retried_on_request(default_world: World) -> None:
    world = default_world
    write_flight(world.card, 6)
    cut = world.card / "DJI_0003.JPG"
    whole = cut.read_bytes()
    cut.write_bytes(whole[:1000])
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card)
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=5, failed=1)
        cut.write_bytes(whole)
        assert await manager.retry(upload.upload, FileSelection(all=True)) == 1
        await world.in_the_long_run(
            lambda: manager.queries.status().uploads[0].processing.state is ProcessingState.DONE
        )
        assert manager.queries.status().uploads[0].counts == Counts(uploaded=6)


async def test_processing_on_request_and_its_refusals(manager: UploadManager, default_world: World) -> None:
    world = default_world
    write_flight(world.card, 5)
    upload = await add(manager, world.card)
    done = await settled(manager, upload.upload)
    assert done.project is not None
    assert done.processing.reason == "5 images: processing needs at least 6."
    with pytest.raises(TooFewImages, match="at least 6"):
        await manager.start_processing("Quarry")
    write_photo(world.card / "more" / "DJI_0006.JPG")
    more = await add(manager, world.card / "more", auto_process=False)
    await settled(manager, more.upload)
    assert world.starts_of(done.project) == 0
    started = await manager.start_processing(done.project)
    assert started.processing.state is ProcessingState.SUBMITTED
    with pytest.raises(NotPossibleNow, match="already"):
        await manager.start_processing(done.project)
    await until(
        lambda: all(upload.processing.state is ProcessingState.DONE for upload in manager.queries.status().uploads)
    )
    assert world.starts_of(done.project) == 1


async def test_a_folder_with_too_many_images_is_reported_before_any_file_is_sent(
    manager: UploadManager, default_world: World
) -> None:
    world = default_world
    world.card.mkdir()
    for number in range(4001):
        (world.card / f"{number}.jpg").write_bytes(jpeg(900))
    upload = await add(manager, world.card)
    assert upload.state is UploadState.PAUSED
    assert upload.notice is not None
    assert (upload.notice.kind, upload.notice.needs_person) == ("TooManyImages", True)
    assert world.objects() == {}
    await manager.remove(upload.upload, FileSelection(names=("0.jpg",)))
    assert (await manager.queries.upload(upload.upload)).notice is None
    await manager.restore(upload.upload, FileSelection(all=True))
    assert (await manager.queries.upload(upload.upload)).notice is None  # shown again on resume
    with pytest.raises(TooManyImages, match="4,001 images"):
        await manager.resume(upload.upload)


BAD_REQUESTS: list[tuple[Callable[[Path], AddRequest], type[Exception]]] = [
    (lambda card: AddRequest((str(card / "none"),), NewProject("Q")), NoSuchPath),
    (lambda card: AddRequest((str(card),), NewProject("Q")), NothingToUpload),
    (lambda card: AddRequest(("relative",), NewProject("Q")), UsageError),
    (lambda card: AddRequest(("",), NewProject("Q")), NoSuchPath),
    (lambda card: AddRequest((f"{card}/a\0.jpg",), NewProject("Q")), NoSuchPath),
    (lambda card: AddRequest((f"{card}/\ud800.jpg",), NewProject("Q")), NoSuchPath),
    (lambda card: AddRequest((), NewProject("Q")), UsageError),
    (lambda card: AddRequest((str(card),), ExistingProject("unknown")), NoSuchProject),
    (lambda card: AddRequest((str(card),), NewProject("Q"), account="unknown@nowhere"), NotSignedIn),
]


@pytest.mark.parametrize(("request_for", "error"), BAD_REQUESTS)
async def test_bad_requests_leave_nothing_behind(
    manager: UploadManager, default_world: World, request_for: Callable[[Path], AddRequest], error: type[Exception]
) -> None:
    default_world.card.mkdir()
    with pytest.raises(error):
        await manager.add(request_for(default_world.card))
    assert manager.queries.status().uploads == ()
    assert await manager.queries.projects() == ()


async def test_unknown_uploads_and_files_are_refused(manager: UploadManager, default_world: World) -> None:
    for ask in (manager.queries.upload, manager.pause, manager.queries.skipped, manager.dismiss):
        with pytest.raises(NoSuchUpload):
            await ask(99)
    with pytest.raises(NoSuchUpload):
        await manager.queries.files(99, FileQuery())
    write_flight(default_world.card, 1)
    upload = await add(manager, default_world.card)
    with pytest.raises(NoSuchFile):
        await manager.remove(upload.upload, FileSelection(names=("none.jpg",)))
    with pytest.raises(UsageError):
        await manager.queries.files(upload.upload, FileQuery(limit=10**6))
    with pytest.raises(UsageError, match="no list of statuses"):
        await manager.queries.files(upload.upload, FileQuery(unfolded="waiting,lost"))


async def test_an_upload_waits_with_a_wrong_secret_and_continues_with_the_right_one(default_world: World) -> None:
    world = default_world
    write_flight(world.card, 2)
    async with world.cloud_running(), world.engine(sign_in=False) as manager:
        with pytest.raises(NotSignedIn, match="login"):
            await add(manager, world.card)
        with pytest.raises(SignInRefused):
            await manager.sign_in(SignInRequest(world.login("wrong")))
        await manager.sign_in(SignInRequest(world.login("wrong"), verify=False))
        upload = await add(manager, world.card)
        stuck = await when(manager, upload.upload, lambda status: status.notice and status.counts.waiting == 2)
        assert stuck.notice is not None
        assert (stuck.notice.kind, stuck.notice.needs_person) == ("SignInRefused", True)
        assert "wrong" not in stuck.notice.message.split()
        await manager.sign_in(SignInRequest(world.login()))
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=2)


async def test_an_upload_waits_without_a_link_and_continues_with_it(default_world: World) -> None:
    world = default_world
    photos = write_flight(world.card, 3)
    async with world.cloud_running():
        pass
    async with world.engine(verify=False) as manager:
        upload = await add(manager, world.card)
        await until(lambda: manager.queries.status().link.state is LinkState.DOWN)
        waiting = await when(manager, upload.upload, lambda status: status.counts == Counts(waiting=3))
        assert (waiting.notice, waiting.project) == (None, None)
        async with world.cloud_running():
            manager.try_now()
            done = await settled(manager, upload.upload)
            assert done.counts == Counts(uploaded=3)
            assert world.objects() == {photo.name: photo.read_bytes() for photo in photos}


async def test_a_new_engine_resumes_the_uploads_of_a_closed_one(default_world: World) -> None:
    world = default_world
    world.options = replace(world.options, faults=("stall:route=put,seconds=60,every=1,after=4",))
    photos = write_flight(world.card, 10)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card)
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts.uploaded == 4)
    world.options = replace(world.options, faults=())
    async with world.cloud_running(), world.engine() as manager:
        done = await when(manager, upload.upload, lambda status: status.processing.state is ProcessingState.DONE)
        assert (done.counts, done.bytes.sent) == (Counts(uploaded=10), sum(photo.stat().st_size for photo in photos))
        assert world.objects() == {photo.name: photo.read_bytes() for photo in photos}


async def test_a_file_that_changes_before_it_is_sent_is_checked_again(default_world: World) -> None:
    world = default_world
    changing, vanishing = write_flight(world.card, 2)
    async with world.cloud_running():
        pass
    async with world.engine(verify=False) as manager:
        upload = await add(manager, world.card)
        await until(lambda: manager.queries.status().link.state is LinkState.DOWN)
        changing.write_bytes(jpeg(9000))
        vanishing.unlink()
        async with world.cloud_running():
            manager.try_now()
            done = await settled(manager, upload.upload)
            assert done.counts == Counts(uploaded=1, failed=1)
            assert (await files_by_name(manager, upload.upload))["DJI_0002.JPG"].reason
            assert changing.read_bytes() in world.objects().values()


async def test_results_are_uploaded_to_a_project_of_results(manager: UploadManager, default_world: World) -> None:
    cloud = default_world.card / "cloud.las"
    write(default_world.card, {cloud.name: las()})
    upload = await manager.add(AddRequest((str(cloud),), NewProject("Results"), kind=ProjectKind.RESULTS))
    done = await settled(manager, upload.upload)
    assert (done.counts, done.auto_process) == (Counts(uploaded=1), False)
    assert default_world.objects() == {"cloud.las": cloud.read_bytes()}


async def test_changes_are_streamed_at_most_four_times_a_second(manager: UploadManager, default_world: World) -> None:
    write_flight(default_world.card, 30)
    seen = []
    loop = asyncio.get_running_loop()
    times = []

    async def listen() -> None:
        async for status in manager.queries.changes():
            seen.append(status)
            times.append(loop.time())
            if status.uploads and status.uploads[0].processing.state is ProcessingState.DONE:
                return

    listening = asyncio.create_task(listen())
    await add(manager, default_world.card)
    await asyncio.wait_for(listening, 30)
    assert seen[0].uploads == ()
    assert all(later != earlier for earlier, later in itertools.pairwise(seen))
    assert all(later - earlier > 0.24 for earlier, later in itertools.pairwise(times))


async def test_dismissed_uploads_only_leave_the_panel(manager: UploadManager, default_world: World) -> None:
    write_flight(default_world.card, 1)
    upload = await add(manager, default_world.card)
    await settled(manager, upload.upload)
    assert (await manager.dismiss(upload.upload)).dismissed
    assert manager.queries.status().uploads == ()
    assert (await manager.queries.upload(upload.upload)).counts == Counts(uploaded=1)
