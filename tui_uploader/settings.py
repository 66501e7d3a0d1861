"""Where things lie and what the user chose: the only reader of the environment and of the settings file.

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
from tui_uploader.redaction import Secrets
from tui_uploader.text import printable

APP = "tui-uploader"
VERSION = "0.1.0"
"""Written here, where the build reads it too: to look it up among what is installed takes 10 ms."""

PIX4D_CLOUD_URL = "https://cloud.pix4d.com"

_secrets: dict[str, Secrets] = {}
"""Of the login that the environment carries."""

# A Unix socket's path may have 104 bytes on macOS and 108 on Linux, the closing zero included.
LONGEST_SOCKET_PATH = 100
"""Bytes that are safe everywhere."""


class Directories(msgspec.Struct, frozen=True):
    """Where this user's files lie. `ownership.private` makes one that nobody else can enter."""

    config: Path
    """`config.toml`, and the login where no keyring is to be had."""
    data: Path
    """The journal: what must survive everything. Beside it the lock of the one engine that may use it."""
    state: Path
    """The engine's log."""
    socket: Path
    """Where an engine that is started in this environment makes its Unix socket.

    One that runs may be from another environment: its lock tells (`service.instance.engine_socket`). Not in
    `/run/user/UID`: logind empties that folder when the last SSH session ends, and the engine has to outlive that.
    """

    @classmethod
    def of_user(cls) -> Directories:
        """Raises UsageError where the environment and the system name no home directory that they could lie in."""
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
        """Where engines until 0.1 have their lock."""
        return self.state / "engine.lock"

    @property
    def earlier_socket(self) -> Path:
        """Where engines until 0.1 have their socket."""
        return _socket_below(self.state)

    @property
    def log(self) -> Path:
        return self.state / "engine.log"

    @property
    def settings_file(self) -> Path:
        return self.config / "config.toml"


def _folder(find: Callable[..., str], variable: str) -> Path:
    """Raises UsageError.

    platformdirs ignores a variable with a relative path, as the XDG Base Directory Specification demands, and takes the
    home directory from the system's list of users where `HOME` is relative. Then a person and a job with another
    `HOME` would get two engines, so that is refused here.
    """
    home = os.environ.get("HOME")
    if home is not None and not home.startswith("/") and not os.environ.get(variable, "").startswith("/"):
        said = f"is {printable(home, 200)}, which is no absolute path" if home else "is empty"
        raise UsageError(f"The environment variable HOME {said}; set it to your home directory, then try again.")
    try:
        return Path(find(APP, appauthor=False))
    except RuntimeError:
        raise UsageError(
            "This user has no home directory: HOME is not set, and the system's list of users has no entry for user"
            f" {os.getuid()}. Set HOME to a folder that this user may write to, then try again."
        ) from None


def home_folder() -> Path | None:
    """The user's home directory, if there is one."""
    try:
        found = Path.home()
    except RuntimeError:
        return None
    return found if found.is_absolute() else None


def _socket_below(folder: Path) -> Path:
    """A place in `folder`, or for temporary files where its path is too long for a socket."""
    socket = folder / "engine" / "engine.sock"
    if len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH:
        return socket
    import hashlib  # what few need: every command and the first frame wait for this module
    import tempfile

    tag = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"{APP}-{os.getuid()}-{tag}" / "engine.sock"


class EnvironmentLogin(msgspec.Struct, frozen=True):
    """A login that the environment carries. The secret is in no repr."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"EnvironmentLogin(client_id={self.client_id!r})"


class NoticeSettings(msgspec.Struct, frozen=True):
    """How the full screen calls somebody who looks elsewhere: the table `[notices]` of the file."""

    bell: bool = True
    """`TUI_UPLOADER_BELL=0` keeps the terminal from ringing."""
    desktop: bool = True
    """`TUI_UPLOADER_DESKTOP=0` keeps it from showing a notice of the desktop, where it can."""
    after: float = 30.0
    """Seconds that an upload must have taken for its end to be called out (`TUI_UPLOADER_NOTICE_AFTER`). What needs
    somebody is called out at once."""


class Settings(msgspec.Struct, frozen=True):
    """Flags win over the environment, the environment over the file."""

    cloud_url: str = PIX4D_CLOUD_URL
    profile: str = "default"
    """Name of the stored login to use."""
    login: EnvironmentLogin | None = None
    """From `PIX4D_CLIENT_ID` and `PIX4D_CLIENT_SECRET`."""
    no_keyring: bool = False
    """`TUI_UPLOADER_NO_KEYRING=1`: keep logins in the private file even where a keyring answers."""
    idle_exit: float = 600.0
    """Seconds after the last work and the last client until the engine leaves."""
    keep_dismissed_days: float = 30.0
    """Days after which only the record of what it delivered is kept of a dismissed upload
    (`TUI_UPLOADER_KEEP_DISMISSED_DAYS`)."""
    proxy: str | None = None
    """One proxy for the API and for S3. Without it, `HTTPS_PROXY` and friends are obeyed; `NO_PROXY`
    counts in either case."""
    ca_file: Path | None = None
    """One more trusted authority, for networks that intercept TLS."""
    notices: NoticeSettings = NoticeSettings()

    def __repr__(self) -> str:
        """Without the proxy, whose address may hold a password."""
        return f"Settings(cloud_url={self.cloud_url!r}, profile={self.profile!r}, login={self.login!r})"


def load(environment: Mapping[str, str] | None = None, directories: Directories | None = None) -> Settings:
    """Settings from the file and the environment.

    Raises UsageError naming the file or the variable that cannot be understood.
    """
    env = os.environ if environment is None else environment
    table = _read_file((directories or Directories.of_user()).settings_file)

    def text(name: str, variable: str, default: str) -> str:
        return env.get(variable) or _text_in(table, name) or default

    client_id, secret = env.get("PIX4D_CLIENT_ID"), env.get("PIX4D_CLIENT_SECRET")
    if bool(client_id) != bool(secret):
        missing = "PIX4D_CLIENT_SECRET" if client_id else "PIX4D_CLIENT_ID"
        raise UsageError(f"The environment names one half of a login: {missing} is not set.")
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
        proxy=text("proxy", "TUI_UPLOADER_PROXY", "") or None,
        ca_file=_expanded(ca_file) if ca_file else None,
        notices=_notices(env, table),
    )


def _expanded(path: str) -> Path:
    """With the home directory for `~`, where that is known."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


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
        after=_number(after, "after of [notices] (TUI_UPLOADER_NOTICE_AFTER)"),
    )


def _read_file(path: Path) -> Mapping[str, object]:
    try:
        text = path.read_text(encoding="utf-8")
        import tomllib  # few have such a file

        return tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"The settings file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"The settings file {path} is not valid TOML: {error}") from error


def _text_in(table: Mapping[str, object], name: str) -> str:
    value = table.get(name, "")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise UsageError(f"In the settings file, `{name}` must be one text or number.")
    return str(value)


def cloud_address(url: str) -> str:
    """`url` without a closing slash.

    Raises UsageError for one that carries a name and a password, wherever they stand in it, or other words behind its
    path: an address is shown and written down, and no address of a cloud has an `@`, in whatever form.
    """
    if "@" in unicodedata.normalize("NFKC", url) or "%40" in url:
        raise UsageError("The cloud's address must carry no name and password. Use `tui-uploader login` for those.")
    if "?" in url or "#" in url:
        raise UsageError("The cloud's address must end with its host or a path: it can have no `?` and no `#`.")
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
