"""Questions about one file of an upload, as any program may ask them."""

from __future__ import annotations

import os
from urllib.parse import quote

import httpx
import pytest

from tests.service.stand_in import StandInManager
from tui_uploader.settings import Directories


@pytest.mark.parametrize("file", ["-1", "one", "1.5", "²", "9" * 19, "9" * 5000, "1\x1b[2J"])
@pytest.mark.parametrize("address", ["/v1/uploads/1/positions?file={}", "/v1/uploads/1/files/{}/photo"])
async def test_a_file_is_asked_for_by_its_number(
    manager: StandInManager, directories: Directories, address: str, file: str
) -> None:
    transport = httpx.AsyncHTTPTransport(uds=os.fspath(directories.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://engine", trust_env=False, timeout=20) as http:
        answer = await http.get(address.format(quote(file)))
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "UsageError")
