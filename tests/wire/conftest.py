"""A local cloud, and a memory card with difficult file names and sizes."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.local_cloud.clouds import Client, a_cloud, make_certificate
from tui_uploader.local_cloud.options import LocalCloudOptions

MIB = 1024**2


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A client of a new local cloud, with a project."""
    async with a_cloud(LocalCloudOptions(tmp_path / "cloud")) as client:
        yield client


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A folder of files with different contents."""
    folder = tmp_path / "card"
    sizes = {
        "DJI_0001.JPG": 100_001,
        "DCIM/100MEDIA/DJI_0001.JPG": 100_002,
        "with space + plus.jpg": 17,
        "100% #1 & more=?.jpg": 18,
        "\u00e4 composed.jpg": 19,
        "a\u0308 decomposed.jpg": 20,
        "日本語 'quoted' (1).jpg": 21,
        "empty.jpg": 0,
        "large.tif": 22 * MIB + 1,
    }
    bytes_of = random.Random(1)
    for name, size in sizes.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bytes_of.randbytes(size))
    return folder


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its relative name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@dataclass(frozen=True)
class ToolResult:
    status: int
    output: str


async def run_tool(client: Client, home: Path, *command: str, **environment: str) -> ToolResult:
    """Run a foreign client with the project's session credentials, without configuration, in its own home."""
    credentials = client.credentials
    home.mkdir(exist_ok=True)
    variables: Mapping[str, str] = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_REGION": client.region,
        **environment,
    }
    process = await asyncio.create_subprocess_exec(
        *command, env=variables, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return ToolResult(process.returncode or 0, output.decode(errors="replace"))
