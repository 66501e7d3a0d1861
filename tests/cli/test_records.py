from __future__ import annotations

import json

from tests.values import UPLOAD, file, upload
from tui_uploader.cli.records import file_record, listed_record, upload_record
from tui_uploader.codec import to_json
from tui_uploader.model.uploads import EtaRange, Skipped


def test_the_result_has_exactly_the_keys_that_scripts_rely_on() -> None:
    shown = json.loads(to_json(upload_record(UPLOAD, [Skipped("/card/notes.txt", "no image")])))
    assert shown == {
        "upload": 3,
        "project": "256164",
        "state": "active",
        "counts": {"uploaded": 4, "uploading": 2, "waiting": 4, "duplicate": 0, "failed": 0},
        "bytes": {"total": 1000, "sent": 700, "stored": 420, "registered": 400},
        "skipped": [{"path": "/card/notes.txt", "reason": "no image"}],
        "seconds": 12.5,
        "processing": "not_started",
        "auto_process": True,
    }


def test_a_listed_upload_adds_rate_and_eta() -> None:
    shown = json.loads(to_json(listed_record(upload(rate=5.0, eta=EtaRange(10.0, 20.0)), [])))
    assert shown["rate"] == 5.0
    assert shown["eta"] == {"low": 10.0, "high": 20.0}
    assert set(shown) - set(upload_record(UPLOAD, [])) == {"rate", "eta", "notice", "process_at", "receipt"}


def test_a_path_that_is_not_utf8_survives_json() -> None:
    item = file(1, path="/card/\udcff.jpg", name="\udcff.jpg", object="x.jpg")
    line = to_json(file_record(item))
    assert "\\udcff" in line
    assert json.loads(line)["path"] == "/card/\udcff.jpg"
    keys = {"path", "name", "object", "size", "status", "reason", "duplicate_of", "verified"}
    assert set(json.loads(line)) == keys | {"result", "belongs_to", "replaced"}
