"""The seam: what the engine needs of any cloud.

The engine knows these protocols and `errors`; it never sees HTTP. Every method raises errors of the tree in
`errors` and nothing else, and is safe to repeat. Cancelling the awaiting task stops the transfer at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from tui_uploader.cloud.throttle import Throttle
from tui_uploader.model import ProcessingState, Proof

MAX_SINGLE_PUT = 5 * 1024**3
MIN_PART = 5 * 1024**2
MAX_PARTS = 10_000
"""S3's own limits: bytes of one PUT, bytes of any part but the last, parts of one object."""

SentCallback = Callable[[int], None]
"""Called from the sending thread with the number of bytes of this body that left so far (absolute, and 0 again when
the body has to be sent once more)."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A run of bytes of an open file. `file` has a descriptor and is only ever read with `os.pread`/`os.sendfile`,
    so that several spans of one file can be in flight."""

    file: BinaryIO
    offset: int
    length: int
    crc32: int
    """Of exactly these bytes; the store refuses anything else."""
    handed_over: Callable[[], None] = lambda: None
    """Called from the sending thread when the kernel has the last byte: another body may begin, while the link carries
    the rest of this one and the answer to it."""
    path: str = ""
    """Where the file lies, for what is told of a disk that does not answer."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that the store confirmed."""

    number: int
    """From 1."""
    size: int
    etag: str
    crc32: int | None = None
    """None where the store listed the part without its checksum."""
    proof: Proof = Proof.NONE
    """How the store proved that it has the part; NONE for one that it merely listed."""


@dataclass(frozen=True, slots=True)
class Multipart:
    """A multipart upload that was begun and has not ended."""

    id: str
    age: float
    """Seconds since it was begun, by the store's clock."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    size: int
    etag: str
    crc32: int | None = None
    proof: Proof = Proof.NONE
    """How the store proved that this is what we sent; NONE for one that was merely looked at."""


class ObjectStore(Protocol):
    """Where the files of one project go. Holds and renews the project's storage key by itself."""

    def key(self, object_name: str) -> str:
        """The full object key: the project's prefix, a slash, the name. Needs `open` before."""

    async def open(self) -> None:
        """Get the storage key, if that has not been done."""

    async def put(self, object_name: str, body: ByteRange, sent: SentCallback) -> StoredObject:
        """One PUT with its CRC32, which never overwrites where the store can refuse that (`If-None-Match: *`).

        Raises ChecksumRefused when the bytes are not those that were read before, StoredDamaged when the store then
        keeps them all the same; NameTaken when an object of that
        name is there, also when an earlier PUT of ours got through and only its answer was lost.
        """

    async def create_multipart(self, object_name: str) -> str:
        """The upload id. Raises Unsupported where the store refuses multipart uploads to us."""

    async def put_part(
        self, object_name: str, upload_id: str, number: int, body: ByteRange, sent: SentCallback
    ) -> Part: ...

    async def list_parts(self, object_name: str, upload_id: str) -> Sequence[Part] | None:
        """None where the store does not let us list, or its list cannot be understood; then the journal's parts are
        all there is.

        Raises MultipartGone.
        """

    async def list_multiparts(self, object_name: str) -> Sequence[Multipart] | None:
        """Those of exactly this name, whoever began them. None where the store does not let us list, or its list
        cannot be understood."""

    async def complete_multipart(
        self, object_name: str, upload_id: str, parts: Sequence[Part], size: int
    ) -> StoredObject:
        """Never overwrites, as `put`. Raises NameTaken, MultipartGone; a lost reply to an earlier success is
        recognised where HEAD is allowed."""

    async def abort_multipart(self, object_name: str, upload_id: str) -> None:
        """Gone already is as good as aborted."""

    async def head(self, object_name: str) -> StoredObject | None:
        """None when there is no such object. Raises Unsupported where the store does not let us look, or what it says
        of the object cannot be understood."""


@dataclass(frozen=True, slots=True)
class RemoteProject:
    """What the service says of a project."""

    id: str
    name: str
    word: str | None
    """`public_status` as it stands in the reply."""
    state: ProcessingState | None
    """What the word means; None for the words of a project that was not started, and for no word at all.
    An unknown word means PROCESSING."""
    error_reason: str | None = None
    web_address: str | None = None


@dataclass(frozen=True, slots=True)
class StartReceipt:
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
    """The reason for each key that the service refuses by itself."""
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
    """The connections to stores that are in use: what the kernel knows of them, and what it can do for them."""

    def tcp_info(self) -> Sequence[TcpInfo]:
        """Of the connections to stores that are in use, as far as the kernel tells."""

    def stalled_reads(self, seconds: float) -> Sequence[str]:
        """Paths of files whose disk has not answered for so long."""

    def remeasure_link(self) -> None:
        """Somebody left the link: those that are under way may carry more from now on."""

    def doubt_link(self) -> None:
        """Packets seem to vanish: what is under way tries again every second."""

    def trust_link(self, *, was_gone: bool) -> None:
        """The link is there (again): what does not go on over it in a moment is cut."""


class Cloud(Protocol):
    """One account at one cloud."""

    account: str
    registration_batch: int
    """Images that the service was seen to take in one call: with more, one lost answer repeats several calls."""

    @property
    def connections(self) -> StoreConnections: ...

    async def sign_in(self) -> None:
        """Get a token now. Raises SignInRefused when the login is wrong."""

    async def probe(self) -> None:
        """The cheapest question to the service, and whether the stores that were used accept connections.

        Raises LinkError where either does not answer. A store that does not is asked once, and then only after it was
        used again: it may have moved, which only a use finds out.
        """

    async def wait_reachable(self) -> None:
        """Return as soon as the cloud accepts a connection. Costs a packet a second.

        Raises LinkError where somebody answers and refuses, or where there is no address to knock at.
        """

    def kept_name(self, name: str) -> str:
        """The name that the service would keep for a project that is made as `name`."""

    async def create_project(self, name: str) -> RemoteProject:
        """Not safe to repeat: each success makes another project of the same name."""

    async def project(self, project_id: str) -> RemoteProject:
        """Raises NoSuchProject."""

    async def projects(self) -> Sequence[RemoteProject]:
        """Newest first, as far as the service lists. Raises Unsupported where it does not."""

    def send_through(self, throttle: Throttle) -> None:
        """From the first file on; `throttle` is shared with other clouds, and counts what they send."""

    def store(self, project_id: str) -> ObjectStore:
        """Always the same object for the same project."""

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

    async def register_result(self, project_id: str, key: str, result_type: str) -> Registration:
        """Raises Unsupported: the public API of PIX4Dcloud has no such call. Raises CloudRefused as
        `register_images`."""

    async def start_processing(self, project_id: str) -> StartReceipt:
        """NOT safe to repeat: each success starts processing. A LinkError or CloudFault leaves open whether it did."""

    async def close(self) -> None: ...
