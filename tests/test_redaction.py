"""Secrets are removed from text, however a server encoded them."""

from __future__ import annotations

import base64
import html
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tui_uploader import redaction
from tui_uploader.cloud.http.error_mapping import quoted
from tui_uploader.errors import CloudRefused, revived
from tui_uploader.redaction import REMOVED, Secrets, forms, holds_secret, without_secrets
from tui_uploader.service.logfile import LogFormatter

SECRET = "kT9/+z \"q<R&'e\\7%é"


def as_u_escapes(text: str) -> str:
    return "".join(f"\\u{code:04x}" for code in memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H"))


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "percent": lambda text: quote(text, safe=""),
    "percent, usual": quote,
    "percent, every byte, lower": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "percent, every byte, upper": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "form": quote_plus,
    "json": lambda text: json.dumps(text)[1:-1],
    "json, unicode": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json twice": lambda text: json.dumps(json.dumps(text))[1:-1],
    "json, every character": as_u_escapes,
    "json with escaped slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "html": html.escape,
    "html, decimal": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "html, hexadecimal": lambda text: "".join(f"&#x{ord(character):X};" for character in text),
    "html in json": lambda text: json.dumps(html.escape(text))[1:-1],
    "repr": lambda text: repr(text)[1:-1],
    "hex, lower": lambda text: text.encode().hex(),
    "hex, upper": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 of user:pass": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "base64 of a form": lambda text: base64.b64encode(f"id=1&secret={quote_plus(text)}&x=y".encode()).decode(),
    "base64, percent-encoded": lambda text: quote(base64.b64encode(f"me:{text}".encode()).decode(), safe=""),
    "lower case": lambda text: text.encode().lower().decode(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_secret_is_found_in_every_encoding(encoding: str) -> None:
    holder = Secrets(SECRET)
    written = ENCODINGS[encoding](SECRET)
    for text in (written, f"The server said: [{written}], and again [{written}].", f'{{"message": "{written}"}}'):
        shown = without_secrets(text)
        assert "…" in shown and not holds_secret(shown)
        for piece in (written[2:-4], written[: len(written) // 2]):
            assert piece.lower() not in shown.lower()
    assert holder.secrets == {SECRET}


_SECRETS = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x2FFF, exclude_categories=["Cc", "Cs", "Cn"]),
    min_size=6,
    max_size=60,
).filter(lambda text: len(text.strip()) >= 6)


@settings(max_examples=1000, deadline=None)
@given(secret=_SECRETS, encoding=st.sampled_from(sorted(ENCODINGS)), before=st.text(max_size=20), behind=st.text())
@example(secret="00%00¡", encoding="json", before="", behind="").via("an escape of another encoding in the secret")
@example(secret="&amp;\\u0041%41 ¡", encoding="json twice", before="", behind="").via("all three encodings")
def test_no_encoding_of_a_random_secret_survives(secret: str, encoding: str, before: str, behind: str) -> None:
    holder = Secrets(secret)
    written = ENCODINGS[encoding](secret)
    shown = without_secrets(f"{before} [{written}] {behind}")
    assert not holds_secret(shown)
    core = max((form.decode("utf-8", "replace") for form in forms(secret.encode())), key=len)
    assert core.lower() not in shown.lower() and written not in shown
    assert holder.secrets == {secret}


@settings(max_examples=500, deadline=None)
@given(text=st.text(max_size=300))
def test_text_without_secrets_is_unchanged(text: str) -> None:
    holder = Secrets("an-unusual-secret-4711", "e" * 40)
    assert without_secrets(text) == text
    assert holder.secrets


@settings(max_examples=300, deadline=None)
@given(start=st.integers(0, 900), length=st.integers(31, 400), before=st.sampled_from(["", " ", "token: "]))
def test_a_fragment_of_a_token_is_found(start: int, length: int, before: str) -> None:
    holder = Secrets(TOKEN)
    fragment = TOKEN[start : start + length]
    shown = without_secrets(f"{before}{fragment}")
    assert len(fragment) < 31 or shown == f"{before}…"
    assert holder.secrets


TOKEN = base64.b64encode(bytes((index * 167 + 13 * (index // 7)) % 251 for index in range(750))).decode()


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ("abc", "abc is no secret that can be kept", "abc is no secret that can be kept"),
        ("pw12", "the password is pw12.", "the password is …."),
        ("pw12", "apw123 and pw125", "apw123 and pw125"),
        ("ab cd", "user:ab+cd@host", "user:…@host"),
        ("hunter2", "user:Hunter2hunter2@host", "user:……@host"),
        ("hunter2", "", ""),
        ("hunter2", "hunter", "hunter"),
    ],
)
def test_short_secrets_do_not_break_ordinary_text(secret: str, text: str, shown: str) -> None:
    holder = Secrets(secret)
    assert without_secrets(text) == shown
    assert holder.secrets


def test_secrets_are_removed_while_they_are_registered() -> None:
    text = "the-first-token the-second-token the-third-token"
    first, second = Secrets("the-first-token"), Secrets("the-second-token", None, "")
    same = Secrets("the-first-token")
    assert without_secrets(text) == "… … the-third-token"
    del first
    third = Secrets("the-third-token")
    assert without_secrets(text) == "… … …"
    del same, second
    other = Secrets("something else")
    assert without_secrets(text) == "the-first-token the-second-token …"
    assert third.secrets and other.secrets


def test_errors_and_log_lines_have_no_secrets() -> None:
    holder = Secrets(SECRET)
    error = CloudRefused(f"The store refused: {quote(SECRET, safe='')}.")
    assert str(error) == error.message == "The store refused: …."
    assert str(revived("CloudRefused", SECRET)) == "…"
    formatter = LogFormatter("%(levelname)s %(message)s")
    try:
        raise ValueError(SECRET)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "p", 1, "it said %r", (SECRET,), sys.exc_info())
    line = formatter.format(record)
    assert "ValueError: …" in line and "it said '…'" in line and not holds_secret(line)
    assert holder.secrets


def test_unhandled_exceptions_are_printed_without_secrets() -> None:
    program = """
import threading
from tui_uploader.redaction import Secrets, guard_tracebacks
holder = Secrets("hunter2-hunter2")
guard_tracebacks()
thread = threading.Thread(target=lambda: int("in a thread: " + "hunter2-" * 2))
thread.start(); thread.join()
raise ValueError("at the end: " + "hunter2-" * 2)
""".replace('"hunter2-" * 2', '"-".join(["hunter2"] * 2)')
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "in a thread: …" in done.stderr and "at the end: …" in done.stderr and "hunter2-hunter2" not in done.stderr


def test_threads_may_register_secrets_while_others_log() -> None:
    holders: list[Secrets] = []

    def learn(number: int) -> None:
        for turn in range(50):
            holders.append(Secrets(f"secret-{number}-{turn}-end"))
            assert without_secrets(f"<secret-{number}-{turn}-end>") == "<…>"

    faults: list[object] = []
    before = threading.excepthook
    threading.excepthook = faults.append
    try:
        threads = [threading.Thread(target=learn, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        threading.excepthook = before
    assert not faults


def test_repetitive_text_takes_linear_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service chooses the token, and may quote it so that every offset of the text begins a fragment."""
    walked = 0
    widened = redaction._widened

    def counted(text: bytes, at: int, form: bytes, offset: int) -> tuple[int, int]:
        nonlocal walked
        start, end = widened(text, at, form, offset)
        walked += end - start
        return start, end

    monkeypatch.setattr(redaction, "_widened", counted)
    holder = Secrets("x" * 800)
    assert without_secrets("x" * 5_000) == REMOVED
    assert walked <= 3 * 5_000
    del holder


def test_the_end_of_the_searched_text_is_not_quoted() -> None:
    token, secret = "".join(f"{number:05}" for number in range(1600)), "a-secret-of-ordinary-length"
    holder = Secrets(token, secret)
    assert "a-sec" not in quoted(2 * token + token[: 4_000 - 20] + secret + "z" * 100_000)
    assert quoted("Denied. " * 100_000).startswith("Denied. Denied. ")
    del holder
