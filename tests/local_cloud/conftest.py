"""One local cloud per module; every test has its own project in it.

Modules that use `client` run in one event loop: `pytestmark = pytest.mark.asyncio(loop_scope="module")`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.local_cloud.clouds import NO_CA, Client, make_certificate, signed_in
from tui_uploader.local_cloud.options import LocalCloudAddress, LocalCloudOptions
from tui_uploader.local_cloud.server import running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalCloudAddress]:
    async with running(LocalCloudOptions(tmp_path_factory.mktemp("cloud"))) as address:
        yield address


@pytest_asyncio.fixture(loop_scope="module")
async def client(cloud: LocalCloudAddress) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(base_url=cloud.url, timeout=20, verify=NO_CA) as http:
        yield await signed_in(cloud, http)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))
