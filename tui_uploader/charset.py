"""Which characters the user's terminal shows, as far as the environment tells: for the screen and for commands alike.

What Python sends says nothing about it. In the locale "C" Python writes UTF-8 all the same (PEP 538 and PEP 540), while
tmux and others who read the environment show each character beyond ASCII as `_`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableMapping

ASCII_TERMS = frozenset({"linux", "vt100", "vt102", "vt220"})
"""Terminals without the characters that tell a status: the Linux console's fonts have at most 512 of them."""

# What PEP 538 puts into LC_CTYPE, in the order in which it tries them.
_COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
_DEFAULT_LOCALES = frozenset({"C", "POSIX"})


def shows_unicode(environment: Mapping[str, str]) -> bool:
    """Whether a terminal with this environment shows more than ASCII. A locale without a named codeset does not.

    By the rules of POSIX (Base Definitions, 8.2): LC_ALL before LC_CTYPE before LANG, and an empty one counts as unset.
    tmux decides in the same way (tmux.c, `main`), so what this takes for UTF-8 gets through it.
    """
    if environment.get("TERM") in ASCII_TERMS:
        return False
    character_type, language = environment.get("LC_CTYPE", ""), environment.get("LANG", "")
    if character_type in _COERCED and language in _DEFAULT_LOCALES:
        character_type = ""  # set by a Python program that started this one
    name = environment.get("LC_ALL") or character_type or language
    codeset = name.partition("@")[0].rpartition(".")[2]  # language[_territory][.codeset][@modifier]
    return codeset.lower().replace("-", "").replace("_", "") == "utf8"


def take_back_coercion(environment: MutableMapping[str, str], *, coerced: bool | None = None) -> None:
    """Remove the LC_CTYPE that Python wrote into `environment` at its start: it is no word of the user's.

    `coerced`: whether this interpreter found the locale "C"; it then works in UTF-8 mode. Programs started from here
    would take the variable for the user's choice.
    """
    if coerced is None:
        coerced = bool(sys.flags.utf8_mode)
    if coerced and environment.get("LC_CTYPE") in _COERCED:
        del environment["LC_CTYPE"]
