"""Which proxy is used for a host, and the errors for one that cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cloud.servers import Call, serving
from tui_uploader.cloud.http.messages import Request
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.net.endpoint import Deadlines, Origin, proxy_for
from tui_uploader.cloud.net.proxies import Proxy, bypasses, chosen_proxy, proxy_of
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.errors import LinkError, ProxyRefused, ProxyUnusable, TrustFailed, UsageError
from tui_uploader.model.accounts import Login
from tui_uploader.settings import Settings

VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "TUI_UPLOADER_PROXY")
PASSWORDS = ("hunter2", "p/w", "p%2Fw", "secret@home")


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "covered"),
    [
        ("", "cloud.pix4d.com", 443, False),
        ("*", "cloud.pix4d.com", 443, True),
        ("pix4d.com", "pix4d.com", 443, True),
        ("pix4d.com", "cloud.pix4d.com", 443, True),
        (".pix4d.com", "cloud.pix4d.com", 443, True),
        (".pix4d.com", "pix4d.com", 443, True),
        ("*.pix4d.com", "cloud.pix4d.com", 443, True),
        ("pix4d.com", "notpix4d.com", 443, False),
        ("cloud.pix4d.com", "pix4d.com", 443, False),
        ("PIX4D.com.", "Cloud.Pix4D.COM.", 443, True),
        ("a.test, b.test c.test", "b.test", 443, True),
        ("a.test b.test", "b.test", 443, True),
        (",, ,", "b.test", 443, False),
        ("pix4d.com:443", "cloud.pix4d.com", 443, True),
        ("pix4d.com:8443", "cloud.pix4d.com", 443, False),
        ("pix4d.com:", "cloud.pix4d.com", 443, True),
        ("10.0.0.0/8", "10.200.3.4", 443, True),
        ("10.1.2.3/8", "10.200.3.4", 443, True),
        ("10.0.0.0/8", "11.0.0.1", 443, False),
        ("10.0.0.0/8:443", "10.0.0.1", 443, True),
        ("10.0.0.0/8:444", "10.0.0.1", 443, False),
        ("10.0.0.1", "10.0.0.1", 443, True),
        ("10.0.0.1:443", "10.0.0.1", 443, True),
        ("0.0.1", "10.0.0.1", 443, False),
        ("10.0.0.0/40", "10.0.0.1", 443, False),
        ("10.0.0.0/8", "ten.test", 443, False),
        ("fd00::/8", "fd00::1", 443, True),
        ("[fd00::]/8", "fd00::1", 443, True),
        ("[fd00::1]", "fd00::1", 443, True),
        ("fd00:0::1", "fd00::1", 443, True),
        ("[fd00::1]:443", "fd00::1", 443, True),
        ("[fd00::1]:444", "fd00::1", 443, False),
        ("10.0.0.0/8", "fd00::1", 443, False),
        ("[", "fd00::1", 443, False),
        (".", "cloud.pix4d.com", 443, False),
    ],
)
def test_no_proxy(no_proxy: str, host: str, port: int, covered: bool) -> None:
    assert bypasses(no_proxy, host, port) is covered


@pytest.mark.parametrize(
    ("address", "proxy"),
    [
        ("proxy.test", Proxy("proxy.test", 8080)),
        ("proxy.test:3128", Proxy("proxy.test", 3128)),
        ("http://proxy.test:3128/", Proxy("proxy.test", 3128)),
        ("HTTP://proxy.test", Proxy("proxy.test", 8080)),
        ("http://[fd00::1]:3128", Proxy("fd00::1", 3128)),
        ("http://joe@proxy.test", Proxy("proxy.test", 8080, "joe:")),
        ("http://joe:p/w@proxy.test:3128", Proxy("proxy.test", 3128, "joe:p/w")),
        ("http://joe:p%2Fw@proxy.test:3128", Proxy("proxy.test", 3128, "joe:p/w")),
        ("joe:p#w?@x@proxy.test:3128", Proxy("proxy.test", 3128, "joe:p#w?@x")),
        ("http://d%5Cjoe:a%3Ab@proxy.test", Proxy("proxy.test", 8080, "d\\joe:a:b")),
        ("http://pr\u00fcfer.test", Proxy("xn--prfer-lva.test", 8080)),
    ],
)
def test_proxy_addresses(address: str, proxy: Proxy) -> None:
    assert proxy_of(address) == proxy


@pytest.mark.parametrize(
    ("address", "wrong"),
    [
        ("socks5://joe:hunter2@proxy.test:1080", "a SOCKS proxy (socks5://); only HTTP proxies"),
        ("socks5h://proxy.test", "a SOCKS proxy (socks5h://); only HTTP proxies"),
        ("https://joe:hunter2@proxy.test", "an HTTPS proxy (https://); only HTTP proxies"),
        ("ftp://joe:hunter2@proxy.test", "of an unknown type"),
        ("http://joe:hunter2@proxy.test:port", "port is not a number from 1 to 65535"),
        ("http://joe:hunter2@proxy.test:99999", "port is not a number from 1 to 65535"),
        ("http://joe:hunter2@proxy.test:0", "port is not a number from 1 to 65535"),
        ("http://", "without a host"),
        ("http://joe:p/w@:3128", "without a host"),
        ("http://joe:secret@home@[fd00::zz]:1", "with an invalid host name or address"),
        ("http://joe:hunter2@a b:1", "with an invalid host name or address"),
        ("http://joe:hunter2@a..b:1", "with an invalid host name or address"),
        ("http://joe:hunter2@a:b:c", "port is not a number"),
        ("http://joe:hunter2@[fd00::1:1", "with an invalid host"),
        ("joe:hunter2", "port is not a number"),
        ("http://joe:p%2Fw", "port is not a number"),
    ],
)
def test_errors_about_a_proxy_omit_its_password(address: str, wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        proxy_of(address, "HTTPS_PROXY")
    assert caught.value.message.startswith("HTTPS_PROXY names a")
    assert wrong in caught.value.message
    assert not any(password in caught.value.message for password in PASSWORDS)


@pytest.mark.parametrize(
    ("environment", "setting", "host"),
    [
        ({}, None, None),
        ({"https_proxy": "low.test", "HTTPS_PROXY": "up.test", "ALL_PROXY": "all.test"}, None, "low.test"),
        ({"https_proxy": "", "HTTPS_PROXY": "up.test"}, None, "up.test"),
        ({"all_proxy": "low.test", "ALL_PROXY": "up.test"}, None, "low.test"),
        ({"http_proxy": "plain.test", "HTTP_PROXY": "plain.test"}, None, None),
        ({"HTTPS_PROXY": "up.test"}, "set.test", "set.test"),
        ({"HTTPS_PROXY": "up.test", "NO_PROXY": "pix4d.com"}, None, None),
        ({"NO_PROXY": "pix4d.com"}, "set.test", None),
        ({"no_proxy": "other.test", "NO_PROXY": "pix4d.com"}, "set.test", "set.test"),
    ],
)
def test_which_proxy_is_used(environment: Mapping[str, str], setting: str | None, host: str | None) -> None:
    found = chosen_proxy("cloud.pix4d.com", 443, Settings(proxy=setting), environment)
    assert (found.host if found else None) == host


@pytest.mark.parametrize(
    ("environment", "setting", "source"),
    [
        ({"https_proxy": "socks5://p"}, None, "https_proxy names"),
        ({"ALL_PROXY": "socks5://p"}, None, "ALL_PROXY names"),
        ({"TUI_UPLOADER_PROXY": "socks5://p"}, "socks5://p", "TUI_UPLOADER_PROXY names"),
        ({"HTTPS_PROXY": "http://good"}, "socks5://p", "`proxy` in config.toml names"),
    ],
)
def test_the_invalid_setting_is_named(environment: Mapping[str, str], setting: str | None, source: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen_proxy("cloud.pix4d.com", 443, Settings(proxy=setting), environment)
    assert caught.value.message.startswith(source)


def test_this_machine_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://p")
    assert proxy_for(Origin(True, "127.0.0.1", 443), Settings(proxy="socks5://p")) is None


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (Settings(proxy="socks5://joe:hunter2@p"), ProxyUnusable),
        (Settings(ca_file=Path("/no/such/file")), TrustFailed),
    ],
)
async def test_proxy_and_trust_problems_are_link_errors(settings: Settings, error: type[LinkError]) -> None:
    cloud = Pix4dCloud(Login("https://cloud.test", "id", "secret"), settings)
    try:
        with pytest.raises(error) as caught:
            await cloud.sign_in()
    finally:
        await cloud.close()
    assert not any(password in caught.value.message for password in PASSWORDS)


async def test_rest_and_storage_send_the_same_password_to_the_same_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(call: Call) -> None:
        call.read_body()
        call.reply(407, "")

    with serving(refuse) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://joe:p/w@127.0.0.1:{proxy.port}")
        cloud, pool = (
            Pix4dCloud(Login("https://cloud.test", "id", "secret"), Settings()),
            ConnectionPool(Settings(), Deadlines()),
        )
        try:
            with pytest.raises(ProxyRefused) as rest:
                await cloud.sign_in()
            with pytest.raises(ProxyRefused) as storage:
                await pool.exchange(Origin(True, "storage.test", 443), Request("PUT", "/x", [("Host", "storage.test")]))
        finally:
            await cloud.close()
            await pool.close()
    assert [call.headers["proxy-authorization"] for call in proxy.calls] == ["Basic am9lOnAvdw=="] * 2
    assert "p/w" not in rest.value.message + storage.value.message
