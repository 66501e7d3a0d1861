"""Hooks in the settings file: the table `[hooks]`, or several tables `[[hooks]]`.

```toml
[[hooks]]
command = ["~/bin/told", "--quietly"]      # started without a shell; reads JSON from stdin
webhook = "https://example.org/told"       # gets the same JSON by POST
notify = ["ntfys://ntfy.sh/my-flights"]    # addresses of apprise: mail, ntfy, Telegram, Slack, Teams, …
events = ["complete", "card_safe"]         # all by default
seconds = 30                               # time limit
```
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from tui_uploader.errors import UsageError
from tui_uploader.model.hooks import HookEvent, HookKind
from tui_uploader.text import printable

USUAL_SECONDS = 30.0
LONGEST_SECONDS = 3600.0

_KEYS = ("command", "webhook", "notify", "events", "seconds")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_SHORTEST_TOKEN = 8
"""Characters of a part of an address that may be a token."""


class HookSettings(msgspec.Struct, frozen=True):
    """One hook. Its repr omits what may contain a secret."""

    kind: HookKind
    name: str
    """Contains no secret, and is different for each hook."""
    command: tuple[str, ...] = ()
    address: str = ""
    """Of a webhook or service; may contain secrets anywhere."""
    events: tuple[HookEvent, ...] = tuple(HookEvent)
    seconds: float = USUAL_SECONDS

    def __repr__(self) -> str:
        return f"HookSettings(kind={self.kind.value!r}, name={self.name!r})"


def hooks_in(table: Mapping[str, object]) -> tuple[HookSettings, ...]:
    """The hooks of a settings file. Raises UsageError, whose message quotes no address."""
    given = table.get("hooks", [])
    found = [hook for each in (given if isinstance(given, list) else [given]) for hook in _hooks_of(each)]
    seen = Counter[str]()
    hooks = []
    for hook in found:
        seen[hook.name] += 1
        number = seen[hook.name]
        hooks.append(hook if number == 1 else msgspec.structs.replace(hook, name=f"{hook.name} ({number})"))
    return tuple(hooks)


def secrets_of(hooks: Sequence[HookSettings]) -> Iterator[str]:
    """What must not be seen of the hooks' addresses: each as a whole, and its parts that may be passwords or tokens."""
    from urllib.parse import parse_qsl, unquote, urlsplit  # every command waits for this module to load

    for hook in hooks:
        if not hook.address:
            continue
        yield hook.address
        parts = urlsplit(hook.address)
        if parts.password:
            yield from (parts.password, unquote(parts.password))
        # In addresses of services the host may be a token; names of hosts have a dot in them.
        host = parts.netloc.rpartition("@")[2] if hook.kind is HookKind.SERVICE else ""
        for piece in [*re.split(r"[/,;#]", f"{parts.path}#{parts.fragment}"), host]:
            if _may_be_token(piece) and (piece != host or "." not in host):
                yield from (piece, unquote(piece))
        yield from (value for _, value in parse_qsl(parts.query) if len(value) >= _SHORTEST_TOKEN)


def _may_be_token(piece: str) -> bool:
    """Words such as `services` are not: they would be removed from ordinary sentences."""
    return len(piece) >= _SHORTEST_TOKEN and not (piece.isalpha() and piece.islower())


def _hooks_of(table: object) -> Iterator[HookSettings]:
    if not isinstance(table, dict):
        raise _wrong("`hooks` must be a table: [hooks], or several: [[hooks]].")
    if unknown := sorted(table.keys() - set(_KEYS)):
        raise _wrong(f"[hooks] has no setting `{printable(unknown[0], 60)}`; these are: {', '.join(_KEYS)}.")
    if not table.keys() & {"command", "webhook", "notify"}:
        raise _wrong("[hooks] names nothing to tell: set `command`, `webhook` or `notify`.")
    events, seconds = _events(table), _seconds(table)
    if "command" in table:
        command = _command(table["command"])
        yield HookSettings(HookKind.COMMAND, printable(command[0].rpartition("/")[2], 60), command, "", events, seconds)
    if "webhook" in table:
        address, host = _webhook(table["webhook"])
        yield HookSettings(HookKind.WEBHOOK, host, (), address, events, seconds)
    for address in _notify(table.get("notify", [])):
        scheme = address.partition("://")[0].lower()
        yield HookSettings(HookKind.SERVICE, scheme, (), address, events, seconds)


def _command(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        raise _wrong(
            '`command` of [hooks] must be a list: command = ["/path/to/program", "argument"]. No shell runs it, so a'
            " text that would have to be taken apart is not accepted."
        )
    if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
        raise _wrong('`command` of [hooks] must be a list of texts: command = ["/path/to/program", "argument"].')
    if not value[0].rpartition("/")[2] or any("\0" in word for word in value):
        raise _wrong("`command` of [hooks] must begin with the path of a program, and contain no zero bytes.")
    return tuple(value)


def _webhook(value: object) -> tuple[str, str]:
    """The address, and its host."""
    host = _host(value) if isinstance(value, str) else None
    if not isinstance(value, str) or host is None:
        raise _wrong("`webhook` of [hooks] must be a web address, such as https://example.org/told.")
    return value, printable(host, 100)


def _host(address: str) -> str | None:
    """The host of a web address; None if `address` is something else."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        return None
    return parts.hostname if usable and printable(address) == address and " " not in address else None


def _notify(value: object) -> Sequence[str]:
    addresses = [value] if isinstance(value, str) else value
    if not isinstance(addresses, list) or not all(
        isinstance(each, str) and _SCHEME.fullmatch(each.partition("://")[0]) and "://" in each for each in addresses
    ):
        raise _wrong(
            "`notify` of [hooks] must be a list of addresses, such as ntfys://ntfy.sh/my-flights;"
            " https://appriseit.com/services lists them all."
        )
    return addresses


def _events(table: Mapping[str, object]) -> tuple[HookEvent, ...]:
    chosen = table.get("events", list(HookEvent))
    known = set(HookEvent)
    if (
        not isinstance(chosen, list)
        or not chosen
        or not all(isinstance(each, str) and each in known for each in chosen)
    ):
        raise _wrong(f"`events` of [hooks] must be a list of some of these: {', '.join(HookEvent)}.")
    return tuple(event for event in HookEvent if event in chosen)


def _seconds(table: Mapping[str, object]) -> float:
    seconds = table.get("seconds", USUAL_SECONDS)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_SECONDS:
        raise _wrong(f"`seconds` of [hooks], its time limit, must be a number from 1 to {LONGEST_SECONDS:,.0f}.")
    return float(seconds)


def _wrong(what: str) -> UsageError:
    return UsageError(f"In the settings file, {what}")
