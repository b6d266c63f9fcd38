"""Who gets mail here: RCPT addresses to final addresses, or the reason why not.

In: the domains' settings and the accounts that exist; an address from RCPT. Out: `Resolution`.
Standard: RFC 5321 §4.5.1 (postmaster), §2.3.11 (local parts), RFC 5233 (sub-addresses).
Not here: asking the next hop (`callforward`); what the answer to RCPT says (`pipeline`).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from gatepost.errors import ConfigError
from gatepost.names import domain_of
from gatepost.server.settings import DomainSettings

MAX_ALIAS_DEPTH = 10  # Postfix allows 1000 expansions; a chain of ten is already a mistake
ROUTING_CHARACTERS = frozenset("%!@")  # "user%other.example@ours": a relay attempt in old spellings


class Found(enum.StrEnum):
    """What became of a recipient."""

    HERE = "here"  # deliver to `addresses`
    ASK = "ask"  # only the next hop knows
    LOOK_UP = "look-up"  # only the directory knows, which of `candidates` there is
    UNKNOWN = "unknown"
    NOT_OURS = "not-ours"  # another domain: relaying
    ROUTED = "routed"  # a local part that would route on


@dataclass(frozen=True, slots=True)
class Resolution:
    """`addresses` are final (aliases expanded, sub-address kept off), `domain` is the served domain's name,
    `candidates` are what the directory has to be asked for, in this order."""

    found: Found
    addresses: tuple[str, ...] = ()
    domain: str = ""
    candidates: tuple[str, ...] = ()


class Known(Protocol):
    """What is known of recipients that another directory keeps (`net.directory.RecipientCache`)."""

    def known(self, address: str, *, stale: bool = False) -> bool | None:
        """Whether there is such a recipient; None where the directory would have to be asked."""
        ...


class Recipients:
    """Answers "does this recipient exist here?" from what the configuration and the accounts say. Accounts may come and
    go (`learn_accounts`). `elsewhere`: another directory keeps accounts as well (`directory`).

    Raises ConfigError for an alias that leads nowhere, in a circle or out of the served domains.
    """

    def __init__(
        self,
        domains: Mapping[str, DomainSettings],
        postmaster: str,
        accounts: Iterable[str] = (),
        *,
        elsewhere: bool = False,
    ) -> None:
        self._domains = {ascii_domain(name): settings for name, settings in domains.items()}
        self._postmaster = postmaster.lower()
        self._elsewhere = elsewhere
        self.directory: Known | None = None  # set by a process that can ask it
        self._accounts: dict[str, set[str]] = {}
        self.learn_accounts(accounts)
        self._aliases = {name: self._expanded(name, settings) for name, settings in self._domains.items()}
        self._caught = {
            name: tuple(self._follow(_full(settings.catch_all, name), 0, f'domains."{name}".catch_all'))
            for name, settings in self._domains.items()
            if settings.catch_all
        }

    def learn_accounts(self, accounts: Iterable[str]) -> None:
        """The accounts that exist now, besides those that the settings list."""
        found = {name: {local.lower() for local in settings.accounts} for name, settings in self._domains.items()}
        for account in accounts:
            found.setdefault(ascii_domain(domain_of(account)), set()).add(account.rpartition("@")[0].lower())
        self._accounts = found

    def serves(self, domain: str) -> DomainSettings | None:
        """The settings of `domain` when mail for it is taken here."""
        return self._domains.get(ascii_domain(domain))

    @property
    def domains(self) -> tuple[str, ...]:
        """The served domains, as A-labels in lower case."""
        return tuple(self._domains)

    @property
    def accounts(self) -> tuple[str, ...]:
        """The addresses of all accounts that are listed or exist."""
        return tuple(f"{local}@{domain}" for domain, locals_ in self._accounts.items() for local in sorted(locals_))

    def resolve(self, address: str, *, stale: bool = False) -> Resolution:
        """What becomes of mail to `address` (as in RCPT, without angle brackets; "postmaster" may stand alone). `stale`
        takes what the directory said last, however long ago: of a recipient that was accepted."""
        local, at, written_domain = address.rpartition("@")
        if not at:
            local, written_domain = address, ""
        if local.lower() == "postmaster" and (not at or self.serves(written_domain)):
            return self._postmaster_of(ascii_domain(written_domain))
        domain = ascii_domain(written_domain)
        settings = self._domains.get(domain)
        if settings is None:
            return Resolution(Found.NOT_OURS)
        written = _unquoted(local)
        local = written.lower()
        candidates = _candidates(local, settings.separator)
        for name in candidates:
            if name in self._aliases[domain]:
                return Resolution(Found.HERE, self._aliases[domain][name], domain)
            if name in self._accounts[domain]:
                return Resolution(Found.HERE, (f"{name}@{domain}",), domain)
        if self._elsewhere and settings.recipients == "list" and not ROUTING_CHARACTERS & set(local):
            found = self._in_directory([f"{_quoted(name)}@{domain}" for name in candidates], domain, stale)
            if found is not None:
                return found
        # RFC 5321 §2.4: what upper case means in a local part is for the next hop to say
        return self._unlisted(written if settings.route.startswith(("smtp:", "lmtp:")) else local, domain, settings)

    def owners(self, address: str, *, aliases: bool) -> tuple[str, ...]:
        """Whose address it is: the account's that has it, or (with `aliases`) those who get the mail of the alias. A
        catch-all makes nobody everybody."""
        local, _, written = address.rpartition("@")
        domain, settings = ascii_domain(written), self.serves(written)
        for name in _candidates(local.lower(), settings.separator) if settings is not None else ():
            if name in self._aliases[domain]:
                return self._aliases[domain][name] if aliases else ()
            if name in self._accounts[domain]:
                return (f"{name}@{domain}",)
        return ()

    def _in_directory(self, candidates: list[str], domain: str, stale: bool) -> Resolution | None:
        """HERE or LOOK_UP; None when the directory is known to have none of them."""
        for address in candidates:
            known = self.directory.known(address, stale=stale) if self.directory is not None else None
            if known:
                return Resolution(Found.HERE, (address,), domain)
            if known is None:
                return Resolution(Found.LOOK_UP, (candidates[-1],), domain, tuple(candidates))
        return None

    def _unlisted(self, local: str, domain: str, settings: DomainSettings) -> Resolution:
        if ROUTING_CHARACTERS & set(local):
            return Resolution(Found.ROUTED, (), domain)
        if settings.catch_all:
            return Resolution(Found.HERE, self._caught[domain], domain)
        if settings.recipients == "any":
            return Resolution(Found.HERE, (f"{_quoted(local)}@{domain}",), domain)
        if settings.recipients == "call-forward":
            return Resolution(Found.ASK, (f"{_quoted(local)}@{domain}",), domain)
        return Resolution(Found.UNKNOWN, (), domain)

    def _postmaster_of(self, domain: str) -> Resolution:
        """RFC 5321 §4.5.1: postmaster is always accepted; with nobody named, a mailbox of that name keeps the mail."""
        settings = self._domains.get(domain)
        chosen = (settings.postmaster if settings else "") or self._postmaster
        if not chosen and settings and "postmaster" in self._aliases[domain]:
            return Resolution(Found.HERE, self._aliases[domain]["postmaster"], domain)
        home = domain or next(iter(self._domains), "localhost")
        address = _full(chosen, home) if chosen else f"postmaster@{home}"
        local, _, elsewhere = address.rpartition("@")
        return Resolution(Found.HERE, self._aliases.get(elsewhere, {}).get(local, (address,)), home)

    def _expanded(self, domain: str, settings: DomainSettings) -> dict[str, tuple[str, ...]]:
        """Every alias of `domain` with its final addresses."""
        where = f'domains."{domain}".aliases'
        return {
            alias.lower(): tuple(dict.fromkeys(self._follow(f"{alias.lower()}@{domain}", 0, where)))
            for alias in settings.aliases
        }

    def _follow(self, address: str, depth: int, where: str) -> Iterable[str]:
        local, _, domain = address.rpartition("@")
        if depth > MAX_ALIAS_DEPTH:
            raise ConfigError(where, address, "goes round in a circle; take one of its targets out")
        settings = self._domains.get(domain)
        if settings is None:
            raise ConfigError(
                where, address, "is in a domain that is not served here; forwarding out is not configured"
            )
        targets = {name.lower(): found for name, found in settings.aliases.items()}.get(local)
        if targets is None:
            listed = settings.recipients == "list" and not settings.catch_all and not self._elsewhere
            if listed and local not in self._accounts[domain]:
                raise ConfigError(where, address, "leads to no account; add the account or correct the alias")
            yield address
            return
        for target in targets:
            yield from self._follow(_full(target, domain), depth + 1, where)


def ascii_domain(domain: str) -> str:
    """`domain` in lower case and A-labels; what IDNA refuses stays as it is, and then matches no served domain."""
    lowered = domain.lower().rstrip(".")
    if lowered.isascii():
        return lowered
    import idna

    try:
        return idna.encode(lowered, uts46=True).decode("ascii")
    except idna.IDNAError:
        return lowered


def _candidates(local: str, separator: str) -> tuple[str, ...]:
    """The local part itself, then without its sub-address."""
    base = local.partition(separator)[0] if separator else local
    return (local, base) if base and base != local else (local,)


_PAIR = re.compile(r"\\(.)")


def _unquoted(local: str) -> str:
    """RFC 5321 §4.1.2: "ann" in quotes is the same local part as ann."""
    if len(local) >= 2 and local[0] == local[-1] == '"':
        return _PAIR.sub(r"\1", local[1:-1])
    return local


_PLAIN = re.compile(
    r"[^\x00-\x20\x7f\"(),.:;<>@\[\\\]]+(?:\.[^\x00-\x20\x7f\"(),.:;<>@\[\\\]]+)*"
)  # RFC 5321 §4.1.2: Dot-string


def _quoted(local: str) -> str:
    """The other way round: a local part that means something else bare is quoted."""
    if _PLAIN.fullmatch(local):
        return local
    return '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _full(address: str, domain: str) -> str:
    """`address` in lower case, with `domain` where it names none."""
    local, at, own = address.rpartition("@")
    return f"{local.lower()}@{ascii_domain(own)}" if at else f"{address.lower()}@{domain}"
