"""The name of a cloud resolves to another address, and the machine's resolver may hang."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cloud.servers import Call, serving
from tests.until import until
from tui_uploader.cloud.http.messages import Request
from tui_uploader.cloud.net.endpoint import Deadlines, Origin
from tui_uploader.cloud.net.resolver import Resolver
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.engine.accounts.link_monitor import LinkMonitor
from tui_uploader.errors import LinkDown, UploaderError
from tui_uploader.model.accounts import Login
from tui_uploader.settings import Settings

OLD, NEW = "127.0.0.2", "127.0.0.3"


@dataclass
class Names:
    """The machine's resolver, as far as `localhost` is concerned."""

    address: str = OLD
    hangs: threading.Event | None = None
    asked: int = 0
    real: Any = field(default=socket.getaddrinfo)

    def getaddrinfo(self, host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        self.asked += 1
        if self.hangs is not None:
            self.hangs.wait(60)
        name = host.decode() if isinstance(host, bytes) else host
        return self.real(self.address if name == "localhost" else host, port, *rest, **more)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    names = Names()
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    yield names
    if names.hangs is not None:
        names.hangs.set()


def watch_of(cloud: Pix4dCloud) -> LinkMonitor:
    return LinkMonitor(cloud, lambda: None, lambda: None, clock=time.time, random=lambda: 0.99)


@contextlib.contextmanager
def silent(address: str, port: int) -> Iterator[None]:
    """An address that no longer responds: the listener's queue is full, so the kernel drops packets."""
    with socket.socket() as listener, contextlib.ExitStack() as crowd:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(4):
            one = crowd.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex((address, port))
        yield


@pytest.mark.parametrize("wish", [False, True], ids=["when due", "on request"])
async def test_a_link_is_up_again_although_the_address_of_the_cloud_changed(names: Names, wish: bool) -> None:
    with serving(lambda call: call.reply(405), address=OLD) as old:
        cloud = Pix4dCloud(Login(f"http://localhost:{old.port}", "id", "secret"), Settings())
        await cloud.probe()
    watch = watch_of(cloud)
    with silent(OLD, old.port), serving(lambda call: call.reply(405), address=NEW, port=old.port) as new:
        watch.suspect(LinkDown("The connection broke."))
        if not wish:
            await until(lambda: watch.down)
        names.address = NEW
        if wish:  # the probe still waits for the old address, for more than three seconds
            asked = names.asked
            watch.try_now()
            await until(lambda: new.calls, 3.0)
            assert names.asked > asked
        await until(lambda: watch._probing is None)
        assert new.calls and not watch.down
        await watch.close()
        await cloud.close()


async def test_a_kept_connection_to_the_old_address_is_not_used_once_the_link_is_doubted(names: Names) -> None:
    """The old machine keeps its connections open and acknowledges data, but sends no reply."""
    dead, end = threading.Event(), threading.Event()

    def old_answer(call: Call) -> None:
        if dead.is_set():
            end.wait(20)
            call.close()
        else:
            call.reply(405)

    patience = Deadlines(connect=2.0, stall=20.0, reply=20.0)
    with (
        serving(old_answer, address=OLD) as old,
        serving(lambda call: call.reply(200), address=NEW, port=old.port) as new,
    ):
        cloud = Pix4dCloud(Login(f"http://localhost:{old.port}", "id", "secret"), Settings(), deadlines=patience)
        watch = watch_of(cloud)
        await cloud.probe()
        origin, ask = Origin(False, "localhost", old.port), Request("GET", "/", [], b"", 20.0)
        await cloud._pool.exchange(origin, ask)
        before = len(old.calls)
        dead.set()
        names.address = NEW
        try:
            watch.doubt(LinkDown("The connection broke."))
            await until(lambda: watch._probing is None)
            reply = await cloud._pool.exchange(origin, ask)
            assert (reply.status, len(old.calls), watch.down) == (200, before, False)
            assert len(new.calls) == 2
        finally:
            end.set()
            await watch.close()
            await cloud.close()


async def test_a_resolver_that_hangs_is_asked_a_limited_number_of_times(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_uploader.cloud.net.resolver._SHARED_SECONDS", 0.0)
    resolver = Resolver()
    names.hangs = threading.Event()
    for _ in range(40):
        with pytest.raises(TimeoutError):
            await resolver.addresses("localhost", 80, 0.001)
    assert names.asked == 16
    names.hangs.set()
    names.hangs, names.address = None, NEW
    await until(lambda: names.asked > 16)
    (family, address), *_ = await resolver.addresses("localhost", 80, 20.0)
    assert (family, address) == (socket.AF_INET, (NEW, 80))
    resolver.close()


async def test_many_callers_share_one_lookup(names: Names) -> None:
    resolver = Resolver()
    names.hangs = threading.Event()
    asking = [asyncio.create_task(resolver.addresses("localhost", 80, 20.0)) for _ in range(30)]
    await until(lambda: names.asked)
    asking[0].cancel()
    names.hangs.set()
    answers = await asyncio.gather(*asking[1:])
    assert names.asked == 1 and {answer[0][1] for answer in answers} == {(OLD, 80)}
    resolver.close()


class Odd(Pix4dCloud):
    """A cloud whose probe fails twice with an unexpected error."""

    probes = 0

    async def probe(self) -> None:
        self.probes += 1
        if self.probes <= 2:
            raise ZeroDivisionError("unexpected")


async def test_an_unexpected_error_of_a_probe_is_shown_and_does_not_end_probing() -> None:
    cloud = Odd(Login("http://localhost:1", "id", "secret"), Settings())
    watch = watch_of(cloud)
    shown: list[UploaderError | None] = []
    watch.suspect(LinkDown("The connection broke."))
    for number in (1, 2):
        await until(lambda number=number: watch.down and cloud.probes == number)  # type: ignore[misc]
        shown.append(watch.trouble)
        assert watch.link.reason is not None and "ZeroDivisionError" in watch.link.reason
        watch.try_now()
    await until(lambda: watch._probing is None)
    assert (cloud.probes, watch.down) == (3, False)
    assert all(isinstance(error, LinkDown) for error in shown)
    await watch.close()
    await cloud.close()
