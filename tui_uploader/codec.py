"""JSON for values of `model`, on the engine's socket and on stdout.

msgspec validates. The standard library reads and writes the text, because it alone round-trips paths that are not UTF-8
(lone surrogates, written `\\udcXX`).
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class Malformed(ValueError):
    """The text is not JSON, or does not have the expected shape."""


def to_json(value: Any) -> str:
    """`value` as one line of ASCII JSON. Takes dataclasses, enums, and containers of them."""
    return json.dumps(msgspec.to_builtins(value), separators=(",", ":"), allow_nan=False)


def from_json(text: str | bytes, shape: type[T]) -> T:
    """Parse a value of `shape`; unknown fields are ignored. Raises `Malformed`."""
    try:
        return msgspec.convert(json.loads(text), shape, str_keys=True)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from error
