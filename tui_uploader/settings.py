"""The user's directories and settings, from the environment and the settings file.

Directories come from platformdirs, so `HOME` and `XDG_*` move everything.
"""

from __future__ import annotations

import math
import os
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import platformdirs

from tui_uploader.errors import UsageError
from tui_uploader.hook_settings import HookSettings, hooks_in, secrets_of
from tui_uploader.redaction import Secrets
from tui_uploader.text import printable

APP = "tui-uploader"
VERSION = "0.1.0"
"""The build reads it from here; looking it up among the installed packages would take 10 ms."""

PIX4D_CLOUD_URL = "https://cloud.pix4d.com"

_secrets: dict[str, Secrets] = {}
"""The secret of the login in the environment, and those in addresses of hooks."""

# The path of a Unix socket has up to 104 bytes on macOS and 108 on Linux, including the closing zero.
LONGEST_SOCKET_PATH = 100
"""Bytes. Safe on every system."""


class Directories(msgspec.Struct, frozen=True):
    """The directories of this user's files. `ownership.private` creates them closed to other users."""

    config: Path
    """`config.toml`, and the login if there is no keyring."""
    data: Path
    """The journal, which must survive everything, and the lock of the one engine that uses it."""
    state: Path
    """The engine's log."""
    socket: Path
    """The Unix socket of an engine that is started in this environment.

    A running engine may come from another environment; its lock names the socket
    (`service.instance.engine_socket_path`). Not in `/run/user/UID`: logind empties that folder when the last SSH
    session ends, which the engine must outlive.
    """

    @classmethod
    def of_user(cls) -> Directories:
        """The directories for this environment. Raises UsageError if there is no usable home directory."""
        config = _folder(platformdirs.user_config_dir, "XDG_CONFIG_HOME")
        data = _folder(platformdirs.user_data_dir, "XDG_DATA_HOME")
        state = _folder(platformdirs.user_state_dir, "XDG_STATE_HOME")
        return cls(config=config, data=data, state=state, socket=_socket_below(data))

    @property
    def journal(self) -> Path:
        return self.data / "journal.sqlite"

    @property
    def lock(self) -> Path:
        return self.data / "engine.lock"

    @property
    def earlier_lock(self) -> Path:
        """The lock of engines up to 0.1."""
        return self.state / "engine.lock"

    @property
    def earlier_socket(self) -> Path:
        """The socket of engines up to 0.1."""
        return _socket_below(self.state)

    @property
    def log(self) -> Path:
        return self.state / "engine.log"

    @property
    def settings_file(self) -> Path:
        return self.config / "config.toml"


def _folder(find: Callable[..., str], variable: str) -> Path:
    """The directory that `find` of platformdirs names.

    platformdirs ignores variables with a relative path, as the XDG Base Directory Specification demands, and takes the
    home directory from the user database if `HOME` is relative. A user and a job with another `HOME` would then get two
    engines, so that is an error here. Raises UsageError.
    """
    home = os.environ.get("HOME")
    if home is not None and not home.startswith("/") and not os.environ.get(variable, "").startswith("/"):
        problem = f"is {printable(home, 200)}, which is not an absolute path" if home else "is empty"
        raise UsageError(f"The environment variable HOME {problem}. Set it to your home directory, then try again.")
    try:
        return Path(find(APP, appauthor=False))
    except RuntimeError:
        raise UsageError(
            "This user has no home directory: HOME is not set, and the system's user database has no entry for user"
            f" {os.getuid()}. Set HOME to a folder that this user can write to, then try again."
        ) from None


def home_folder() -> Path | None:
    """The user's home directory, if there is one."""
    try:
        found = Path.home()
    except RuntimeError:
        return None
    return found if found.is_absolute() else None


def _socket_below(folder: Path) -> Path:
    """A socket path in `folder`, or in the folder for temporary files if that path would be too long."""
    socket = folder / "engine" / "engine.sock"
    if len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH:
        return socket
    import hashlib  # rarely needed, and every command waits for this module to load
    import tempfile

    tag = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"{APP}-{os.getuid()}-{tag}" / "engine.sock"


class EnvironmentLogin(msgspec.Struct, frozen=True):
    """A login from the environment. Its repr omits the secret."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"EnvironmentLogin(client_id={self.client_id!r})"


class NoticeSettings(msgspec.Struct, frozen=True):
    """How the app attracts attention: the table `[notices]` of the settings file."""

    bell: bool = True
    """Sound the terminal bell; `TUI_UPLOADER_BELL=0` turns it off."""
    desktop: bool = True
    """Show desktop notifications where the terminal can; `TUI_UPLOADER_DESKTOP=0` turns them off."""
    title: bool = True
    """Show progress in the terminal's title and taskbar; `TUI_UPLOADER_TITLE=0` turns that off."""
    after: float = 30.0
    """Seconds an upload must have taken for its end to be announced (`TUI_UPLOADER_NOTICE_AFTER`). If the user has to
    act, that is announced at once."""


CARD = "card"
"""Value of `to` in `[receipts]`."""


class ReceiptSettings(msgspec.Struct, frozen=True):
    """Where receipts are copied to: the table `[receipts]` of the settings file."""

    to: str | None = None
    """`CARD`: to the folders that were uploaded, with a list of checksums (ASC MHL); an absolute path: to that folder;
    None: nowhere (`TUI_UPLOADER_RECEIPTS_TO`)."""


class Settings(msgspec.Struct, frozen=True):
    """All settings. Flags win over the environment, the environment over the file."""

    cloud_url: str = PIX4D_CLOUD_URL
    profile: str = "default"
    """Name of the stored login to use."""
    login: EnvironmentLogin | None = None
    """From `PIX4D_CLIENT_ID` and `PIX4D_CLIENT_SECRET`."""
    no_keyring: bool = False
    """`TUI_UPLOADER_NO_KEYRING=1`: keep logins in the private file even if there is a keyring."""
    idle_exit: float = 600.0
    """Seconds without work and clients after which the engine exits."""
    keep_dismissed_days: float = 30.0
    """Days after which a dismissed upload is reduced to the record of its delivered files
    (`TUI_UPLOADER_KEEP_DISMISSED_DAYS`)."""
    processing_delay: float = 10.0
    """Seconds between the end of an upload and the automatic start of processing, in which the user can stop it
    (`TUI_UPLOADER_PROCESSING_DELAY`)."""
    proxy: str | None = None
    """The proxy for the API and S3. Without it, `HTTPS_PROXY` and similar variables count; `NO_PROXY` always does."""
    ca_file: Path | None = None
    """An additional trusted CA certificate, for networks that inspect TLS."""
    notices: NoticeSettings = NoticeSettings()
    hooks: tuple[HookSettings, ...] = ()
    """Commands and addresses that are told what happens: `[hooks]`, or several `[[hooks]]`."""
    receipts: ReceiptSettings = ReceiptSettings()

    def __repr__(self) -> str:
        """Omits the proxy, whose address may contain a password."""
        return f"Settings(cloud_url={self.cloud_url!r}, profile={self.profile!r}, login={self.login!r})"


def load(environment: Mapping[str, str] | None = None, directories: Directories | None = None) -> Settings:
    """Read the settings from the file and the environment.

    Raises UsageError naming the invalid file, setting or variable.
    """
    env = os.environ if environment is None else environment
    table = _read_file((directories or Directories.of_user()).settings_file)

    def text(name: str, variable: str, default: str) -> str:
        return env.get(variable) or _text_in(table, name) or default

    client_id, secret = env.get("PIX4D_CLIENT_ID"), env.get("PIX4D_CLIENT_SECRET")
    if bool(client_id) != bool(secret):
        missing = "PIX4D_CLIENT_SECRET" if client_id else "PIX4D_CLIENT_ID"
        raise UsageError(f"The login in the environment is incomplete: {missing} is not set.")
    _secrets["login"] = Secrets(secret)
    ca_file = text("ca_file", "TUI_UPLOADER_CA_FILE", "")
    return Settings(
        cloud_url=cloud_address(text("cloud_url", "PIX4D_CLOUD_URL", PIX4D_CLOUD_URL)),
        profile=text("profile", "TUI_UPLOADER_PROFILE", "default"),
        login=EnvironmentLogin(client_id, secret) if client_id and secret else None,
        no_keyring=env.get("TUI_UPLOADER_NO_KEYRING", "") not in ("", "0"),
        idle_exit=_number(text("idle_exit", "TUI_UPLOADER_IDLE_EXIT", "600"), "idle_exit (TUI_UPLOADER_IDLE_EXIT)"),
        keep_dismissed_days=_number(
            text("keep_dismissed_days", "TUI_UPLOADER_KEEP_DISMISSED_DAYS", "30"),
            "keep_dismissed_days (TUI_UPLOADER_KEEP_DISMISSED_DAYS)",
            "days",
        ),
        processing_delay=_number(
            text("processing_delay", "TUI_UPLOADER_PROCESSING_DELAY", "10"),
            "processing_delay (TUI_UPLOADER_PROCESSING_DELAY)",
        ),
        proxy=text("proxy", "TUI_UPLOADER_PROXY", "") or None,
        ca_file=_expanded(ca_file) if ca_file else None,
        notices=_notices(env, table),
        hooks=_known_hooks(table),
        receipts=_receipts(env, table),
    )


def load_hooks(settings_file: Path) -> tuple[HookSettings, ...]:
    """Read the hooks anew. Raises UsageError."""
    return _known_hooks(_read_file(settings_file))


def _known_hooks(table: Mapping[str, object]) -> tuple[HookSettings, ...]:
    """The hooks, with their secrets registered for redaction; earlier ones stay, as they may be in use."""
    hooks, before = hooks_in(table), _secrets.get("hooks", Secrets())
    _secrets["hooks"] = Secrets(*before.secrets, *secrets_of(hooks))
    return hooks


def _expanded(path: str) -> Path:
    """`path` with `~` replaced by the home directory, if that is known."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def _receipts(env: Mapping[str, str], table: Mapping[str, object]) -> ReceiptSettings:
    chosen = table.get("receipts", {})
    if not isinstance(chosen, dict):
        raise UsageError("In the settings file, `receipts` must be a table: [receipts].")
    to = env.get("TUI_UPLOADER_RECEIPTS_TO") or _text_in(chosen, "to")
    if not to or to == CARD:
        return ReceiptSettings(to or None)
    folder = _expanded(to)
    if not folder.is_absolute() or "\0" in to:
        raise UsageError(
            "`to` of [receipts] (TUI_UPLOADER_RECEIPTS_TO) is `card`, or the absolute path of a folder, not"
            f" {printable(to, 200)!r}."
        )
    return ReceiptSettings(os.fspath(folder))


def _notices(env: Mapping[str, str], table: Mapping[str, object]) -> NoticeSettings:
    chosen = table.get("notices", {})
    if not isinstance(chosen, dict):
        raise UsageError("In the settings file, `notices` must be a table: [notices].")

    def on(name: str, variable: str) -> bool:
        if variable in env:
            return env[variable] not in ("", "0")
        value = chosen.get(name, True)
        if not isinstance(value, bool):
            raise UsageError(f"In the settings file, `{name}` of [notices] must be true or false.")
        return value

    after = env.get("TUI_UPLOADER_NOTICE_AFTER") or _text_in(chosen, "after") or "30"
    return NoticeSettings(
        bell=on("bell", "TUI_UPLOADER_BELL"),
        desktop=on("desktop", "TUI_UPLOADER_DESKTOP"),
        title=on("title", "TUI_UPLOADER_TITLE"),
        after=_number(after, "after of [notices] (TUI_UPLOADER_NOTICE_AFTER)"),
    )


def _read_file(path: Path) -> Mapping[str, object]:
    try:
        text = path.read_text(encoding="utf-8")
        import tomllib  # rarely needed: few users have the file

        return tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"Cannot read the settings file {path}: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"The settings file {path} is not valid TOML: {error}") from error


def _text_in(table: Mapping[str, object], name: str) -> str:
    value = table.get(name, "")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise UsageError(f"In the settings file, `{name}` must be a text or a number.")
    return str(value)


def cloud_address(url: str) -> str:
    """`url` without its trailing slash.

    Addresses are shown and stored, so one with credentials anywhere in it, or anything after its path, is an error; no
    address of a cloud needs an `@` in any form. Raises UsageError.
    """
    if "@" in unicodedata.normalize("NFKC", url) or "%40" in url:
        raise UsageError("The cloud's address must not contain a user name or password. Use `tui-uploader login`.")
    if "?" in url or "#" in url:
        raise UsageError("The cloud's address must end with its host or path, without `?` or `#`.")
    return url.rstrip("/")


def without_user_information(url: str) -> str:
    """`https://joe:password@host/path` → `https://host/path`."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def _number(text: str, name: str, unit: str = "seconds") -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise UsageError(f"{name} must be a number of {unit}, not {text!r}.")
    return number
