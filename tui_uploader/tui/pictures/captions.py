"""The facts of a photo in words, for the line under an image and for a file's details. Pure."""

from __future__ import annotations

from tui_uploader.model.files import PhotoFacts


def photo_lines(facts: PhotoFacts) -> list[tuple[str, str]]:
    """Label and text of each fact that there is."""
    every = (
        ("Pixels", f"{facts.width:,} x {facts.height:,}" if facts.width and facts.height else ""),
        ("Camera", facts.camera or ""),
        ("Taken", (facts.taken_at or "").replace("T", " ")),
        ("Exposure", exposure_words(facts)),
        ("Position", position_words(facts)),
    )
    return [(label, text) for label, text in every if text]


def exposure_words(facts: PhotoFacts) -> str:
    """`1/800 s, f/5.6, ISO 100, 8.8 mm`."""
    every = (
        None if facts.exposure is None else f"{_seconds(facts.exposure)} s",
        None if facts.aperture is None else f"f/{facts.aperture:.3g}",
        None if facts.iso is None else f"ISO {facts.iso}",
        None if facts.focal_length is None else f"{facts.focal_length:.4g} mm",
    )
    return ", ".join(text for text in every if text is not None)


def _seconds(exposure: float) -> str:
    """As cameras show it: a fraction below half a second."""
    return f"{exposure:.3g}" if exposure >= 0.5 else f"1/{round(1 / exposure)}"


def position_words(facts: PhotoFacts) -> str:
    """`46.602100 S 6.551400 W, 612 m`."""
    if facts.latitude is None or facts.longitude is None:
        return ""
    halves = ("S" if facts.latitude < 0 else "N", "W" if facts.longitude < 0 else "E")
    place = f"{abs(facts.latitude):.6f} {halves[0]} {abs(facts.longitude):.6f} {halves[1]}"
    return place if facts.altitude is None else f"{place}, {facts.altitude:.0f} m"
