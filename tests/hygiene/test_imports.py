"""A command must not pay for what it does not use: start-up is felt at every call, on slow machines most.

import-linter sees the imports that are written down; this sees what is really loaded.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"PIL", "botocore", "hypothesis", "keyring", "pytest", "starlette", "textual", "uvicorn"}


def loaded_by(module: str) -> set[str]:
    """Top-level names of everything that `import module` loads in a new interpreter."""
    program = f"import sys, json, {module}; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return {name.partition(".")[0] for name in json.loads(ran.stdout)} | {
        name for name in json.loads(ran.stdout) if name.startswith("tui_uploader")
    }


def test_the_command_line_starts_light() -> None:
    loaded = loaded_by("tui_uploader.cli.app")
    assert not loaded & HEAVY
    above = ("tui_uploader.engine", "tui_uploader.cloud.", "tui_uploader.intake", "tui_uploader.service.api")
    assert not [name for name in loaded if name.startswith(above)]


@pytest.mark.parametrize(
    "module", ["tui_uploader.intake.scan", "tui_uploader.intake.fingerprint", "tui_uploader.intake.inspect"]
)
def test_intake_starts_light(module: str) -> None:
    assert not loaded_by(module) & HEAVY


def test_the_sample_flight_loads_its_image_library_only_when_it_is_made() -> None:
    assert not loaded_by("tui_uploader.demo") & HEAVY


def test_the_engine_shows_no_pictures() -> None:
    assert not loaded_by("tui_uploader.engine.manager") & {"PIL", "textual", "hypothesis", "pytest"}


GROUND = ("model", "errors", "settings", "hook_settings", "text", "codec", "file_kinds", "redaction", "threads")


@pytest.mark.parametrize("module", GROUND)
def test_the_ground_floor_knows_no_room_above(module: str) -> None:
    ground = {f"tui_uploader.{name}" for name in GROUND}
    loaded = loaded_by(f"tui_uploader.{module}")
    ours = {name for name in loaded if name.startswith("tui_uploader.")}
    assert {".".join(name.split(".")[:2]) for name in ours} <= ground
    assert not loaded & HEAVY
