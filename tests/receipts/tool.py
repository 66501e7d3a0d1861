"""The public tool of ASC MHL and its schema, from https://github.com/ascmitc/mhl; the schema imports its copy here.

They judge what we write.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lxml import etree

_SCHEMA = Path(__file__).parent / "schema"
_IN_DEBUG_TOOL = frozenset({"verify"})


def ascmhl(command: str, *arguments: object) -> tuple[int, str]:
    """Run a command of the tool as a process. Returns its exit code and everything that it said."""
    module = "ascmhl.cli.ascmhl_debug" if command in _IN_DEBUG_TOOL else "ascmhl.cli.ascmhl"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module, command, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    return done.returncode, done.stdout + done.stderr


def schema_errors(path: Path) -> list[str]:
    """What the schema finds wrong with a list or a chain."""
    name = "ASCMHLDirectory.xsd" if path.name == "ascmhl_chain.xml" else "ASCMHL.xsd"
    schema = etree.XMLSchema(etree.parse(_SCHEMA / name))
    schema.validate(etree.parse(path))
    return [str(error) for error in schema.error_log]
