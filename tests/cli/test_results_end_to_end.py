"""Results with the real program: a mesh arrives whole, and a replacement survives kills of the engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.world import LocalCloud, command, kill_engine
from tests.intake.results.files import geotiff, mtl, obj, write
from tests.local_cloud.root_reader import registered_results
from tests.photos import jpeg
from tests.until import until

MESH = {
    "out/site.obj": obj(),
    "out/site.mtl": mtl(["tex/0.jpg", "tex/1.jpg"]),
    "out/tex/0.jpg": jpeg(200_000),
    "out/tex/1.jpg": jpeg(300_000),
}


def results(cloud: LocalCloud, project: str) -> list[tuple[str, str]]:
    return [(key.partition(f"{project}/")[2], kind) for key, kind in registered_results(cloud.root, int(project))]


async def test_a_replaced_mesh_survives_kills_of_the_engine(served: Callable[..., LocalCloud], tmp_path: Path) -> None:
    cloud = served("--fault", "stall:route=put,seconds=1,every=2", "--fault", "lost_reply:route=register,every=2")
    upload = ("upload", "--results", str(tmp_path / "out"), "--new", "Maps", "--json")
    write(tmp_path, MESH)
    first = command(*upload, "--wait", **cloud.login)
    assert (first.code, first.json["counts"]["uploaded"]) == (0, 4)
    project = first.json["project"]
    assert results(cloud, project) == [("site/site.obj", "mesh")]
    write(tmp_path, {"out/tex/1.jpg": jpeg(300_001)})
    asked = command(*upload, **cloud.login)
    assert asked.code == 2 and "Maps has a mesh already: site.obj" in asked.err and "--replace" in asked.err
    second = command(*upload, "--replace", **cloud.login)
    assert second.code == 0
    for more in (1, 3):
        await until(lambda more=more: cloud.stored() >= 4 + more)  # type: ignore[misc]
        assert len(results(cloud, project)) == 1, "the old one or the new one, never none or both"
        kill_engine()
        command("status", **cloud.login)
    await until(lambda: results(cloud, project) != [("site/site.obj", "mesh")], 60)
    ((main, kind),) = results(cloud, project)
    assert (main.startswith("site-"), kind) == (True, "mesh")
    await until(lambda: "took the place of site.obj" in command("history", **cloud.login).out, 30)
    shown = command("projects", "show", project, **cloud.login).out
    assert "1 result (" in shown and "site.obj" in shown and "image" not in shown
    assert command("history", **cloud.login).out.count("took the place of") == 1


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_results_are_refused_where_the_cloud_takes_none(
    served: Callable[..., LocalCloud], tmp_path: Path, options: tuple[str, ...]
) -> None:
    cloud = served("--profile", "strict")
    write(tmp_path, {"ortho.tif": geotiff(4)})
    refused = command(
        "upload", "--results", str(tmp_path / "ortho.tif"), "--new", "Maps", "--wait", *options, **cloud.login
    )
    assert refused.code != 0 and cloud.stored() == 0
    listed = command("files", "1", **cloud.login).out
    assert "Nothing was sent" in listed
