"""All errors of the program, in one tree.

    UploaderError
    ├── UsageError                      exit 2: the command cannot be carried out as given
    │   ├── NoSuchPath  NothingToUpload  NoSuchProject  NoSuchUpload  NoSuchFile  NoSuchVerification  NoSuchWatch
    │   ├── ReceiptInvalid  ResultTypeUnclear
    │   └── TooManyImages  TooFewImages  NotPossibleNow (AlreadyProcessed  ResultExists  CrsDiffers)
    ├── SourceError                     exit 1: a file of this machine
    │   └── SourceUnreadable  SourceVanished  SourceReplaced  SourceChanged  SourceRefused (SourceDamaged)
    ├── SignInError                     exit 3
    │   └── NotSignedIn  SignInRefused  TokenExpired  StorageKeyExpired
    ├── LinkError                       exit 4: the network between here and the cloud
    │   ├── LinkDown  LinkStalled  TrustFailed  ProxyRefused  ProxyUnusable  NotTheService
    │   └── SendingPaused  BudgetUsedUp
    ├── CloudError                      exit 5: the cloud's answer
    │   ├── CloudBusy  CloudFault  CloudRefused (StorageRefused)  CloudUnintelligible  Unsupported
    │   └── ChecksumRefused (StoredDamaged)  ClockSkewed  MultipartGone  NameTaken
    ├── EngineError                     exit 6: the background process or its journal
    │   ├── EngineUnreachable (EngineGone)  EngineWillNotStart  EngineVersionDiffers
    │   ├── JournalUnwritable  JournalInUse  JournalTooNew  JournalDamaged
    │   └── HookFailed (HookUnavailable)  UnforeseenFailure
    └── Interrupted                     exit 130

Each error has the remedy that makes a retry worthwhile, the exit code of a command that ends with it, and the sentence
for the user (`str(error)`): what failed, why, and what to do. `redaction` removes secrets that a server quoted.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from tui_uploader.redaction import without_secrets


class Remedy(StrEnum):
    """What has to happen before a retry can succeed."""

    WAIT = "wait"
    """Retry after a pause."""
    LINK = "link"
    """The network has to come back; waiting for it costs no attempt."""
    NEW_TOKEN = "new_token"
    NEW_CREDENTIALS = "new_credentials"
    CORRECT_CLOCK = "correct_clock"
    """Sign the request again with the service's time."""
    CHECK_FILE = "check_file"
    """Read the source file again: it may have changed."""
    RESTART_FILE = "restart_file"
    """The parts sent so far are gone; send the whole file again."""
    PERSON = "person"
    """The user has to act; an automatic retry is pointless."""


class UploaderError(Exception):
    """Base class of all errors of the program."""

    exit_code: ClassVar[int] = 6
    remedy: ClassVar[Remedy] = Remedy.PERSON

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(without_secrets(message))
        self.retry_after = retry_after
        """Seconds to wait before the next attempt, if the server named them."""

    @property
    def message(self) -> str:
        return str(self)

    @property
    def kind(self) -> str:
        """The class name, as JSON and the journal have it: a renamed class changes both."""
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


class NoSuchVerification(UsageError): ...


class NoSuchWatch(UsageError): ...


class ReceiptInvalid(UsageError):
    """The file is no receipt, has been changed since it was written, or has a format that is not supported."""


class ResultTypeUnclear(UsageError):
    """The content does not tell which type of result it is, and the user has not."""


class TooManyImages(UsageError): ...


class TooFewImages(UsageError): ...


class NotPossibleNow(UsageError): ...


class AlreadyProcessed(NotPossibleNow):
    """The project was processed before, and the user has not agreed to process it again."""


class ResultExists(NotPossibleNow):
    """The project has a result of that type, and the user has not agreed to replace it."""


class CrsDiffers(NotPossibleNow):
    """The coordinate reference system of a result is not that of the project's results, and the user has not agreed."""


class SourceError(UploaderError):
    exit_code = 1


class SourceUnreadable(SourceError): ...


class SourceVanished(SourceError): ...


class SourceReplaced(SourceError):
    """Another card is mounted at the path of the file."""


class SourceChanged(SourceError):
    remedy = Remedy.CHECK_FILE


class SourceRefused(SourceError):
    """The content is not an image or result that the service accepts."""


class SourceDamaged(SourceRefused):
    """The content is damaged, incomplete or empty."""


class SignInError(UploaderError):
    exit_code = 3


class NotSignedIn(SignInError): ...


class SignInRefused(SignInError): ...


class TokenExpired(SignInError):
    remedy = Remedy.NEW_TOKEN


class StorageKeyExpired(SignInError):
    """The storage no longer accepts the session credentials."""

    remedy = Remedy.NEW_CREDENTIALS


class LinkError(UploaderError):
    exit_code = 4
    remedy = Remedy.LINK


class LinkDown(LinkError): ...


class LinkStalled(LinkError):
    """Connected, but no data moved for too long."""


class TrustFailed(LinkError):
    """TLS failed: the server's certificate could not be verified."""

    remedy = Remedy.PERSON


class ProxyRefused(LinkError):
    remedy = Remedy.PERSON


class ProxyUnusable(LinkError):
    """The proxy setting is invalid, or names an unsupported type of proxy."""

    remedy = Remedy.PERSON


class NotTheService(LinkError):
    """Another server answered, such as the login page of a hotel network."""


class SendingPaused(LinkError):
    """The user's rate limit or timetable allows no sending now, or a recurring data budget is used up."""


class BudgetUsedUp(LinkError):
    """The user's total data budget is used up; unlike a recurring one, it is not renewed."""

    remedy = Remedy.PERSON


class CloudError(UploaderError):
    exit_code = 5


class CloudBusy(CloudError):
    remedy = Remedy.WAIT


class CloudFault(CloudError):
    remedy = Remedy.WAIT


class CloudRefused(CloudError): ...


class StorageRefused(CloudRefused):
    """The service named an unsafe storage endpoint or unusable credentials. Affects the account, not a single file."""


class CloudUnintelligible(CloudError):
    """The reply does not follow the protocol."""

    remedy = Remedy.WAIT


class Unsupported(CloudError):
    """The cloud does not offer this call to the account; the feature is turned off."""


class ChecksumRefused(CloudError):
    remedy = Remedy.CHECK_FILE


class StoredDamaged(ChecksumRefused):
    """The storage saved an object of ours with different data than was sent. It is not registered; the file is sent
    again under another name, since nothing in the storage is overwritten or removed."""


class ClockSkewed(CloudError):
    remedy = Remedy.CORRECT_CLOCK


class MultipartGone(CloudError):
    remedy = Remedy.RESTART_FILE


class NameTaken(CloudError):
    """The project already has an object of that name; it was not overwritten."""


class EngineError(UploaderError):
    exit_code = 6


class EngineUnreachable(EngineError): ...


class EngineGone(EngineUnreachable):
    """The engine ended before it answered; the request can be repeated to the next engine."""


class EngineWillNotStart(EngineError): ...


class EngineVersionDiffers(EngineError): ...


class JournalUnwritable(EngineError):
    """The disk is full or the folder read-only. Work stops: nothing may happen that is not journaled."""

    remedy = Remedy.WAIT


class JournalInUse(EngineError):
    """Another process uses the journal."""


class JournalTooNew(EngineError): ...


class JournalDamaged(EngineError): ...


class HookFailed(EngineError):
    """A hook of the user could not be told something; uploads are not affected."""


class HookUnavailable(HookFailed):
    """The same, and it may work in a moment."""

    remedy = Remedy.WAIT


class UnforeseenFailure(EngineError):
    """A bug in the program, hit by one of the engine's workers."""

    remedy = Remedy.WAIT


class Interrupted(UploaderError):
    exit_code = 130


def _tree(root: type[UploaderError]) -> dict[str, type[UploaderError]]:
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


def revived(kind: str, message: str) -> UploaderError:
    """Rebuild an error that crossed a process boundary as `kind` and `message`; an unknown kind gives EngineError."""
    return _tree(UploaderError).get(kind, EngineError)(message)
