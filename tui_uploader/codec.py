"""JSON for values of `model`, on the engine's socket and on stdout.

msgspec validates; the standard library writes the text, because only it carries a path that is not UTF-8
(as lone surrogates, written `\\udcXX`) there and back.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

Value = TypeVar("Value")


class Malformed(ValueError):
    """The text is not JSON, or not of the wanted shape."""


def to_json(value: Any) -> str:
    """One line of ASCII JSON. Takes dataclasses, enums, and containers of them."""
    return json.dumps(msgspec.to_builtins(value), separators=(",", ":"), allow_nan=False)


def from_json(text: str | bytes, shape: type[Value]) -> Value:
    """The value of `shape` that `text` describes; unknown fields are passed over.

    Raises `Malformed`.
    """
    try:
        return msgspec.convert(json.loads(text), shape)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from error
