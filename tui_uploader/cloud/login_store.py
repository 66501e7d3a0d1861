"""Where a login comes from: the environment, the keyring, or a private file; and how it gets there.

A keyring is used where one answers at once. On a machine without a desktop its backend is missing, refuses, or waits
for somebody to type into a window that nobody sees: then the login lies in a file that only its owner can read.
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
from tui_uploader.model import Login
from tui_uploader.ownership import foreign, not_yours, private
from tui_uploader.settings import APP, Directories, Settings, without_user_information

Source = Literal["environment", "keyring", "file"]

KEYRING_PATIENCE = 5.0
"""Seconds that a keyring gets to answer."""
_FILE = "credentials.json"

Answer = TypeVar("Answer")


class Keyring(Protocol):
    """What is used of a backend of the keyring library."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


def stored_login(profile: str, directories: Directories, settings: Settings) -> tuple[Login, Source] | None:
    """The login of `profile` and where it was found; the environment's wins over any.

    May take `KEYRING_PATIENCE` seconds: call it from a thread. Raises NotPossibleNow when the private file is there
    and cannot be used.
    """
    if settings.login is not None:
        return Login(settings.cloud_url, settings.login.client_id, settings.login.client_secret), "environment"
    keyring = None if settings.no_keyring else usable_keyring()
    if keyring is not None:
        login = _login_in(_asked(lambda: keyring.get_password(APP, profile)))
        if login is not None:
            return login, "keyring"
    kept = _login_in(_read(directories.config / _FILE).get(profile))
    return None if kept is None else (kept, "file")


def keep_login(profile: str, login: Login, directories: Directories, settings: Settings) -> Source:
    """Store `login` for later engines, and forget the one that `profile` had elsewhere. Tells where it lies now.

    Raises NotPossibleNow when it can be written nowhere.
    """
    keyring = None if settings.no_keyring else usable_keyring()
    if keyring is not None:
        text = _text_of(login)
        _asked(lambda: keyring.set_password(APP, profile, text))
        # Some backends take a password and keep nothing.
        if _asked(lambda: keyring.get_password(APP, profile)) == text:
            _forget_in_file(profile, directories)
            return "keyring"
    path = directories.config / _FILE
    _write(path, {**_read(path), profile: _text_of(login)})
    return "file"


def forget_login(profile: str, directories: Directories, settings: Settings) -> bool:
    """False when there was none. What the environment carries cannot be forgotten. Raises NotPossibleNow."""
    keyring = None if settings.no_keyring else usable_keyring()
    in_keyring = keyring is not None and _asked(lambda: keyring.get_password(APP, profile)) is not None
    if keyring is not None and in_keyring:
        _asked(lambda: keyring.delete_password(APP, profile))
    return _forget_in_file(profile, directories) or in_keyring


# -------------------------------------------------------------------------------------------------------- keyring


def usable_keyring() -> Keyring | None:
    """The user's keyring, unless there is none that works by itself (the library ranks those at 0 or below)."""
    return _asked(_chosen_keyring)


def _chosen_keyring() -> Keyring | None:
    import keyring  # loads slowly, and asks the session bus

    backend = keyring.get_keyring()
    return backend if float(getattr(backend, "priority", 0)) > 0 else None


def _asked(question: Callable[[], Answer]) -> Answer | None:
    """The answer; None when the keyring fails, or does not answer in time.

    The asking thread is left behind then: it waits for a prompt, and nothing in Python can call it back.
    """
    answers: list[Answer] = []

    def ask() -> None:
        try:
            answers.append(question())
        except Exception:  # noqa: BLE001 - a backend raises whatever its own libraries raise; none is worth a word
            pass

    thread = threading.Thread(target=ask, name="keyring", daemon=True)
    thread.start()
    thread.join(KEYRING_PATIENCE)
    return answers[0] if answers else None


# -------------------------------------------------------------------------------------------------- private file


def _forget_in_file(profile: str, directories: Directories) -> bool:
    path = directories.config / _FILE
    kept = _read(path)
    if profile not in kept:
        return False
    _write(path, {name: text for name, text in kept.items() if name != profile})
    return True


def _read(path: Path) -> dict[str, str]:
    """Texts by profile. A file that others could read is closed to them first; that of another user is refused."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    except OSError as error:
        reason = foreign(path.parent) or f"{error.strerror}."
        raise NotPossibleNow(f"The stored login in {path} cannot be read: {reason}") from error
    with os.fdopen(descriptor, encoding="utf-8") as file:
        found = os.fstat(descriptor)
        if found.st_uid != os.getuid():
            raise NotPossibleNow(f"The stored login is not used. {not_yours(path, found.st_uid)}")
        if not stat.S_ISREG(found.st_mode):
            raise NotPossibleNow(f"The stored login is not used: {path} is not a regular file. Move it away.")
        try:
            if found.st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
            value = json.load(file)
        except OSError as error:
            raise NotPossibleNow(f"The stored login in {path} cannot be used: {error.strerror}.") from error
        except (ValueError, RecursionError) as error:
            raise NotPossibleNow(f"The stored login in {path} is damaged. Delete the file and log in again.") from error
    if not isinstance(value, dict):
        raise NotPossibleNow(f"The stored login in {path} is damaged. Delete the file and log in again.")
    return {str(name): text for name, text in value.items() if isinstance(text, str)}


def _write(path: Path, texts: dict[str, str]) -> None:
    """Replace the file at once, so that no crash leaves half of it."""
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
        raise NotPossibleNow(f"The login cannot be stored in {path}: {reason}") from error


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
