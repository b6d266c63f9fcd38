"""Whether a name is made to be taken for another one.

In: a host, and the names to protect: the organisation's own, its partners', and a shipped list of much-imitated ones.
Out: `Likeness`: which name is meant and how it is imitated; None for nearly every host.
Standard: UTS 39 §4 (skeletons of confusable characters); the rest (rn for m, 1 for l, a letter
more or less, the true name as a part of another) is what phishing does.
Careful: short names are met by chance, so a changed letter counts from six letters on, and a name inside another one
only where hyphens or dots set it off.
Not here: parsing (`host`), mixed scripts (`scripts`), what is made of it (`rules.links`, and the rules on senders).
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from gatepost.inspector.links.domain import looks_registered, registered_label, registrable_domain
from gatepost.inspector.links.host import parse_host
from gatepost.inspector.links.lists import imitated_names, lookalike_letters

MIN_TYPO = 6  # letters of a name from which one changed letter counts
MIN_TOKEN = 4  # letters of a name that counts as a part of another: "visa" does, "ups" and "ing" do not
MAX_KNOWN = 8192  # hosts whose likeness is remembered
_MAX_LABEL = 63
_LOOSE = str.maketrans("015i", "olsl")  # digits for letters; l and i are one, since I looks like l
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))  # what is read as one letter in many fonts
_TOKENS = re.compile(r"[-_.]")


class How(enum.StrEnum):
    """How one name imitates another, gravest first."""

    LETTERS = "letters"  # with letters of other scripts or with marks
    CHARACTERS = "characters"  # 1 for l, rn for m
    EMBEDDED = "embedded"  # the whole domain, in front of another: paypal.com.example.net
    SUFFIX = "suffix"  # the very name under a suffix where its owner has none, as far as is known: paypal.top
    TYPO = "typo"  # a letter more, less, changed or swapped
    PART = "part"  # the name, set off by hyphens or dots: paypal-login.example


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """`imitated` is the domain (or label) that is meant."""

    imitated: str
    how: How


class Protected:
    """Names to protect, each with the registrable domains that are truly its own. Made once per settings."""

    def __init__(self, domains: Iterable[str] = (), *, shipped: bool = True) -> None:
        self.by_label: dict[str, str] = {}
        self.own: set[str] = set()
        self.own_labels: set[str] = set()
        for domain in domains:
            self._add_domain(domain)
        if shipped:
            self._add_shipped()
        self.skeletons = {loose_skeleton(label): label for label in self.by_label}
        self._known: dict[str, Likeness | None] = {}
        self._near = _neighbourhoods(label for label in self.by_label if len(label) >= MIN_TYPO)

    def _add_domain(self, domain: str) -> None:
        host = parse_host(domain.strip().strip("."))
        registered = registrable_domain(host.ascii)
        self.own.update((registered, host.ascii))
        label = registered_label(host.ascii)
        self.by_label.setdefault(parse_host(label).shown, registered)

    def _add_shipped(self) -> None:
        for label, domains in imitated_names():
            for domain in domains:
                if domain.endswith(".*"):
                    self.own_labels.add(domain[:-2])
                else:
                    self.own.add(domain)
            first = next((domain for domain in domains if not domain.endswith(".*")), label + ".com")
            self.by_label.setdefault(label, label + ".com" if label in self.own_labels else first)

    def is_genuine(self, host: str) -> bool:
        """Whether `host` belongs to one of the names."""
        registered = registrable_domain(host)
        if registered in self.own or host in self.own:
            return True
        label, _, suffix = registered.partition(".")
        return label in self.own_labels and _is_national(suffix)

    def likeness(self, host: str) -> Likeness | None:
        """Which name `host` (in its DNS form) imitates. Remembered, since the same hosts come again and again."""
        if host not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[host] = self._look(host)
        return self._known[host]

    def _look(self, host: str) -> Likeness | None:
        if "." not in host or self.is_genuine(host):
            return None
        registered = registrable_domain(host)
        label = parse_host(registered.partition(".")[0]).shown[:_MAX_LABEL]
        return (
            self._same_letters(label)
            or self._embedded(host, registered)
            or self._typo(label)
            or self._part(host, registered, label)
        )

    def _same_letters(self, label: str) -> Likeness | None:
        meant = self.by_label.get(skeleton(label))
        if meant is not None and label not in self.by_label:
            return Likeness(imitated=meant, how=How.LETTERS)
        if label in self.by_label:  # another firm, as a rule, but for names that are known everywhere
            known = label in self.own_labels and len(label) >= MIN_TYPO
            return Likeness(imitated=self.by_label[label], how=How.SUFFIX) if known else None
        found = self.skeletons.get(loose_skeleton(label))
        if found is None or len(found) < MIN_TOKEN:
            return None
        how = How.CHARACTERS if label.isascii() else How.LETTERS
        return Likeness(imitated=self.by_label[found], how=how)

    def _embedded(self, host: str, registered: str) -> Likeness | None:
        """A protected domain as whole labels in front of the registered one: "paypal.com" in "paypal.com.example.net",
        or with hyphens for dots."""
        front = host[: -len(registered)].strip(".")
        labels = front.split(".")[-8:] if front else []
        for at in range(len(labels)):
            for end in range(at + 2, min(at + 4, len(labels)) + 1):
                name = ".".join(labels[at:end])
                if looks_registered(name) and self.is_genuine(name):
                    return Likeness(imitated=name, how=How.EMBEDDED)
        flat = host.replace(".", "-")
        for domain in self._hyphenated(flat):
            return Likeness(imitated=domain, how=How.EMBEDDED)
        return None

    def _hyphenated(self, flat: str) -> Iterable[str]:
        """Protected domains that `flat` holds with hyphens for dots: "paypal-com-login-example"."""
        tokens = flat.split("-")[:24]
        for at in range(len(tokens) - 2):
            if tokens[at] in self.by_label and len(tokens[at]) >= MIN_TOKEN:
                name = f"{tokens[at]}.{tokens[at + 1]}"
                if name == self.by_label[tokens[at]]:
                    yield name

    def _typo(self, label: str) -> Likeness | None:
        """One letter more, less, changed or swapped with its neighbour."""
        if not MIN_TYPO - 1 <= len(label) <= _MAX_LABEL or not label.isascii():
            return None
        for key in _deletions(label):
            for candidate in self._near.get(key, ()):
                if candidate != label and _one_edit(label, candidate):
                    return Likeness(imitated=self.by_label[candidate], how=How.TYPO)
        return None

    def _part(self, host: str, registered: str, label: str) -> Likeness | None:
        """A protected label as a token of the registered label or as a label in front of it."""
        front = host[: -len(registered)].strip(".")
        tokens = _TOKENS.split(label)[:16]
        if len(tokens) == 1:
            tokens = []  # the label itself was looked at before
        tokens += _TOKENS.split(front)[-16:] if front else []
        for token in tokens:
            for known in (self.by_label.get(token), self._loosely(token)):
                if known is not None and len(token) >= MIN_TOKEN:
                    return Likeness(imitated=known, how=How.PART)
        return None

    def _loosely(self, token: str) -> str | None:
        """A protected name that `token` spells with other characters."""
        found = self.skeletons.get(loose_skeleton(token)) if len(token) >= MIN_TYPO else None
        return self.by_label[found] if found is not None else None


_ANYBODYS = frozenset(("tk", "ml", "ga", "cf", "gq", "pw", "cc", "ws", "su", "to", "la", "st", "gg"))
_OLD = frozenset(("com", "net", "org", "info", "biz", "mobi", "email", "cloud", "news"))


def _is_national(suffix: str) -> bool:
    """Whether firms of the world keep their names under `suffix`: countries, com and the like; not where names are
    given away, nor among the thousand new ones."""
    last = suffix.rpartition(".")[2]
    return (len(last) == 2 and last not in _ANYBODYS) or last in _OLD


@lru_cache(maxsize=4096)
def skeleton(label: str) -> str:
    """`label` with every letter as the ASCII letter that it looks like (UTS 39 §4), marks and case dropped."""
    if label.isascii():
        return label.lower()
    bare = "".join(c for c in unicodedata.normalize("NFKD", label.lower()) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare.translate(lookalike_letters()).lower())


@lru_cache(maxsize=4096)
def loose_skeleton(label: str) -> str:
    """The skeleton with digits as letters and two letters that are read as one put together."""
    text = skeleton(label).translate(_LOOSE)
    for pair, letter in _PAIRS:
        text = text.replace(pair.translate(_LOOSE), letter)
    return text


def _neighbourhoods(labels: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Each label by itself and by itself less one letter: two labels that are one edit apart share such a key."""
    found: dict[str, tuple[str, ...]] = {}
    for label in labels:
        for key in _deletions(label):
            found[key] = (*found.get(key, ()), label)
    return found


def _deletions(label: str) -> set[str]:
    return {label, *(label[:at] + label[at + 1 :] for at in range(len(label)))}


def _one_edit(one: str, other: str) -> bool:
    """One letter inserted, removed or replaced, or two neighbours swapped; not an "s" or a number at the end, which
    honest names differ by, nor the first letter, which makes another word."""
    if len(one) > len(other):
        one, other = other, one
    start = 0
    while start < len(one) and one[start] == other[start]:
        start += 1
    if start == 0:
        return False
    if len(one) == len(other):
        swapped = one[start : start + 2] == other[start : start + 2][::-1]
        return one[start + 1 :] == other[start + 1 :] or (swapped and one[start + 2 :] == other[start + 2 :])
    if start == len(one) and (other[-1] in "se" or other[-1].isdigit()):
        return False
    return one[start:] == other[start + 1 :]
