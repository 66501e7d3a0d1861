"""s5cmd against the local cloud: Content-MD5, hashed payloads, 100-continue, many workers."""

from __future__ import annotations

from pathlib import Path

from tests.local_cloud.clouds import Client
from tests.wire.conftest import contents, run_tool


async def test_a_folder_arrives_byte_for_byte(client: Client, card: Path, tmp_path: Path) -> None:
    target = f"s3://{client.credentials.bucket}/{client.key('')}"
    s5cmd = ("s5cmd", "--endpoint-url", client.address.url, "--retry-count", "0")
    ended = await run_tool(client, tmp_path / "home", *s5cmd, "cp", "--part-size", "8", f"{card}/", target)
    assert ended.status == 0, ended.output
    assert contents(client.path("")) == contents(card)
    ended = await run_tool(client, tmp_path / "home", *s5cmd, "cp", f"{target}*", str(tmp_path / "back") + "/")
    assert ended.status == 0, ended.output
    assert contents(tmp_path / "back") == contents(card)


async def test_the_folder_of_another_project_is_refused(client: Client, card: Path, tmp_path: Path) -> None:
    target = f"s3://{client.credentials.bucket}/user-1/project-1/"
    s5cmd = ("s5cmd", "--endpoint-url", client.address.url, "--retry-count", "0")
    ended = await run_tool(client, tmp_path / "home", *s5cmd, "cp", f"{card}/", target)
    assert ended.status != 0
    assert "AccessDenied" in ended.output
    assert not (client.address.root / "objects" / client.credentials.bucket / "user-1").exists()
