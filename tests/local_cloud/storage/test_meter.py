"""Received bytes are counted, stored or not, and the counts survive a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.local_cloud.clouds import a_cloud
from tests.local_cloud.root_reader import TrafficCounts, traffic_counts
from tui_uploader.local_cloud.options import LocalCloudOptions


async def test_bodies_of_objects_are_counted_stored_or_not(tmp_path: Path) -> None:
    faults = ("error500:route=put,after=1,bytes=1000000", "drop:route=put,after=2,bytes=60000")
    async with a_cloud(LocalCloudOptions(tmp_path, faults=faults)) as client:
        assert (await client.s3("POST", "a", b"<parts/>", query={"uploadId": "none"})).status_code != 200
        assert traffic_counts(tmp_path) == TrafficCounts()
        assert (await client.s3("PUT", "a", b"x" * 1000)).status_code == 200
        assert traffic_counts(tmp_path) == TrafficCounts(1000, 0)
        assert (await client.s3("PUT", "b", b"x" * 500)).status_code == 500
        assert traffic_counts(tmp_path) == TrafficCounts(1500, 1)
        with pytest.raises(httpx.TransportError):
            await client.s3("PUT", "c", b"x" * 10_000_000)
        assert 61_500 <= traffic_counts(tmp_path).received < 10_000_000
        assert traffic_counts(tmp_path).faults == 2
    kept = traffic_counts(tmp_path)
    async with a_cloud(LocalCloudOptions(tmp_path)) as client:
        assert (await client.s3("PUT", "a", b"x" * 1000)).status_code == 200
        assert traffic_counts(tmp_path) == TrafficCounts(kept.received + 1000, 2)


def test_a_count_survives_a_kill_right_after_it(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys; from tui_uploader.local_cloud.storage.meter import TrafficMeter;"
        "meter = TrafficMeter(pathlib.Path(sys.argv[1])); meter.count(received=7, faults=2); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, os.fspath(tmp_path)], timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert traffic_counts(tmp_path) == TrafficCounts(7, 2)
