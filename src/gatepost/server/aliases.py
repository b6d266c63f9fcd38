"""Aliases: other names for accounts, for several of them (a list), or for people elsewhere (a forward).

In: the domains' settings and their accounts. Out: every alias with its final addresses, found once when the gate
starts; ConfigError for one that leads nowhere, in a circle, or to too many. As in Postfix's virtual_alias_maps an alias
may lead to other aliases, to addresses elsewhere, and to itself (which is then the mailbox of that name: a copy stays
here); a catch-all may be "@example.net", the same local part over there.
Standard: RFC 5321 §3.9 (aliases and lists). Not here: what becomes of an address at RCPT (`recipients`), how mail
leaves (`forward`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from gatepost.errors import ConfigError
from gatepost.server.settings import DomainSettings
from gatepost.server.spelling import ascii_domain, full_address

MAX_DEPTH = 10  # aliases behind each other: a chain of ten is already a mistake
MAX_TARGETS = 1000  # final addresses of one alias; Postfix's virtual_alias_expansion_limit is the same
OWNER = "owner-"  # owner-NAME gets what comes back from the list NAME; Postfix, sendmail and every list have it so

IsAccount = Callable[[str, str], bool]


class Aliases:
    """Expanded once. `is_account(local, domain)` says whether a listed domain has that account; a domain whose accounts
    nobody lists takes any."""

    def __init__(self, domains: Mapping[str, DomainSettings], is_account: IsAccount) -> None:
        self._domains = domains
        self._is_account = is_account
        self._targets = {
            name: {alias.lower(): targets for alias, targets in settings.aliases.items()}
            for name, settings in domains.items()
        }
        self.outside: dict[str, str] = {}  # addresses elsewhere, each with the option that names it
        self._expanded = {
            name: {alias: self._expand(f"{alias}@{name}", f'domains."{name}".aliases') for alias in targets}
            for name, targets in self._targets.items()
        }
        self.caught = {name: self._caught(name, settings.catch_all) for name, settings in domains.items()}

    def of(self, domain: str) -> Mapping[str, tuple[str, ...]]:
        """The aliases of `domain` in lower case, with their final addresses."""
        return self._expanded.get(domain, {})

    def find(self, address: str) -> tuple[str, ...] | None:
        """The final addresses of an alias that is written out in lower case, None where it is none."""
        local, _, domain = address.rpartition("@")
        return self.of(domain).get(local)

    def owner_of(self, alias: str) -> str:
        """The address that gets what comes back from the list `alias`, empty where there is none."""
        local, _, domain = alias.rpartition("@")
        owner = f"{OWNER}{local}@{domain}"
        return owner if self.find(owner) is not None else ""

    def _caught(self, domain: str, catch_all: str) -> tuple[str, ...]:
        where = f'domains."{domain}".catch_all'
        if not catch_all.startswith("@"):
            return self._expand(full_address(catch_all, domain), where) if catch_all else ()
        seen = [domain]
        while catch_all.startswith("@"):
            target = ascii_domain(catch_all[1:])
            if target in seen:
                raise ConfigError(where, catch_all, "goes round in a circle; let one of these domains catch it")
            if target not in self._domains:
                self.outside.setdefault(f"anybody@{target}", where)
                break
            seen.append(target)
            catch_all = self._domains[target].catch_all
        return ()

    def _expand(self, address: str, where: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for number, target in enumerate(self._follow(address, (), where)):
            found[target] = None
            if number >= MAX_TARGETS:
                raise ConfigError(
                    where, address, f"leads to more than {MAX_TARGETS} addresses; so many need a list server"
                )
        return tuple(found)

    def _follow(self, address: str, path: tuple[str, ...], where: str) -> Iterable[str]:
        local, _, domain = address.rpartition("@")
        if domain not in self._domains:
            self.outside.setdefault(address, where)
            yield address
            return
        targets = self._targets[domain].get(local)
        if targets is None or path[-1:] == (address,):
            if not self._may_be(local, domain):
                raise ConfigError(where, address, "leads to no account; add the account or correct the alias")
            yield address
            return
        if address in path or len(path) >= MAX_DEPTH:
            raise ConfigError(where, address, "goes round in a circle; take one of its targets out")
        for target in targets:
            yield from self._follow(full_address(target, domain), (*path, address), where)

    def _may_be(self, local: str, domain: str) -> bool:
        settings = self._domains[domain]
        if settings.recipients != "list" or (settings.catch_all and local not in self._targets[domain]):
            return True
        return self._is_account(local, domain)
