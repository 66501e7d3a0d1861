"""The client has the manager's methods, returns the same values and raises the same errors."""

from __future__ import annotations

import asyncio
import inspect
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.service.conftest import eventually_async
from tests.service.stand_in import StandInManager
from tui_uploader.engine.manager import UploadManager
from tui_uploader.engine.queries import Queries
from tui_uploader.errors import (
    EngineError,
    EngineUnreachable,
    EngineVersionDiffers,
    NoSuchProject,
    NoSuchUpload,
    NotPossibleNow,
    UsageError,
)
from tui_uploader.model.accounts import Account, Login, SignInRequest
from tui_uploader.model.files import FileProperty, FileQuery, FileSelection, FoldedFiles
from tui_uploader.model.projects import NewProject, ProcessingState, ProjectKind
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import AddRequest, Skipped, UndoneAddition
from tui_uploader.ownership import private
from tui_uploader.service import client as client_module
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories

FLIGHT = AddRequest(("/card/a.jpg", "/card/b.jpg"), NewProject("North field"))


def test_has_the_async_methods_of_the_manager() -> None:
    queries = inspect.getmembers(Queries, inspect.isfunction)
    for name, method in (*inspect.getmembers(UploadManager, inspect.isfunction), *queries):
        is_public = not name.startswith("_") and name not in ("open", "close")
        if is_public and (inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)):
            ours = inspect.signature(getattr(EngineClient, name))
            assert ours.parameters.keys() == inspect.signature(method).parameters.keys(), name


def test_the_client_imports_no_server() -> None:
    program = "import sys, tui_uploader.service.client; print(*sys.modules)"
    listed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=30)
    loaded = set(listed.stdout.split())
    assert not loaded & {"starlette", "uvicorn", "botocore", "PIL", "textual", "tui_uploader.engine.manager"}


async def test_sends_and_returns_values(client: EngineClient, manager: StandInManager) -> None:
    upload = await client.add(FLIGHT)
    assert manager.requests == [FLIGHT]
    assert await client.upload(upload.upload) == upload == await manager.queries.upload(upload.upload)
    assert (await client.status()).uploads == (upload,)
    assert await client.skipped(upload.upload) == (Skipped("/media/card/notes.txt", "no image"),)
    assert (await client.pause(upload.upload)).state is UploadState.PAUSED
    assert (await client.resume(upload.upload)).state is UploadState.ACTIVE
    assert (await client.cancel(upload.upload)).state is UploadState.CANCELLED
    assert (await client.dismiss(upload.upload)).dismissed
    assert not (await client.set_auto_process(upload.upload, False)).auto_process
    assert await client.remove(upload.upload, FileSelection(names=("a.jpg",))) == 1
    assert await client.restore(upload.upload, FileSelection(ids=(1,))) == 1
    assert await client.retry(upload.upload, FileSelection(statuses=(FileStatus.FAILED,))) == 0
    await client.try_now()
    assert manager.tries == 1


async def test_what_was_done_is_undone(client: EngineClient, manager: StandInManager) -> None:
    upload = await client.add(FLIGHT)
    await client.cancel(upload.upload)
    assert (await client.dismiss(upload.upload)).dismissed
    assert not (await client.undismiss(upload.upload)).dismissed
    assert not (await client.stop_automatic_start(upload.upload)).auto_process
    assert upload.addition is not None
    assert await client.undo_addition(upload.addition) == UndoneAddition(upload.upload, len(FLIGHT.paths), 0)
    assert (await client.status()).uploads == ()
    with pytest.raises(NotPossibleNow, match="no addition"):
        await client.undo_addition(2**63)


async def test_projects_and_accounts(client: EngineClient, manager: StandInManager) -> None:
    created = await client.create_project("Süd / West .. 100 %?#", ProjectKind.RESULTS, None)
    assert await client.projects() == (created,)
    assert await client.project(created.name) == created
    assert (await client.start_processing(created.name, partial=True)).processing.state is ProcessingState.SUBMITTED
    request = SignInRequest(Login("https://cloud.example", "id", "very secret"), keep=True, profile="work")
    account = await client.sign_in(request)
    assert manager.sign_ins == [request]
    assert (
        await client.accounts()
        == (account,)
        == (Account(request.login.account, "https://cloud.example", "id", "engine"),)
    )
    assert await client.sign_out("work") is True
    assert await client.sign_out("work") is False


@pytest.mark.parametrize("name", ["..", ".", "a/process", "a/../b", "%2e%2e", "a//b", "/", "\x1b[2J\n", "日本"])
async def test_a_project_of_any_name_is_found(client: EngineClient, name: str) -> None:
    created = await client.create_project(name, ProjectKind.IMAGES, None)
    assert await client.project(name) == created
    assert (await client.start_processing(name, partial=True)).id == created.id


async def test_windows_of_files_and_paths_that_are_not_utf8(client: EngineClient) -> None:
    paths = tuple(os.fsdecode(b"/card/\xff%d&=.jpg" % number) for number in range(9))
    upload = await client.add(AddRequest(paths, NewProject("North")))
    window = await client.files(
        upload.upload,
        FileQuery(offset=1, limit=3, status=FileStatus.WAITING, text="\udcff", sort="name", descending=True),
    )
    assert (window.total, window.offset) == (9, 1)
    assert [file.path for file in window.files] == [paths[7], paths[6], paths[5]]
    assert await client.file_runs(upload.upload, FileQuery(limit=1, text="\udcff")) == ((1, 9),)
    assert await client.file_runs(upload.upload, FileQuery(except_status=FileStatus.WAITING)) == ()


async def test_windows_are_folded_around_a_file_over_all_uploads_of_a_project(client: EngineClient) -> None:
    first = await client.add(AddRequest(tuple(f"/card/{number}.jpg" for number in range(20)), NewProject("North")))
    await client.add(AddRequest(("/card/other.jpg",), NewProject("North")))
    query = FileQuery(sort="activity", fold=3, anchor=10, whole_project=True, text="/card/", limit=6)
    found = await client.files(first.upload, query)
    assert [file.id for file in found.files] == [1, 2, 3, 10]
    assert found.folds == (FoldedFiles(3, FileStatus.WAITING, 6), FoldedFiles(5, FileStatus.WAITING, 11))
    assert (found.total, found.matching, found.anchor) == (6, 21, 4)
    unfolded = await client.files(first.upload, replace(query, unfolded="waiting,uploaded", anchor=None))
    assert (unfolded.total, unfolded.anchor, unfolded.folds) == (21, None, ())
    assert (await client.files(first.upload, FileQuery(property=FileProperty.MOVING))).total == 0
    assert (await client.files(first.upload, FileQuery(except_property=FileProperty.DAMAGED))).total == 20
    selection = FileSelection(ids=(21,), whole_project=True)
    assert await client.remove(first.upload, selection) == 1


async def test_relative_paths_are_made_absolute_by_the_front_end(
    client: EngineClient, manager: StandInManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await client.add(AddRequest(("DCIM/../a.jpg", "/b.jpg", "."), NewProject("North")))
    assert manager.requests[0].paths == (f"{tmp_path}/DCIM/../a.jpg", "/b.jpg", f"{tmp_path}")
    await client.add(AddRequest(("",), NewProject("North")))
    assert manager.requests[1].paths == ("",), "not the current folder"


async def test_errors_are_those_of_the_manager(client: EngineClient) -> None:
    with pytest.raises(NoSuchUpload, match="There is no upload 7"):
        await client.pause(7)
    with pytest.raises(NoSuchProject, match="nowhere"):
        await client.project("nowhere")
    upload = await client.add(FLIGHT)
    with pytest.raises(NotPossibleNow, match="cancel it first"):
        await client.dismiss(upload.upload)
    with pytest.raises(EngineError, match=r"Internal error in the engine \(RuntimeError\)"):
        await client.project("a fault")


async def test_a_search_text_that_is_too_long_is_refused(client: EngineClient) -> None:
    upload = await client.add(FLIGHT)
    with pytest.raises(UsageError, match="too long"):
        await client.files(upload.upload, FileQuery(text="x" * 100_000))


async def test_changes(client: EngineClient, manager: StandInManager) -> None:
    changes = client.changes()
    assert (await anext(changes)).uploads == ()
    upload = await client.add(FLIGHT)
    assert (await anext(changes)).uploads == (upload,)
    await client.stop()
    with pytest.raises(StopAsyncIteration):
        await anext(changes)


async def test_proxies_of_the_environment_are_not_used(
    manager: StandInManager, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with EngineClient.connect(directories, spawn=False) as client:
        assert (await client.engine()).pid == os.getpid()


async def test_without_an_engine(directories: Directories) -> None:
    with pytest.raises(EngineUnreachable, match="The upload engine is not running"):
        async with EngineClient.connect(directories, spawn=False):
            pass


async def test_another_version_is_refused(
    manager: StandInManager, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "version", lambda: "99.0")
    with pytest.raises(EngineVersionDiffers, match=r"this program is version 99\.0"):
        async with EngineClient.connect(directories, spawn=False):
            pass
    async with EngineClient.connect(directories, spawn=False, any_version=True) as client:
        assert (await client.engine()).pid == os.getpid()


@contextmanager
def impostor(directories: Directories, answer: bytes) -> Iterator[None]:
    """A server that answers every request with the same bytes, then disconnects."""
    private(directories.socket.parent)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(directories.socket))
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    if connection.recv(65536):
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", "stopped before it answered"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "stopped before it answered"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", "stopped before it answered"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", "Invalid answer"),
        (b"HTTP/1.1 500 Oh\r\ncontent-length: 4\r\n\r\noops", "HTTP 500 without a reason"),
    ],
)
async def test_invalid_answers_are_errors(directories: Directories, answer: bytes, sentence: str) -> None:
    with impostor(directories, answer), pytest.raises(EngineError, match=sentence):
        async with EngineClient.connect(directories, spawn=False):
            pass


async def test_closing_a_stream_leaves_nothing_open(client: EngineClient) -> None:
    before = set(asyncio.all_tasks())
    async with aclosing(client.changes()) as changes:
        await anext(changes)
        assert set(asyncio.all_tasks()) > before
    await eventually_async(lambda: set(asyncio.all_tasks()) <= before, "the tasks of the stream have ended")
    assert (await client.status()).uploads == ()
