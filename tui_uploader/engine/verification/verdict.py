"""The verdict on a card, from what was found out about its files: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui_uploader.model.verification import Finding, Verdict

NOTHING_TO_VERIFY = "No file is there that could be in the cloud: is the card mounted, and are the paths right?"
NO_IMAGES = "No image is there, and no other file there is in the cloud: are the paths right?"


@dataclass(frozen=True, slots=True)
class Conclusion:
    verdict: Verdict
    reasons: tuple[str, ...]
    """About the card as a whole."""


def conclude(findings: Mapping[Finding, int], images: int, reasons: Sequence[str], unjudged: int = 0) -> Conclusion:
    """The verdict on a card.

    `findings`: number of files by what was found out, without those that are `unjudged`; `images`: image files among
    them that are not apart. `reasons`: what speaks against the card as a whole.
    """
    against = list(reasons)
    delivered, others = findings.get(Finding.DELIVERED, 0), findings.get(Finding.OTHER, 0)
    counted = sum(number for finding, number in findings.items() if finding is not Finding.APART)
    if not counted and not unjudged and not against:
        against.append(NOTHING_TO_VERIFY)
    elif not images and not delivered and not unjudged and not against and not _unsafe(findings):
        against.append(NO_IMAGES)
    if against or unjudged or _unsafe(findings):
        return Conclusion(Verdict.NOT_SAFE, tuple(against))
    return Conclusion(Verdict.SAFE_FOR_IMAGES if others else Verdict.SAFE, ())


def verdict_on_folder(findings: Mapping[Finding, int]) -> Verdict:
    """The verdict on the files of one folder, which may have none that count."""
    if _unsafe(findings):
        return Verdict.NOT_SAFE
    return Verdict.SAFE_FOR_IMAGES if findings.get(Finding.OTHER, 0) else Verdict.SAFE


def _unsafe(findings: Mapping[Finding, int]) -> int:
    return sum(number for finding, number in findings.items() if finding.unsafe)
