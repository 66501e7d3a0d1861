"""Results of a folder are recognised by content, with their companions; what is missing or wrong is said."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.intake.pictures import jpeg, picture
from tests.intake.results.files import (
    ESRI_UTM_32,
    LV_95,
    UTM_32_WKT,
    WGS_84,
    WORLD_FILE,
    geotiff,
    glb,
    keys_record,
    las,
    laz,
    mtl,
    obj,
    write,
)
from tui_uploader.errors import SourceDamaged, SourceRefused, SourceUnreadable
from tui_uploader.intake.results.survey import ResultSurvey, SurveyedResult, survey_results
from tui_uploader.intake.scan import scan
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.results import Finding, ResultFinding, ResultType
from tui_uploader.model.uploads import Skipped

PHOTO = jpeg(picture(16, 16))


def survey(*paths: Path) -> ResultSurvey:
    batches = list(scan([str(path) for path in paths], ProjectKind.RESULTS))
    return survey_results(
        [each for batch in batches for each in batch.candidates], [each for batch in batches for each in batch.skipped]
    )


def of(folder: Path, files: Mapping[str, bytes | str]) -> ResultSurvey:
    write(folder, files)
    return survey(folder)


def the_one(found: ResultSurvey) -> SurveyedResult:
    assert found.refused == ()
    (result,) = found.results
    return result


def companions(result: SurveyedResult) -> set[str]:
    above = result.main.path.rpartition("/")[0] + "/"
    return {each.path.removeprefix(above) for each in result.companions}


def what(result: SurveyedResult) -> set[Finding]:
    return {each.what for each in result.findings}


def test_a_whole_delivery(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        {
            "ortho.tif": geotiff(),
            "height/site_dsm.tif": geotiff(1, 32, 3),
            "height/site_dtm.tif": geotiff(1, 32, 3),
            "ndvi.tiff": geotiff(1, 32, 3),
            "cloud.laz": laz(records=[keys_record()]),
            "mesh/site.obj": obj(),
            "mesh/site.mtl": mtl(),
            "mesh/site.jpg": PHOTO,
            "readme.txt": "hello",
        },
    )
    assert {each.main.path.rpartition("/")[2]: each.type for each in found.results} == {
        "ortho.tif": ResultType.ORTHOMOSAIC,
        "site_dsm.tif": ResultType.DSM,
        "site_dtm.tif": ResultType.DTM,
        "ndvi.tiff": ResultType.INDEX,
        "cloud.laz": ResultType.POINT_CLOUD,
        "site.obj": ResultType.MESH,
    }
    assert all(each.findings == () for each in found.results)
    assert found.refused == ()
    assert found.skipped == (Skipped(str(tmp_path / "readme.txt"), "not a result (.txt)"),)
    mesh = found.results[-1].question()
    assert mesh.size == len(obj()) + len(mtl()) + len(PHOTO)
    assert mesh.companions == (str(tmp_path / "mesh/site.mtl"), str(tmp_path / "mesh/site.jpg"))


def test_a_georeference_beside_a_plain_tiff(tmp_path: Path) -> None:
    bare = geotiff(keys=(), placed=False)
    assert what(the_one(of(tmp_path / "bare", {"a.tif": bare}))) == {Finding.NO_CRS, Finding.NO_POSITION}
    files: dict[str, bytes | str] = {
        "a.tif": bare,
        "A.TFW": WORLD_FILE,
        "a.prj": ESRI_UTM_32,
        "other.tfw": WORLD_FILE,
        "b.prj": UTM_32_WKT,
    }
    found = of(tmp_path / "whole", files)
    result = the_one(found)
    assert result.crs is not None
    assert (result.crs.code, result.crs.projected) == (32632, True)
    assert companions(result) == {"A.TFW", "a.prj"}
    assert what(result) == set()
    assert {Path(each.path).name for each in found.skipped} == {"other.tfw", "b.prj"}


def test_a_file_named_alone_brings_its_companions(tmp_path: Path) -> None:
    write(tmp_path, {"a.obj": obj(["x/a.mtl"]), "x/a.mtl": mtl(["t/b.jpg"]), "x/t/b.jpg": PHOTO, "c.tif": geotiff()})
    assert companions(the_one(survey(tmp_path / "a.obj"))) == {"x/a.mtl", "x/t/b.jpg"}
    assert survey(tmp_path).skipped == ()


def test_the_offset_of_a_mesh_of_pix4d(tmp_path: Path) -> None:
    name = "site_simplified_3d_mesh"
    files: dict[str, bytes | str] = {
        f"{name}.obj": obj([f"{name}.mtl"]),
        f"{name}.mtl": mtl([f"{name}.jpg"]),
        f"{name}.jpg": PHOTO,
    }
    files |= {"site_offset.xyz": "500000 5200000 431\n", "other_offset.xyz": "1 2 3\n", "site.xyz": "1 2 3\n"}
    assert companions(the_one(of(tmp_path, files))) == {f"{name}.mtl", f"{name}.jpg", "site_offset.xyz"}


def test_companions_that_are_missing_or_outside_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"secret.jpg": PHOTO})
    named = [
        *("here.jpg", "gone.jpg", "../secret.jpg", "t/../../secret.jpg", str(tmp_path / "secret.jpg")),
        *("C:\\Users\\me\\t.jpg", "\\\\host\\t.jpg", "..\\secret.jpg", "file:///etc/passwd", "t\\b.jpg"),
    ]
    files = {"a.obj": obj(["a.mtl", "lost.mtl"]), "a.mtl": mtl(named), "here.jpg": PHOTO, "t/B.JPG": PHOTO}
    result = the_one(of(tmp_path / "mesh", files))
    assert companions(result) == {"a.mtl", "here.jpg", "t/B.JPG"}
    assert result.findings == (
        ResultFinding(Finding.COMPANIONS_MISSING, ("lost.mtl", "gone.jpg")),
        ResultFinding(Finding.COMPANIONS_OUTSIDE, tuple(named[2:9])),
    )


def test_names_written_on_another_system_are_found(tmp_path: Path) -> None:
    """Macs decompose letters, programs on Windows write their code page."""
    files: dict[str, bytes | str] = {
        "a.obj": b"mtllib Gel\xe4nde.mtl\n" + obj([]),
        "Gelände.mtl": mtl(["Gru\u0308n.jpg"]),
        "Grün.jpg": PHOTO,
    }
    result = the_one(of(tmp_path, files))
    assert companions(result) == {"Gelände.mtl", "Grün.jpg"}
    assert result.findings == ()


def test_nothing_is_taken_over_a_link_or_for_its_name_alone(tmp_path: Path) -> None:
    write(tmp_path, {"secret": "password", "photo.jpg": PHOTO})
    files: dict[str, bytes | str] = {
        "a.obj": obj(["a.mtl"]),
        "a.mtl": mtl(["key.jpg", "linked.jpg", "folder", "notes.txt", "x/photo.jpg"]),
        "key.jpg": "-----BEGIN OPENSSH PRIVATE KEY-----",
        "notes.txt": "secret",
        "folder/a": "x",
        "a.prj": "secret",
    }
    folder = tmp_path / "mesh"
    write(folder, files)
    (folder / "linked.jpg").symlink_to(tmp_path / "photo.jpg")
    (folder / "x").symlink_to(tmp_path)
    os.mkfifo(folder / "a_offset.xyz")
    result = the_one(survey(folder))
    assert companions(result) == {"a.mtl"}
    unusable = {each.names[0] for each in result.findings if each.what is Finding.COMPANIONS_UNUSABLE}
    assert unusable == {"key.jpg", "linked.jpg", "folder", "notes.txt", "x/photo.jpg", "a.prj", "a_offset.xyz"}


def test_very_many_unusable_textures_are_one_remark(tmp_path: Path) -> None:
    names = [f"{number}.jpg" for number in range(50)]
    files: dict[str, bytes | str] = {"a.obj": obj(["a.mtl"]), "a.mtl": mtl(names)} | dict.fromkeys(names, "x")
    (finding,) = the_one(of(tmp_path, files)).findings
    assert finding.names == tuple(names)
    assert finding.detail.startswith("0.jpg is not a JPEG")


def test_a_texture_is_no_map_and_a_photo_no_result(tmp_path: Path) -> None:
    files = {"a.obj": obj(["a.mtl"]), "a.mtl": mtl(["wall.tif"]), "wall.tif": geotiff(), "DJI_0001.JPG": PHOTO}
    found = of(tmp_path, files)
    assert companions(the_one(found)) == {"a.mtl", "wall.tif"}
    assert [each.reason for each in found.skipped] == ["belongs to no result among these files"]


def test_the_result_with_another_coordinate_system_is_named(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        {
            "a.tif": geotiff(keys=LV_95),
            "b_dsm.tif": geotiff(1, 32, 3),
            "c.las": las(records=[keys_record()]),
            "d.las": las(records=[keys_record(WGS_84)]),
        },
    )
    others = {Path(each.main.path).name: each.findings for each in found.results if each.findings}
    assert others == {
        "a.tif": (ResultFinding(Finding.OTHER_CRS, ("b_dsm.tif", "EPSG:32632"), "EPSG:2056"),),
        "d.las": (
            ResultFinding(Finding.OTHER_CRS, ("b_dsm.tif", "EPSG:32632"), "EPSG:4326"),
            ResultFinding(Finding.GEOGRAPHIC, detail="EPSG:4326"),
        ),
    }


def test_files_that_are_no_results_are_refused_each_with_its_reason(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        {
            "cut.tif": geotiff()[:900],
            "empty.laz": b"",
            "photo.tif": PHOTO,
            "text.obj": "hello",
            "zeros.glb": bytes(5000),
            "good.tif": geotiff(),
        },
    )
    assert [Path(each.main.path).name for each in found.results] == ["good.tif"]
    assert {Path(each.main.path).name: type(each.error) for each in found.refused} == {
        "cut.tif": SourceDamaged,
        "empty.laz": SourceDamaged,
        "photo.tif": SourceRefused,
        "text.obj": SourceRefused,
        "zeros.glb": SourceDamaged,
    }


def test_what_is_no_file_any_more_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a.tif": geotiff(), "b.glb": glb(), "c.las": las()})
    (batch,) = scan([str(tmp_path)], ProjectKind.RESULTS)
    (tmp_path / "a.tif").unlink()
    os.mkfifo(tmp_path / "a.tif")
    (tmp_path / "b.glb").unlink()
    (tmp_path / "b.glb").symlink_to(tmp_path / "c.las")
    found = survey_results(batch.candidates)
    assert [type(each.error) for each in found.refused] == [SourceUnreadable, SourceUnreadable]


def test_two_meshes_share_a_texture(tmp_path: Path) -> None:
    files = {"a.obj": obj(["a.mtl"]), "b.obj": obj(["a.mtl"]), "a.mtl": mtl(["t.jpg"]), "t.jpg": PHOTO}
    assert [companions(each) for each in of(tmp_path, files).results] == [{"a.mtl", "t.jpg"}] * 2


@pytest.mark.parametrize("name", ["a", "a.mtl", "b.mtl"])
def test_materials_that_name_themselves_end(tmp_path: Path, name: str) -> None:
    files = {"a.obj": obj(["a.mtl", "b.mtl"]), "a.mtl": mtl(["b.mtl", name]), "b.mtl": mtl(["a.mtl", name])}
    assert companions(the_one(of(tmp_path, files))) == {"a.mtl", "b.mtl"}
