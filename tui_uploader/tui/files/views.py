"""How the files of each project are shown: order, filter and cursor come back when its files are shown again."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tui_uploader.model.files import FileQuery, SortKey
from tui_uploader.tui.files.orders import DEFAULT
from tui_uploader.tui.subject.scope import ShownFiles

Text = Annotated[str, msgspec.Meta(max_length=400)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class FilesView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Order, filter and cursor of the files of one project."""

    sort: SortKey = DEFAULT
    descending: bool = False
    filter: Text = ""
    """As typed."""
    file: Number | None = None
    """Id of the file under the cursor; None: the first."""


def view_key(shown: ShownFiles) -> str | None:
    """Stays the same for the files of a project; None: there are none."""
    if shown.upload is None:
        return None
    return f"project {shown.project}" if shown.project is not None else f"upload {shown.upload}"


def filter_text(query: FileQuery) -> str:
    """The filter of the query as it can be typed: `:failed !:nogps dji_01`."""
    only = [f":{kind}" for kind in (query.status, query.property) if kind is not None]
    others = [f"!:{kind}" for kind in (query.except_status, query.except_property) if kind is not None]
    return " ".join((*only, *others, query.text)).strip() if only or others else query.text
