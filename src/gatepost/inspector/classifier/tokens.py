"""A message as the classifier sees it: a bounded list of features, each a word or a fact.

In: a message, and its opened content where there was an opener. Out: `Features`, the same for the same mail whatever
it passed through: no date or number, no trace field, no result of a sender check, no name of its recipient is a
feature, since none of them says what a mail is, and a model would learn the archive it was trained from instead.
Standard: RFC 5322 §3.6 (fields). Not here: the texts (`texts`), what the features weigh (`model`).

    "word"       in the text                 "word_word"  two that follow each other
    "s:word"     in the subject              "n:word"     in the name of the author
    "l:…"        of links                    "h:…"        of the header section
    "m:…"        of the MIME structure       "t:…"        of the text as a whole
    "f:code"     a rule's finding
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gatepost.finding import Finding, Severity
from gatepost.inspector.classifier.glance import count_letters, names_money
from gatepost.inspector.classifier.texts import Read, read_texts
from gatepost.inspector.content import Content
from gatepost.message.addresses import parse_addresses
from gatepost.message.header import Header
from gatepost.message.message import Message
from gatepost.message.words import decode_words

MAX_FEATURES = 1500  # of one message; the longest text has some 1250
MAX_WORDS = 600  # words of the text that are read: the start says what a mail is, and a long text has all words
MAX_LINKS = 100
MAX_FIELD = 2000  # characters of a field
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NO_WORD = re.compile(r"[^\w'’]|[\d_]")  # no word goes on over it
_SHORTEST, _LONGEST = 2, 24
_PIECE = 6000  # characters that are looked at in one go: most texts have their `MAX_WORDS` in there
# A calendar is no content. Three-letter forms too; "may" and "march" are left out with them, which costs little.
_CALENDAR_TEXT = (
    "january february march april may june july august september october november december jan feb mar apr jun jul aug "
    "sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri "
    "sat sun januar februar märz mai juni juli oktober dezember montag dienstag mittwoch donnerstag freitag samstag "
    "sonntag janvier février mars avril juin juillet août septembre octobre novembre décembre lundi mardi mercredi "
    "jeudi vendredi samedi dimanche enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre lunes martes miércoles jueves viernes sábado domingo gmt utc est edt pst pdt cet cest ist"
)
_CALENDAR = frozenset(_CALENDAR_TEXT.split())
# What archives put in the place of what they hide, or over links so that nobody follows them.
_MARKS = ("redacted", "hxxp", "xxxx", "defanged")
# Fields that an author or his program writes. None that a receiver or relay adds: those tell of the archive.
_FIELDS_TEXT = (
    "reply-to sender in-reply-to references list-unsubscribe list-unsubscribe-post precedence x-priority importance "
    "priority organization cc x-mailer user-agent auto-submitted disposition-notification-to message-id mime-version"
)
_FIELDS = tuple(_FIELDS_TEXT.split())
# Findings that rest on the sender's proof, the way the mail came, the clock, or the memory of this place.
_NO_CODES = (
    "auth.", "path.", "date.", "list.", "door.", "classifier.", "malware.", "scanner.", "header.bare-line-ends",
    "sender.acquainted", "sender.first-time", "sender.volume", "sender.unknown-thread", "sender.own-",
)  # fmt: skip
_PICTURE = re.compile("[\U0001f000-\U0010ffff]")
_REPLY = re.compile(r"^\s*(re|aw|sv|antw)\s*(\[\d+\])?:", re.IGNORECASE)
_FORWARD = re.compile(r"^\s*(fwd?|wg|tr)\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Each feature once, in the order of first sight. `words` counts the words of the text."""

    names: tuple[str, ...]
    words: int


def message_features(message: Message, content: Content | None = None) -> Features:
    """The features of `message`. Total: any octets have some."""
    read = read_texts(message, content)
    mine = _recipient_words(message.header)
    found: dict[str, None] = {}
    words = _words(read.text, mine, MAX_WORDS)
    found.update(dict.fromkeys(_text_facts(read, len(words))))
    found.update(dict.fromkeys(_header_facts(message.header, mine)))
    found.update(dict.fromkeys(_link_facts(read.links)))
    found.update(dict.fromkeys(f"m:{kind}" for kind in read.kinds))
    previous = ""
    for word in words:
        found[word] = None
        if previous:
            found[f"{previous}_{word}"] = None
        previous = word
        if len(found) >= MAX_FEATURES:
            break
    return Features(names=tuple(found)[:MAX_FEATURES], words=len(words))


def findings_features(findings: Iterable[Finding]) -> tuple[str, ...]:
    """What the other rules found, as features; never what rests on the sender's proof, the path or the clock."""
    seen = (f.code for f in findings if f.severity is not Severity.PASS and f.group not in ("lists", "classifier"))
    return tuple(dict.fromkeys(f"f:{code}" for code in seen if not code.startswith(_NO_CODES)))


def _words(text: str, mine: frozenset[str], limit: int) -> list[str]:
    """The words of `text`, in lower case; numbers, dates and the recipient's own name are none."""
    words: list[str] = []
    at = 0
    while at < len(text) and len(words) < limit:
        end = _piece(text, at)
        piece, at = text[at:end], end
        # one look at each character where lower case is a matter of single letters; elsewhere word by word
        found = _WORD.findall(piece.lower()) if piece.isascii() else [w.lower() for w in _WORD.findall(piece)]
        marked = _has_marks(piece)
        words += [
            word.replace("’", "'")
            for word in found
            if _SHORTEST <= len(word) <= _LONGEST
            and word not in _CALENDAR
            and word not in mine
            and not (marked and any(mark in word for mark in _MARKS))
        ]
    return words[:limit]


def _piece(text: str, at: int) -> int:
    """The end of the piece of `text` from `at` on: where no word can go on."""
    gap = _NO_WORD.search(text, at + _PIECE)
    return gap.start() if gap is not None else len(text)


def _has_marks(text: str) -> bool:
    lower = text.lower()
    return any(mark in lower for mark in _MARKS)


def _recipient_words(header: Header) -> frozenset[str]:
    """The words of the recipients' names and addresses: that a mail names whom it was sent to says nothing."""
    fields = [*header.all("to")[:2], *header.all("delivered-to")[:5], *header.all("cc")[:1]]
    boxes = [box for field in fields for box in parse_addresses(field.text[:MAX_FIELD]).mailboxes]
    text = " ".join(f"{box.display_name} {box.addr_spec.local_part}" for box in boxes)
    return frozenset(match[0].lower() for match in _WORD.finditer(text))


def _header_facts(header: Header, mine: frozenset[str]) -> list[str]:
    subject = decode_words(header.text("subject")[:MAX_FIELD])
    facts = [f"s:{word}" for word in _words(subject, mine, 60)]
    facts += [f"h:{name}" for name in _FIELDS if header.first(name) is not None]
    facts += [name for name, true in _subject_marks(subject) if true]
    authors = parse_addresses(header.text("from")[:MAX_FIELD]).mailboxes[:1]
    for box in authors:
        facts += [f"n:{word}" for word in _words(box.display_name, mine, 10)]
        facts += [name for name, true in _author_marks(box.display_name, box.addr_spec.local_part, box.domain) if true]
        facts += _elsewhere(header, box.domain)
    return facts


def _subject_marks(subject: str) -> tuple[tuple[str, bool], ...]:
    letters = [c for c in subject if c.isalpha()]
    return (
        ("h:subject-reply", bool(_REPLY.match(subject))),
        ("h:subject-forward", bool(_FORWARD.match(subject))),
        ("h:subject-capitals", len(letters) > 8 and sum(map(str.isupper, letters)) > 0.7 * len(letters)),
        ("h:subject-shouts", "!" in subject),
        ("h:subject-asks", "?" in subject),
        ("h:subject-money", names_money(subject)),
        ("h:subject-pictures", any(ord(c) >= 0x2600 for c in subject if not c.isalpha())),
        ("h:subject-gap", "    " in subject),
        ("h:subject-empty", not subject.strip()),
    )


def _author_marks(name: str, local: str, domain: str) -> tuple[tuple[str, bool], ...]:
    return (
        ("h:name-missing", not name),
        ("h:name-odd", any(ord(c) >= 0x2000 for c in name if not c.isalpha())),
        ("h:local-digits", sum(map(str.isdigit, local)) >= 3),
        ("h:local-long", len(local) > 20),
        ("h:local-noreply", local.lower().replace("-", "").replace("_", "").startswith(("noreply", "donotreply"))),
        ("h:local-consonants", _unspeakable(local)),
        ("h:domain-deep", domain.count(".") >= 3),
        ("h:domain-digits", any(map(str.isdigit, domain))),
        ("h:domain-unspeakable", any(map(_unspeakable, domain.split(".")))),
    )


def _unspeakable(text: str) -> bool:
    """Five consonants in a row, as in names that a program invents."""
    return bool(re.search(r"[bcdfghjklmnpqrstvwxz]{5}", text[:80].lower()))


def _elsewhere(header: Header, domain: str) -> list[str]:
    """Which other addresses of the header section are of another domain than the author's."""
    facts = []
    for name in ("reply-to", "sender"):
        boxes = parse_addresses(header.text(name)[:MAX_FIELD]).mailboxes[:1]
        if boxes and boxes[0].domain and boxes[0].domain != domain:
            facts.append(f"h:{name}-elsewhere")
    return facts


def _link_facts(links: Sequence[str]) -> list[str]:
    facts = [f"l:count-{_bucket(len(links), (0, 1, 2, 4, 8, 16, 32))}"]
    hosts: dict[str, None] = {}
    for link in links[:MAX_LINKS]:
        scheme, _, rest = link.partition(":")
        host, _, path = rest.lstrip("/").partition("/")
        host = host.rpartition("@")[2].lower()
        name, _, port = host.partition(":")
        hosts[name] = None
        facts += [f"l:scheme-{scheme.lower()[:10]}", f"l:top-{name.rpartition('.')[2][:12]}"]
        facts += ["l:port"] * bool(port)
        facts += ["l:address"] * name.replace(".", "").isdigit()
        facts += ["l:bare"] * (not path.strip("/"))
        facts += ["l:query"] * ("?" in path)
        facts += ["l:host-deep"] * (name.count(".") >= 3)
        facts += ["l:host-digits"] * (sum(map(str.isdigit, name)) >= 3)
        facts += ["l:host-hyphens"] * (name.count("-") >= 2)
        facts += ["l:host-unspeakable"] * any(map(_unspeakable, name.split(".")))
        facts += ["l:path-long"] * (len(path) > 80)
        facts += [f"l:path-{word}" for word in _words(path.partition("?")[0][:200], frozenset(), 8)]
    facts.append(f"l:hosts-{_bucket(len(hosts), (0, 1, 2, 4, 8, 16))}")
    return facts


def _text_facts(read: Read, words: int) -> list[str]:
    text = read.text
    letters, capitals = count_letters(text[:20_000])
    facts = (
        ("t:money", names_money(text)),
        ("t:capitals", capitals / (letters or 1) > 0.3 and letters > 50),
        ("t:shouts", text.count("!") > max(2, words // 60)),
        ("t:pictures", not text.isascii() and len(_PICTURE.findall(text[:20_000])) > 2),
        ("t:quotes", read.quoted > 0),
        ("t:signature", read.signature),
        ("t:hidden", read.hidden > 40),
        ("t:links-only", words < 30 and bool(read.links)),
        ("t:pictures-only", words < 30 and read.pictures > 0),
    )
    return [name for name, true in facts if true] + [f"t:words-{_bucket(words, (0, 10, 30, 100, 300, 1000))}"]


def _bucket(count: int, edges: Sequence[int]) -> int:
    """The largest of `edges` that `count` reaches."""
    return max((edge for edge in edges if edge <= count), default=0)
