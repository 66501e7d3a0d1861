"""Results of projects: whether a service takes them, registering and listing them."""

from __future__ import annotations

import json

import pytest

from tests.cloud.pix4d.test_client import reply, service, talking
from tests.cloud.servers import Call
from tui_uploader.cloud.contract import RemoteResult, StoredResult
from tui_uploader.errors import CloudRefused, NoSuchProject, Unsupported
from tui_uploader.model.results import CoordinateSystem, ResultType

DSM = StoredResult(ResultType.DSM, "dsm.tif", "k")


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_service_without_the_call_for_results_is_asked_once(status: int) -> None:
    def answer(call: Call) -> None:
        call.read_body()
        call.reply(status) if call.path.endswith("results/") else call.reply(200, {"id": 1})

    async with talking(service(answer)) as (cloud, server):
        for _ in range(3):
            with pytest.raises(Unsupported, match="Nothing was sent"):
                await cloud.results.register("1", DSM)
    assert sum(call.path.endswith("results/") for call in server.calls) == 1


async def test_a_result_of_a_project_that_is_gone() -> None:
    async with talking(service(reply(404, {"detail": "Not found."}))) as (cloud, _):
        with pytest.raises(NoSuchProject):
            await cloud.results.register("1", DSM)


@pytest.mark.parametrize("status", [400, 409, 422])
async def test_a_result_that_is_refused_by_itself(status: int) -> None:
    async with talking(service(reply(status, {"file_key": ["No such file."]}))) as (cloud, _):
        found = await cloud.results.register("1", DSM)
    assert found.registered == () and "No such file" in found.refused["k"]


@pytest.mark.parametrize("status", [403, 404, 405, 501])
async def test_a_service_is_asked_once_whether_it_takes_results(status: int) -> None:
    def answer(call: Call) -> None:
        call.reply(status) if call.path.endswith("results/") else call.reply(200, {"id": 1})

    async with talking(service(answer)) as (cloud, server):
        await cloud.results.check_taken()  # before there is a project, nothing is known
        for project in ("1", "1", None):
            with pytest.raises(Unsupported, match="Nothing was sent"):
                await cloud.results.check_taken(project)
    assert [call.method for call in server.calls if call.path.endswith("results/")] == ["GET"]


async def test_what_is_registered_and_listed() -> None:
    bodies: list[object] = []

    def answer(call: Call) -> None:
        if call.method == "POST":
            bodies.append(json.loads(call.read_body()))
        call.reply(200, {"results": LISTED})

    mesh = StoredResult(
        ResultType.MESH, "m.obj", "p/m/m.obj", ("p/m/m.mtl",), CoordinateSystem(32632, "WGS 84 / UTM 32N", True)
    )
    async with talking(service(answer)) as (cloud, _):
        await cloud.results.check_taken("1")
        assert (await cloud.results.register("1", mesh)).registered == ("p/m/m.obj",)
        listed = await cloud.results.listed("1")
    assert bodies == [
        {
            "result_type": "mesh",
            "name": "m.obj",
            "file_key": "p/m/m.obj",
            "companion_keys": ["p/m/m.mtl"],
            "crs": {"code": 32632, "name": "WGS 84 / UTM 32N", "projected": True},
        }
    ]
    assert listed == (
        RemoteResult(ResultType.DSM, "dsm.tif", "p/dsm-1f3a9c.tif", 7, 1764460800.0, CoordinateSystem(25832)),
        RemoteResult(ResultType.MESH, "m\\x1b.obj", "p/m\x1b.obj"),
    )


LISTED: list[object] = [
    {
        "result_type": "dsm",
        "name": "dsm.tif",
        "file_key": "p/dsm-1f3a9c.tif",
        "size": 7,
        "registered_at": "2025-11-30T00:00:00Z",
        "crs": {"code": 25832, "name": 3, "projected": "x"},
    },
    {
        "result_type": "mesh",
        "name": None,
        "file_key": "p/m\x1b.obj",
        "size": -1,
        "registered_at": "soon",
        "crs": 5,
    },
    {"result_type": "hologram", "name": "h", "file_key": "p/h"},
    {"result_type": "dsm", "name": "no key"},
    "dsm",
]


async def test_an_account_that_may_not_register_results() -> None:
    async with talking(service(reply(403, {"detail": "no permission"}))) as (cloud, _):
        with pytest.raises(CloudRefused, match="no permission"):
            await cloud.results.register("1", DSM)
