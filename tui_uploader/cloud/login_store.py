"""Store logins in the keyring or in a private file, and find them there or in the environment.

The keyring is used if it answers in time. On a machine without a desktop its backend is missing, refuses, or waits for
input in an invisible window; then the login is stored in a file that only its owner can read.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from tui_uploader.errors import NotPossibleNow
from tui_uploader.model.accounts import Login
from tui_uploader.ownership import foreign, not_yours, private
from tui_uploader.settings import APP, Directories, Settings, without_user_information

Source = Literal["environment", "keyring", "file"]

KEYRING_TIMEOUT = 5.0
"""Seconds to wait for the keyring."""
_FILE = "credentials.json"

T = TypeVar("T")


class Keyring(Protocol):
    """The part of a keyring backend that is used here."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


def stored_login(profile: str, directories: Directories, settings: Settings) -> tuple[Login, Source] | None:
    """The login of `profile` and its source; a login in the environment wins over stored ones.

    May take `KEYRING_TIMEOUT` seconds, so call it in a thread. Raises NotPossibleNow if the private file exists and
    cannot be used.
    """
    if settings.login is not None:
        return Login(settings.cloud_url, settings.login.client_id, settings.login.client_secret), "environment"
    keyring = None if settings.no_keyring else usable_keyring()
    if keyring is not None:
        login = _login_in(_within_timeout(lambda: keyring.get_password(APP, profile)))
        if login is not None:
            return login, "keyring"
    kept = _login_in(_read(directories.config / _FILE).get(profile))
    return None if kept is None else (kept, "file")


def keep_login(profile: str, login: Login, directories: Directories, settings: Settings) -> Source:
    """Store `login` as that of `profile`, remove any other copy, and return where it was stored.

    Raises NotPossibleNow if it cannot be stored.
    """
    keyring = None if settings.no_keyring else usable_keyring()
    if keyring is not None:
        text = _text_of(login)
        _within_timeout(lambda: keyring.set_password(APP, profile, text))
        # Some backends accept a password without storing it.
        if _within_timeout(lambda: keyring.get_password(APP, profile)) == text:
            _forget_in_file(profile, directories)
            return "keyring"
    path = directories.config / _FILE
    _write(path, {**_read(path), profile: _text_of(login)})
    return "file"


def forget_login(profile: str, directories: Directories, settings: Settings) -> bool:
    """Remove the stored login of `profile`; False if there was none. One in the environment stays.

    Raises NotPossibleNow.
    """
    keyring = None if settings.no_keyring else usable_keyring()
    in_keyring = keyring is not None and _within_timeout(lambda: keyring.get_password(APP, profile)) is not None
    if keyring is not None and in_keyring:
        _within_timeout(lambda: keyring.delete_password(APP, profile))
    return _forget_in_file(profile, directories) or in_keyring


# -------------------------------------------------------------------------------------------------------- keyring


def usable_keyring() -> Keyring | None:
    """The user's keyring; None if no backend works (the library gives unusable ones a priority of 0 or less)."""
    return _within_timeout(_chosen_keyring)


def _chosen_keyring() -> Keyring | None:
    import keyring  # slow to load, and queries the session bus

    backend = keyring.get_keyring()
    return backend if float(getattr(backend, "priority", 0)) > 0 else None


def _within_timeout(call: Callable[[], T]) -> T | None:
    """The result of a keyring call; None if it fails or takes too long.

    A thread that waits for a prompt cannot be stopped, so it is abandoned.
    """
    results: list[T] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception:  # noqa: BLE001 - a backend may raise any error of its libraries; all mean no keyring
            pass

    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(KEYRING_TIMEOUT)
    return results[0] if results else None


# -------------------------------------------------------------------------------------------------- private file


def _forget_in_file(profile: str, directories: Directories) -> bool:
    path = directories.config / _FILE
    kept = _read(path)
    if profile not in kept:
        return False
    _write(path, {name: text for name, text in kept.items() if name != profile})
    return True


def _read(path: Path) -> dict[str, str]:
    """Login texts by profile. A file that others could read is made private first; another user's is refused."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    except OSError as error:
        reason = foreign(path.parent) or f"{error.strerror}."
        raise NotPossibleNow(f"Cannot read the stored login in {path}: {reason}") from error
    with os.fdopen(descriptor, encoding="utf-8") as file:
        found = os.fstat(descriptor)
        if found.st_uid != os.getuid():
            raise NotPossibleNow(f"Cannot use the stored login. {not_yours(path, found.st_uid)}")
        if not stat.S_ISREG(found.st_mode):
            raise NotPossibleNow(f"Cannot use the stored login: {path} is not a regular file. Move it away.")
        try:
            if found.st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
            value = json.load(file)
        except OSError as error:
            raise NotPossibleNow(f"Cannot use the stored login in {path}: {error.strerror}.") from error
        except (ValueError, RecursionError) as error:
            raise NotPossibleNow(
                f"The stored login in {path} is damaged. Delete the file and sign in again."
            ) from error
    if not isinstance(value, dict):
        raise NotPossibleNow(f"The stored login in {path} is damaged. Delete the file and sign in again.")
    return {str(name): text for name, text in value.items() if isinstance(text, str)}


def _write(path: Path, texts: dict[str, str]) -> None:
    """Replace the file atomically, so that a crash cannot leave half of it."""
    try:
        private(path.parent)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{_FILE}.")  # mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(texts, file)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = foreign(path.parent) or f"{error.strerror}."
        raise NotPossibleNow(f"Cannot store the login in {path}: {reason}") from error


def _text_of(login: Login) -> str:
    return json.dumps([login.cloud_url, login.client_id, login.client_secret])


def _login_in(text: str | None) -> Login | None:
    try:
        value = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, list) or len(value) != 3 or not all(isinstance(item, str) and item for item in value):
        return None
    url, client_id, client_secret = value
    return Login(without_user_information(url), client_id, client_secret)
