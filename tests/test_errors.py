"""Every error has its place in the tree and an exit code, and crosses process boundaries."""

from __future__ import annotations

import re

import pytest

from tui_uploader import errors
from tui_uploader.errors import EngineError, Remedy, UploaderError, revived


def descendants(root: type[UploaderError]) -> list[type[UploaderError]]:
    return [root, *(found for child in root.__subclasses__() for found in descendants(child))]


TREE = [found for found in descendants(UploaderError) if found.__module__ == errors.__name__]
BRANCHES = {
    "UsageError": 2,
    "SourceError": 1,
    "SignInError": 3,
    "LinkError": 4,
    "CloudError": 5,
    "EngineError": 6,
    "Interrupted": 130,
}


def test_the_drawing_in_the_docstring_is_the_tree() -> None:
    drawn: dict[str, set[str]] = {}
    branch = ""
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    [├└]── (\w+) +exit (\d+)", line):
            branch = match[1]
            assert BRANCHES[branch] == int(match[2])
            drawn[branch] = set()
        elif branch and (match := re.match(r"    [│ ]   [├└]── (.*)", line)):
            drawn[branch] |= set(re.findall(r"\w+", match[1]))
    built = {
        each.__name__: {below.__name__ for below in descendants(each)[1:] if below in TREE}
        for each in UploaderError.__subclasses__()
    }
    assert drawn == built
    assert len(TREE) == 1 + len(drawn) + sum(map(len, drawn.values()))


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_a_failure_ends_a_command_with_the_code_of_its_branch(kind: type[UploaderError]) -> None:
    branches = [BRANCHES[base.__name__] for base in kind.__mro__ if base.__name__ in BRANCHES]
    assert kind.exit_code == (branches[0] if branches else 6)


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_a_failure_survives_a_process_boundary(kind: type[UploaderError]) -> None:
    error = kind("The card is gone; put it back.")
    back = revived(error.kind, error.message)
    assert type(back) is kind
    assert str(back) == back.message == "The card is gone; put it back."
    assert (back.exit_code, back.remedy, back.retryable) == (error.exit_code, error.remedy, error.retryable)


@pytest.mark.parametrize("kind", ["", "Exception", "SystemExit", "_tree", "NoSuchFailure"])
def test_an_unknown_kind_is_a_failure_of_the_engine(kind: str) -> None:
    assert type(revived(kind, "Something happened.")) is EngineError


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_a_failure_is_retryable_unless_a_person_has_to_act(kind: type[UploaderError]) -> None:
    assert kind("x").retryable == (kind.remedy is not Remedy.PERSON)


def test_every_remedy_is_used() -> None:
    assert {kind.remedy for kind in TREE} == set(Remedy)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("LinkDown", Remedy.LINK),
        ("LinkStalled", Remedy.LINK),
        ("NotTheService", Remedy.LINK),
        ("TrustFailed", Remedy.PERSON),
        ("ProxyRefused", Remedy.PERSON),
        ("ProxyUnusable", Remedy.PERSON),
        ("TokenExpired", Remedy.NEW_TOKEN),
        ("StorageKeyExpired", Remedy.NEW_CREDENTIALS),
        ("SignInRefused", Remedy.PERSON),
        ("CloudBusy", Remedy.WAIT),
        ("CloudRefused", Remedy.PERSON),
        ("ClockSkewed", Remedy.CORRECT_CLOCK),
        ("ChecksumRefused", Remedy.CHECK_FILE),
        ("SourceChanged", Remedy.CHECK_FILE),
        ("SourceRefused", Remedy.PERSON),
        ("SourceReplaced", Remedy.PERSON),
        ("MultipartGone", Remedy.RESTART_FILE),
        ("JournalUnwritable", Remedy.WAIT),
        ("JournalDamaged", Remedy.PERSON),
    ],
)
def test_the_remedy_of_each_error(name: str, remedy: Remedy) -> None:
    kind: type[UploaderError] = getattr(errors, name)
    assert kind.remedy is remedy


def test_an_error_may_name_a_pause() -> None:
    assert errors.CloudBusy("Too many requests.", retry_after=7.5).retry_after == 7.5
    assert errors.CloudBusy("Too many requests.").retry_after is None
