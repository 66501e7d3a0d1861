"""What a binary glTF file (GLB) tells, and whether it is whole. Source: Khronos glTF 2.0.1, sections 3 and 4.4."""

from __future__ import annotations

import struct
from typing import BinaryIO
from urllib.parse import unquote

import msgspec

from tui_uploader.intake.results.facts import Damaged, NotUsable, ResultFacts
from tui_uploader.intake.results.mesh import MOST_REFERENCES
from tui_uploader.model.results import Finding, ResultFinding, ResultType

START = b"glTF"

_HEADER, _CHUNK = struct.Struct("<4sII"), struct.Struct("<II")
_JSON = 0x4E4F534A
_LONGEST_JSON = 16 << 20
_MOST_CHUNKS = 64


class _Asset(msgspec.Struct):
    version: str


class _Part(msgspec.Struct):
    uri: str | None = None
    byteLength: int = 0


class _Scene(msgspec.Struct):
    asset: _Asset
    meshes: list[msgspec.Raw] = []
    buffers: list[_Part] = []
    images: list[_Part] = []


def glb_facts(file: BinaryIO, size: int) -> ResultFacts:
    """Read the header and the description of a GLB file of `size` bytes. Raises NotUsable, OSError."""
    file.seek(0)
    raw = file.read(_HEADER.size)
    if len(raw) < _HEADER.size:
        raise Damaged("is cut off within its header")
    _, version, length = _HEADER.unpack(raw)
    if version != 2:
        raise NotUsable(f"is of glTF version {version}; export it as glTF 2.0")
    if length > size:
        raise Damaged(f"is cut off: {length - size:,} of its {length:,} bytes are missing")
    if length < size:
        raise Damaged(f"is damaged: {size - length:,} bytes follow its end")
    binary = _check_chunks(file, size)
    scene = _scene(file)
    if not scene.meshes:
        raise NotUsable("has no mesh in it; export it again")
    inside = scene.buffers[0].byteLength if scene.buffers and scene.buffers[0].uri is None else 0
    if inside > binary:
        raise Damaged("is damaged or cut off: a part of its data is missing")
    named = [
        unquote(part.uri) for part in (*scene.buffers, *scene.images) if part.uri and not part.uri.startswith("data:")
    ]
    return ResultFacts(
        (ResultType.MESH,),
        ResultType.MESH,
        states_crs=False,
        findings=(ResultFinding(Finding.NOT_LISTED, detail="GLB"),),
        references=tuple(dict.fromkeys(named))[: MOST_REFERENCES + 1],
    )


def _check_chunks(file: BinaryIO, size: int) -> int:
    """Bytes of the chunk of binary data. Raises Damaged unless the chunks are in the file, the description first."""
    at, binary = _HEADER.size, 0
    for index in range(_MOST_CHUNKS):
        if at == size and index:
            break
        file.seek(at)
        raw = file.read(_CHUNK.size)
        if len(raw) < _CHUNK.size:
            raise Damaged("is damaged or cut off")
        length, kind = _CHUNK.unpack(raw)
        at += _CHUNK.size + length
        if at > size or (index == 0) != (kind == _JSON):
            raise Damaged("is damaged or cut off")
        binary = length if index == 1 else binary
    return binary


def _scene(file: BinaryIO) -> _Scene:
    file.seek(_HEADER.size)
    length, _ = _CHUNK.unpack(file.read(_CHUNK.size))
    if length > _LONGEST_JSON:
        raise NotUsable("has a description that is too long to be checked; export it again")
    try:
        scene = msgspec.json.decode(file.read(length).rstrip(b" \0"), type=_Scene)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Damaged("is damaged: its description cannot be read") from error
    if not scene.asset.version.startswith("2."):
        raise NotUsable("is of another version of glTF; export it as glTF 2.0")
    return scene
