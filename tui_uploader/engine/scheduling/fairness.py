"""Which upload may send next: a pure decision, fair between projects.

Every project that has something to send gets the same share of the bytes, whatever the sizes and numbers of its files:
next is the one that was served least. A project that had nothing to send meanwhile does not save its turns up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping


def next_upload(wanting: Collection[int], served: Mapping[int, int]) -> int | None:
    """The upload that sends next, of those `wanting` to; the older one where two were served alike."""
    return min(wanting, key=lambda upload: (served.get(upload, 0), upload), default=None)


def served_after(served: Mapping[int, int], wanting: Collection[int], upload: int, size: int) -> dict[int, int]:
    """The account of bytes once `upload` got `size` more.

    An upload that comes (back) to the queue starts level with the least served of the others.
    """
    known = [served[other] for other in wanting if other in served]
    level = min(known, default=0)
    after = {other: served.get(other, level) for other in wanting}
    after[upload] = after.get(upload, served.get(upload, level)) + size
    return after
