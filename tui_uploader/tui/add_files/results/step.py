"""Asks the engine what the chosen results are, and lets the user choose a type where their content does not tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from tui_uploader.errors import UploaderError, UsageError
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.results import ResultQuestion, ResultType
from tui_uploader.model.uploads import AddRequest
from tui_uploader.tui.add_files.results.recognised import Recognised, crs_agreement, replacement
from tui_uploader.tui.widgets.choices import RadioRow
from tui_uploader.wording.results import type_word

AskResults = Callable[[AddRequest], Awaitable[tuple[ResultQuestion, ...]]]
"""What the engine recognises in the paths of a request; raises UploaderError if it does not take them."""

Confirm = Callable[[str, Sequence[str]], Awaitable[bool]]
"""Asks the user a question, with what is at stake; whether the answer is yes."""

_PAUSE_SECONDS = 0.4
"""The engine is asked when nothing was typed or chosen for so long."""
_STILL_READ = "The results are still being read. Press the key again in a moment."
NOT_CHOSEN = -1


async def recognise_nothing(request: AddRequest) -> tuple[ResultQuestion, ...]:
    """For a dialog without an engine."""
    del request
    return ()


async def decline(question: str, stakes: Sequence[str]) -> bool:
    """For a dialog that cannot ask: nothing is replaced."""
    del question, stakes
    return False


class ResultsStep(Horizontal):
    """One line with the types to choose from, hidden where none has to be chosen."""

    class Changed(Message):
        """More is known about the results, or the user chose a type."""

    def __init__(self, ask: AskResults, confirm: Confirm, *, id: str) -> None:
        super().__init__(id=id, classes="row")
        self._ask = ask
        self._confirm = confirm
        self._request: AddRequest | None = None
        """What the answer is about, or will be."""
        self.found = Recognised()
        self._offered: tuple[ResultType, ...] = ()
        self._types = RadioRow((), NOT_CHOSEN, id="result-type")
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Static("  It is", classes="label")
        yield self._types

    def on_mount(self) -> None:
        self.display = False

    @property
    def chosen(self) -> ResultType | None:
        """The type that the user chose."""
        at = self._types.selected
        return self._offered[at] if self.display and 0 <= at < len(self._offered) else None

    def look_at(self, request: AddRequest | None) -> None:
        """Ask about these paths when the user pauses; None: there are no results to ask about."""
        if request is not None and request.kind is not ProjectKind.RESULTS:
            request = None
        if request == self._request:
            return
        same_paths = request is not None and self._request is not None and request.paths == self._request.paths
        self._request = request
        if not same_paths:
            self._offer(())
        self._ask_soon()

    def _ask_soon(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._know(Recognised(waiting=self._request is not None))
        if self._request is not None:
            self._timer = self.set_timer(_PAUSE_SECONDS, self._recognise)

    @work(group="recognise", exclusive=True, description="recognise results")
    async def _recognise(self) -> None:
        await self.ask_again()

    async def ask_again(self) -> None:
        """Ask now. An answer about what is chosen no more is dropped."""
        request, chosen = self._request, self.chosen
        if request is None:
            return
        try:
            found = Recognised(await self._ask(replace(request, result_type=chosen)))
        except UploaderError as error:
            found = Recognised(refusal=str(error))
        if (request, chosen) == (self._request, self.chosen):
            if chosen is None:  # afterwards the choice stays open
                self._offer(found.choices)
            self._know(found)

    def look_again(self) -> None:
        """Ask anew: the engine did not take what was recognised."""
        self._ask_soon()

    async def decide(self, request: AddRequest, project: str, now: float) -> AddRequest | None:
        """`request` with the user's decisions; None if the user does not want what they ask for.

        Raises UsageError while the engine refuses the paths, or a type has to be chosen.
        """
        if request.kind is not ProjectKind.RESULTS:
            return request
        if self.found.waiting or self.found.refusal:
            await self.ask_again()
        found = self.found
        if found.waiting or found.refusal:
            raise UsageError(found.refusal or _STILL_READ)
        if found.unclear:
            self.screen.set_focus(self._types)
            raise UsageError("Choose the type below, then press Ctrl+S again.")
        decided = replace(request, result_type=self.chosen)
        if (question := replacement(found, project, now)) is not None:
            if not await self._confirm(*question):
                return None
            decided = replace(decided, replace=True)
        if (question := crs_agreement(found)) is not None:
            if not await self._confirm(*question):
                return None
            decided = replace(decided, other_crs=True)
        return decided

    def _offer(self, types: tuple[ResultType, ...]) -> None:
        if types != self._offered:
            self._offered = types
            self._types.offer([type_word(each) for each in types], NOT_CHOSEN)
        self.display = bool(types)

    def _know(self, found: Recognised) -> None:
        if found != self.found:
            self.found = found
            self.post_message(self.Changed())

    @on(RadioRow.SelectionChanged)
    def _follow_choice(self, message: RadioRow.SelectionChanged) -> None:
        message.stop()
        self._ask_soon()
