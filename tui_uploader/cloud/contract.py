"""The interface between the engine and any cloud.

The engine knows only these protocols and `errors`, never HTTP. Unless stated otherwise, every method raises only errors
of `errors`, and is safe to repeat. Cancelling the awaiting task stops the transfer at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from tui_uploader.cloud.throttle import Throttle
from tui_uploader.model.files import Proof
from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.results import CoordinateSystem, ResultType

MAX_SINGLE_PUT = 5 * 1024**3
MIN_PART = 5 * 1024**2
MAX_PARTS = 10_000
"""S3's limits: bytes of one PUT, bytes of any part but the last, parts of one object."""

SentCallback = Callable[[int], None]
"""Called from the sending thread with the total number of bytes of the body sent so far; 0 when it is sent again."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A range of bytes in an open file.

    `file` has a descriptor and is read only with `os.pread` and `os.sendfile`, so several ranges can be sent at once.
    """

    file: BinaryIO
    offset: int
    length: int
    crc32: int
    """The checksum of exactly these bytes; the store refuses anything else."""
    handed_over: Callable[[], None] = lambda: None
    """Called from the sending thread when the kernel has the last byte: another body may begin while the rest of this
    one and its reply are in transit."""
    path: str = ""
    """The file's path, for messages about a disk that does not answer."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part confirmed by the store."""

    number: int
    """From 1."""
    size: int
    etag: str
    crc32: int | None = None
    """None if the store listed the part without a checksum."""
    proof: Proof = Proof.NONE
    """How the store proved that it has the part; NONE for a part that it only listed."""


@dataclass(frozen=True, slots=True)
class Multipart:
    """An unfinished multipart upload."""

    id: str
    age: float
    """Seconds since its start, by the store's clock."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in a store."""

    size: int
    etag: str
    crc32: int | None = None
    proof: Proof = Proof.NONE
    """How the store proved that this is what we sent; NONE for an object that was only looked up."""


class ObjectStore(Protocol):
    """The storage of one project. Fetches and renews the project's session credentials itself."""

    def key(self, object_name: str) -> str:
        """The full object key: the project's prefix, a slash, the name. Needs `open` before."""

    async def open(self) -> None:
        """Fetch the session credentials, if that has not been done."""

    async def put(self, object_name: str, body: ByteRange, sent: SentCallback) -> StoredObject:
        """Store an object with one PUT and its CRC32; never overwrite if the store supports `If-None-Match: *`.

        Raises ChecksumRefused if the data is not what was read before, StoredDamaged if the store saved it anyway, and
        NameTaken if an object has that name, which may be our own from an earlier call whose reply was lost.
        """

    async def create_multipart(self, object_name: str) -> str:
        """Start a multipart upload and return its id. Raises Unsupported if the store does not allow that."""

    async def put_part(
        self, object_name: str, upload_id: str, number: int, body: ByteRange, sent: SentCallback
    ) -> Part:
        """Send part `number`, and again if it arrives damaged. Raises ChecksumRefused, MultipartGone."""

    async def list_parts(self, object_name: str, upload_id: str) -> Sequence[Part] | None:
        """The parts that the store has; None if it does not list them, or not intelligibly. Raises MultipartGone."""

    async def list_multiparts(self, object_name: str) -> Sequence[Multipart] | None:
        """All unfinished multipart uploads of exactly this name; None if the store does not list them, or not
        intelligibly."""

    async def complete_multipart(
        self, object_name: str, upload_id: str, parts: Sequence[Part], size: int
    ) -> StoredObject:
        """Join the parts into an object; never overwrites, as `put`.

        If an earlier call succeeded and its reply was lost, that is noticed where HEAD is allowed. Raises NameTaken,
        MultipartGone.
        """

    async def abort_multipart(self, object_name: str, upload_id: str) -> None:
        """Abort a multipart upload. One that no longer exists counts as aborted."""

    async def head(self, object_name: str) -> StoredObject | None:
        """The object, or None if it does not exist. Raises Unsupported if the store does not let us see objects, or its
        reply is not valid."""

    async def list_objects(self, most: int) -> Mapping[str, StoredObject]:
        """The project's objects by name, without checksums. An object that is not in it may exist all the same.

        Raises Unsupported if the store does not list them, or not intelligibly, and if there are more than `most`.
        """


@dataclass(frozen=True, slots=True)
class RemoteProject:
    """A project as the service reports it."""

    id: str
    name: str
    word: str | None
    """`public_status` as in the reply."""
    state: ProcessingState | None
    """The meaning of the word; None for no word, and for projects whose processing was not started. An unknown word
    means PROCESSING."""
    error_reason: str | None = None
    web_address: str | None = None
    known_word: bool = True
    """Whether `state` is certain: the word is one of those that we know."""
    images: int | None = None
    """Its images, of any client; None: the service does not tell."""
    results: int | None = None
    """Its processed results, of any client; None: the service does not tell."""

    @property
    def certainly_processed(self) -> bool:
        """Whether processing was requested before, as far as the word tells."""
        return self.state is not None and self.known_word


@dataclass(frozen=True, slots=True)
class StartReceipt:
    """The service's estimates at the start of processing."""

    waiting_seconds: float | None = None
    processing_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Keys of one accepted call, of which the service counts fewer as registered."""

    keys: tuple[str, ...]
    counted: int


@dataclass(frozen=True, slots=True)
class Registration:
    """The outcome of a registration. A key in none of the fields was not asked about: ask again."""

    registered: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    """The reason for each key that the service refuses individually."""
    shortfalls: tuple[Shortfall, ...] = ()
    """Keys that are registered or not: `Cloud.resolve_shortfall` finds out."""


@dataclass(frozen=True, slots=True)
class ShortfallResolution:
    """The keys of a `Shortfall`; each is in exactly one of the fields."""

    registered: frozenset[str]
    lost: frozenset[str]
    """The storage does not have these objects."""
    unconfirmed: frozenset[str]
    """Stored, and nothing shows whether the service registered them."""


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A processed result whose files are all stored."""

    type: ResultType
    name: str
    """Its name for people. Its key may differ: no object is overwritten, so a replacement has another key."""
    key: str
    """Of its main file."""
    companions: tuple[str, ...] = ()
    """Keys of the files that belong to it, below the folder of its main file as that names them."""
    crs: CoordinateSystem | None = None


@dataclass(frozen=True, slots=True)
class RemoteResult:
    """A processed result as the service lists it."""

    type: ResultType
    name: str
    key: str = ""
    size: int = 0
    """Bytes of all its files; 0: the service does not tell."""
    registered_at: float | None = None
    crs: CoordinateSystem | None = None


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """What the kernel knows of a sending connection. Times are in seconds."""

    unacknowledged: int
    """Segments in flight."""
    silent: float
    """Time since the last acknowledgement, or at least since the connection attempt began."""
    round_trip: float
    """Smoothed round-trip time."""
    min_round_trip: float
    """Round-trip time without queues on the path."""
    segments: int
    """Data segments sent so far, retransmissions included."""
    retransmitted: int
    loss_based: bool
    """The congestion control slows down at every loss, which BBR does not."""


class StoreConnections(Protocol):
    """The busy connections to stores: their state, and how they react to changes of the link."""

    def tcp_info(self) -> Sequence[TcpInfo]:
        """The state of the busy connections, where the kernel provides it."""

    def stalled_reads(self, seconds: float) -> Sequence[str]:
        """Paths of files whose disk has not answered for this many seconds."""

    def remeasure_link(self) -> None:
        """Measure the bandwidth anew, after others have stopped using the link."""

    def doubt_link(self) -> None:
        """The link may be down: retransmit every second."""

    def trust_link(self, *, was_gone: bool) -> None:
        """The link is up (again): cut connections that do not recover within a moment."""


class ResultRegistry(Protocol):
    """The processed results of projects."""

    async def check_taken(self, project_id: str | None = None) -> None:
        """Find out whether the cloud takes processed results, before anything is sent. Raises Unsupported if not.

        Without a project, only what is known without asking counts, so that no project is created in vain. Asks once.
        """

    async def register(self, project_id: str, result: StoredResult) -> Registration:
        """Register stored objects as a result of the project. It replaces the project's result of the same type.

        The outcome names the key of the main file. Raises Unsupported if the cloud has no such call, as PIX4Dcloud's
        public API; CloudRefused as `register_images`.
        """

    async def listed(self, project_id: str) -> Sequence[RemoteResult]:
        """The processed results that the project has, of any machine. Raises Unsupported if the cloud has no list."""


class Cloud(Protocol):
    """One account at one cloud."""

    account: str
    registration_batch: int
    """The number of images that the service accepts in one call, as observed."""

    @property
    def connections(self) -> StoreConnections: ...

    @property
    def results(self) -> ResultRegistry: ...

    async def sign_in(self) -> None:
        """Get a token now. Raises SignInRefused if the login is wrong."""

    async def probe(self) -> None:
        """Check with a cheap request that the service answers, and that the stores in use accept connections.

        A store that does not is then left out until it has been used again: it may have moved, which only its use can
        show. Raises LinkError.
        """

    async def wait_reachable(self) -> None:
        """Return as soon as the cloud accepts a connection. Costs a packet per second.

        Raises LinkError if a host refuses the connection.
        """

    def kept_name(self, name: str) -> str:
        """The name under which the service would store a new project `name`."""

    async def create_project(self, name: str) -> RemoteProject:
        """NOT safe to repeat: each success creates another project of the same name."""

    async def project(self, project_id: str) -> RemoteProject:
        """Raises NoSuchProject."""

    async def projects(self, known: Sequence[RemoteProject] = ()) -> Sequence[RemoteProject]:
        """The projects that the service lists, newest first. Raises Unsupported if it has no list.

        `known`: an earlier answer. If the first page of the list has no other projects, and the service counts as many,
        the other pages are taken from it and not read again.
        """

    def use_throttle(self, throttle: Throttle) -> None:
        """Send files through `throttle`, which other clouds share. Call it before the first transfer."""

    def store(self, project_id: str) -> ObjectStore:
        """The store of a project; always the same object."""

    async def register_images(
        self, project_id: str, keys: Sequence[str], asked_before: Set[str] = frozenset()
    ) -> Registration:
        """Register `keys` in batches that the service accepts, and single out the keys that it refuses.

        The number of calls is bounded, and repeating it for the same keys is safe. `asked_before`: keys that an earlier
        call may have registered, so that the service may leave them out of its count.

        Raises CloudRefused when the refusal is about the account or the project, and not about keys.
        """

    async def resolve_shortfall(self, project_id: str, shortfall: Shortfall) -> ShortfallResolution:
        """Find out which keys of a shortfall are registered, and which the storage lost."""

    async def start_processing(self, project_id: str) -> StartReceipt:
        """NOT safe to repeat: each success starts processing. After a LinkError or CloudFault it may have started."""

    async def close(self) -> None: ...
