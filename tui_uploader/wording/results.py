"""Words about processed results: their types, what belongs to them, and the question before one is replaced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from tui_uploader.file_kinds import extension_of
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.results import ProjectResult, ResultQuestion, ResultType
from tui_uploader.text import byte_count, counted, printable
from tui_uploader.wording.clock import on_day

_LONGEST_NAME = 60
_TEXTURE = "texture"
_TEXTURES = (".jpg", ".jpeg", ".png")
NOT_RECOGNISED = "type not recognised"


def type_word(type: ResultType | None) -> str:
    """`orthomosaic`, `DSM`, `point cloud`; None: `type not recognised`."""
    return NOT_RECOGNISED if type is None else type.words


def type_words(types: Iterable[ResultType | None]) -> str:
    """`orthomosaic, 2 meshes`: each type once, in the order of `ResultType`."""
    numbers = Counter(types)
    known = [_several(each, numbers[each]) for each in ResultType if numbers[each]]
    return ", ".join([*known, *([f"{numbers[None]:,} not recognised"] if numbers[None] else [])])


def _several(type: ResultType, number: int) -> str:
    word = type.words
    return word if number == 1 else f"{number:,} {word}{'es' if word.endswith('sh') else 's'}"


def noun_of(kind: ProjectKind) -> str:
    """What the files of a project of this kind are called."""
    return "image" if kind is ProjectKind.IMAGES else "file"


def name_of(path: str) -> str:
    """The base name, safe for a terminal."""
    return printable(path.rpartition("/")[2], _LONGEST_NAME)


def composed_of(main: str, companions: Sequence[str]) -> str:
    """`quarry.obj + 1 .mtl + 12 textures`, from the paths of a main file and of those that belong to it."""
    kinds = Counter(_kind_of(path) for path in companions)
    parts = [counted(number, _TEXTURE) if kind == _TEXTURE else f"{number:,} {kind}" for kind, number in kinds.items()]
    return " + ".join((name_of(main), *sorted(parts, key=lambda part: _TEXTURE in part)))


def _kind_of(path: str) -> str:
    extension = extension_of(path)
    return _TEXTURE if extension in _TEXTURES else printable(extension, 12) or "file"


def recognised(question: ResultQuestion) -> str:
    """`mesh: quarry.obj + 1 .mtl + 12 textures, 150 MB`."""
    return f"{type_word(question.type)}: {composed_of(question.path, question.companions)}, {byte_count(question.size)}"


def result_facts(result: ProjectResult, now: float) -> tuple[str, str, str, str]:
    """Type, name, size, and when it was uploaded; the time is empty for one of another machine."""
    at = "" if result.uploaded_at is None else on_day(result.uploaded_at, now)
    size = byte_count(result.size) if result.size else ""
    return type_word(result.type), printable(result.name, _LONGEST_NAME), size, at


def replace_question(question: ResultQuestion, project: str, now: float) -> str:
    """`Replace ortho_may.tif (2.10 GB, 12 May) by ortho_june.tif (2.30 GB) in Quarry?`

    Empty if it replaces nothing.
    """
    old = question.replaces
    if old is None:
        return ""
    facts = [byte_count(old.size)] if old.size else []
    facts += [_day(old.uploaded_at, now)] if old.uploaded_at is not None else []
    known = f" ({', '.join(facts)})" if facts else ""
    new = f"{name_of(question.path)} ({byte_count(question.size)})"
    return f"Replace {printable(old.name, _LONGEST_NAME)}{known} by {new} in {printable(project, _LONGEST_NAME)}?"


def replace_stakes(questions: Sequence[ResultQuestion]) -> str:
    """What becomes of what is replaced."""
    number = sum(question.replaces is not None for question in questions)
    what = "The old one is" if number == 1 else "The old ones are"
    return f"{what} no longer shown in the project."


def unclear_question(question: ResultQuestion) -> str:
    """`What is plan.tif? Its content fits an orthomosaic or a DSM.`"""
    fits = [each.phrase for each in question.choices]
    known = f" Its content fits {_either(fits)}." if fits else ""
    return f"What is {name_of(question.path)}?{known}"


def _either(words: Sequence[str]) -> str:
    """`a, b or c`."""
    return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def _day(at: float, now: float) -> str:
    """`12 May`, or `12 May 2025`."""
    day, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now)
    return f"{day.day} {day:%b}" + (f" {day.year}" if day.year != today.year else "")
