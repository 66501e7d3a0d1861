"""The table: what goes wrong in each scenario."""

from __future__ import annotations

from dataclasses import dataclass

from tests.chaos import field_mishaps, mishaps
from tests.chaos.flight import Load
from tests.chaos.forging_proxy import CERTIFICATE, forging_proxy
from tests.chaos.interceptors import Between, Ways, a_store, nobody, portal
from tests.chaos.mishaps import Mishap

MIB = 1024**2
SOME = Load()
PROFILES = ("default", "strict")


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    says: str
    mishaps: tuple[Mishap, ...] = ()
    """One after the other, while the upload runs."""
    faults: tuple[str, ...] = ()
    """Of the local cloud; `{seed}` stands for the run's, `{few}` and `{many}` for numbers of bytes that it chooses."""
    cloud: tuple[str, ...] = ("--processing-seconds", "300")
    """Options of `cloud serve`."""
    between: Between = nobody
    """Who stands between the engine and the cloud."""
    tells_nothing: bool = False
    """Of what the store has, nothing can be known, whatever the profile."""
    keeps_damage: bool = False
    """The store keeps what was damaged on the way, under a name that is then never used."""
    rig: tuple[str, ...] = ()
    """Options of the engine's rig; `{hosts}` stands for the file with the address of `localhost`."""
    load: Load = SOME
    runs: int = 1
    least_kills: int = 0
    """With it, there are as many runs as it takes to kill the engine so often."""
    fatal_moment: str | None = None
    """With it, there is a run for every commit of the journal, and the engine dies at that moment of it."""
    by_kind: bool = False
    """Instead, there is a run for every kind of thing that is written; the engine dies at a commit with it."""
    only_kind: str = ""
    """With it, there is a run for this kind alone."""
    of_kind: int = 1
    """Which one of the commits with it is fatal."""
    only_kills: bool = False
    """Nothing else wastes bytes, so their number is bounded."""


SLOW = (
    "stall:route=part,probability=1,seconds=0.8,bytes=4000000",
    "stall:route=put,probability=0.4,seed={seed},seconds=0.3",
    "stall:route=put,probability=0.6,seed={seed}1,seconds=0.3,bytes=1",
)
"""So that there is a middle of an upload, and of its bodies."""
FLIPS = (
    "flip:route=put,probability=0.1,seed={seed}2",
    "flip:route=part,probability=0.3,seed={seed}3,bytes=70000",
)
EXPIRED = tuple(
    f"expired_token:route={route},probability=0.05,seed={{seed}}7"
    for route in ("put", "part", "complete", "credentials", "register", "start")
)
"""Not to the request for a token itself: that refusal means a wrong login, which only a person can put right."""
LONG = Load(photos=150, size=150_000, large=(40 * MIB, 20 * MIB))
ONE_IN_PARTS = Load(photos=7, size=20_000, large=(17 * MIB + 12_345,))

MANY = Load(photos=150, size=60_000, large=(17 * MIB + 12_345,))

REFUSING = Ways(
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
        f"the store {says}; the engine is killed four times" if kills else f"the store {says}",
        mishaps=(mishaps.engine_killed(kills),) if kills else (),
        between=a_store(ways),
        faults=(*SLOW, *faults),
        cloud=("--processing-seconds", "300", "--checksums", checksums),
        load=MANY,
        tells_nothing=checksums == "none",
        keeps_damage=checksums == "etag" and bool(faults),
    )
    for name, says, kills, checksums, faults, ways in (
        (
            "other-checksums",
            "compares Content-MD5 and knows no other checksum, and labels its answers as HTML",
            4,
            "content-md5",
            FLIPS,
            Ways(pages=True),
        ),
        (
            "refusing",
            "refuses conditions, access rights and checksums, and its lists of parts cannot be read",
            4,
            "etag",
            (),
            REFUSING,
        ),
        ("damaging", "refuses the same, and keeps what was damaged on the way", 0, "etag", FLIPS, REFUSING),
        (
            "particular",
            "refuses conditions, and checksums in the list of parts alone",
            4,
            "etag",
            (),
            Ways(refused={"if-none-match": (501, "NotImplemented")}, plain_complete=True),
        ),
        ("silent", "tells nothing of what it keeps, and labels its answers as HTML", 0, "none", (), Ways(pages=True)),
    )
)

SCENARIOS = (
    Scenario("nothing", "nothing goes wrong", load=ONE_IN_PARTS, only_kills=True),
    Scenario(
        "kill",
        "the engine is killed at seeded instants, from before it is ready to the middle of its work",
        mishaps=(mishaps.engine_killed(40),),
        faults=SLOW,
        load=LONG,
        least_kills=100,
        only_kills=True,
    ),
    *(
        Scenario(
            f"write-{moment}",
            f"the engine dies right {moment} the first commit of each kind of thing that its journal keeps",
            load=ONE_IN_PARTS,
            fatal_moment=moment,
            by_kind=True,
            only_kills=True,
        )
        for moment in ("before", "after")
    ),
    Scenario(
        "parts",
        "the engine dies when more parts of a large file are stored than are not",
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
        for moment, words in (("before", "right before"), ("after", "right after"), ("torn", "with the power, within"))
    ),
    Scenario(
        "cloud-kill",
        "the cloud is killed and comes back",
        mishaps=(mishaps.cloud_killed(6),),
        faults=SLOW,
        load=LONG,
    ),
    Scenario(
        "reboot",
        "engine and cloud are killed at once, and come back in any order",
        mishaps=(mishaps.rebooted(8),),
        faults=SLOW,
        load=LONG,
    ),
    Scenario(
        "cut",
        "connections break after seeded numbers of bytes",
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
        "nothing moves for a while, once for longer than the engine waits",
        faults=(
            "stall:route=part,after=1,times=1,seconds=40,bytes=1000000",
            "stall:route=put,after=5,times=1,seconds=40",
            "stall:route=any,probability=0.1,seed={seed},seconds=2",
        ),
        load=LONG,
    ),
    Scenario(
        "errors",
        "500, 502 with a page, 503 and 429 to requests of all kinds",
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
        "requests take effect, and their answers get lost",
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
        "tokens and storage keys live for three seconds, and some are refused before",
        faults=(*EXPIRED, *SLOW),
        cloud=("--credentials-lifetime", "3", "--token-lifetime", "3", "--processing-seconds", "300"),
        load=LONG,
    ),
    Scenario("clock-ahead", "the machine's clock is two hours ahead", rig=("--clock", "7200"), load=LONG),
    Scenario("clock-behind", "the machine's clock is two hours behind", rig=("--clock", "-7200"), load=LONG),
    Scenario(
        "disk-full",
        "the disk under the journal takes nothing more for a while",
        mishaps=(mishaps.disk_filled(4),),
        faults=SLOW,
        load=LONG,
    ),
    Scenario(
        "files-change",
        "files change and vanish while others are sent",
        mishaps=(mishaps.files_touched(8, 5),),
        faults=SLOW,
        load=LONG,
    ),
    Scenario(
        "card-pulled",
        "the card is pulled out and comes back",
        mishaps=(mishaps.card_pulled(4),),
        faults=SLOW,
        load=LONG,
    ),
    Scenario(
        "card-swapped",
        "another card, whose files have the same names, sizes and times, is put in the place of the first",
        mishaps=(field_mishaps.card_swapped,),
    ),
    Scenario(
        "card-remounted",
        "the card is taken out and put back, and all of its files have other inode numbers",
        mishaps=(field_mishaps.card_remounted(3),),
        faults=SLOW,
        load=LONG,
    ),
    Scenario(
        "file-still-written",
        "a copy onto the card is not finished when its file is found",
        mishaps=(field_mishaps.file_still_written,),
        faults=SLOW,
    ),
    Scenario(
        "address-changes",
        "the name of the cloud leads to another address, and the old one is dead",
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
        "a proxy sends answers in the cloud's name ahead of TLS, plays the cloud itself, and damages what it passes",
        between=forging_proxy,
        cloud=("--processing-seconds", "300", "--tls-cert", str(CERTIFICATE)),
        load=MANY,
    ),
    Scenario(
        "portal",
        "over plain http, a network answers with its login page, and answers and bodies break off or lose a bit",
        between=portal(pages=0.08, cuts=0.06, flips=0.06),
        faults=FLIPS,
        load=MANY,
    ),
    *STORES,
    Scenario(
        "everything",
        "engine and cloud are killed, cards pulled, and requests cut, refused, and answered in vain",
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
"""Each is run in every profile."""


def named(name: str) -> Scenario:
    """Raises KeyError."""
    return {scenario.name: scenario for scenario in SCENARIOS}[name]
