"""Logins that are stored, used again, replaced and deleted, against the local cloud."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.world import World, add, settled, when
from tests.photos import write_flight
from tui_uploader.errors import NotSignedIn, UsageError
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.accounts import Login, SignInRequest
from tui_uploader.model.uploads import Counts


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


async def test_a_stored_login_serves_the_next_engine(world: World) -> None:
    write_flight(world.card, 2)
    async with world.cloud_running():
        async with world.engine(sign_in=False) as manager:
            account = await manager.sign_in(SignInRequest(world.login(), keep=True))
            assert account.source == "file"
        async with world.engine(sign_in=False) as manager:
            assert [known.account for known in await manager.queries.accounts()] == [world.login().account]
            upload = await add(manager, world.card)
            assert (await settled(manager, upload.upload)).counts == Counts(uploaded=2)


async def test_an_upload_waits_for_a_login_that_was_not_stored(world: World) -> None:
    write_flight(world.card, 2)
    async with world.cloud_running():
        pass
    async with world.engine(verify=False) as manager:
        upload = await add(manager, world.card)
    async with world.cloud_running(), world.engine(sign_in=False) as manager:
        waiting = await when(manager, upload.upload, lambda status: status.notice)
        assert waiting.notice is not None
        assert (waiting.notice.kind, waiting.counts.uploaded) == ("NotSignedIn", 0)
        await manager.sign_in(SignInRequest(world.login()))
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=2)


async def test_signing_out_deletes_the_stored_login(world: World) -> None:
    write_flight(world.card, 1)
    async with world.cloud_running():
        async with world.engine(sign_in=False) as manager:
            assert not await manager.sign_out("default")
            await manager.sign_in(SignInRequest(world.login(), keep=True))
            assert await manager.sign_out("default")
            assert await manager.queries.accounts() == ()
            with pytest.raises(NotSignedIn):
                await add(manager, world.card)
        async with world.engine(sign_in=False) as manager:
            assert await manager.queries.accounts() == ()


async def test_two_accounts_upload_side_by_side(world: World, tmp_path: Path) -> None:
    other = replace(world, options=LocalCloudOptions(root=tmp_path / "other"), cloud=None)
    write_flight(world.card / "one", 2)
    write_flight(world.card / "two", 3)
    async with world.cloud_running(), other.cloud_running(), world.engine() as manager:
        await manager.sign_in(SignInRequest(other.login()))
        mine = await add(manager, world.card / "one")
        theirs = await add(manager, world.card / "two", account=other.login().account)
        await settled(manager, mine.upload)
        await settled(manager, theirs.upload)
        assert (len(world.objects()), len(other.objects())) == (2, 3)
        assert {project.account for project in await manager.queries.projects()} == {
            world.login().account,
            other.login().account,
        }


@pytest.mark.parametrize("keep", [True, False])
async def test_a_cloud_address_with_a_password_is_refused_and_not_stored(world: World, keep: bool) -> None:
    login = Login("http://joe:PASSWORD@127.0.0.1:9", "me", "a-secret")
    async with world.engine(sign_in=False) as manager:
        with pytest.raises(UsageError, match="must not contain a user name or password") as refused:
            await manager.sign_in(SignInRequest(login, keep=keep, verify=False))
        assert "PASSWORD" not in str(refused.value)
        assert await manager.queries.accounts() == ()
    async with world.engine(sign_in=False) as manager:
        assert await manager.queries.accounts() == ()
