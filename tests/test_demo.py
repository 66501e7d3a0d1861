"""The sample flight has the properties that it reports."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tui_uploader.demo import SampleFlight, write_sample_flight
from tui_uploader.errors import SourceRefused
from tui_uploader.intake.fingerprint import fingerprint
from tui_uploader.intake.inspect import inspect_image
from tui_uploader.intake.scan import Candidate, scan
from tui_uploader.model.files import PhotoFacts
from tui_uploader.model.projects import ProjectKind


@pytest.fixture(scope="module")
def flight(tmp_path_factory: pytest.TempPathFactory) -> SampleFlight:
    return write_sample_flight(tmp_path_factory.mktemp("flight"), images=12)


def candidates(flight: SampleFlight) -> list[Candidate]:
    return [found for batch in scan([str(flight.folder)], ProjectKind.IMAGES) for found in batch.candidates]


def whole(flight: SampleFlight) -> dict[str, PhotoFacts]:
    facts = {}
    for candidate in candidates(flight):
        try:
            facts[fingerprint(candidate.path).identity] = inspect_image(candidate.path)
        except SourceRefused:
            continue
    return facts


def test_the_counts_match_the_files(flight: SampleFlight) -> None:
    found = candidates(flight)
    contents = Counter(fingerprint(candidate.path).identity for candidate in found)
    assert flight.images == len(whole(flight)) == 12
    assert flight.duplicates == len(found) - len(contents) == 3
    assert flight.broken == len(contents) - len(whole(flight)) == 1
    assert flight.others == sum(len(batch.skipped) for batch in scan([str(flight.folder)], ProjectKind.IMAGES)) == 1


def test_two_folders_share_one_name_for_two_contents(flight: SampleFlight) -> None:
    names = Counter(Path(candidate.path).name for candidate in candidates(flight))
    assert [name for name, count in names.items() if count > 1] == ["DJI_0001.JPG"]
    assert flight.clashes == 1
    assert {path.name for path in (flight.folder / "DCIM").iterdir()} == {"100MEDIA", "101MEDIA", "README.txt"}


def test_every_photo_has_a_position_and_a_time(flight: SampleFlight) -> None:
    photos = sorted(whole(flight).values(), key=lambda facts: facts.taken_at or "")
    assert len({photo.taken_at for photo in photos}) == 12
    assert len({(photo.latitude, photo.longitude) for photo in photos}) == 12


def test_the_lanes_turn_at_the_edges(flight: SampleFlight) -> None:
    """Between two photos the drone moves along its lane, or to the next one."""
    photos = sorted(whole(flight).values(), key=lambda facts: facts.taken_at or "")
    for one, next_one in pairwise(photos):
        assert (one.latitude == next_one.latitude) != (one.longitude == next_one.longitude)


@pytest.mark.parametrize("images", [6, 7, 120])
def test_flights_of_other_sizes(tmp_path: Path, images: int) -> None:
    written = write_sample_flight(tmp_path, images)
    assert len(whole(written)) == written.images == images


def test_a_flight_with_too_few_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="6 photos or more"):
        write_sample_flight(tmp_path, 5)
