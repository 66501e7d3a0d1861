"""A handler that catches everything hides faults of the program. Where one is needed is a short list, with reasons."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CATCHES_EVERYTHING = {
    "cli/main.py::_run_guarded": "the edge of the program: nothing but a sentence and an exit code leaves it",
    "cloud/login_store.py::run": "keyring backends raise any error of their libraries; the next store is tried",
    "engine/pipeline/check.py::_check": "the edge of a task: logged, shown, and the other files go on",
    "engine/verification/verifier.py::_run_to_end": "the edge of a task: logged, shown, and verified again",
    "engine/hooks/worker.py::_run": "the edge of a task: logged, shown, and tried again",
    "engine/worker.py::run": "the edge of a task: logged, shown, and tried again",
    "engine/pipeline/walk.py::_walk": "the edge of a task: logged, shown with the upload, and tried again",
    "engine/journal/journal.py::_write_group": "the edge of a thread: every caller of the group learns it",
    "engine/journal/journal.py::_run_alone": "handed to the caller whose change it was; the others are kept",
    "engine/pipeline/send.py::_send": "the edge of a task: logged, written down for the file, and the others go on",
    "tui/engine/session.py::_call": "the edge of a command's task: logged, told as a notice, and the screen stays",
    "tui/pictures/decode.py::_refusals": "whatever Pillow raises over broken bytes becomes a sentence",
    "engine/pipeline/project_tasks.py::_run": "the edge of a task: logged, shown, and tried again",
    "threads.py::_run": "the edge of a thread: the caller whose work it was gets it",
    "engine/accounts/link_monitor.py::_probe": "the edge of a task: logged, shown as the reason, and probed again",
    "local_cloud/middleware.py::__call__": "the edge of a request: logged, and the reply is an error",
}
"""`file::function`, and why. A handler that only cleans up and raises again needs no entry."""


def broad_handlers(node: ast.AST, function: str = "") -> Iterator[str]:
    """Names of the functions below `node` with a handler for everything that may end without raising again."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from broad_handlers(child, child.name)
            continue
        if isinstance(child, ast.ExceptHandler) and _catches_everything(child) and not _raises_again(child):
            yield function
        yield from broad_handlers(child, function)


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or ast.unparse(kind) in {"Exception", "BaseException"} for kind in kinds)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_every_handler_that_catches_everything_is_declared() -> None:
    package = ROOT / "tui_uploader"
    found = {
        f"{path.relative_to(package)}::{function}"
        for path in package.rglob("*.py")
        for function in broad_handlers(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set(CATCHES_EVERYTHING)


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("except ValueError: pass", []),
        ("except: pass", ["f"]),
        ("except Exception: pass", ["f"]),
        ("except (ValueError, BaseException) as e: print(e)", ["f"]),
        ("except Exception: raise", []),
        ("except Exception as e: raise ValueError from e", ["f"]),
    ],
)
def test_a_handler_is_seen_for_what_it_is(handler: str, found: list[str]) -> None:
    assert list(broad_handlers(ast.parse(f"def f():\n  try: pass\n  {handler}"))) == found
