"""The first line of the screen: account, cloud, what is left and when it is done; a banner when something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from rich.cells import cell_len
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tui_uploader.model.accounts import Account
from tui_uploader.model.engine import EngineStatus, LinkState
from tui_uploader.model.verification import VerificationState
from tui_uploader.text import byte_count, counted
from tui_uploader.tui.lines.columns import cell_text, clipped, wrapped
from tui_uploader.tui.lines.glyphs import Glyphs, Span, without_ornament
from tui_uploader.tui.lines.spans import between, segments
from tui_uploader.tui.messages import Attachment
from tui_uploader.wording.amounts import byte_rate
from tui_uploader.wording.bandwidth import limit_label
from tui_uploader.wording.banner import Banner, banner
from tui_uploader.wording.clock import about, done_at, middle
from tui_uploader.wording.verification import percent_read

READ_ONLY = "READ-ONLY"
_PIX4D = "cloud.pix4d.com"
_MOST_LINES = 2
_GAP = "  "
_LEAST_LEFT, _TERSE = 10, 2
"""Cells for account and cloud before numbers are written in fewer words, as long as those have all numbers."""


def cloud_name(url: str) -> str:
    """`PIX4Dcloud`, or the host of another one."""
    host = urlsplit(url).netloc or url
    return "PIX4Dcloud" if host == _PIX4D else cell_text(host)


def banner_lines(shown: Banner, width: int, cut: str, mark: str = "") -> list[str]:
    """At most two lines, beginning with `mark`. The cause gives way to what is wrong, until when, and what waits."""
    words = [word for word in cell_text(without_ornament(shown.cause)).split(" ") if word]
    lines: list[str] = []
    for kept in range(len(words), -1, -1):
        cause = " ".join(words[:kept]) + (cut if 0 < kept < len(words) else "")
        parts = (f"{mark}! {without_ornament(shown.essence)}", cause, shown.waits)
        lines = wrapped(_GAP.join(part for part in parts if part), width, most=_MOST_LINES + 1)
        if len(lines) <= _MOST_LINES:
            return lines
    return lines[:_MOST_LINES]


def numbers(status: EngineStatus, now: float) -> list[tuple[str, ...]]:
    """A card being read, bytes left, rate of the limit, when all is done, and the link: in fewer and fewer words."""
    left = f"{byte_count(status.left)} left" if status.left else ""
    rates = _rates(status)
    ends = ("", "", "")
    if status.eta is not None and status.left:
        at, span = done_at(status.eta, now), about(middle(status.eta))
        ends = (f"all done ~{at} ({span})", f"done ~{at} ({span})", f"~{at}")
    link = "online" if status.link.state is LinkState.UP else ""
    reading = _reading(status)
    return [
        tuple(part for part in (reading, left, rate, end, link) if part)
        for rate, end in ((rates[0], ends[0]), (rates[1], ends[1]), (rates[1], ends[2]), (rates[2], ends[2]))
    ]


def _reading(status: EngineStatus) -> str:
    """`card 51 % read`, while a verification runs."""
    running = [each for each in status.verifications if each.state is VerificationState.RUNNING]
    if len(running) > 1:
        return f"{len(running)} cards are read"
    return f"card {percent_read(running[0])} % read" if running else ""


def _rates(status: EngineStatus) -> tuple[str, str, str]:
    limit = limit_label(status.bandwidth)
    if not (status.streams and status.rate):
        return limit, limit, limit
    speed = byte_rate(status.rate)
    if not limit:
        return speed, speed, speed
    unit = speed.partition(" ")[2]
    return f"{speed} ({limit})", f"{speed} ({limit.removesuffix(f' {unit}')})", speed


def who(accounts: Sequence[Account]) -> tuple[str, str]:
    """The account and its cloud; empty before the sign-in."""
    if not accounts:
        return "", ""
    clouds = list(dict.fromkeys(cloud_name(account.cloud_url) for account in accounts))
    if len(accounts) > 1:
        return counted(len(accounts), "account"), ", ".join(clouds)
    return cell_text(accounts[0].client_id), clouds[0]


def summary(
    status: EngineStatus | None, accounts: Sequence[Account], now: float, width: int, cut: str, *, read_only: bool
) -> tuple[list[Span], list[Span]]:
    """The left and the right side of the line. Names give way to numbers."""
    marks = [Span(f"{READ_ONLY}{_GAP}", "warning")] if read_only else []
    if status is not None and status.hook_failures:
        marks.append(Span(f"{_failing(status, width)}{_GAP}", "warning"))
    taken = sum(cell_len(mark.text) for mark in marks)
    account, cloud = who(accounts)
    names = _GAP.join(name for name in (account, cloud) if name)
    parts: tuple[str, ...] = ()
    for level, parts in enumerate(numbers(status, now) if status is not None else ()):
        wanted = min(cell_len(names), _LEAST_LEFT) if level < _TERSE else 0
        if taken + wanted + len(_GAP) + cell_len(_GAP.join(parts)) <= width:
            break
    right = _GAP.join(parts)
    free = max(0, width - taken - cell_len(right) - len(_GAP))
    left = names if cell_len(names) <= free else _clipped_names(account, cloud, free, cut)
    return [*marks, Span(left)], [Span(right)] if right else []


def _failing(status: EngineStatus, width: int) -> str:
    """`hook notify.sh fails`; in a narrow line `hook fails`."""
    from tui_uploader.wording.hooks import failing  # not needed for the first frame

    words = cell_text(failing(status.hook_failures))
    return words if cell_len(words) <= width // 4 else "hook fails"


def _clipped_names(account: str, cloud: str, free: int, cut: str) -> str:
    for_account = free - cell_len(cloud) - len(_GAP)
    if for_account >= _LEAST_LEFT:
        return clipped(account, for_account, cut) + _GAP + cloud
    return clipped(account, free, cut)


def engine_trouble(attachment: Attachment, reason: str) -> Banner | None:
    """The banner while this app is not connected to a usable engine. `reason`: a sentence, not yet printable."""
    cause = cell_text(reason)
    if attachment is Attachment.GONE:
        return Banner("ENGINE NOT RUNNING", key="E starts the engine", cause=cause, waits="Nothing is lost.")
    if attachment is Attachment.OTHER_VERSION:
        return Banner("THE ENGINE HAS ANOTHER VERSION", key="E restarts the engine", cause=cause)
    return None


class FirstLine(Widget):
    """One line, or two for a long banner. It draws nothing while nothing changes; offline it counts the seconds."""

    class Resized(Message):
        """Its number of lines changed."""

    def __init__(self, glyphs: Glyphs, *, wall: Callable[[], float], id: str | None = None) -> None:
        super().__init__(id=id)
        self.read_only = False
        self._glyphs = glyphs
        self._wall = wall
        self._status: EngineStatus | None = None
        self._accounts: tuple[Account, ...] = ()
        self._engine_trouble: Banner | None = None
        self._lines: list[list[Span]] = [[]]
        self._timer: Timer | None = None

    @property
    def text(self) -> str:
        return "\n".join("".join(span.text for span in line) for line in self._lines)

    @property
    def banner(self) -> Banner | None:
        """What is wrong now."""
        if self._engine_trouble is not None or self._status is None:
            return self._engine_trouble
        return banner(self._status, self._wall())

    def show_status(self, status: EngineStatus) -> None:
        self._status = status
        self.update()

    def show_accounts(self, accounts: tuple[Account, ...]) -> None:
        self._accounts = accounts
        self.update()

    def show_engine(self, trouble: Banner | None) -> None:
        """What is wrong with the engine itself; None: it is attached."""
        self._engine_trouble = trouble
        self.update()

    def update(self) -> None:
        """Draw again the lines that changed."""
        shown, width = self.banner, max(1, self.app.size.width - 2)
        if shown is not None:
            mark = f"{READ_ONLY}{_GAP}" if self.read_only else ""
            texts = banner_lines(shown, width, self._glyphs.cut, mark)
            lines = [[Span(f" {text}")] for text in texts]
        else:
            now = self._wall()
            left, right = summary(self._status, self._accounts, now, width, self._glyphs.cut, read_only=self.read_only)
            lines = [[Span(" "), *between(left, right, width, self._glyphs)]]
        self.set_class(shown is not None, "-alarm")
        self._count_down(shown is not None and shown.counts_down)
        before, self._lines = self._lines, lines
        if len(lines) != len(before):
            self.styles.height = len(lines)
            self.post_message(self.Resized())
            self.refresh()
            return
        for number, line in enumerate(lines):
            if line != before[number]:
                self.refresh(Region(0, number, self.size.width, 1))

    def _count_down(self, on: bool) -> None:
        if on and self._timer is None:
            self._timer = self.set_interval(1.0, self.update)
        elif not on and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def on_resize(self) -> None:
        self.update()

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        line = self._lines[y] if y < len(self._lines) else []
        return Strip(segments(self, line, base)).adjust_cell_length(width, base)
