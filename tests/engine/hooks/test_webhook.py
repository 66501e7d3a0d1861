"""Web addresses of the user: every answer, and where the secrets of the address go."""

from __future__ import annotations

import base64
import logging
import socket
from collections.abc import Iterator

import pytest

from tests.cloud.servers import CERTIFICATE
from tests.engine.hooks.receiver import Receiver, receiving
from tests.ports import free_ports
from tui_uploader.engine.hooks.webhook import post, web_address
from tui_uploader.errors import (
    HookFailed,
    HookUnavailable,
    LinkDown,
    LinkError,
    ProxyUnusable,
    TrustFailed,
    UploaderError,
)
from tui_uploader.settings import Settings


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


async def posted(address: str, seconds: float = 20.0, settings: Settings | None = None) -> str:
    return await post("hook.example", address, '{"event":"complete"}', seconds, settings or Settings())


async def refused(address: str, seconds: float = 20.0, settings: Settings | None = None) -> UploaderError:
    with pytest.raises(UploaderError) as caught:
        await posted(address, seconds, settings)
    return caught.value


async def test_the_json_arrives(receiver: Receiver) -> None:
    receiver.answer(200, b"thanks")
    assert await posted(f"{receiver.url}/told?key=a%20b") == "HTTP 200"
    (told,) = receiver.told
    assert (told.path, told.json) == ("/told?key=a%20b", {"event": "complete"})
    assert told.headers["Content-Type"] == "application/json"
    assert "Authorization" not in told.headers


async def test_user_name_and_password_become_basic_authorization_and_are_nowhere_else(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.answer(401, b"you are anna with p%40ss, and I do not know you")
    address = f"http://anna:p%40ss@127.0.0.1:{receiver.port}/told"
    error = await refused(address)
    expected = "Basic " + base64.b64encode(b"anna:p@ss").decode()
    assert receiver.told[0].headers["Authorization"] == expected
    assert receiver.told[0].headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert type(error) is HookFailed
    assert "p@ss" not in caplog.text + repr(web_address(address))


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with receiving() as other:
        for status in (301, 302, 303, 307, 308):
            receiver.answer(status, location=f"{other.url}/elsewhere")
            error = await refused(f"http://anna:secret@127.0.0.1:{receiver.port}/told")
            assert type(error) is HookFailed
            assert str(error).startswith(f"hook.example (HTTP {status}) redirects to another address.")
        assert other.told == []
    assert len(receiver.told) == 5


@pytest.mark.parametrize(
    ("status", "again"),
    [(400, False), (401, False), (404, False), (410, False), (408, True), (429, True), (500, True), (503, True)],
)
async def test_what_may_work_in_a_moment(receiver: Receiver, status: int, again: bool) -> None:
    receiver.answer(status, b"because\n\x1b[31m of  this", retry_after="7")
    error = await refused(receiver.url)
    assert isinstance(error, HookUnavailable) is error.retryable is again
    assert str(error).endswith(": because \\x1b[31m of this.")
    assert error.retry_after == (7.0 if again else None)


async def test_web_pages_are_not_quoted(receiver: Receiver) -> None:
    receiver.answer(500, b"<html>long page</html>", content_type="text/html")
    assert str(await refused(receiver.url)) == "hook.example (HTTP 500) cannot take it now."


async def test_a_server_that_says_nothing(receiver: Receiver) -> None:
    receiver.silent = True
    error = await refused(receiver.url, seconds=0.5)
    assert isinstance(error, HookUnavailable)
    assert str(error) == "hook.example did not answer within 0.5 s."


async def test_an_endless_reply_is_cut_off(receiver: Receiver) -> None:
    receiver.answer(200, b"x" * 3_000_000)
    assert await posted(receiver.url) == "HTTP 200"


async def test_a_server_that_is_not_there_or_speaks_no_http() -> None:
    (port,) = free_ports(1)
    error = await refused(f"http://127.0.0.1:{port}/secret-path")
    assert isinstance(error, LinkDown)
    assert str(error) == "127.0.0.1 refused the connection."
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.listen()
        listener.settimeout(10)
        task_error = await _answered_by_nonsense(listener)
    assert isinstance(task_error, UploaderError)
    assert task_error.retryable


async def _answered_by_nonsense(listener: socket.socket) -> UploaderError:
    import threading

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"SSH-2.0-nonsense\r\n\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        return await refused(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    finally:
        thread.join()


async def test_a_password_never_travels_unencrypted_to_another_machine() -> None:
    error = await refused("http://anna:secret@192.0.2.1/told", seconds=1.0)
    assert type(error) is HookFailed
    assert "unencrypted" in str(error)
    assert "secret" not in str(error)


async def test_certificates_are_checked_as_by_the_rest_of_the_program() -> None:
    with receiving(tls=True) as receiver:
        error = await refused(receiver.url)
        assert isinstance(error, TrustFailed)
        assert not error.retryable
        assert receiver.told == []
        assert await posted(receiver.url, settings=Settings(ca_file=CERTIFICATE)) == "HTTP 204"


async def test_a_proxy_of_the_settings_is_used_and_its_password_not_shown(receiver: Receiver) -> None:
    proxied = Settings(proxy=f"http://anna:hushhush@127.0.0.1:{receiver.port}")
    assert await posted("http://hooks.example/told", settings=proxied) == "HTTP 204"
    assert receiver.told[0].path == "http://hooks.example/told"
    assert isinstance(await refused("http://hooks.example/", settings=Settings(proxy="socks5://x")), ProxyUnusable)
    (port,) = free_ports(1)
    error = await refused("http://hooks.example/", settings=Settings(proxy=f"http://anna:hushhush@127.0.0.1:{port}"))
    assert isinstance(error, LinkError)
    assert "hushhush" not in str(error)
