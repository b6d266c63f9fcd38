"""Passwords that a message tells its reader, so that what it locks can be looked at too.

In: the texts of a message. Out: words, likeliest first, at most MAX_PASSWORDS. Standard: none; senders of malware write
"Password: 1234" in the body, and honest senders do too. Not here: who tries them (`readers.archive_zip`, `archive_7z`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MAX_PASSWORDS = 40  # each costs a key derivation on every locked archive
_LOOKED_AT = 100_000  # characters of each text
_KEYWORD = re.compile(
    r"(?:pass\s?-?(?:word|wort|code|phrase|wd)|kennwort|mot\s+de\s+passe|contrase[nñ]a|clave|codice|parola\s+d.ordine"
    r"|senha|wachtwoord|has[lł]o|lösenord|пароль|密码|密碼|パスワード|\bpw|\bpwd|\bpin\b|\bcode)",
    re.IGNORECASE,
)
# How each of them begins. A search for these costs a hundredth of one with the pattern, and most texts have none.
_BEGINNINGS = (
    *("pass", "kennwort", "mot", "contrase", "clave", "codice", "parola", "senha", "wachtwoord", "hasl", "hasł"),
    *("lösenord", "пароль", "密码", "密碼", "パスワード", "pw", "pin", "code"),
)
# what stands between the word and the password: "is", "lautet", colons, quotes
_BETWEEN = re.compile(
    r"[\s:=>\-–—\"'«»“”„‘’(\[*_]*(?:(?:is|ist|lautet|est|es|for|für|pour|para|the|der|die|das|to|open|archive|archiv|file"
    r"|datei|zip|attachment|anhang|document|dokument|following|folgendes)[\s:=>\-–—\"'«»“”„‘’(\[*_]+){0,8}",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\s\"'«»“”„‘’<>]{1,64}")
_TRAILING = ".,;:!?)]*_"
_COMMON = ("infected", "1234", "12345", "123456", "password", "malware")


def find_passwords(texts: Iterable[str]) -> tuple[str, ...]:
    """Words near "password" and its like, then a few that are in common use."""
    found: dict[str, None] = {}
    for text in texts:
        for keyword in _keywords(text[:_LOOKED_AT]):
            for word in _after(text, keyword.end()):
                found[word] = None
            if len(found) >= MAX_PASSWORDS:
                break
    return tuple([*found, *(word for word in _COMMON if word not in found)][:MAX_PASSWORDS])


def _keywords(text: str) -> Iterator[re.Match[str]]:
    """What `_KEYWORD.finditer` finds in `text`."""
    lower = text.lower().replace("ſ", "s")
    if len(lower) != len(text):  # places in the one are none in the other
        yield from _KEYWORD.finditer(text)
        return
    end = 0
    for place in sorted(place for beginning in _BEGINNINGS for place in _places(lower, beginning)):
        found = _KEYWORD.match(text, place) if place >= end else None
        if found is not None:
            yield found
            end = found.end()


def _places(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _after(text: str, at: int) -> Iterable[str]:
    """The word that follows, as it stands and without each of the sentence's own marks, and the one behind it."""
    start = _BETWEEN.match(text, at)
    position = start.end() if start is not None else at
    for _ in range(2):
        word = _WORD.search(text, position, position + 200)
        if word is None:
            return
        yield word[0]
        bare = word[0]
        while bare[:-1] and bare[-1] in _TRAILING:
            bare = bare[:-1]
            yield bare
        position = word.end()
