"""MATRIX.md: a table of scenarios and results for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.chaos.runner import RunResult
from tests.chaos.verdict import Outcome, total

MATRIX = Path(__file__).parent / "MATRIX.md"

HEAD = """\
# Faults and their results

Written by `make chaos`. Each run is an upload by the real engine to the real local cloud, two processes in folders of
their own, with the faults of a scenario. At its end both sides are compared, byte for byte:

- **lost**: files on the card for which the project has no image with equal content;
- **doubled**: images that the project has more than once; **false**: files that `files --json`, or the journal of a
  killed engine, called uploaded although the cloud did not have them registered with equal content;
- **started**: runs in which processing was started exactly once, of all runs;
- **copies**: unregistered objects whose content is registered, too. They are not visible in the project and only cost
  storage. In the `default` profile there must be none. In `strict` objects cannot be looked at: when the reply to a PUT
  is lost, the engine cannot know whose object has the name, and sends the file again under another name. The same
  holds for a store that reports nothing about its objects;
- **leftovers**: unregistered objects whose content is not registered, because the file changed before registration, or
  because the store kept them although they were damaged in transit; **projects**: empty projects, created when the
  reply to the creation was lost and projects cannot be listed;
- **sent again**: bytes that the store received beyond those that it has; **allowed**: one body (a file, or a part of a
  large one) per stream and kill. Scenarios with other faults than kills have no bound;
- **hit**: requests that a fault of the local cloud hit, and requests and connections that an interceptor between engine
  and cloud answered or changed. Stalls that only slow down an upload count, too.

Two runs with one seed kill at the same instants and hit the same requests; what the engine does at that moment differs.
"""

_COLUMNS = (
    *("scenario", "profile", "runs", "kills", "hit", "files", "MB", "lost", "doubled", "false", "started", "copies"),
    *("leftovers", "projects", "MB sent again", "allowed", "verdict"),
)


def matrix(seed: int, ended: Sequence[RunResult]) -> str:
    """The text of the file."""
    scenarios = {end.run.scenario.name: end.run.scenario for end in ended}
    lines = [HEAD, f"Seed {seed}.\n", "| " + " | ".join(_COLUMNS) + " |", "|" + "--|" * len(_COLUMNS)]
    lines += [
        _row([end for end in ended if (end.run.scenario.name, end.run.profile) == key])
        for key in dict.fromkeys((end.run.scenario.name, end.run.profile) for end in ended)
    ]
    lines += ["", *(f"- `{name}`: {scenario.description}." for name, scenario in scenarios.items())]
    wrong = [f"- `{end.run.name}`: {'; '.join(end.wrong)}. Repeat: `{end.run.command}`" for end in ended if end.wrong]
    return "\n".join([*lines, *(["", "## Not held", "", *wrong] if wrong else []), ""])


def _row(ended: Sequence[RunResult]) -> str:
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


def verdict(ended: Sequence[RunResult], sum_of: Outcome) -> str:
    if any(end.wrong for end in ended):
        return "**not held**"
    return "held; second copies in the store" if sum_of.copies else "held"
