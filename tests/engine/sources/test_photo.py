"""Facts of a photo for front ends: read from the card as it is now, or a reason why there are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.world import World, add, files_by_name
from tests.intake.pictures import flight_exif, jpeg, tiff
from tests.photos import of_yesterday
from tui_uploader.engine.journal.views import windows
from tui_uploader.engine.sources.photo import photo_facts
from tui_uploader.errors import NoSuchFile, NoSuchUpload, SourceChanged, SourceRefused, SourceVanished
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.files import PhotoFacts


def photo(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return of_yesterday(path)


async def test_facts_are_those_of_the_file_in_the_upload(tmp_path: Path) -> None:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))
    first = photo(world.card / "a.JPG", jpeg(exif=b"Exif\0\0" + flight_exif()))
    second = photo(world.card / "b.TIF", tiff())
    broken = photo(world.card / "c.JPG", b"no picture at all")
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        ids = {name: item.id for name, item in (await files_by_name(manager, upload)).items()}
        facts = await manager.queries.photo_facts(upload, ids["a.JPG"])
        assert (facts.camera, facts.taken_at, facts.width) == ("DJI FC6310S", "2026-05-12T09:41:07", 64)
        assert await manager.queries.photo_facts(upload, ids["b.TIF"]) == PhotoFacts(width=64, height=48)
        with pytest.raises(SourceRefused, match=r"c\.JPG is not a JPEG"):
            await manager.queries.photo_facts(upload, ids[broken.name])

        row = await world.journal.read(lambda connection: windows.file_of(connection, upload, ids["a.JPG"]))
        of_dismissed_upload = replace(row, mtime_ns=0, inode=0, mount="")
        assert await photo_facts(world.context.sources, of_dismissed_upload) == facts

        photo(first, jpeg())
        with pytest.raises(SourceChanged, match=r"a\.JPG has another size or date than the file in this upload"):
            await manager.queries.photo_facts(upload, ids["a.JPG"])
        second.unlink()
        with pytest.raises(SourceVanished, match=r"b\.TIF is missing"):
            await manager.queries.photo_facts(upload, ids["b.TIF"])
        with pytest.raises(NoSuchFile):
            await manager.queries.photo_facts(upload, 99)
        with pytest.raises(NoSuchUpload):
            await manager.queries.photo_facts(99, ids["a.JPG"])
