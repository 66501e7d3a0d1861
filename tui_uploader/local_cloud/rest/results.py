"""Processed results in requests and replies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

from tui_uploader.local_cloud.rest.input import RestRefusal, text_field
from tui_uploader.local_cloud.storage.results import ENDINGS, CloudResult

_LONGEST_NAME = 255
_LONGEST_CRS = 1000
_MOST_COMPANIONS = 100_000


def result_in(fields: Mapping[str, object]) -> CloudResult:
    """The result to register. Raises RestRefusal for a type that does not exist, or does not fit the main file."""
    result_type, key = text_field(fields, "result_type"), text_field(fields, "file_key")
    name = text_field(fields, "name") if "name" in fields else key.rpartition("/")[2]
    endings = ENDINGS.get(result_type)
    if endings is None:
        raise _refusal("result_type", f"Not a valid type. The types are {', '.join(ENDINGS)}.")
    if not key.lower().endswith(endings):
        raise _refusal("file_key", f"The file of a result of this type is {' or '.join(endings)}.")
    if not 0 < len(name) <= _LONGEST_NAME:
        raise _refusal("name", f"Ensure this field has 1 to {_LONGEST_NAME} characters.")
    companions = fields.get("companion_keys") or []
    if not isinstance(companions, list) or len(companions) > _MOST_COMPANIONS:
        raise _refusal("companion_keys", "Expected a list of keys.")
    keys = tuple(text_field({"companion_keys": each}, "companion_keys") for each in companions)
    crs = fields.get("crs")
    if len(json.dumps(crs)) > _LONGEST_CRS:
        raise _refusal("crs", "Too long.")
    return CloudResult(result_type, name, key, keys, crs)


def described(results: Sequence[CloudResult]) -> list[dict[str, object]]:
    """The current results for a reply, each with those of its type that were replaced before."""
    return [
        {
            "result_type": current.result_type,
            "name": current.name,
            "file_key": current.key,
            "companion_keys": list(current.companions),
            "size": current.size,
            "registered_at": iso_time(current.registered),
            "crs": current.crs,
            "replaced": [
                {"name": old.name, "file_key": old.key, "size": old.size, "replaced_at": iso_time(old.replaced)}
                for old in results
                if old.result_type == current.result_type and old.replaced is not None
            ],
        }
        for current in results
        if current.replaced is None
    ]


def iso_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refusal(field: str, text: str) -> RestRefusal:
    return RestRefusal(HTTPStatus.BAD_REQUEST, {field: [text]})
