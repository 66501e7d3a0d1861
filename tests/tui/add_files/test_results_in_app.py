"""Results in the app, in front of a real engine and the local cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.intake.results.files import geotiff, mtl, obj, write
from tests.photos import jpeg
from tests.tui.conftest import Screen, engine_running, showing
from tests.tui.uploads import flight
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile
from tui_uploader.local_cloud.server import running
from tui_uploader.model.projects import ProjectKind
from tui_uploader.settings import Directories


async def choose(screen: Screen, folder: Path, name: str) -> None:
    """Choose a folder and a project of results in the dialog of adding files."""
    await screen.press("u")
    await screen.shows("4 Go")
    screen.drop(folder)
    await screen.shows(f"{folder.name} ")
    await screen.press("ctrl+n", *name, "tab", "space")
    await screen.shows("(x) results")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    write(
        tmp_path / "out",
        {
            "may/ortho_may.tif": geotiff(),
            "may/quarry.obj": obj(["quarry.mtl"]),
            "may/quarry.mtl": mtl(["tex/0.jpg"]),
            "may/tex/0.jpg": jpeg(2_000),
            "june/ortho_june.tif": geotiff(4),
        },
    )
    return tmp_path / "out"


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_results_are_uploaded_shown_and_replaced_after_a_question(
    directories: Directories, field: Path, out: Path, size: tuple[int, int]
) -> None:
    async with showing(directories, size) as screen:
        await choose(screen, out / "may", "Quarry")
        await screen.shows("orthomosaic: ortho_may.tif", "mesh: quarry.obj + 1 .mtl + 1 texture")
        await screen.shows("Upload 4 files to new Quarry")
        await screen.press("ctrl+s")
        await screen.shows("✓ ortho_may.tif", "orthomosaic", "part of ", "Results are not processed")
        await screen.press("1")
        await screen.shows("⊞ Quarry", "2 results")
        await screen.press("slash", *":results", "enter")
        await screen.shows("[1] Projects  1 of 1")
        await screen.press("v")
        await screen.shows("Results of Quarry", "orthomosaic  ortho_may.tif", "mesh         quarry.obj")
        await screen.press("escape", "u")
        await screen.shows("4 Go")
        screen.drop(out / "june")
        await screen.shows("takes the place of ortho_may.tif")
        await screen.press("ctrl+s")
        await screen.shows("Replace ortho_may.tif (", "by ortho_june.tif (", "no longer shown")
        await screen.press("n")
        await screen.shows("Nothing was sent.")
        await screen.press("ctrl+s")
        await screen.shows("Replace ortho_may.tif (")
        await screen.press("y")
        await screen.hides("4 Go")

        def is_replaced() -> bool:
            project = screen.app.main.scope().project
            return project is not None and "ortho_june.tif" in [each.name for each in project.results]

        await screen.comes_true(is_replaced, "the new one never came")
        assert "P process" not in screen.text and "m map" not in screen.text


async def test_a_cloud_that_takes_no_results_says_so_before_anything_is_sent(
    directories: Directories, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = LocalCloudOptions(root=tmp_path / "cloud", port=0, profile=Profile.STRICT)
    async with running(options) as cloud:
        monkeypatch.setenv("PIX4D_CLOUD_URL", cloud.url)
        monkeypatch.setenv("PIX4D_CLIENT_ID", cloud.client_id)
        monkeypatch.setenv("PIX4D_CLIENT_SECRET", cloud.client_secret)
        async with engine_running(directories), showing(directories, (120, 36)) as screen:
            await screen.app.session.ask(lambda engine: engine.create_project("Quarry", ProjectKind.IMAGES, None))
            screen.app.session.refresh_projects()
            await screen.shows("Quarry")
            await choose(screen, out / "may", "Quarry")
            await screen.shows("has no call that adds processed results to a project. Nothing was sent.")
            await screen.press("ctrl+s", "ctrl+s")
            await screen.shows("4 Go", "has no call that adds processed results")
            status = screen.app.session.status
            assert status is not None and status.uploads == ()


async def test_images_have_no_question_about_results(directories: Directories, field: Path, tmp_path: Path) -> None:
    async with showing(directories, (80, 24)) as screen:
        await screen.press("u")
        await screen.shows("4 Go")
        screen.drop(flight(tmp_path, 3))
        await screen.shows("3 images")
        await screen.press("ctrl+n", *"Field", "ctrl+s")
        await screen.shows("✓3")
