"""Rates, percentages and estimates of time. Sizes and durations, which the engine words too, are in `text`."""

from __future__ import annotations

from tui_uploader.text import byte_count


def byte_rate(bytes_per_second: float) -> str:
    """`4.03 MB/s`."""
    return f"{byte_count(bytes_per_second)}/s"


def part_of(part: float, total: float) -> str:
    """`3.10 of 6.20 GB`, `900 KB of 1.20 GB`."""
    done, whole = byte_count(part), byte_count(total)
    unit = whole.partition(" ")[2]
    return f"{done.removesuffix(f' {unit}')} of {whole}"


def percent(part: int, total: int) -> int:
    """Rounded down: 100 only when nothing is missing."""
    return min(100, max(0, part) * 100 // total) if total > 0 else 0


def duration_range(low: float, high: float) -> str:
    """`12–15 min`, or `< 6 min`. Ends that round to the same number become one."""
    if high <= 90:
        unit, size = "s", 1
    elif high <= 5400:
        unit, size = "min", 60
    else:
        unit, size = "h", 3600
    digits = 1 if unit == "h" else 0
    first, last = f"{low / size:.{digits}f}", f"{high / size:.{digits}f}"
    if first == last:
        return f"{last} {unit}"
    return f"{first}–{last} {unit}" if float(first) else f"< {last} {unit}"
