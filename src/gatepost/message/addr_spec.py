"""One address (addr-spec), read strictly: is it valid, and by which of the standards.

In: the text of an address. Out: `CheckedAddrSpec`: local part, domain, and the broadest grammar it needed.
Standard: RFC 5322 §3.4.1 and §4.4 (addr-spec, obsolete forms), RFC 5321 §4.1.2 and §4.1.3 (what SMTP takes),
RFC 1035 §2.3.4 (lengths), RFC 6532 §3.2 (UTF-8). Never looks at DNS.
Not here: lists, display names and what real mail breaks (`addresses`).
"""

from __future__ import annotations

import enum
import ipaddress
import re
from dataclasses import dataclass

MAX_LOCAL_PART = 64  # RFC 5321 §4.5.3.1.1
MAX_DOMAIN = 253  # RFC 1035 §2.3.4: 255 octets on the wire, two of them for the first length and the root
MAX_ADDRESS = 254  # RFC 5321 §4.5.3.1.3: a path of 256 with its angle brackets
_MAX_INPUT = 10_000  # far above any address; past that nothing is valid and nothing is read


class Strictness(enum.IntEnum):
    """The narrowest grammar that allows an address, strictest first."""

    VALID = 0  # everywhere
    SMTP = 1  # in SMTP too, but unusual: quoted local part, address literal, top-level domain alone
    MESSAGE = 2  # in a header (comments, folding), not in SMTP
    OBSOLETE = 3  # only by RFC 5322 §4: to be read, never to be written
    BROAD = 4  # by the letter of RFC 5322 only: too long, or a domain that cannot be one
    INVALID = 5  # by nobody


@dataclass(frozen=True, slots=True)
class AddrSpec:
    """A local part (without quotes and backslashes) and a domain (as written, literals with their brackets)."""

    local_part: str
    domain: str

    def __str__(self) -> str:
        """The address as SMTP writes it, the local part quoted where it must be, and alone if that is all."""
        local = self.local_part
        if not self.domain:
            return local
        if not _DOT_ATOM.fullmatch(local):
            local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{local}@{self.domain}"


@dataclass(frozen=True, slots=True)
class CheckedAddrSpec:
    """What was read. `reason` is a code for why it is not simply valid; `addr_spec` is None when invalid."""

    addr_spec: AddrSpec | None
    strictness: Strictness
    reason: str = ""


# atext (RFC 5322 §3.2.3), with UTF-8 by RFC 6532 §3.2; the ASCII-only twin is for sessions without SMTPUTF8
_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
_DOT_ATOM = re.compile(rf"[{_ATEXT}\x80-\U0010ffff]++(?:\.[{_ATEXT}\x80-\U0010ffff]++)*+")
_ATOM = {
    False: re.compile(rf"[{_ATEXT}]+"),
    True: re.compile(rf"[{_ATEXT}\x80-\U0010ffff]+"),
}
_SIMPLE = re.compile(
    rf"([{_ATEXT}]{{1,64}}+(?:\.[{_ATEXT}]++)*+)@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\.)+[A-Za-z]{{2,63}})"
)
_FWS = re.compile(r"(?:[ \t]|\r\n(?=[ \t]))+")
_LABEL = re.compile(r"[A-Za-z0-9\x80-\U0010ffff-]+")
_OBSOLETE = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")


class _Invalid(Exception):
    """Ends the scan; never leaves this module."""


def parse_addr_spec(text: str, *, smtputf8: bool = False) -> CheckedAddrSpec:
    """Reads `text` as one addr-spec. `smtputf8` admits UTF-8 (RFC 6531, RFC 6532). Total: never raises."""
    if len(text) <= MAX_ADDRESS:
        simple = _SIMPLE.fullmatch(text)
        if simple and len(simple[1]) <= MAX_LOCAL_PART:
            return CheckedAddrSpec(AddrSpec(simple[1], simple[2]), Strictness.VALID)
    if len(text) > _MAX_INPUT:
        return CheckedAddrSpec(None, Strictness.INVALID, "too-long")
    scanner = _Scanner(text, smtputf8)
    try:
        spec = scanner.addr_spec()
    except _Invalid as invalid:
        return CheckedAddrSpec(None, Strictness.INVALID, str(invalid))
    return CheckedAddrSpec(spec, scanner.strictness, scanner.reason)


class _Scanner:
    """Walks the text once, left to right, and remembers the broadest grammar it needed."""

    __slots__ = ("at", "atom", "reason", "strictness", "text", "utf8")

    def __init__(self, text: str, utf8: bool) -> None:
        self.text = text
        self.at = 0
        self.utf8 = utf8
        self.atom = _ATOM[utf8]
        self.strictness = Strictness.VALID
        self.reason = ""

    def note(self, strictness: Strictness, reason: str) -> None:
        if strictness > self.strictness:
            self.strictness, self.reason = strictness, reason

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def addr_spec(self) -> AddrSpec:
        """addr-spec = local-part "@" domain, with obs-local-part and obs-domain."""
        local, written = self.local_part()
        if self.peek() != "@":
            raise _Invalid("no-at" if self.at >= len(self.text) else "not-atext")
        self.at += 1
        domain = self.domain()
        if self.at < len(self.text):
            raise _Invalid("text-after-domain")
        if len(written.encode("utf-8")) > MAX_LOCAL_PART:
            self.note(Strictness.BROAD, "local-part-too-long")
        if len(domain) > MAX_DOMAIN:
            self.note(Strictness.BROAD, "domain-too-long")
        if len(written) + 1 + len(domain) > MAX_ADDRESS:
            self.note(Strictness.BROAD, "too-long")
        return AddrSpec(local, domain)

    def local_part(self) -> tuple[str, str]:
        """local-part = dot-atom / quoted-string / word *("." word); as meant and as written without comments."""
        meant: list[str] = []
        written: list[str] = []
        quoted = False
        self.cfws(Strictness.MESSAGE)
        while True:
            start = self.at
            if self.peek() == '"':
                meant.append(self.quoted_string())
                quoted = True
            else:
                meant.append(self.atom_text("no-local-part" if not meant else "dot-misplaced"))
            written.append(self.text[start : self.at])
            blank = self.cfws(Strictness.OBSOLETE)
            if self.peek() != ".":
                break
            self.at += 1
            if self.cfws(Strictness.OBSOLETE) or blank:
                self.note(Strictness.OBSOLETE, "blank-near-dot")
        if quoted:
            self.note(Strictness.SMTP if len(meant) == 1 else Strictness.OBSOLETE, "quoted-local-part")
        return ".".join(meant), ".".join(written)

    def domain(self) -> str:
        """domain = dot-atom / domain-literal / atom *("." atom)."""
        self.cfws(Strictness.OBSOLETE)
        if self.peek() == "[":
            literal = self.domain_literal()
            self.cfws(Strictness.MESSAGE)
            return literal
        labels: list[str] = []
        while True:
            label = self.atom_text("no-domain" if not labels else "dot-misplaced")
            self.check_label(label)
            labels.append(label)
            blank = self.cfws(Strictness.MESSAGE)
            if self.peek() != ".":
                break
            self.at += 1
            if self.cfws(Strictness.OBSOLETE) or blank:
                self.note(Strictness.OBSOLETE, "blank-near-dot")
        if len(labels) == 1:
            self.note(Strictness.SMTP, "one-label")
        elif labels[-1].isdigit():
            self.note(Strictness.SMTP, "numeric-top-level")
        return ".".join(labels)

    def check_label(self, label: str) -> None:
        """RFC 5321 §4.1.2: sub-domain = Let-dig [Ldh-str]; RFC 1035 §2.3.4: 63 octets."""
        if label[0] == "-" or label[-1] == "-":
            raise _Invalid("hyphen-at-edge")
        if not _LABEL.fullmatch(label):
            self.note(Strictness.BROAD, "no-host-name")
        if len(label) > 63:
            self.note(Strictness.BROAD, "label-too-long")

    def atom_text(self, missing: str) -> str:
        match = self.atom.match(self.text, self.at)
        if match is None:
            raise _Invalid(missing if self.peek() in ("", ".", "@") else "not-atext")
        self.at = match.end()
        return match[0]

    def cfws(self, strictness: Strictness) -> bool:
        """Comments and folding white space, as often as they come; True if there was any."""
        start = self.at
        while True:
            self.fws()
            if self.peek() != "(":
                break
            self.comment()
        if self.at > start:
            # by the "@" it is obsolete (§4.4), at the outer ends it is today's grammar
            outer = strictness is Strictness.MESSAGE or self.at >= len(self.text)
            self.note(Strictness.MESSAGE if outer else strictness, "blank-or-comment")
        return self.at > start

    def fws(self) -> None:
        match = _FWS.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
            if match[0].count("\n") > 1:
                self.note(Strictness.OBSOLETE, "folded-twice")
        if self.peek() == "\r":
            raise _Invalid("bare-cr" if self.text[self.at : self.at + 2] != "\r\n" else "fold-without-blank")

    def comment(self) -> None:
        """comment = "(" *([FWS] ccontent) [FWS] ")"; depth is counted, so 2,000 levels cost what 2,000 letters do."""
        depth = 0
        while True:
            octet = self.peek()
            if not octet:
                raise _Invalid("unclosed-comment")
            if octet in " \t\r":
                self.fws()
                continue
            if octet == "\\":
                self.quoted_pair()
                continue
            depth += (octet == "(") - (octet == ")")
            if octet not in "()":
                self.content(octet, "not-ctext")
            self.at += 1
            if not depth:
                return

    def quoted_string(self) -> str:
        out: list[str] = []
        self.at += 1
        while True:
            octet = self.peek()
            if not octet:
                raise _Invalid("unclosed-quoted-string")
            if octet == '"':
                self.at += 1
                return "".join(out)
            if octet in " \t\r":
                start = self.at
                self.fws()
                out.append(self.text[start : self.at].replace("\r\n", ""))
            elif octet == "\\":
                out.append(self.quoted_pair())
            else:
                self.content(octet, "not-qtext")
                out.append(octet)
                self.at += 1

    def content(self, octet: str, reason: str) -> None:
        """qtext and ctext: printable; controls but NUL, CR and LF are obsolete (RFC 5322 §4.1)."""
        if octet in "\0\n" or (octet > "\x7f" and not self.utf8):
            raise _Invalid(reason)
        if _OBSOLETE.match(octet):
            self.note(Strictness.OBSOLETE, reason)

    def quoted_pair(self) -> str:
        """quoted-pair = "\\" (VCHAR / WSP), or any octet below 128 by obs-qp (§4.1)."""
        octet = self.text[self.at + 1 : self.at + 2]
        if not octet:
            raise _Invalid("backslash-at-end")
        if octet > "\x7f" and not self.utf8:
            raise _Invalid("not-quotable")
        if (octet < " " and octet != "\t") or octet == "\x7f":
            self.note(Strictness.OBSOLETE, "obsolete-quoted-pair")
        self.at += 2
        return octet

    def domain_literal(self) -> str:
        start = self.at
        self.at += 1
        broad = False
        while (octet := self.peek()) != "]":
            if not octet:
                raise _Invalid("unclosed-literal")
            if octet == "\\":
                self.quoted_pair()
                broad = True
            elif octet in " \t\r":
                self.fws()
                broad = True
            else:
                if octet in "[\0\n" or (octet > "\x7f" and not self.utf8):
                    raise _Invalid("not-dtext")
                broad = broad or _OBSOLETE.match(octet) is not None
                self.at += 1
        self.at += 1
        literal = self.text[start : self.at]
        strictness, reason = (Strictness.BROAD, "literal") if broad else check_literal(literal[1:-1])
        self.note(strictness, reason)
        return literal


def check_literal(inner: str) -> tuple[Strictness, str]:
    """RFC 5321 §4.1.3: an IPv4 address, or "IPv6:" and an address; "::" stands for at least two groups there."""
    if inner[:5].lower() != "ipv6:":
        try:
            ipaddress.IPv4Address(inner)
        except ValueError:
            return Strictness.BROAD, "literal"
        return Strictness.SMTP, "address-literal"
    try:
        ipaddress.IPv6Address(inner[5:])
    except ValueError:
        return Strictness.BROAD, "literal"
    if "%" in inner:  # Python reads scope identifiers, SMTP has none
        return Strictness.BROAD, "literal"
    groups = [group for group in inner[5:].split(":") if group]
    count = len(groups) + ("." in inner)
    if "::" in inner and count > 6:
        return (Strictness.OBSOLETE if count == 7 and "." not in inner else Strictness.BROAD), "literal-for-one-group"
    return Strictness.SMTP, "address-literal"
