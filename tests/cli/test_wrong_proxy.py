"""A proxy that cannot be used is a notice of the upload; commands that need no cloud still work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.world import kill_engine, quick, upload_of
from tests.photos import write_flight


@pytest.fixture
def engine_ends() -> Iterator[None]:
    yield
    kill_engine()


@pytest.mark.parametrize(
    ("variable", "value", "kind"),
    [
        ("TUI_UPLOADER_PROXY", "socks5://joe:hunter2@proxy.test", "ProxyUnusable"),
        ("TUI_UPLOADER_CA_FILE", "/no/such/hunter", "TrustFailed"),
    ],
)
@pytest.mark.usefixtures("engine_ends")
def test_only_uploads_depend_on_a_usable_proxy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str, kind: str
) -> None:
    monkeypatch.setenv("PIX4D_CLOUD_URL", "https://cloud.test")
    monkeypatch.setenv("PIX4D_CLIENT_ID", "id")
    monkeypatch.setenv("PIX4D_CLIENT_SECRET", "secret")
    monkeypatch.setenv(variable, value)
    write_flight(tmp_path / "card", 3)
    done = quick(*upload_of(tmp_path / "card", "--wait"))
    assert done.code == 4
    (upload,) = quick("status", "--json").json["uploads"]
    assert (upload["notice"]["kind"], upload["notice"]["needs_person"]) == (kind, True)
    for command in (("pause", "1"), ("limit", "1MB/s"), ("cancel", "1", "--yes")):
        assert quick(*command).code == 0
    assert "hunter2" not in done.err + str(upload)
