"""Single files of results: accepted and refused by content, with the reason; never a hang, never another error."""

from __future__ import annotations

import io
import os
import random
import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from PIL import Image

from tests.intake.pictures import jpeg, picture, tiff
from tests.intake.results.files import (
    ESRI_UTM_32,
    UTM_32_WKT,
    WORLD_FILE,
    geotiff,
    glb,
    keys_record,
    las,
    layer,
    laz,
    mtl,
    obj,
    wkt_record,
    write,
)
from tui_uploader.errors import SourceDamaged, SourceError, SourceRefused, SourceUnreadable, SourceVanished
from tui_uploader.file_kinds import RESULT_EXTENSIONS, extension_of
from tui_uploader.intake.results.check import check_companion, check_main, crs_beside, textures_of
from tui_uploader.intake.results.survey import survey_results
from tui_uploader.intake.scan import candidate_of

AUX = (
    f"<PAMDataset>\n  <SRS dataAxisToSRSAxisMapping='1,2'>{UTM_32_WKT.replace(chr(34), '&quot;')}</SRS>\n</PAMDataset>"
)


def check_file(path: str, descriptor: int | None = None) -> None:
    check = check_main if extension_of(path) in RESULT_EXTENSIONS else check_companion
    check(path, descriptor)


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 20)).save(buffer, "PNG")
    return buffer.getvalue()


GOOD: dict[str, bytes] = {
    "ortho.tif": geotiff(),
    "by_pillow.tiff": tiff(),
    "pages.tif": tiff(save_all=True, append_images=[picture()]),
    "dsm.TIF": geotiff(1, 32, 3, big=True, further=[layer(16, 12, subfile=1)]),
    "cloud.las": las(minor=4, records=[wkt_record()]),
    "cloud.LAZ": laz(records=[keys_record()]),
    "mesh.obj": obj(),
    "mesh.glb": glb(),
    "mesh.mtl": mtl(),
    "texture.jpg": jpeg(),
    "texture.JPEG": jpeg(progressive=True),
    "texture.png": png(),
    "ortho.tfw": WORLD_FILE.encode(),
    "ortho.wld": b"1e-3, 0 0 -1E-3; 5 +6\r\n",
    "ortho.prj": UTM_32_WKT.encode(),
    "esri.prj": ESRI_UTM_32.encode(),
    "windows.prj": ESRI_UTM_32.encode("utf-16"),
    "ortho.tif.ovr": geotiff(keys=()),
    "ortho.tif.aux.xml": AUX.encode(),
    "site_offset.xyz": b"500000.0 5200000.0 431.0\n",
}


@pytest.mark.parametrize("name", GOOD)
def test_good_files_are_accepted(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: GOOD[name]})
    check_file(str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("ortho.tif", b"", "is empty"),
        ("ortho.tif", tiff()[:-100], "cut off"),
        ("ortho.tif", b"LASF" + bytes(300), "named like a TIFF but is a LAS point cloud"),
        ("ortho.tif", jpeg(), "named like a TIFF but is a JPEG"),
        ("cloud.laz", b"ZIP?" + bytes(300), "is not a LAS point cloud"),
        ("cloud.las", bytes(300), "nothing but zeros"),
        ("cloud.las", geotiff(), "named like a LAS point cloud but is a TIFF"),
        ("mesh.obj", b"", "is empty"),
        ("mesh.obj", b"\x7fELF\0\1", "not in plain text"),
        ("mesh.obj", jpeg(), r"named like a mesh \(OBJ\) but is a JPEG"),
        ("mesh.mtl", jpeg(), r"named like a list of materials \(MTL\) but is a JPEG"),
        ("mesh.glb", obj(), "is not a GLB"),
        ("mesh.gltf", b'{"asset":{"version":"2.0"}}', "has an extension that is not uploaded"),
        ("texture.png", jpeg(), "named like a PNG but is a JPEG"),
        ("texture.png", png()[:-8], "is cut off"),
        ("texture.jpg", jpeg()[: len(jpeg()) // 2], "image data ends too early"),
        ("texture.jpg", jpeg()[:20], "damaged or cut off"),
        ("texture.webp", b"RIFF", "has an extension that is not uploaded"),
        ("a.tfw", b"password", "does not contain the numbers"),
        ("a.tfw", b"1 " * 5000, "does not contain the numbers"),
        ("a.prj", b"-----BEGIN OPENSSH PRIVATE KEY-----", "states no coordinate system"),
        ("a.prj", UTM_32_WKT.encode() + b" " * 70_000, "states no coordinate system"),
        ("a.tif.aux.xml", b"<html>", "does not contain the metadata"),
        ("a.ovr", geotiff()[:500], "cut off"),
        ("offset.xyz", b"# points", "does not contain the numbers"),
        ("id_rsa", b"-----BEGIN OPENSSH PRIVATE KEY-----", "has an extension that is not uploaded"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    write(tmp_path, {name: content})
    with pytest.raises(SourceRefused, match=reason) as caught:
        check_file(str(tmp_path / name))
    assert str(caught.value).startswith(f"{name} ")
    assert str(caught.value).endswith(".")


def test_a_gltf_of_several_files_is_explained(tmp_path: Path) -> None:
    write(tmp_path, {"mesh.gltf": "{}", "mesh.fbx": "x"})
    with pytest.raises(SourceRefused, match=r"export it as one \.glb"):
        check_main(str(tmp_path / "mesh.gltf"))
    with pytest.raises(SourceRefused, match="give it the right one"):
        check_main(str(tmp_path / "mesh.fbx"))


def test_damage_is_told_from_what_is_no_result(tmp_path: Path) -> None:
    write(tmp_path, {"a.tif": geotiff()[:1000], "b.tif": jpeg()})
    with pytest.raises(SourceDamaged):
        check_file(str(tmp_path / "a.tif"))
    with pytest.raises(SourceRefused) as caught:
        check_file(str(tmp_path / "b.tif"))
    assert not isinstance(caught.value, SourceDamaged)


def test_the_coordinate_system_beside_a_file(tmp_path: Path) -> None:
    write(tmp_path, {"a.prj": ESRI_UTM_32.encode("utf-16"), "a.tif.aux.xml": AUX, "b.aux.xml": "<PAMDataset/>"})
    for name in ("a.prj", "a.tif.aux.xml"):
        found = crs_beside(str(tmp_path / name))
        assert found is not None and found.code == 32632
    assert crs_beside(str(tmp_path / "b.aux.xml")) is None


def test_an_open_file_is_checked_from_its_beginning_and_stays_open(tmp_path: Path) -> None:
    write(tmp_path, {"a.jpg": jpeg(), "a.tif": geotiff()})
    for name in ("a.jpg", "a.tif"):
        with (tmp_path / name).open("rb", buffering=0) as file:
            file.seek(0, os.SEEK_END)
            (tmp_path / name).unlink()
            check_file(name, file.fileno())
            assert os.fstat(file.fileno()).st_size > 0


def test_read_errors_are_no_refusals(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tif")
    (tmp_path / "folder.las").mkdir()
    write(tmp_path, {"a.obj": obj()})
    (tmp_path / "link.obj").symlink_to(tmp_path / "a.obj")
    with pytest.raises(SourceVanished):
        check_main(str(tmp_path / "nowhere.tif"))
    for name in ("pipe.tif", "folder.las", "link.obj"):
        with pytest.raises(SourceUnreadable):
            check_main(str(tmp_path / name))
    for check in (check_companion, textures_of, crs_beside):
        with pytest.raises(SourceUnreadable):
            check(str(tmp_path / "link.obj"))


def test_a_hostile_name_is_escaped(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\x1b[2J\n\xff.tif")
    path.touch()
    with pytest.raises(SourceRefused) as caught:
        check_main(str(path))
    assert str(caught.value).startswith(r"\x1b[2J\x0a\xff.tif is empty")


# --------------------------------------------------------------------------------------------------------- mutants

FIELDS = ("B", "<H", ">H", "<I", ">I", "<Q", "<d")
EXTREMES = (
    0,
    1,
    2,
    7,
    8,
    255,
    256,
    65_535,
    1 << 20,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 40,
    1 << 63,
    (1 << 64) - 1,
)


def mutant(content: bytes, rng: random.Random) -> bytes:
    """The content with a few fields changed, cut, lengthened or mixed with noise."""
    new = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(min(len(new) or 1, rng.choice((64, 500, len(new) or 1))))
        match rng.randrange(6):
            case 0:
                del new[max(1, at) :]
            case 1:
                new[at : at + 1] = rng.randbytes(rng.randrange(40))
            case 2:
                new += bytes(rng.randrange(5000))
            case _:
                field = rng.choice(FIELDS)
                if at + struct.calcsize(field) <= len(new):
                    most = 1 << 8 * struct.calcsize(field)
                    value = rng.choice((rng.choice(EXTREMES), rng.randrange(len(new) or 1), rng.randrange(most))) % most
                    struct.pack_into(field, new, at, float(value) if field == "<d" else value)
    return bytes(new)


@pytest.mark.parametrize("name", GOOD)
def test_mutants_are_at_worst_refused(tmp_path: Path, name: str) -> None:
    rng = random.Random(name)
    path = tmp_path / name
    for _ in range(80):
        path.write_bytes(mutant(GOOD[name], rng))
        try:
            check_file(str(path))
        except SourceError as error:
            assert str(error).isprintable()
        if extension_of(name) in RESULT_EXTENSIONS:
            found = survey_results([candidate_of(str(path))])
            assert len(found.results) + len(found.refused) == 1


@pytest.mark.parametrize("name", GOOD)
def test_a_huge_file_is_not_kept_in_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(GOOD[name])
    os.truncate(path, 50_000_000_000)
    tracemalloc.start()
    begin = time.process_time()
    try:
        if extension_of(name) in RESULT_EXTENSIONS:
            check_main(str(path))
        else:
            check_companion(str(path), whole=False)
    except SourceRefused:
        pass
    finally:
        memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert memory < 24_000_000
    assert time.process_time() - begin < 5
