"""Look at what a request is about: the results in its paths, and those that its project has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tui_uploader.cloud.contract import RemoteResult
from tui_uploader.engine.accounts.accounts import SignedIn
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import known_contents, results
from tui_uploader.engine.journal.tables.results import ResultRecord
from tui_uploader.engine.results.plan import Standing
from tui_uploader.engine.sources.recognise import recognise
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.errors import CloudError, LinkError, NoSuchProject, SignInError, SourceUnreadable, Unsupported
from tui_uploader.intake.results.survey import RefusedResult, SurveyedResult, survey_results
from tui_uploader.intake.scan import Candidate, named_path, scan
from tui_uploader.intake.volumes import Volume
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.results import ProjectResult
from tui_uploader.model.uploads import Skipped
from tui_uploader.text import printable

_LOOK_SECONDS = 100.0
"""For the paths of a request: only headers and ends of files are read."""
_ASK_SECONDS = 10.0
"""For the service to answer about a project."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is in the paths of a request."""

    paths: tuple[str, ...] = ()
    """Absolute, without `..`."""
    results: tuple[SurveyedResult, ...] = ()
    refused: tuple[RefusedResult, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return tuple(candidate for each in self.results for candidate in (each.main, *each.companions))


NOTHING = Seen()


async def look(threads: SourceThreads, paths: Sequence[str]) -> Seen:
    """Recognise the results in the paths, in the threads of their cards.

    Raises NoSuchPath, SourceUnreadable, SourceVanished; SourceUnreadable as well if a card does not respond in time.
    """
    by_volume: dict[Volume, list[str]] = {}
    for path in paths:
        by_volume.setdefault(threads.volume_of(path), []).append(path)
    looking = [threads.run(given[0], _look, tuple(given), tuple(paths)) for given in by_volume.values()]
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            seen = await asyncio.gather(*looking)
    except TimeoutError:
        raise SourceUnreadable(
            f"{printable(paths[0])} does not respond: its card, disk or network folder hangs. Nothing was queued."
        ) from None
    return Seen(
        tuple(path for each in seen for path in each.paths),
        tuple(result for each in seen for result in each.results),
        tuple(refused for each in seen for refused in each.refused),
        tuple(skipped for each in seen for skipped in each.skipped),
    )


def _look(given: tuple[str, ...], named: tuple[str, ...]) -> Seen:
    """Blocking: for a thread."""
    paths = tuple(map(named_path, given))
    candidates: list[Candidate] = []
    skipped: list[Skipped] = []
    for batch in scan(list(paths), ProjectKind.RESULTS, named=[*paths, *named]):
        candidates += batch.candidates
        skipped += batch.skipped
    found = survey_results(candidates, skipped)
    return Seen(paths, found.results, found.refused, found.skipped)


class Standings:
    """What projects have, as far as this machine and the service know."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context

    async def of(self, project: int, seen: Seen = NOTHING, *, ask: bool = True) -> tuple[Standing, ...]:
        """The results of a project; those that are only queued come last. `ask`: the service as well, if it answers.

        `seen`: what is to be compared with them.
        """
        ours = await self._context.journal.read(lambda connection: results.of_project(connection, project))
        identities = await self._identities(seen)
        standing = [_standing(record, seen, identities) for record in ours]
        queued = tuple(each for each in standing if each.queued)
        registered = [each for each in standing if not each.queued]
        listed = await self._listed(project) if ask else None
        if listed is None:
            return (*registered, *queued)
        return (*(_merged(remote, registered) for remote in listed), *queued)

    async def elsewhere(self, signed_in: SignedIn, remote_id: str) -> tuple[Standing, ...]:
        """The results of a project that only the service knows."""
        listed = await self._ask(signed_in, remote_id)
        return tuple(_merged(remote, ()) for remote in listed or ())

    async def check_taken(self, signed_in: SignedIn | None, remote_id: str | None) -> None:
        """Raises Unsupported if the service takes no results. One that cannot be reached is asked before sending."""
        if signed_in is None:
            return
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                await signed_in.cloud.results.check_taken(remote_id)
        except Unsupported:
            raise
        except (LinkError, SignInError, CloudError, NoSuchProject, TimeoutError):
            return

    async def _listed(self, project: int) -> Sequence[RemoteResult] | None:
        """None: the service does not tell."""
        row = self._context.summary.projects[project]
        signed_in = self._context.account_of(row)
        if signed_in is None or row.remote_id is None or not signed_in.usable:
            return None
        return await self._ask(signed_in, row.remote_id)

    async def _ask(self, signed_in: SignedIn, remote_id: str) -> Sequence[RemoteResult] | None:
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                return await signed_in.cloud.results.listed(remote_id)
        except (LinkError, SignInError, CloudError, NoSuchProject, TimeoutError):
            return None

    async def _identities(self, seen: Seen) -> Mapping[str, str]:
        """The contents of seen files that were read before and are unchanged, by path."""
        candidates = seen.candidates
        if not candidates:
            return {}
        wanted = [each.path for each in candidates]
        known = await self._context.journal.read(partial(known_contents.find_all, paths=wanted))
        threads, found = self._context.sources, dict[str, str]()
        by_volume: dict[Volume, list[Candidate]] = {}
        for each in candidates:
            by_volume.setdefault(threads.volume_of(each.path), []).append(each)
        for group in by_volume.values():
            found |= (await threads.run(group[0].path, recognise, group, known)).identities
        return found


def _standing(record: ResultRecord, seen: Seen, identities: Mapping[str, str]) -> Standing:
    same = frozenset(each.main.path for each in seen.results if _is_same(record, each, identities))
    return Standing(record.value(), not record.registered, record.main.path, record.main.replaces is not None, same)


def _is_same(record: ResultRecord, surveyed: SurveyedResult, identities: Mapping[str, str]) -> bool:
    files = {each.path: each for each in (surveyed.main, *surveyed.companions)}
    if not record.registered and {row.path: row.candidate for row in record.files} == files:
        return True
    folder = surveyed.main.path.rpartition("/")[0] + "/"
    contents = {path.removeprefix(folder): identities.get(path) for path in files}
    return contents == {record.relative(row): row.identity or "" for row in record.files}


def _merged(remote: RemoteResult, ours: Sequence[Standing]) -> Standing:
    """What the service lists, with what this machine knows of it."""
    for each in ours:
        if each.result.type is remote.type and each.result.name == remote.name:
            return each
    return Standing(ProjectResult(remote.type, remote.name, remote.size, remote.registered_at, remote.crs))
