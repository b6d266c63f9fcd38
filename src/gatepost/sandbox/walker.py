"""Walks through a message and everything inside it, and hands each item to the readers for what it is.

In: the octets of a message, `Finds`. Out: nothing; all is told to `Finds`. Never raises for what a message can hold,
except `NeedsChild` where it was told to do without the large readers.
Standard: RFC 3501 §6.4.5 (part numbers); TRAPS, "Parser differentials" (the worse reading counts), "Archives".
Not here: formats (`readers`), what octets are (`kinds`), killing what does not end (`pool`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from gatepost.message.message import parse_message
from gatepost.message.part import Part
from gatepost.message.transfer import decode_transfer
from gatepost.message.words import decode_words
from gatepost.sandbox.finds import Finds
from gatepost.sandbox.kind_of_text import as_text
from gatepost.sandbox.kinds import ARCHIVES, Detected, detect
from gatepost.sandbox.passwords import find_passwords
from gatepost.sandbox.reader import Content, Member, Reader
from gatepost.sandbox.readers import EVERY, READERS, load
from gatepost.sandbox.unpack import Bomb, Budget, trouble_of
from gatepost.sandbox.uuencoded import uuencoded

_SHOWN_AS_TEXT = frozenset(("text/plain", "text/enriched", "text/richtext", "text/rfc822-headers"))
_REPORTS = frozenset(("message/delivery-status", "message/disposition-notification", "message/feedback-report"))
_ENTRY = "gatepost.sandbox.readers."


class NeedsChild(Exception):
    """The message holds something that must not be opened in this process."""


class Walker:
    """Opens one message. With `only`, the names of the readers that may run, anything else raises NeedsChild, or is
    left out if `skip`."""

    def __init__(
        self,
        finds: Finds,
        *,
        only: frozenset[str] | None = None,
        skip: bool = False,
        loader: Callable[[str], Reader] = load,
    ) -> None:
        self._finds = finds
        self._only = only
        self._skip = skip
        self._load = loader
        self._budget = Budget(finds.limits)
        self._opened: set[tuple[str, str]] = set()
        self._subject = ""
        self._passwords: tuple[str, ...] | None = None
        self.sound = True  # whether this process is fit for another message

    def walk(self, raw: bytes) -> None:
        """Texts first: what they say may open the rest."""
        message = parse_message(raw)
        self._budget.source = len(raw)
        self._subject = decode_words(message.header.text("subject")[:1000])
        leaves = list(_numbered(message.tree))
        for path, parent, part in sorted(leaves, key=lambda leaf: not _is_body(leaf[2])):
            self._part(path, parent, part)

    def _part(self, path: str, parent: str, part: Part) -> None:
        octets = decode_transfer(part.body, part.encoding).octets
        member = Member(
            name=part.filename,
            octets=octets,
            names=part.filenames,
            declared_type=part.content_type.value,
            charset=part.content_type.get("charset"),
            disposition=_disposition(part),
            content_id=part.header.text("content-id").strip(" <>"),
        )
        digest = hashlib.sha256(octets).hexdigest()
        if part.is_message:  # its own parts are leaves of the same tree
            self._register(path, parent, member, "eml", digest)
            return
        detected = self._kind(member)
        if self._register(path, parent, member, detected.kind, digest):
            self._read(path, member, detected, digest, ())
        if "uuencoded-text" in part.defects:
            for number, inner in enumerate(uuencoded(octets), 1):
                self._member(f"{path}/{number}", path, inner, ())

    def _member(self, path: str, parent: str, member: Member, above: tuple[str, ...]) -> bool:
        """Opens one file inside `parent`; False when there are too many items."""
        detected = self._kind(member)
        digest = hashlib.sha256(member.octets).hexdigest()
        if not self._register(path, parent, member, detected.kind, digest):
            return False
        self._read(path, member, detected, digest, above)
        return True

    def _kind(self, member: Member) -> Detected:
        detected = detect(member.octets, name=member.name, declared_type=member.declared_type, charset=member.charset)
        shown = "" if member.name else _shown_as(member)
        if shown and detected.kind not in (shown, "empty") and as_text(member.octets, member.charset) is not None:
            return Detected(kind=shown, others=detected.others)
        return detected

    def _register(self, path: str, parent: str, member: Member, kind: str, digest: str) -> bool:
        return self._finds.item(
            path,
            kind=kind,
            size=len(member.octets),
            sha256=digest,
            parent=parent,
            name=member.name,
            names=member.names or ((member.name,) if member.name else ()),
            declared_type=member.declared_type,
            disposition=member.disposition,
            content_id=member.content_id,
        )

    def _read(self, path: str, member: Member, detected: Detected, digest: str, above: tuple[str, ...]) -> None:
        """Every reader for every reading of the octets; equal octets are opened once."""
        if digest in above:
            self._finds.trait(path, "archive.contains-itself")
            self._finds.trouble("bomb", path, "an archive that contains itself")
            return
        if len(above) > self._finds.limits.depth:
            self._finds.trouble("bomb", path, f"more than {self._finds.limits.depth} levels of files in files")
            return
        if detected.others:
            self._finds.trait(path, "file.polyglot", kinds=[detected.kind, *detected.others])
        if (digest, detected.kind) in self._opened or not member.octets:
            return
        self._opened.add((digest, detected.kind))
        count = 0
        for kind, name in self._readers(path, detected):
            content = self._content(path, member, kind)
            for inner in self._run(name, content):
                count += 1
                if not self._member(f"{path}/{count}", path, inner, (*above, digest)):
                    return

    def _readers(self, path: str, detected: Detected) -> list[tuple[str, str]]:
        """(kind, name of the reader), each name once."""
        rows: dict[str, str] = {}
        for kind in (detected.kind, *detected.others):
            for name in READERS.get(kind, ()):
                rows.setdefault(name, kind)
        for name in EVERY:
            if self._only is None or name in self._only:
                rows.setdefault(name, detected.kind)
        if self._only is None:
            if not READERS.get(detected.kind) and detected.kind in ARCHIVES:
                self._finds.trouble("unavailable", path, f"nothing here opens {detected.kind} archives")
        elif self._skip:
            rows = {name: kind for name, kind in rows.items() if name in self._only}
        elif not self._only.issuperset(rows):
            raise NeedsChild
        return [(kind, name) for name, kind in rows.items()]

    def _content(self, path: str, member: Member, kind: str) -> Content:
        return Content(
            path=path,
            octets=member.octets,
            name=member.name,
            names=member.names,
            declared_type=member.declared_type,
            kind=kind,
            charset=member.charset,
            disposition=member.disposition,
            passwords=self._known_passwords() if kind in READERS and kind not in ("text", "html") else (),
            limits=self._finds.limits,
            budget=self._budget,
        )

    def _known_passwords(self) -> Sequence[str]:
        if self._passwords is None:
            self._passwords = find_passwords((self._subject, *self._finds.texts))
        return self._passwords

    def _run(self, name: str, content: Content) -> Iterator[Member]:
        """What the reader `name` yields; whatever it raises is trouble with this item, not with the message."""
        try:
            members: Iterable[Member] = self._load(name)(content, self._finds)
            yield from members
        except NeedsChild:
            raise
        except Bomb as bomb:
            self._finds.trouble(trouble_of(bomb), content.path, str(bomb))
        except MemoryError:
            self.sound = False
            self._finds.trouble("memory", content.path, f"reading {content.kind} took too much memory")
        except ImportError as error:
            if error.name != _ENTRY + name:  # a row of the table whose reader is not written is nobody's trouble
                self._finds.trouble("unavailable", content.path, f"{content.kind} cannot be read without {error.name}")
        except Exception as error:
            self._finds.trouble("damaged", content.path, f"{content.kind}: {type(error).__name__}: {error}")
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # a panic of a library in Rust
            self.sound = False
            self._finds.trouble("crash", content.path, f"{content.kind}: {type(error).__name__}: {error}")


def _numbered(root: Part) -> Iterator[tuple[str, str, Part]]:
    """(path, parent, part) of every leaf and every attached message, numbered as in RFC 3501 §6.4.5."""
    todo: list[tuple[str, str, Part]] = [("", "", root)]
    while todo:
        path, parent, part = todo.pop()
        if part.is_multipart:
            inner = [(f"{path}.{n}".lstrip("."), parent, child) for n, child in enumerate(part.children, 1)]
            todo.extend(reversed(inner))
            continue
        path = path or "1"
        yield path, parent, part
        if part.is_message:
            child = part.children[0]
            todo.append((path if child.is_multipart else f"{path}.1", path, child))


def _is_body(part: Part) -> bool:
    return part.content_type.maintype == "text" and not part.filename and not part.is_message


def _shown_as(member: Member) -> str:
    """What mail programs show a nameless part as, whatever its words look like."""
    if member.declared_type == "text/html":
        return "html"
    return "text" if member.declared_type in _SHOWN_AS_TEXT or member.declared_type in _REPORTS else ""


def _disposition(part: Part) -> str:
    value = part.disposition.value
    return value if value in ("", "inline") else "attachment"  # RFC 2183 §2.8: unknown ones are attachments
