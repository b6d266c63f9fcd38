"""Who gets mail here: RCPT addresses to final addresses, or the reason why not.

In: the domains' settings and the accounts that exist; an address from RCPT. Out: `Resolution`.
Standard: RFC 5321 §4.5.1 (postmaster), §2.3.11 (local parts), RFC 5233 (sub-addresses).
Not here: asking the next hop (`callforward`); what the answer to RCPT says (`pipeline`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from gatepost.msgauth.srs import is_rewritten
from gatepost.names import domain_of
from gatepost.server.aliases import Aliases
from gatepost.server.settings import DomainSettings
from gatepost.server.spelling import ascii_domain, candidates, full_address, quoted, unquoted

REMOTE = ("smtp:", "smtps:", "lmtp:", "mx")  # how routes to other servers begin
ROUTING_CHARACTERS = frozenset("%!@")  # "user%other.example@ours": a relay attempt in old spellings


class Found(enum.StrEnum):
    """What became of a recipient."""

    HERE = "here"  # deliver to `addresses`
    ASK = "ask"  # only the next hop knows
    LOOK_UP = "look-up"  # only the directory knows, which of `candidates` there is
    UNKNOWN = "unknown"
    RETURNED = "returned"  # an address that forwarding wrote: a bounce goes on to its sender
    NOT_OURS = "not-ours"  # another domain: relaying
    ROUTED = "routed"  # a local part that would route on


@dataclass(frozen=True, slots=True)
class Resolution:
    """`addresses` are final (aliases expanded, sub-address kept off) and may be elsewhere, `domain` is the served
    domain's name, `candidates` are what the directory has to be asked for, in this order; `alias` is the address of
    ours that led there, empty for an account's own."""

    found: Found
    addresses: tuple[str, ...] = ()
    domain: str = ""
    candidates: tuple[str, ...] = ()
    alias: str = ""


class Known(Protocol):
    """What is known of recipients that another directory keeps (`net.directory.RecipientCache`)."""

    def known(self, address: str, *, stale: bool = False) -> bool | None:
        """Whether there is such a recipient; None where the directory would have to be asked."""
        ...


class Returns(Protocol):
    """Who knows the addresses that forwarding wrote (`server.forward.senders`)."""

    @property
    def domain(self) -> str:
        """The domain that they are in beside the served ones; may be empty."""
        ...

    def restore(self, address: str, *, stale: bool = False) -> str | None:
        """The sender that `address` stands for, None where we never wrote it or it is too old."""
        ...


class Recipients:
    """Answers "does this recipient exist here?" from what the configuration and the accounts say. Accounts may come and
    go (`learn_accounts`). `elsewhere`: another directory keeps accounts as well (`directory`).

    Raises ConfigError for an alias that leads nowhere or in a circle.
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
        self.returns: Returns | None = None  # set where mail is forwarded
        self._accounts: dict[str, set[str]] = {}
        self.learn_accounts(accounts)
        self.aliases = Aliases(self._domains, lambda local, domain: elsewhere or local in self._accounts[domain])

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
        home = self.returns.domain if self.returns is not None else ""
        if self.returns is not None and (settings is not None or domain == home) and is_rewritten(address):
            return self._returned(address, domain, self.returns.restore(address, stale=stale))
        if settings is None:
            return Resolution(Found.UNKNOWN, (), domain) if domain and domain == home else Resolution(Found.NOT_OURS)
        written = unquoted(local)
        local = written.lower()
        names, aliases = candidates(local, settings.separator), self.aliases.of(domain)
        for name in names:
            if name in aliases:
                return Resolution(Found.HERE, aliases[name], domain, alias=f"{name}@{domain}")
            if name in self._accounts[domain]:
                return Resolution(Found.HERE, (f"{name}@{domain}",), domain)
        if self._elsewhere and settings.recipients == "list" and not ROUTING_CHARACTERS & set(local):
            found = self._in_directory([f"{quoted(name)}@{domain}" for name in names], domain, stale)
            if found is not None:
                return found
        # RFC 5321 §2.4: what upper case means in a local part is for the next hop to say
        return self._unlisted(written if settings.route.startswith(REMOTE) else local, domain, settings)

    def owners(self, address: str, *, aliases: bool) -> tuple[str, ...]:
        """Whose address it is: the account's that has it, or (with `aliases`) those who get the mail of the alias. A
        catch-all makes nobody everybody."""
        local, _, written = address.rpartition("@")
        domain, settings = ascii_domain(written), self.serves(written)
        for name in candidates(local.lower(), settings.separator) if settings is not None else ():
            found = self.aliases.of(domain).get(name)
            own = (f"{name}@{domain}",)
            if found is not None and aliases:
                return found
            if found is not None:
                return own if own[0] in found else ()  # an alias that leads to itself has a mailbox
            if name in self._accounts[domain]:
                return own
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
        if settings.catch_all.startswith("@"):
            return self._over_there(quoted(local), ascii_domain(settings.catch_all[1:]), domain)
        if settings.catch_all:
            return Resolution(Found.HERE, self.aliases.caught[domain], domain, alias=f"{quoted(local)}@{domain}")
        if settings.recipients == "any":
            return Resolution(Found.HERE, (f"{quoted(local)}@{domain}",), domain)
        if settings.recipients == "call-forward":
            return Resolution(Found.ASK, (f"{quoted(local)}@{domain}",), domain)
        return Resolution(Found.UNKNOWN, (), domain)

    def _postmaster_of(self, domain: str) -> Resolution:
        """RFC 5321 §4.5.1: postmaster is always accepted; with nobody named, a mailbox of that name keeps the mail."""
        settings = self._domains.get(domain)
        chosen = (settings.postmaster if settings else "") or self._postmaster
        if settings is not None and settings.primary and not settings.postmaster:
            return Resolution(Found.HERE, (f"postmaster@{domain}",), domain)  # the primary must take it, too
        home = domain or next(iter(self._domains), "localhost")
        address = full_address(chosen, home) if chosen else f"postmaster@{home}"
        return Resolution(Found.HERE, self.aliases.find(address) or (address,), home, alias=f"postmaster@{home}")

    def _over_there(self, local: str, target: str, domain: str) -> Resolution:
        """A whole domain that is another one: the same local part there (the settings hold no circle of them)."""
        address, written = f"{local}@{target}", f"{local}@{domain}"
        if target not in self._domains:
            return Resolution(Found.HERE, (address,), domain, alias=written)
        found = self.resolve(address)
        return replace(found, alias=found.alias or written)

    def _returned(self, address: str, domain: str, sender: str | None) -> Resolution:
        """Each turn makes the address shorter, so that one which holds another of ours comes to an end."""
        if sender is None:
            return Resolution(Found.UNKNOWN, (), domain)
        if self.serves(domain_of(sender)) is None:
            return Resolution(Found.RETURNED, (sender,), domain, alias=address)
        found = self.resolve(sender)
        return replace(found, found=Found.RETURNED if found.found is Found.HERE else Found.UNKNOWN)
