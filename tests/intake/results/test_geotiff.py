"""GeoTIFFs of every byte order: what they tell, overviews and masks, files that are cut off or hostile."""

from __future__ import annotations

import io
import os
import struct
import time
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from tests.intake.results.files import LV_95, UTM_32, Tag, ascii_tag, geotiff, layer, tiff
from tui_uploader.errors import SourceDamaged
from tui_uploader.intake.formats.tiff import NotTiff, TiffReader
from tui_uploader.intake.results.check import check_main
from tui_uploader.intake.results.facts import Damaged, NotUsable, ResultFacts
from tui_uploader.intake.results.geotiff import raster_facts
from tui_uploader.model.results import Finding, ResultFinding, ResultType

GB = 1_000_000_000
KINDS = [("<", False), (">", False), ("<", True), (">", True)]


def facts(content: bytes, name: str = "a.tif") -> ResultFacts:
    return raster_facts(io.BytesIO(content), len(content), name)


def what(found: ResultFacts) -> list[Finding]:
    return [each.what for each in found.findings]


@pytest.mark.parametrize(("order", "big"), KINDS)
@pytest.mark.parametrize(("bands", "bits", "format"), [(3, 8, 1), (4, 8, 1), (3, 16, 1), (1, 32, 3), (1, 16, 2)])
def test_every_kind_of_tiff_is_read(order: str, big: bool, bands: int, bits: int, format: int) -> None:
    content = geotiff(bands, bits, format, order=order, big=big)
    if bits == 8 and (order, big) != (">", True):  # Pillow reads no big-endian BigTIFF
        assert Image.open(io.BytesIO(content)).size == (32, 24)
    found = facts(content, "site_dsm.tif")
    assert found.type is (ResultType.ORTHOMOSAIC if bands >= 3 else ResultType.DSM)
    assert found.crs is not None
    assert (found.crs.code, found.placed) == (32632, True)
    assert what(found) == ([Finding.NAME_DIFFERS] if bands >= 3 else [])


def test_what_a_plain_tiff_does_not_state() -> None:
    found = facts(geotiff(keys=(), placed=False))
    assert (found.crs, found.placed, found.findings) == (None, False, ())
    turned = facts(geotiff(placed=False, tags={34264: ("d", [0.0] * 16)}))
    assert turned.placed
    assert not facts(geotiff(placed=False, tags={33550: ("d", [1.0] * 3)})).placed


def test_the_name_of_the_coordinate_system() -> None:
    keys = (1, 1, 0, 2, 1026, 34737, 15, 0, 3072, 0, 1, 2056)
    found = facts(geotiff(keys=keys, texts="CH1903+ / LV95|"))
    assert found.crs is not None and found.crs.label == "EPSG:2056 (CH1903+ / LV95)"


@pytest.mark.parametrize(
    ("tags", "type"),
    [
        ({}, None),
        ({42112: ascii_tag(
            '<GDALMetadata>\n  <Item name="STATISTICS_MAXIMUM" sample="0">0.91</Item>\n'
            '  <Item name="STATISTICS_MINIMUM" sample="0">-0.2</Item>\n</GDALMetadata>')}, ResultType.INDEX),
        ({42112: ascii_tag(
            '<GDALMetadata><Item name="STATISTICS_MAXIMUM">431</Item>'
            '<Item name="STATISTICS_MINIMUM">212</Item></GDALMetadata>')}, None),
        ({340: ("d", [-0.5]), 341: ("d", [0.5])}, ResultType.INDEX),
        ({340: ("d", [float("nan")]), 341: ("d", [0.5])}, None),
        ({340: ("d", [0.0]), 341: ("d", [0.0])}, None),
        ({42112: ascii_tag(
            '<Item name="STATISTICS_MAXIMUM">inf</Item><Item name="STATISTICS_MINIMUM">x</Item>')}, None),
    ],
)  # fmt: skip
def test_values_that_the_file_states_tell_an_index_map(tags: Mapping[int, Tag], type: ResultType | None) -> None:
    assert facts(geotiff(1, 32, 3, tags=tags)).type is type


def test_a_photo_of_a_multispectral_camera_is_no_result() -> None:
    camera: dict[int, Tag] = {271: ascii_tag("MicaSense"), 34665: ("I", [8])}
    with pytest.raises(NotUsable, match="upload photos as images"):
        facts(geotiff(1, 16, keys=(), placed=False, tags=camera))
    assert facts(geotiff(1, 16, tags=camera)).placed


OVERVIEW, MASK, PAGE = layer(16, 12, subfile=1), layer(32, 24, subfile=4), layer(32, 24)


@pytest.mark.parametrize(
    ("further", "several"),
    [
        ([], False),
        ([OVERVIEW], False),
        ([OVERVIEW, MASK, layer(16, 12, subfile=5)], False),
        ([layer(16, 12)], False),  # a pyramid without marks
        ([PAGE], True),
        ([OVERVIEW, PAGE], True),
        ([layer(64, 48, subfile=2)], True),
    ],
)
def test_overviews_and_masks_are_no_layers(further: list[Mapping[int, Tag]], several: bool) -> None:
    assert what(facts(geotiff(further=further))) == ([Finding.SEVERAL_LAYERS] if several else [])


def test_a_layer_below_the_main_one_counts() -> None:
    content = geotiff(further=[PAGE])
    (second,) = (TiffReader(io.BytesIO(content), 0, len(content)).first_directory().following,)
    below = geotiff(tags={330: ("I", [second + 24])}, further=[PAGE])
    at = TiffReader(io.BytesIO(below), 0, len(below)).first_directory().following
    below = geotiff(tags={330: ("I", [at])}, further=[PAGE])
    assert what(facts(below)) == [Finding.SEVERAL_LAYERS]


@pytest.mark.parametrize(("order", "big"), KINDS)
def test_a_file_cut_off_anywhere_is_noticed(order: str, big: bool) -> None:
    plain = geotiff(order=order, big=big)
    for size in range(0, len(plain) - 8, 5):
        with pytest.raises(Damaged):
            facts(plain[:size])
    content = geotiff(order=order, big=big, further=[OVERVIEW])
    last = TiffReader(io.BytesIO(content), 0, len(content)).first_directory().following
    for size in range(len(plain), last + 1):
        with pytest.raises(Damaged):
            facts(content[:size])
    for size in range(last + 1, last + (8 + 20 * 10 if big else 2 + 12 * 10), 5):
        assert what(facts(content[:size])) == [Finding.MAY_BE_CUT_OFF]


def test_an_overview_whose_pixels_are_missing_is_noticed() -> None:
    with pytest.raises(Damaged, match="an overview"):
        facts(geotiff(further=[layer(16, 12, subfile=1, at=1 << 20)]))


@pytest.mark.parametrize(("order", "big"), KINDS)
def test_directories_in_a_circle_end(order: str, big: bool) -> None:
    content = bytearray(geotiff(order=order, big=big, further=[OVERVIEW, OVERVIEW]))
    reader = TiffReader(io.BytesIO(bytes(content)), 0, len(content))
    offset = order + ("Q" if big else "I")
    second = reader.first_directory().following
    third = reader.directory(second).following
    for target in (reader.first, second, third):
        at = third + (8 + 20 * 10 if big else 2 + 12 * 10)
        struct.pack_into(offset, content, at, target)
        assert what(facts(bytes(content))) == []


def test_a_chain_of_very_many_directories_ends() -> None:
    found = facts(geotiff(further=[layer(16, 12, subfile=1)] * 3000))
    assert found.findings == ()


@pytest.mark.parametrize("count", [5000, 0xFFFFFFFF, 1 << 62])
def test_billions_of_tags_or_values_are_refused(count: int) -> None:
    head = struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, count)
    with pytest.raises(Damaged):
        facts(head + bytes(5000))
    values = geotiff(big=True, tags={273: ("Q", [16]), 279: ("Q", [32 * 24 * 3])})
    for tag, kind in ((258, 3), (273, 16), (279, 16), (339, 3), (34735, 3)):
        changed = bytearray(values)
        struct.pack_into("<Q", changed, values.index(struct.pack("<HH", tag, kind)) + 4, count)
        if tag in (279, 339):  # decoders do without these
            assert facts(bytes(changed)).type is ResultType.ORTHOMOSAIC
        else:
            with pytest.raises(Damaged):
                facts(bytes(changed))


def sparse(path: Path, size: int, tiles: int, *, missing: int = 0, width: int = 1 << 18) -> None:
    """A BigTIFF of `size` bytes in tiles of 512 x 512 pixels; the data of the last `missing` ones is beyond the end."""
    across = -(-width // 512)
    each = (size - 64 - 16 * tiles) // (tiles - missing)
    offsets = 4096
    tags: dict[int, Tag] = {
        256: ("I", [width]),
        257: ("I", [512 * (tiles // across)]),
        258: ("H", [8, 8, 8]),
        259: ("H", [7]),
        262: ("H", [6]),
        277: ("H", [3]),
        322: ("I", [512]),
        323: ("I", [512]),
        324: ("Q", [0]),
        325: ("Q", [0]),
        33550: ("d", [0.05, 0.05, 0.0]),
        33922: ("d", [0, 0, 0, 500_000.0, 5_200_000.0, 0]),
        34735: ("H", UTM_32),
    }
    head = bytearray(tiff([tags], b"", big=True))
    for number, tag in enumerate((324, 325)):
        at = head.index(struct.pack("<HH", tag, 16))
        struct.pack_into("<QQ", head, at + 4, tiles, offsets + number * 8 * tiles)
    begin = offsets + 16 * tiles
    with path.open("wb") as file:
        file.write(head)
        for first, table in ((begin, range(tiles)), (None, range(tiles))):
            file.seek(offsets if first else offsets + 8 * tiles)
            file.write(struct.pack(f"<{tiles}Q", *(begin + each * index if first else each for index in table)))
        file.truncate(size)
        file.seek(begin + each * (tiles - missing) - 2)
        file.write(b"\xff\xd9")


def checked(path: Path) -> tuple[ResultFacts | None, float, int]:
    """What is found, seconds of work, and bytes of memory; None: refused as damaged."""
    tracemalloc.start()
    begin = time.process_time()
    try:
        found = check_main(str(path))
    except SourceDamaged:
        found = None
    seconds, memory = time.process_time() - begin, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, seconds, memory


def test_a_sparse_map_of_20_gb_is_read_at_once(tmp_path: Path) -> None:
    whole, cut = tmp_path / "ortho.tif", tmp_path / "cut.tif"
    sparse(whole, 20 * GB, 20_480)
    found, seconds, memory = checked(whole)
    assert found is not None and found.type is ResultType.ORTHOMOSAIC
    assert found.findings == (ResultFinding(Finding.TOO_LARGE_TO_TILE, detail=str(20 * GB)),)
    assert seconds < 5 and memory < 4_000_000
    sparse(cut, 20 * GB, 20_480, missing=300)
    found, seconds, memory = checked(cut)
    assert found is None
    assert seconds < 5 and memory < 4_000_000


@pytest.mark.parametrize("compression", [5, 7, 8, 32946, 50000, 50001])
def test_zeros_in_the_place_of_compressed_pixels_are_noticed(compression: int) -> None:
    """An interrupted copy of the full size."""
    packed = geotiff(tags={259: ("H", [compression])})
    assert facts(packed).type is ResultType.ORTHOMOSAIC
    end = 16 + 32 * 24 * 3
    with pytest.raises(Damaged, match="zeros"):
        facts(packed[: end - 64] + bytes(64) + packed[end:])
    assert facts(geotiff(tags={259: ("H", [1])})[:1000] + bytes(end - 1000) + geotiff()[end:]).findings == ()


def test_half_a_million_tiles_are_sampled(tmp_path: Path) -> None:
    sparse(tmp_path / "whole.tif", 100 * GB, 1 << 19)
    found, seconds, memory = checked(tmp_path / "whole.tif")
    assert found is not None
    assert seconds < 5 and memory < 4_000_000
    sparse(tmp_path / "cut.tif", 100 * GB, 1 << 19, missing=2100)
    assert checked(tmp_path / "cut.tif")[0] is None


def test_billions_of_strips_in_a_sparse_file_are_sampled(tmp_path: Path) -> None:
    """The tables of 2.5 billion strips would take hours to read."""
    count = 2_500_000_000
    content = bytearray(
        geotiff(1, 8, big=True, tags={273: ("Q", [16]), 278: ("I", [1]), 279: ("Q", [0]), 259: ("H", [8])})
    )
    for tag, where in ((273, 4096), (279, 4096 + 8 * count)):
        at = content.index(struct.pack("<HH", tag, 16))
        struct.pack_into("<QQ", content, at + 4, count, where)
    struct.pack_into("<I", content, content.index(struct.pack("<HHQ", 257, 4, 1)) + 12, count)
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    os.truncate(path, 60 * GB)
    _, seconds, memory = checked(path)
    assert seconds < 5 and memory < 4_000_000


def test_the_reader_itself_refuses_no_valid_map() -> None:
    content = geotiff(keys=LV_95)
    assert TiffReader(io.BytesIO(content), 0, len(content)).first_directory().entries.keys() >= {34735, 33550}
    with pytest.raises(NotTiff):
        TiffReader(io.BytesIO(content), 0, 7)
