"""The table of scenarios and the faults of each."""

from __future__ import annotations

from dataclasses import dataclass

from tests.chaos import field_mishaps, mishaps
from tests.chaos.flight import Load
from tests.chaos.forging_proxy import CERTIFICATE, forging_proxy
from tests.chaos.interceptors import Interceptor, StoreQuirks, direct, portal, quirky_store
from tests.chaos.mishaps import Mishap

MIB = 1024**2
SOME = Load()
PROFILES = ("default", "strict")


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    description: str
    mishaps: tuple[Mishap, ...] = ()
    """In this order, while the upload runs."""
    faults: tuple[str, ...] = ()
    """Faults of the local cloud; `{seed}` is the run's seed, `{few}` and `{many}` are seeded numbers of bytes."""
    cloud: tuple[str, ...] = ("--processing-seconds", "300")
    """Options of `cloud serve`."""
    interceptor: Interceptor = direct
    """What intercepts the traffic of engine and cloud."""
    unverifiable: bool = False
    """The store reports nothing about its objects, in any profile."""
    keeps_damage: bool = False
    """The store keeps objects that were damaged in transit; their names are never used again."""
    rig: tuple[str, ...] = ()
    """Options of the engine's rig; `{hosts}` is the file with the address of `localhost`."""
    load: Load = SOME
    runs: int = 1
    least_kills: int = 0
    """Run until the engine was killed this many times."""
    fatal_moment: str | None = None
    """One run for every commit of the journal; the engine dies at this moment of it."""
    by_kind: bool = False
    """Instead, one run for every kind of write; the engine dies at a commit that contains it."""
    only_kind: str = ""
    """Run only this kind."""
    of_kind: int = 1
    """Number of the fatal commit among those of the kind."""
    only_kills: bool = False
    """Only kills waste bytes, so their number is bounded."""


SLOW = (
    "stall:route=part,probability=1,seconds=0.8,bytes=4000000",
    "stall:route=put,probability=0.4,seed={seed},seconds=0.3",
    "stall:route=put,probability=0.6,seed={seed}1,seconds=0.3,bytes=1",
)
"""Slow requests, so that kills hit the middle of uploads and bodies."""
FLIPS = (
    "flip:route=put,probability=0.1,seed={seed}2",
    "flip:route=part,probability=0.3,seed={seed}3,bytes=70000",
)
EXPIRED = tuple(
    f"expired_token:route={route},probability=0.05,seed={{seed}}7"
    for route in ("put", "part", "complete", "credentials", "register", "start")
)
"""Not the request for a token: its refusal means a wrong login, which only a person can correct."""
LONG = Load(photos=150, size=150_000, large=(40 * MIB, 20 * MIB))
ONE_IN_PARTS = Load(photos=7, size=20_000, large=(17 * MIB + 12_345,))

MANY = Load(photos=150, size=60_000, large=(17 * MIB + 12_345,))

REFUSING = StoreQuirks(
    refused={
        "if-none-match": (501, "NotImplemented"),
        "x-amz-acl": (400, "AccessControlListNotSupported"),
        "x-amz-checksum-crc32": (400, "InvalidRequest"),
        "x-amz-checksum-algorithm": (501, "NotImplemented"),
    },
    unreadable_lists=True,
)
STORES = tuple(
    Scenario(
        f"store-{name}",
        f"the store {quirk}; the engine is killed four times" if kills else f"the store {quirk}",
        mishaps=(mishaps.engine_killed(kills),) if kills else (),
        interceptor=quirky_store(ways),
        faults=(*SLOW, *faults),
        cloud=("--processing-seconds", "300", "--checksums", checksums),
        load=MANY,
        unverifiable=checksums == "none",
        keeps_damage=checksums == "etag" and bool(faults),
    )
    for name, quirk, kills, checksums, faults, ways in (
        (
            "other-checksums",
            "verifies only Content-MD5, and labels its replies as HTML",
            4,
            "content-md5",
            FLIPS,
            StoreQuirks(pages=True),
        ),
        (
            "refusing",
            "refuses conditional writes, ACLs and checksums, and its lists of parts are malformed",
            4,
            "etag",
            (),
            REFUSING,
        ),
        ("damaging", "refuses the same, and stores what was damaged in transit", 0, "etag", FLIPS, REFUSING),
        (
            "particular",
            "refuses conditional writes, and checksums in the list of parts",
            4,
            "etag",
            (),
            StoreQuirks(refused={"if-none-match": (501, "NotImplemented")}, plain_complete=True),
        ),
        (
            "silent",
            "reports nothing about its objects, and labels its replies as HTML",
            0,
            "none",
            (),
            StoreQuirks(pages=True),
        ),
    )
)

SCENARIOS = (
    Scenario("nothing", "nothing goes wrong", load=ONE_IN_PARTS, only_kills=True),
    Scenario(
        "kill",
        "the engine is killed at random instants, from before it is ready to the middle of its work",
        mishaps=(mishaps.engine_killed(40),),
        faults=SLOW,
        load=LONG,
        least_kills=100,
        only_kills=True,
    ),
    *(
        Scenario(
            f"write-{moment}",
            f"the engine dies right {moment} the first commit of each kind of journal write",
            load=ONE_IN_PARTS,
            fatal_moment=moment,
            by_kind=True,
            only_kills=True,
        )
        for moment in ("before", "after")
    ),
    Scenario(
        "parts",
        "the engine dies when most parts of a large file are stored",
        load=Load(photos=7, size=20_000, large=(110 * MIB,)),
        fatal_moment="after",
        by_kind=True,
        only_kind="INSERT OR REPLACE INTO parts",
        of_kind=4,
        only_kills=True,
    ),
    *(
        Scenario(
            f"commit-{moment}",
            f"the engine dies {words} each commit of its journal",
            load=ONE_IN_PARTS,
            fatal_moment=moment,
            only_kills=True,
        )
        for moment, words in (
            ("before", "right before"),
            ("after", "right after"),
            ("torn", "in a power cut during"),
        )
    ),
    Scenario(
        "cloud-kill",
        "the cloud is killed and started again",
        mishaps=(mishaps.cloud_killed(6),),
        faults=SLOW,
        load=LONG,
    ),
    Scenario(
        "reboot",
        "engine and cloud are killed at once, and started again in any order",
        mishaps=(mishaps.rebooted(8),),
        faults=SLOW,
        load=LONG,
    ),
    Scenario(
        "cut",
        "connections break after random numbers of bytes",
        faults=(
            "drop:route=put,probability=0.15,seed={seed},bytes=1",
            "drop:route=put,probability=0.15,seed={seed}1,bytes={few}",
            "drop:route=part,probability=0.3,seed={seed},bytes={many}",
            "drop:route=part,probability=0.2,seed={seed}1,bytes={few}",
            "drop:route=any,probability=0.05,seed={seed}2",
        ),
        load=LONG,
        runs=4,
    ),
    Scenario(
        "stall",
        "transfers stall, once for longer than the engine waits",
        faults=(
            "stall:route=part,after=1,times=1,seconds=40,bytes=1000000",
            "stall:route=put,after=5,times=1,seconds=40",
            "stall:route=any,probability=0.1,seed={seed},seconds=2",
        ),
        load=LONG,
    ),
    Scenario(
        "errors",
        "requests of all kinds are answered with 500, 502 with an HTML page, 503 and 429",
        faults=(
            "error500:route=any,probability=0.06,seed={seed}",
            "error502html:route=any,probability=0.06,seed={seed}1",
            "slowdown503:route=any,probability=0.06,seed={seed}2",
            "busy429:route=any,probability=0.06,seed={seed}3,seconds=1",
            "complete200error:probability=0.5,seed={seed}4",
        ),
        load=LONG,
        runs=2,
    ),
    Scenario(
        "lost-answers",
        "requests take effect, but their replies are lost",
        faults=(
            "lost_reply:route=put,probability=0.2,seed={seed}",
            "lost_reply:route=part,probability=0.3,seed={seed}1",
            "lost_reply:route=complete,probability=0.5,seed={seed}2",
            "lost_reply:route=register,probability=0.3,seed={seed}3",
            "lost_reply:route=start,probability=0.7,seed={seed}4",
        ),
        load=LONG,
        runs=2,
    ),
    Scenario(
        "expiry",
        "access tokens and session credentials expire after three seconds, and some are refused earlier",
        faults=(*EXPIRED, *SLOW),
        cloud=("--credentials-lifetime", "3", "--token-lifetime", "3", "--processing-seconds", "300"),
        load=LONG,
    ),
    Scenario("clock-ahead", "the machine's clock is two hours ahead", rig=("--clock", "7200"), load=LONG),
    Scenario("clock-behind", "the machine's clock is two hours behind", rig=("--clock", "-7200"), load=LONG),
    Scenario(
        "disk-full",
        "the disk of the journal is full for a while",
        mishaps=(mishaps.disk_filled(4),),
        faults=SLOW,
        load=LONG,
    ),
    Scenario(
        "files-change",
        "files change and disappear while others are sent",
        mishaps=(mishaps.files_touched(8, 5),),
        faults=SLOW,
        load=LONG,
    ),
    Scenario(
        "card-pulled",
        "the card is removed and inserted again",
        mishaps=(mishaps.card_pulled(4),),
        faults=SLOW,
        load=LONG,
    ),
    Scenario(
        "card-swapped",
        "the card is replaced by another one whose files have the same names, sizes and times",
        mishaps=(field_mishaps.card_swapped,),
    ),
    Scenario(
        "card-remounted",
        "the card is removed and inserted again, and all of its files have other inode numbers",
        mishaps=(field_mishaps.card_remounted(3),),
        faults=SLOW,
        load=LONG,
    ),
    Scenario(
        "file-still-written",
        "a file is found while it is still being copied onto the card",
        mishaps=(field_mishaps.file_still_written,),
        faults=SLOW,
    ),
    Scenario(
        "address-changes",
        "the name of the cloud resolves to a new address, and the old one is dead",
        mishaps=(field_mishaps.address_changed(3),),
        faults=SLOW,
        rig=("--hosts", "{hosts}"),
        load=LONG,
    ),
    Scenario(
        "other-cloud-stalls",
        "a second cloud accepts connections and does not answer",
        mishaps=(field_mishaps.other_cloud_stalls,),
        faults=SLOW,
    ),
    Scenario(
        "forged-answers",
        "a proxy forges replies before TLS starts, impersonates the cloud, and damages the traffic",
        interceptor=forging_proxy,
        cloud=("--processing-seconds", "300", "--tls-cert", str(CERTIFICATE)),
        load=MANY,
    ),
    Scenario(
        "portal",
        "over plain http, a captive portal answers with its login page, and replies and bodies are cut off or damaged",
        interceptor=portal(pages=0.08, cuts=0.06, flips=0.06),
        faults=FLIPS,
        load=MANY,
    ),
    *STORES,
    Scenario(
        "everything",
        "engine and cloud are killed, cards removed, requests cut off and refused, and replies lost",
        mishaps=(
            mishaps.engine_killed(8),
            mishaps.cloud_killed(2),
            mishaps.card_pulled(1),
            mishaps.rebooted(3),
            mishaps.disk_filled(1),
            mishaps.engine_killed(8),
        ),
        faults=(
            "drop:route=any,probability=0.05,seed={seed},bytes=9000",
            "error500:route=any,probability=0.04,seed={seed}1",
            "slowdown503:route=put,probability=0.04,seed={seed}2",
            "lost_reply:route=any,probability=0.04,seed={seed}3",
            *EXPIRED,
            *SLOW,
        ),
        cloud=("--credentials-lifetime", "5", "--token-lifetime", "5", "--processing-seconds", "300"),
        rig=("--clock", "7200"),
        load=LONG,
        runs=2,
    ),
)
"""Each runs in every profile."""


def named(name: str) -> Scenario:
    """Raises KeyError."""
    return {scenario.name: scenario for scenario in SCENARIOS}[name]
