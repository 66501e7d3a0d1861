"""The one tree of failures.

    UploaderError
    ├── UsageError                      exit 2: the command cannot be carried out as given
    │   ├── NoSuchPath  NothingToUpload  NoSuchProject  NoSuchUpload  NoSuchFile
    │   └── TooManyImages  TooFewImages  NotPossibleNow
    ├── SourceError                     exit 1: a file of this machine
    │   └── SourceUnreadable  SourceVanished  SourceChanged  SourceRefused
    ├── SignInError                     exit 3
    │   └── NotSignedIn  SignInRefused  TokenExpired  StorageKeyExpired
    ├── LinkError                       exit 4: the way to the cloud
    │   ├── LinkDown  LinkStalled  TrustFailed  ProxyRefused  ProxyUnusable  NotTheService
    │   └── SendingPaused  BudgetUsedUp
    ├── CloudError                      exit 5: the cloud's own answer
    │   ├── CloudBusy  CloudFault  CloudRefused (StorageRefused)  CloudUnintelligible  Unsupported
    │   └── ChecksumRefused (StoredDamaged)  ClockSkewed  MultipartGone  NameTaken
    ├── EngineError                     exit 6: the background process or its journal
    │   ├── EngineUnreachable (EngineGone)  EngineWillNotStart  EngineVersionDiffers
    │   ├── JournalUnwritable  JournalInUse  JournalTooNew  JournalDamaged
    │   └── UnforeseenFailure
    └── Interrupted                     exit 130

Each knows what would make another attempt worth it (`remedy`), the exit code of a command that ends with it,
and the sentence that the user reads (`str(error)`). A sentence names the thing, says what is wrong, and what helps.
No secret is ever part of one: `redaction` takes out what a server may have quoted.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from tui_uploader.redaction import without_secrets


class Remedy(StrEnum):
    """What has to happen before another attempt can succeed."""

    WAIT = "wait"
    """Time: try again after a pause."""
    LINK = "link"
    """The link has to come back; waiting for it costs no attempt."""
    NEW_TOKEN = "new_token"
    NEW_CREDENTIALS = "new_credentials"
    CORRECT_CLOCK = "correct_clock"
    """Sign again with the service's time."""
    CHECK_FILE = "check_file"
    """Read the source file again: it is not what it was."""
    RESTART_FILE = "restart_file"
    """Parts sent before are gone; send the file from its beginning."""
    PERSON = "person"
    """Only a person can help; trying again by itself is pointless."""


class UploaderError(Exception):
    """Root of the tree."""

    exit_code: ClassVar[int] = 6
    remedy: ClassVar[Remedy] = Remedy.PERSON

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(without_secrets(message))
        self.retry_after = retry_after
        """Seconds to wait before the next attempt, where the other side said so."""

    @property
    def message(self) -> str:
        return str(self)

    @property
    def kind(self) -> str:
        """Name of the class: how the error is called in JSON and in the journal."""
        return type(self).__name__

    @property
    def retryable(self) -> bool:
        return self.remedy is not Remedy.PERSON


class UsageError(UploaderError):
    exit_code = 2


class NoSuchPath(UsageError): ...


class NothingToUpload(UsageError): ...


class NoSuchProject(UsageError): ...


class NoSuchUpload(UsageError): ...


class NoSuchFile(UsageError): ...


class TooManyImages(UsageError): ...


class TooFewImages(UsageError): ...


class NotPossibleNow(UsageError): ...


class SourceError(UploaderError):
    exit_code = 1


class SourceUnreadable(SourceError): ...


class SourceVanished(SourceError): ...


class SourceChanged(SourceError):
    remedy = Remedy.CHECK_FILE


class SourceRefused(SourceError):
    """The content is no image or result that the service would take."""


class SignInError(UploaderError):
    exit_code = 3


class NotSignedIn(SignInError): ...


class SignInRefused(SignInError): ...


class TokenExpired(SignInError):
    remedy = Remedy.NEW_TOKEN


class StorageKeyExpired(SignInError):
    remedy = Remedy.NEW_CREDENTIALS


class LinkError(UploaderError):
    exit_code = 4
    remedy = Remedy.LINK


class LinkDown(LinkError): ...


class LinkStalled(LinkError):
    """Connected, but no byte moved for too long."""


class TrustFailed(LinkError):
    """TLS: the other side could not prove who it is."""

    remedy = Remedy.PERSON


class ProxyRefused(LinkError):
    remedy = Remedy.PERSON


class ProxyUnusable(LinkError):
    """The setting or the variable that names the proxy is wrong, or names one of a kind that is not supported."""

    remedy = Remedy.PERSON


class NotTheService(LinkError):
    """Somebody else answered, such as the login page of a hotel's network."""


class SendingPaused(LinkError):
    """The user's own cap or timetable lets nothing out now, or a data budget that comes anew by itself is used up."""


class BudgetUsedUp(LinkError):
    """The user's own data budget in total: it does not come anew by itself."""

    remedy = Remedy.PERSON


class CloudError(UploaderError):
    exit_code = 5


class CloudBusy(CloudError):
    remedy = Remedy.WAIT


class CloudFault(CloudError):
    remedy = Remedy.WAIT


class CloudRefused(CloudError): ...


class StorageRefused(CloudRefused):
    """The service named a place for files to which nothing is sent, or credentials with which nothing can be. It is
    about the account, not about a file."""


class CloudUnintelligible(CloudError):
    """A reply that is not what the protocol says."""

    remedy = Remedy.WAIT


class Unsupported(CloudError):
    """The cloud does not offer this call to us; a capability turns itself off."""


class ChecksumRefused(CloudError):
    remedy = Remedy.CHECK_FILE


class StoredDamaged(ChecksumRefused):
    """The storage holds other bytes under this name than were sent. The object was made by us, and is not registered;
    the file is sent again under another name, since nothing in the storage is overwritten or removed."""


class ClockSkewed(CloudError):
    remedy = Remedy.CORRECT_CLOCK


class MultipartGone(CloudError):
    remedy = Remedy.RESTART_FILE


class NameTaken(CloudError):
    """An object of that name is in the project already, and was not overwritten."""


class EngineError(UploaderError):
    exit_code = 6


class EngineUnreachable(EngineError): ...


class EngineGone(EngineUnreachable):
    """It ended, or was stopped, before it answered: the next engine can be asked the same."""


class EngineWillNotStart(EngineError): ...


class EngineVersionDiffers(EngineError): ...


class JournalUnwritable(EngineError):
    """The disk is full, or the folder read-only: nothing may happen that cannot be written down."""

    remedy = Remedy.WAIT


class JournalInUse(EngineError):
    """Another process has the journal open."""


class JournalTooNew(EngineError): ...


class JournalDamaged(EngineError): ...


class UnforeseenFailure(EngineError):
    """A fault of the program itself, met by one of the engine's workers."""

    remedy = Remedy.WAIT


class Interrupted(UploaderError):
    exit_code = 130


def _tree(root: type[UploaderError]) -> dict[str, type[UploaderError]]:
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


def revived(kind: str, message: str) -> UploaderError:
    """The error that crossed a process boundary as its `kind` and `message`; an unknown kind is a plain EngineError."""
    return _tree(UploaderError).get(kind, EngineError)(message)
