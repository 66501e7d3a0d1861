"""MATRIX.md: which scenario came to what, in a table that a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.chaos.runner import Ended
from tests.chaos.verdict import Outcome, total

MATRIX = Path(__file__).parent / "MATRIX.md"

HEAD = """\
# What goes wrong, and what comes of it

Written by `make chaos`. Each run is an upload by the real engine to the real local cloud, two processes in folders of
their own, while what the scenario names goes wrong. At its end both sides are compared, byte for byte:

- **lost**: files that the cloud does not have as images of the project, equal to those on the card;
- **doubled**: images that the project has more than once; **false**: files that `files --json`, or the journal of an
  engine at the instant of its death, called uploaded although the cloud did not have them, registered and equal;
- **started**: runs in which processing was started exactly once, of all runs;
- **copies**: objects that no image is of, of a content that is an image besides. They are never shown, and only cost
  storage. In the `default` profile there must be none. In `strict` nobody may look at objects: when the answer to a PUT
  is lost, whose object has the name cannot be known, and the file is sent again under another name. The same
  holds for a store that tells nothing of what it keeps;
- **leftovers**: objects that no image is of, because the file changed before it was registered, or because the store
  kept them although they were damaged on the way; **projects**: empty ones, made where the answer to the creation was
  lost and projects cannot be listed;
- **sent again**: bytes that came to the store beyond what lies there; **allowed**: one body (a file, or a part of a
  large one) for each stream that was under way at each kill. Where more than kills goes wrong, no bound is set;
- **hit**: requests that a fault of the local cloud hit, and requests and connections that somebody between the engine
  and the cloud answered or changed. Stalls that only make a middle of an upload count, too.

Two runs of one seed kill at the same instants and hit the same requests; what the engine is doing then may differ.
"""

_COLUMNS = (
    *("scenario", "profile", "runs", "kills", "hit", "files", "MB", "lost", "doubled", "false", "started", "copies"),
    *("leftovers", "projects", "MB sent again", "allowed", "verdict"),
)


def matrix(seed: int, ended: Sequence[Ended]) -> str:
    """The whole file."""
    scenarios = {end.run.scenario.name: end.run.scenario for end in ended}
    lines = [HEAD, f"Seed {seed}.\n", "| " + " | ".join(_COLUMNS) + " |", "|" + "--|" * len(_COLUMNS)]
    lines += [
        _row([end for end in ended if (end.run.scenario.name, end.run.profile) == key])
        for key in dict.fromkeys((end.run.scenario.name, end.run.profile) for end in ended)
    ]
    lines += ["", *(f"- `{name}`: {scenario.says}." for name, scenario in scenarios.items())]
    wrong = [f"- `{end.run.name}`: {'; '.join(end.wrong)}. Again: `{end.run.again}`" for end in ended if end.wrong]
    return "\n".join([*lines, *(["", "## Not held", "", *wrong] if wrong else []), ""])


def _row(ended: Sequence[Ended]) -> str:
    run = ended[0].run
    sum_of = total(end.outcome for end in ended)
    allowed = f"{sum_of.allowed_waste / 1e6:,.1f}" if run.scenario.only_kills else "–"
    cells = (
        *(run.scenario.name, run.profile, sum_of.runs, sum_of.kills, sum_of.faults, sum_of.files),
        *(f"{sum_of.bytes / 1e6:,.0f}", sum_of.lost, sum_of.doubled, sum_of.false),
        *(
            f"{sum_of.runs - sum_of.wrong_starts} / {sum_of.runs}",
            sum_of.copies,
            sum_of.leftovers,
            sum_of.extra_projects,
        ),
        *(f"{sum_of.resent / 1e6:,.1f}", allowed, verdict(ended, sum_of)),
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def verdict(ended: Sequence[Ended], sum_of: Outcome) -> str:
    if any(end.wrong for end in ended):
        return "**not held**"
    return "held; second copies in the store" if sum_of.copies else "held"
