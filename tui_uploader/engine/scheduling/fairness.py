"""Choose the upload that sends next: a pure decision that is fair between projects.

Every project with something to send gets the same share of the bytes, regardless of the size and number of its files:
the project that was served least is next. A project that had nothing to send does not accumulate a claim.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping


def next_upload(wanting: Collection[int], served: Mapping[int, int]) -> int | None:
    """Return which of the uploads `wanting` to send is next; the older one of two served alike."""
    return min(wanting, key=lambda upload: (served.get(upload, 0), upload), default=None)


def served_after(served: Mapping[int, int], wanting: Collection[int], upload: int, size: int) -> dict[int, int]:
    """Return the bytes served by upload after `upload` got `size` more.

    An upload that joins the queue (again) starts level with the least served of the others.
    """
    known = [served[other] for other in wanting if other in served]
    level = min(known, default=0)
    after = {other: served.get(other, level) for other in wanting}
    after[upload] = after.get(upload, served.get(upload, level)) + size
    return after
