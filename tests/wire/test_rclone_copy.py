"""rclone against the local cloud: trailers, CRC32 of parts without announcement, HEAD after every file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.local_cloud.clouds import a_cloud
from tests.wire.conftest import contents, run_tool
from tui_uploader.local_cloud.options import LocalCloudOptions


@pytest.mark.parametrize(("provider", "secure"), [("Other", False), ("AWS", True)])
async def test_a_folder_arrives_byte_for_byte(
    card: Path, tmp_path: Path, certificate: tuple[Path, Path], provider: str, secure: bool
) -> None:
    """With provider AWS, rclone sends single objects with trailing checksums, and only over TLS."""
    chain, key = certificate
    plain = LocalCloudOptions(tmp_path / "cloud")
    options = replace(plain, tls_cert=chain, tls_key=key) if secure else plain
    rclone = ("rclone", "--config", "/dev/null", "--retries", "1", "--low-level-retries", "1", "--ca-cert", str(chain))
    parts = ("--s3-upload-cutoff", "8M", "--s3-chunk-size", "5M")
    async with a_cloud(options, trust=chain if secure else None) as client:
        remote = (
            f":s3,provider={provider},env_auth=true,force_path_style=true,no_check_bucket=true,"
            f'endpoint="{client.address.url}":{client.credentials.bucket}/{client.key("card")}'
        )
        ended = await run_tool(client, tmp_path / "home", *rclone, *parts, "copy", str(card), remote)
        assert ended.status == 0, ended.output
        assert contents(client.path("card")) == contents(card)
        ended = await run_tool(client, tmp_path / "home", *rclone, "check", "--download", str(card), remote)
        assert ended.status == 0, ended.output
        ended = await run_tool(client, tmp_path / "home", *rclone, "-v", "copy", str(card), remote)
        assert ended.status == 0
        assert "There was nothing to transfer" in ended.output
