"""Verifies a card automatically when all of it is in the cloud, once for what is on it."""

from __future__ import annotations

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import watches
from tui_uploader.engine.journal.tables.watches import CardRecord, WatchRecord
from tui_uploader.engine.verification.verifier import Verifier
from tui_uploader.errors import NoSuchVerification
from tui_uploader.model.verification import Verdict, VerificationState, VerificationStatus


class CardVerification:
    """Of the cards in one watched folder."""

    def __init__(self, context: EngineContext, verifier: Verifier, record: WatchRecord) -> None:
        self._context = context
        self._verifier = verifier
        self._record = record

    def running(self, card: CardRecord) -> bool:
        status = self._status(card.verification)
        return status is not None and status.state is VerificationState.RUNNING

    async def verified(self, card: CardRecord) -> CardRecord:
        """Begin to verify the card, unless that was done since its newest file was added."""
        if card.verification is not None:
            return card
        status = await self._verifier.start([self._record.path], None, self._record.id)
        return await self._set(card, status.verification)

    async def outdated(self, verification: int | None) -> None:
        """Files were added since it began: one that runs is of no use any more."""
        status = self._status(verification)
        if status is not None and status.state is VerificationState.RUNNING:
            await self._verifier.cancel(status.verification)

    async def returned(self, card: CardRecord) -> CardRecord:
        """The card was put back in: it is verified again, unless everything was found to be safe."""
        status = self._status(card.verification)
        safe = status is not None and status.verdict in (Verdict.SAFE, Verdict.SAFE_FOR_IMAGES)
        running = status is not None and status.state is VerificationState.RUNNING
        return card if safe or running or card.verification is None else await self._set(card, None)

    def _status(self, number: int | None) -> VerificationStatus | None:
        """None also for one that is no longer kept."""
        try:
            return None if number is None else self._verifier.status(number)
        except NoSuchVerification:
            return None

    async def _set(self, card: CardRecord, verification: int | None) -> CardRecord:
        await self._context.journal.write(
            lambda connection: watches.set_card(connection, card.id, verification=verification)
        )
        return await self._context.journal.read(lambda connection: watches.card(connection, card.id))
