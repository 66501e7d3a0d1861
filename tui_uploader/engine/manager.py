"""The upload manager: the engine's face. Front ends reach it through `service`, never directly."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tui_uploader.model import (
    Account,
    AddRequest,
    EngineStatus,
    FileQuery,
    FileSelection,
    FileWindow,
    Project,
    ProjectKind,
    SignInRequest,
    Skipped,
    UploadStatus,
)
from tui_uploader.settings import Directories, Settings


class UploadManager:
    """Uploads to several projects at once. Every method raises errors of `errors` and nothing else."""

    @classmethod
    async def open(cls, directories: Directories, settings: Settings) -> UploadManager:
        """Open the journal and go on where it stands.

        Raises JournalTooNew, JournalDamaged, JournalUnwritable.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Stop every transfer so that the next `open` goes on from there."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------ what there is

    def status(self) -> EngineStatus:
        raise NotImplementedError

    def changes(self) -> AsyncIterator[EngineStatus]:
        """The status now, and again whenever it changed, at most four times a second."""
        raise NotImplementedError

    @property
    def busy(self) -> bool:
        """There is work that the engine does or waits to do; False lets an idle engine leave."""
        raise NotImplementedError

    async def upload(self, upload: int) -> UploadStatus:
        raise NotImplementedError

    async def skipped(self, upload: int) -> tuple[Skipped, ...]:
        raise NotImplementedError

    async def files(self, upload: int, query: FileQuery) -> FileWindow:
        raise NotImplementedError

    async def projects(self) -> tuple[Project, ...]:
        """Those of this machine and, where the service lists them, the account's others."""
        raise NotImplementedError

    async def project(self, project: str) -> Project:
        """By id, or by name where that is unique."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------ sign-in

    async def sign_in(self, request: SignInRequest) -> Account:
        raise NotImplementedError

    async def sign_out(self, profile: str) -> bool:
        """Forget the stored login; False when there was none."""
        raise NotImplementedError

    async def accounts(self) -> tuple[Account, ...]:
        raise NotImplementedError

    # ----------------------------------------------------------------------------------------------- commands

    async def add(self, request: AddRequest) -> UploadStatus:
        """Returns when the folders have been walked, or after two seconds while that goes on."""
        raise NotImplementedError

    async def create_project(self, name: str, kind: ProjectKind, account: str | None) -> Project:
        raise NotImplementedError

    async def pause(self, upload: int) -> UploadStatus:
        raise NotImplementedError

    async def resume(self, upload: int) -> UploadStatus:
        raise NotImplementedError

    async def cancel(self, upload: int) -> UploadStatus:
        raise NotImplementedError

    async def dismiss(self, upload: int) -> UploadStatus:
        raise NotImplementedError

    async def set_auto_process(self, upload: int, on: bool) -> UploadStatus:
        raise NotImplementedError

    async def retry(self, upload: int, selection: FileSelection) -> int:
        """How many failed files wait again."""
        raise NotImplementedError

    async def remove(self, upload: int, selection: FileSelection) -> int:
        """How many waiting, duplicate or failed files left the queue.

        Raises NotPossibleNow when one that was named is uploading or uploaded.
        """
        raise NotImplementedError

    async def restore(self, upload: int, selection: FileSelection) -> int:
        """Take a removal back."""
        raise NotImplementedError

    async def start_processing(self, project: str, *, partial: bool = False) -> Project:
        """Start now. `partial`: although files are waiting or failed.

        Raises TooFewImages, NotPossibleNow.
        """
        raise NotImplementedError

    def try_now(self) -> None:
        """Do not wait for the next probe of a dead link, or the end of a pause between attempts."""
        raise NotImplementedError
