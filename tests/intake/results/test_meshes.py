"""Meshes: the files that OBJ, MTL and GLB name, and whether they seem whole."""

from __future__ import annotations

import io
import json
import os
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.results.files import glb, mtl, obj
from tui_uploader.intake.results.check import check_main
from tui_uploader.intake.results.facts import Damaged, NotUsable, ResultFacts
from tui_uploader.intake.results.glb import glb_facts
from tui_uploader.intake.results.mesh import MOST_REFERENCES, mesh_facts, texture_names
from tui_uploader.intake.results.references import relative_paths
from tui_uploader.model.results import Finding, ResultType

VERTICES = b"v 1 2 3\n" * 20


def mesh(content: bytes) -> ResultFacts:
    return mesh_facts(io.BytesIO(content), len(content))


def of_glb(content: bytes) -> ResultFacts:
    return glb_facts(io.BytesIO(content), len(content))


@pytest.mark.parametrize(
    ("head", "names"),
    [
        (b"mtllib a.mtl\n", ("a.mtl",)),
        (b"mtllib a.mtl b.mtl\r\n", ("a.mtl", "b.mtl")),
        (b"mtllib north wall.mtl\n", ("north wall.mtl",)),
        (b'  mtllib\t"a.mtl" \n', ("a.mtl",)),
        (b"# mtllib no.mtl\nmtllib a.mtl\nmtllib a.mtl\n", ("a.mtl",)),
        (b"o x\rmtllib a.mtl\r", ("a.mtl",)),
        (b"mtllib \xff.mtl\n", (os.fsdecode(b"\xff.mtl"),)),
        (b"mtllib\n", ()),
        (b"mtllib  \n", ()),
        (b"", ()),
    ],
)
def test_the_materials_of_a_mesh(head: bytes, names: tuple[str, ...]) -> None:
    found = mesh(head + VERTICES + b"f 1 2 3\n")
    assert found.type is ResultType.MESH
    assert found.references == names
    assert [each.what for each in found.findings] == ([] if names else [Finding.NO_MATERIALS])
    assert not found.states_crs


@pytest.mark.parametrize(
    ("statements", "names"),
    [
        (b"map_Kd a.jpg\nmap_Ka a.jpg\nmap_Bump n.png\nbump -bm 0.5 b.png\n", ("a.jpg", "n.png", "b.png")),
        (b"map_Kd -blendu on -o 0.5 1 -s 1 1 1 -clamp off my wall.jpg\n", ("my wall.jpg",)),
        (b"map_Kd -mm 0 1 -texres 512 x.jpg\nrefl -type sphere sky.png\n", ("x.jpg", "sky.png")),
        (b"\tmap_Kd textures\\a.jpg \r\nmap_aat on\nmap_d\nKd 1 1 1\n", ("textures\\a.jpg",)),
        (b"map_kd A.JPG\nnorm n.jpg\ndisp d.png\ndecal e.png\n", ("A.JPG", "n.jpg", "d.png", "e.png")),
        (b"map_Kd -s.jpg\n", ("-s.jpg",)),
        (b"#map_Kd no.jpg\nd 1\n", ()),
    ],
)
def test_the_textures_of_materials(statements: bytes, names: tuple[str, ...]) -> None:
    assert texture_names(io.BytesIO(b"newmtl m\n" + statements)) == names


def test_only_so_many_textures_are_looked_for() -> None:
    names = texture_names(io.BytesIO(mtl([f"{number}.jpg" for number in range(50_000)])))
    assert len(names) == MOST_REFERENCES + 1


def test_a_mesh_that_ends_early() -> None:
    assert mesh(b"mtllib a\n" + VERTICES).findings[0].what is Finding.MAY_BE_CUT_OFF
    assert mesh(b"mtllib a\n" + VERTICES + b"f 1 2 3\n" + VERTICES).findings == ()
    assert mesh(b"mtllib a\n" + VERTICES + b"# end of file\n").findings[0].what is Finding.MAY_BE_CUT_OFF
    with pytest.raises(Damaged, match="ends with zeros"):
        mesh(b"mtllib a\n" + VERTICES + bytes(100))
    assert mesh(b"mtllib a\n" + VERTICES + b"f 1 2 3\n\0").findings == ()


@pytest.mark.parametrize(
    ("last", "whole"),
    [
        (b"f 1/1 2/2 3/3", True),
        (b"f 1 2 3 4", True),
        (b"f 1//1 2//2 3//3", True),
        (b"usemtl m", True),
        (b"f 1/1 2/2", False),
        (b"f 1/1 2/2 3", False),
        (b"f 1/1 2/2 3/", False),
        (b"f", False),
        (b"v 1.0 2.0", False),
    ],
)
def test_the_last_line_of_a_mesh(last: bytes, whole: bool) -> None:
    content = b"mtllib a\n" + VERTICES + b"f 1 2 3\n" + last
    assert [each.what for each in mesh(content).findings] == ([] if whole else [Finding.MAY_BE_CUT_OFF])
    assert mesh(content + b"\n").findings == ()


def test_a_mesh_of_100_gb_is_read_at_its_ends(tmp_path: Path) -> None:
    path = tmp_path / "huge.obj"
    path.write_bytes(obj())
    with path.open("r+b") as file:
        file.truncate(100_000_000_000)
        file.seek(0, os.SEEK_END)
        file.write(b"\nf 1 2 3\n" * 10)
    begin = time.process_time()
    found = check_main(str(path))
    assert time.process_time() - begin < 5
    assert (found.references, found.findings) == (("site.mtl",), ())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jpg", ("a.jpg",)),
        ("./t//a.jpg", ("t/a.jpg",)),
        ("t/../a.jpg", ("a.jpg",)),
        ("t\\a.jpg", ("t\\a.jpg", "t/a.jpg")),
        ("...jpg", ("...jpg",)),
        ("ä.jpg", ("ä.jpg",)),
        (os.fsdecode(b"t\\\xe4.jpg"), (os.fsdecode(b"t\\\xe4.jpg"), "t\\ä.jpg", os.fsdecode(b"t/\xe4.jpg"), "t/ä.jpg")),
        ("..", ()),
        ("../a.jpg", ()),
        ("t/../../a.jpg", ()),
        ("t/../../t/a.jpg", ()),
        ("..\\a.jpg", ()),
        ("t\\..\\..\\a.jpg", ()),
        ("/etc/passwd", ()),
        ("\\\\host\\share\\a.jpg", ()),
        ("C:\\a.jpg", ()),
        ("c:a.jpg", ()),
        ("file:///a.jpg", ()),
        ("https://example.com/a.jpg", ()),
        ("", ()),
        (".", ()),
        ("t/..", ()),
        ("a\0.jpg", ()),
    ],
)
def test_where_a_named_file_may_be(name: str, expected: tuple[str, ...]) -> None:
    assert relative_paths(name) == expected


@given(st.lists(st.sampled_from(["..", ".", "a", "/", "\\", "C:", "", " ", "\0", "…"])).map("".join))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    for path in relative_paths(name):
        parts = path.split("/")
        assert parts and not {"", ".", ".."} & set(parts)


@pytest.mark.parametrize(
    ("description", "names"),
    [
        ({}, ()),
        ({"images": [{"uri": "a%20b.jpg"}, {"uri": "data:image/png;base64,AA"}, {"bufferView": 0}]}, ("a b.jpg",)),
        ({"buffers": [{"uri": "x.bin", "byteLength": 1 << 40}], "images": [{"uri": "x.bin"}]}, ("x.bin",)),
        ({"images": [{"uri": "%2e%2e/secret.jpg"}]}, ("../secret.jpg",)),
    ],
)
def test_what_a_glb_names(description: dict[str, object], names: tuple[str, ...]) -> None:
    found = of_glb(glb(description))
    assert (found.type, found.references) == (ResultType.MESH, names)
    assert [each.what for each in found.findings] == [Finding.NOT_LISTED]


def with_scene(text: bytes) -> bytes:
    body = struct.pack("<I4s", len(text), b"JSON") + text
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (glb()[:8], "within its header"),
        (glb()[:-4], "4 of its"),
        (glb() + b"\0" * 4, "4 bytes follow its end"),
        (struct.pack("<4sII", b"glTF", 1, 12), "glTF version 1"),
        (struct.pack("<4sII", b"glTF", 2, 12), "damaged or cut off"),
        (with_scene(b"{}")[:-1] + b" " * 0 + b"]", "cannot be read"),
        (with_scene(b"{" * 100_000), "cannot be read"),
        (with_scene(b'{"asset":{"version":"2.0"},"meshes":' + b"[" * 100_000), "cannot be read"),
        (with_scene(b"\xff\xfe"), "cannot be read"),
        (with_scene(json.dumps({"asset": {"version": "1.0"}, "meshes": [1]}).encode()), "another version"),
        (glb({"meshes": []}), "has no mesh"),
        (glb({"buffers": [{"byteLength": 1 << 30}]}), "a part of its data is missing"),
        (glb().replace(b"JSON", b"BIN\0"), "damaged or cut off"),
        (glb().replace(b"BIN\0", b"JSON"), "damaged or cut off"),
        (struct.pack("<4sII", b"glTF", 2, 2000) + struct.pack("<I4s", 1 << 31, b"JSON") + bytes(1980), "damaged"),
    ],
)
def test_a_glb_that_is_damaged(content: bytes, reason: str) -> None:
    with pytest.raises(NotUsable, match=reason):
        of_glb(content)


def test_a_description_too_long_to_be_read(tmp_path: Path) -> None:
    size = 3_000_000_000
    path = tmp_path / "a.glb"
    path.write_bytes(struct.pack("<4sIII4s", b"glTF", 2, size, size - 20, b"JSON"))
    os.truncate(path, size)
    with pytest.raises(Exception, match="too long to be checked"):
        check_main(str(path))
