"""The session with the engine, with real engines on real sockets."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace
from textual.app import App
from textual.message import Message

from tests.service.conftest import Spawner
from tests.service.stand_in import StandInManager
from tests.tui.values import engine_status, project
from tests.until import until
from tui_uploader.errors import CloudFault, EngineUnreachable, EngineVersionDiffers, UsageError
from tui_uploader.model.accounts import Account, Login, SignInRequest
from tui_uploader.model.engine import AccountLink, Link, LinkState
from tui_uploader.model.projects import NewProject, Project, ProjectKind
from tui_uploader.model.uploads import AddRequest, UploadStatus
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories, EnvironmentLogin, Settings
from tui_uploader.tui.engine.session import Connect, EngineSession, until_next_look
from tui_uploader.tui.messages import Attachment, AttachmentChanged, Noticed, ProjectsArrived, StatusArrived


class Listener(App[None]):
    """Keeps what the session reports."""

    def __init__(
        self, directories: Directories, connect: Connect | None = None, settings: Settings | None = None
    ) -> None:
        super().__init__()
        options: dict[str, Any] = {"connect": connect} if connect else {}
        self.session = EngineSession(
            self, directories, settings=lambda: settings or Settings(), interval=0.05, **options
        )
        self.received: list[Message] = []

    def on_mount(self) -> None:
        self.session.start()

    def on_status_arrived(self, event: StatusArrived) -> None:
        self.received.append(event)

    def on_attachment_changed(self, event: AttachmentChanged) -> None:
        self.received.append(event)

    def on_projects_arrived(self, event: ProjectsArrived) -> None:
        self.received.append(event)

    def on_noticed(self, event: Noticed) -> None:
        self.received.append(event)

    @property
    def statuses(self) -> list[StatusArrived]:
        return [event for event in self.received if isinstance(event, StatusArrived)]

    @property
    def attachments(self) -> list[Attachment]:
        return [event.attachment for event in self.received if isinstance(event, AttachmentChanged)]

    @property
    def projects(self) -> tuple[Project, ...]:
        found = [event.projects for event in self.received if isinstance(event, ProjectsArrived)]
        return found[-1] if found else ()

    @property
    def notices(self) -> list[str]:
        return [event.text for event in self.received if isinstance(event, Noticed)]


def an_upload(name: str = "North field") -> AddRequest:
    return AddRequest(("/card/a.jpg",), NewProject(name))


async def test_the_session_attaches_and_posts_the_status(manager: StandInManager, directories: Directories) -> None:
    app = Listener(directories)
    async with app.run_test():
        await until(lambda: app.statuses)
        assert app.attachments == [Attachment.ATTACHED]
        assert app.statuses[0].status.uploads == ()
        await manager.add(an_upload())
        await until(lambda: app.statuses[-1].status.uploads)
        await until(lambda: app.projects)
        assert app.projects[0].name == "North field"


async def test_many_changes_are_merged_into_few_states(manager: StandInManager, directories: Directories) -> None:
    app = Listener(directories)
    async with app.run_test():
        await until(lambda: app.statuses)
        app.session.interval = 3600.0
        for number in range(50):
            await manager.add(an_upload(f"field {number}"))
        await until(lambda: app.session.status and len(app.session.status.uploads) == 50)
        assert len(app.statuses) <= 3


async def test_an_answer_is_passed_on_and_a_refusal_becomes_a_notice(
    manager: StandInManager, directories: Directories
) -> None:
    app = Listener(directories)
    async with app.run_test():
        await until(lambda: app.statuses)
        added: list[UploadStatus] = []
        await app.session.call("add", lambda engine: engine.add(an_upload()), added.append).wait()
        assert [upload.project_name for upload in added] == ["North field"]
        await app.session.call("no such upload", lambda engine: engine.pause(99)).wait()
        await until(lambda: app.notices)
        assert "99" in app.notices[0]


async def test_an_internal_error_becomes_a_notice(
    manager: StandInManager, directories: Directories, caplog: pytest.LogCaptureFixture
) -> None:
    app = Listener(directories)
    async with app.run_test():
        await until(lambda: app.statuses)
        app.session.call("broken", lambda engine: engine.engine(), lambda answer: [][1])
        await until(lambda: app.notices)
        assert app.notices == ["Internal error: IndexError: list index out of range."]
        assert app.is_running
    assert any(record.exc_info for record in caplog.records)


async def test_the_environments_login_is_handed_over(manager: StandInManager, directories: Directories) -> None:
    settings = Settings(cloud_url="http://127.0.0.1:1", login=EnvironmentLogin("me", "secret"))
    app = Listener(directories, settings=settings)
    async with app.run_test():
        await until(lambda: app.session.account)
        assert app.session.account == "me@http://127.0.0.1:1"
        (request,) = manager.sign_ins
        assert request.verify and not request.keep
        assert not any("secret" in repr(event) for event in app.received)


async def test_invalid_settings_are_reported_and_projects_still_shown(
    manager: StandInManager, directories: Directories
) -> None:
    def broken() -> Settings:
        raise UsageError("The settings file is not valid TOML.")

    app = Listener(directories)
    app.session = EngineSession(app, directories, settings=broken, interval=0.05)
    async with app.run_test():
        await until(lambda: app.notices and any(isinstance(event, ProjectsArrived) for event in app.received))
        assert app.notices == ["The settings file is not valid TOML."]


async def test_an_engine_is_spawned_and_restarted_on_request(spawner: Spawner, directories: Directories) -> None:
    app = Listener(directories, connect=partial(EngineClient.connect, start=spawner))
    async with app.run_test():
        await until(lambda: app.statuses)
        assert app.attachments == [Attachment.ATTACHED]
        first = spawner.pid
        async with spawner.connect(spawn=False) as other:
            await other.stop()
        await until(lambda: app.session.attachment is Attachment.GONE)
        with pytest.raises(EngineUnreachable, match="Press E"):
            await app.session.ask(lambda engine: engine.status())
        await app.session.call("pause", lambda engine: engine.pause(1)).wait()
        await until(lambda: app.notices)
        assert spawner.started == 1, "no other one was asked for yet"
        app.session.restart()
        await until(lambda: app.session.attachment is Attachment.ATTACHED)
        assert spawner.pid != first


async def test_an_engine_started_by_another_program_is_found(spawner: Spawner, directories: Directories) -> None:
    app = Listener(directories, connect=partial(EngineClient.connect, start=spawner))
    async with app.run_test():
        await until(lambda: app.statuses)
        async with spawner.connect(spawn=False) as other:
            await other.stop()
        await until(lambda: app.session.attachment is Attachment.GONE)
        async with spawner.connect() as other:
            await other.create_project("North field", ProjectKind.IMAGES, None)
        await until(lambda: app.session.attachment is Attachment.ATTACHED)
        assert spawner.started == 2


async def test_an_engine_of_another_version_is_replaced_on_request(
    spawner: Spawner, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawner.environment["STAND_IN_VERSION"] = "0.0.0"
    async with spawner.connect(any_version=True):
        pass
    app = Listener(directories, connect=partial(EngineClient.connect, start=spawner))
    async with app.run_test():
        await until(lambda: any(isinstance(event, AttachmentChanged) for event in app.received))
        assert app.session.attachment is Attachment.OTHER_VERSION
        assert spawner.started == 1
        found = [event.reason for event in app.received if isinstance(event, AttachmentChanged)]
        assert found[-1].startswith("The running engine is version 0.0.0, this program is version")
        with pytest.raises(EngineVersionDiffers, match="Press E to restart it"):
            await app.session.ask(lambda engine: engine.engine())
        spawner.environment.clear()
        app.session.restart()
        await until(lambda: app.session.attachment is Attachment.ATTACHED)
        assert spawner.started == 2


async def test_an_engine_that_does_not_start_is_reported(directories: Directories) -> None:
    def unstartable(_: Directories) -> None:
        raise EngineUnreachable("It cannot be started.")

    app = Listener(directories, connect=partial(EngineClient.connect, start=unstartable))
    async with app.run_test():
        await until(lambda: any(isinstance(event, AttachmentChanged) for event in app.received))
        found = [event for event in app.received if isinstance(event, AttachmentChanged)]
        assert app.session.attachment is Attachment.GONE
        assert found[-1].reason.startswith("It cannot be started. Its log: /")


ME = (Account("me@cloud", "cloud", "me", "file"),)
OFFLINE, ONLINE = AccountLink("me@cloud", Link(LinkState.DOWN)), AccountLink("you@cloud", Link(LinkState.UP))


@pytest.mark.parametrize(
    ("accounts", "links", "seconds"),
    [((), (), 5.0), (ME, (), 60.0), (ME, (OFFLINE,), None), (ME, (OFFLINE, ONLINE), 60.0)],
)
def test_projects_are_looked_at_while_a_cloud_is_within_reach(
    accounts: tuple[Account, ...], links: tuple[AccountLink, ...], seconds: float | None
) -> None:
    assert until_next_look(accounts, replace(engine_status(), links=links), 60.0) == seconds


async def test_a_project_that_was_made_elsewhere_appears(manager: StandInManager, directories: Directories) -> None:
    await manager.sign_in(SignInRequest(Login("http://127.0.0.1:1", "me", "secret")))
    app = Listener(directories)
    app.session.projects_interval = 0.05
    async with app.run_test():
        await until(lambda: any(isinstance(event, ProjectsArrived) for event in app.received))
        await manager.create_project("Made by a colleague", ProjectKind.IMAGES, None)
        await until(lambda: [project.name for project in app.projects] == ["Made by a colleague"])


async def test_projects_that_cannot_be_listed_are_told_once_and_looked_for_again(
    manager: StandInManager, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    await manager.sign_in(SignInRequest(Login("http://127.0.0.1:1", "me", "secret")))
    tries = 0

    async def listed() -> tuple[Project, ...]:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise CloudFault("The service reported an error.")
        return (project(name="At last"),)

    monkeypatch.setattr(manager.queries, "projects", listed)
    app = Listener(directories)
    app.session.projects_interval = 0.05
    async with app.run_test():
        await until(lambda: [each.name for each in app.projects] == ["At last"])
        assert app.notices == ["Cannot list the projects: The service reported an error."]
