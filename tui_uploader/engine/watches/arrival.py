"""Finds out which card is in a watched folder, and creates project and upload of a new one with its first image."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tui_uploader import codec
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import history, projects, uploads, watches
from tui_uploader.engine.journal.tables.watches import CardRecord, WatchRecord
from tui_uploader.engine.pipeline.projects import FindProject, Projects
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.engine.watches.additions import StillThere, gone, sorted_by_rest
from tui_uploader.engine.watches.cards import SIGNS, CardSign, KnownCard, recognised
from tui_uploader.engine.watches.listing import FolderListing, first_facts, signs_there
from tui_uploader.engine.watches.naming import NameFacts, card_of, project_name, site_of
from tui_uploader.engine.watches.rest import SeenFile
from tui_uploader.intake.disks import label_of, uuid_of
from tui_uploader.intake.mounts import mount_at
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.history import EventKind
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import UploadState

_FIRST_IMAGES = 20
"""Images that are read for the name of a project, until one of them tells."""
_LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is in the folder."""

    card: CardRecord | None = None
    """None: no card that counts, because there is no image on it that can be added now."""
    restless: Mapping[str, SeenFile] = field(default_factory=dict)
    """Images that something still writes to, by path, if there are no others."""


class Arrivals:
    """Of one watched folder."""

    def __init__(self, context: EngineContext, projects: Projects, threads: SourceThreads, record: WatchRecord) -> None:
        self._context = context
        self._projects = projects
        self._threads = threads
        self._record = record
        self._path = record.path

    async def identify(
        self, restless: Mapping[str, SeenFile], still_there: StillThere, *, after_start: bool
    ) -> Arrival:
        """The card that is there: a known one, or a new one, which gets an upload.

        `restless`: as in the last answer. `after_start`: the engine has just started, so a known card has not come now.

        Raises UsageError, NoSuchProject, NotSignedIn, LinkError for a target that cannot be used; NoSuchPath,
        SourceVanished, SourceUnreadable; errors of the journal.
        """
        volume = self._context.sources.volume_of(self._path)
        uuid = await self._threads.run("/", uuid_of, volume)
        mount = (await self._threads.run(self._path, mount_at, self._path)).identity
        known = await self._known()
        signs = [sign for card in known for sign in card.signs]
        there = await self._threads.run(self._path, signs_there, self._path, signs)
        number = recognised(uuid, mount, there, known)
        if number is not None:
            if not await still_there():
                raise gone(self._path)
            return Arrival(await self._returned(number, uuid, mount, tell=not after_start))
        listing = FolderListing(self._path, batch=_FIRST_IMAGES)
        while (listed := await self._threads.run(self._path, listing.next_batch)) is not None and not listed.candidates:
            pass
        if listed is None:
            return Arrival()
        calm, busy = sorted_by_rest(listed.candidates, restless, self._context)
        if not calm:
            return Arrival(None, busy)
        label = await self._threads.run("/", label_of, volume)
        facts = await self._facts(calm, label)
        if not await still_there():
            raise gone(self._path)
        return Arrival(await self._created(uuid, mount, facts))

    async def _known(self) -> list[KnownCard]:
        """The cards that came before and fit the target; the signs of the last one are renewed first."""
        await self.note_signs()
        request = self._record.request
        target = (
            None
            if request.target is None
            else await self._projects.known(request.target, request.account, ProjectKind.IMAGES)
        )
        cards = await self._context.journal.read(lambda connection: watches.cards(connection, self._path))
        fitting = [card for card in cards if request.target is None or self._project_of(card) == target]
        return [KnownCard(card.id, card.volume, signs_of(card), card.mount, card.found_at) for card in fitting]

    async def note_signs(self) -> None:
        """Note files by which the last card will be recognised, before those of another one are read at their paths."""

        def note(connection: sqlite3.Connection) -> None:
            for card in watches.cards(connection, self._path)[:1]:
                below = self._path.rstrip("/") + "/"
                signs = [
                    CardSign(path.removeprefix(below), size, samples)
                    for path, size, samples in watches.read_files(connection, card.upload, SIGNS)
                    if path.startswith(below)
                ]
                if signs:
                    watches.set_card(connection, card.id, signs=codec.to_json(signs))

        await self._context.journal.write(note)

    async def _returned(self, number: int, volume: str, mount: str, *, tell: bool) -> CardRecord:
        now = self._context.clocks.wall()

        def note(connection: sqlite3.Connection) -> CardRecord:
            known = watches.card(connection, number)
            watches.set_card(connection, number, found_at=now, mount=mount, volume=volume or known.volume)
            upload = uploads.upload(connection, known.upload)
            if upload.watch != self._record.id and upload.state is not UploadState.CANCELLED and not upload.past:
                connection.execute("UPDATE uploads SET watch = ? WHERE id = ?", (self._record.id, upload.id))
            if tell:
                history.record_of_upload(connection, now, EventKind.CARD_FOUND, upload.id, detail=self._path)
            return watches.card(connection, number)

        return await self._context.journal.write(note)

    async def _facts(self, images: Sequence[Candidate], label: str) -> NameFacts:
        def read() -> tuple[str, str]:
            date = camera = ""
            for facts in first_facts(images):
                date, camera = date or (facts.taken_at or "")[:10], camera or facts.camera or ""
                if date and camera:
                    break
            return date, camera

        date, camera = await self._threads.run(self._path, read)
        return NameFacts(
            site=site_of(images[0].path, self._path),
            date=date,
            camera=camera,
            card=card_of(self._path, label[:_LONGEST_LABEL]),
        )

    async def _created(self, volume: str, mount: str, facts: NameFacts) -> CardRecord:
        """Project, upload and card, in one transaction."""
        request, now = self._record.request, self._context.clocks.wall()
        if request.target is None:
            find = self._named_project(facts)
        else:
            find = await self._projects.for_upload(request.target, request.account, ProjectKind.IMAGES)

        def create(connection: sqlite3.Connection) -> CardRecord:
            project = find(connection)
            wish = None if request.auto_process else False
            upload = uploads.add_upload(connection, project, [self._path], wish, now, self._record.id)
            history.record_of_upload(connection, now, EventKind.CARD_FOUND, upload, detail=self._path)
            return watches.add_card(connection, self._path, volume=volume, mount=mount, upload=upload, now=now)

        return await self._context.journal.write(create)

    def _named_project(self, facts: NameFacts) -> FindProject:
        """Adds a project that is named by the template, and that no other card has."""
        signed_in = self._context.accounts.chosen(self._record.request.account)
        owner, kept_name = signed_in.login.account, signed_in.cloud.kept_name
        listed = self._projects.names_listed(owner)
        longest = len(kept_name("x" * 1000))

        def add(connection: sqlite3.Connection) -> int:
            taken = {kept_name(name).casefold() for name in (*listed, *projects.names(connection, owner))}
            name = project_name(
                self._record.request.name, facts, longest, lambda wanted: kept_name(wanted).casefold() in taken
            )
            return projects.add_project(connection, owner, name, ProjectKind.IMAGES)

        return add

    def _project_of(self, card: CardRecord) -> int | None:
        upload = self._context.summary.upload(card.upload)
        return None if upload is None else upload.project


def signs_of(card: CardRecord) -> tuple[CardSign, ...]:
    """The files that it is recognised by; none where another version wrote them."""
    try:
        return codec.from_json(card.signs, tuple[CardSign, ...])
    except codec.Malformed:
        return ()
