"""Names of projects from a template."""

from __future__ import annotations

import pytest

from tui_uploader.engine.watches.naming import NameFacts, card_of, check_template, project_name, site_of
from tui_uploader.errors import UsageError

FACTS = NameFacts(site="North field", date="2026-11-30", camera="DJI FC6310S", card="CARD7")
NONE = NameFacts(card="CARD7")


@pytest.mark.parametrize(
    ("template", "facts", "name"),
    [
        ("{site} {date}", FACTS, "North field 2026-11-30"),
        ("{card} {date}", NONE, "CARD7"),
        ("{site} - {date} - {camera}", FACTS, "North field - 2026-11-30 - DJI FC6310S"),
        ("{site} - {date} - {camera}", NameFacts(site="A", camera="B"), "A - B"),
        ("{site} - {date} - {camera}", NameFacts(date="2026-11-30"), "2026-11-30"),
        ("{date} ({camera})", NameFacts(date="2026-11-30"), "2026-11-30"),
        ("Flight {date}", NameFacts(), "Flight"),
        ("{camera}", NONE, "CARD7"),  # nothing is left: a project needs a name
        ("{camera}", NameFacts(), "Card"),
        ("{site}_{date}_{camera}", NameFacts("A", "", ""), "A"),
        ("{site}", NameFacts(site="a/b\\c"), "a-b-c"),  # as the service keeps it
        ("{site}", NameFacts(site=" x\n\ty \x1b[31m "), "x\\x0a\\x09y \\x1b[31m"),
        ("{site}", NameFacts(site="{card}", card="CARD7"), "{card}"),  # filled in once
        ("{{{card}}}", FACTS, "{CARD7}"),
    ],
)
def test_values_are_filled_in_and_empty_ones_left_out(template: str, facts: NameFacts, name: str) -> None:
    check_template(template)
    assert project_name(template, facts, 100, lambda _: False) == name


def test_a_taken_name_gets_a_number() -> None:
    taken = {"CARD7", "CARD7 (2)"}
    assert project_name("{card}", NONE, 100, taken.__contains__) == "CARD7 (3)"


def test_a_name_is_as_long_as_the_service_keeps_it() -> None:
    facts = NameFacts(site="s" * 300, camera="c" * 300)
    name = project_name("{site} {camera}", facts, 100, lambda name: len(name) == 100 and not name.endswith(")"))
    assert len(name) == 100 and name.endswith(" (2)")


@pytest.mark.parametrize(
    "template",
    [
        "",
        "  ",
        "{place}",
        "{}",
        "{0}",
        "{card",
        "card}",
        "{card.__class__}",
        "{card[0]}",
        "{card!r}",
        "{card:>99999}",
        "x" * 201,
        "a\nb",
        "{card}\x1b[31m",
    ],
)
def test_what_is_no_template_is_refused(template: str) -> None:
    with pytest.raises(UsageError):
        check_template(template)


def test_the_refusal_names_the_fields() -> None:
    with pytest.raises(UsageError, match=r"\{place\}.*\{site\}, \{date\}, \{camera\}, \{card\}"):
        check_template("{place}")


@pytest.mark.parametrize(
    ("image", "watched", "site"),
    [
        ("/media/card/DCIM/100MEDIA/DJI_0001.JPG", "/media/card", ""),
        ("/media/card/DCIM/DJI_202611301430_003_North-field/DJI_0001.JPG", "/media/card", "North-field"),
        ("/media/card/DCIM/DJI_202611301430_003/DJI_0001.JPG", "/media/card", ""),
        ("/home/u/flights/Quarry/DCIM/100MEDIA/DJI_0001.JPG", "/home/u/flights", "Quarry"),
        ("/home/u/flights/Quarry/DJI_0001.JPG", "/home/u/flights/", "Quarry"),
        ("/home/u/flights/DJI_0001.JPG", "/home/u/flights", ""),
    ],
)
def test_the_site_is_a_folder_that_no_camera_made(image: str, watched: str, site: str) -> None:
    assert site_of(image, watched.rstrip("/")) == site


@pytest.mark.parametrize(
    ("watched", "label", "card"),
    [
        ("/media/u/CARD7", "", "CARD7"),
        ("/media/u/disk", "CARD7", "CARD7"),
        ("/media/card/DCIM", "", "card"),
        ("/mnt", "  ", "mnt"),
    ],
)
def test_the_card_is_named_by_its_label_or_its_folder(watched: str, label: str, card: str) -> None:
    assert card_of(watched, label) == card
