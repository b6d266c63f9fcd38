"""Names, addresses and networks in the settings: are they any?

In: settings. Out: nothing, or ConfigError that names the option and shows how it is written. What passes here is later
put into greetings, header fields and socket calls as it stands. Standard: RFC 5321 §4.1.2 (Domain, Mailbox).
Not here: whether they exist or belong to us (`gatepost serve --check`); numbers (`config.bounds`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from gatepost.errors import ConfigError
from gatepost.names import domain_of
from gatepost.server.settings import GateSettings
from gatepost.server.spelling import ascii_domain
from gatepost.wire.smtp.grammar import is_domain, is_mailbox

SEPARATORS = ("", "+", "-", "=", "_", ".", "#", "~")  # what mail servers offer; a letter would cut names in two


def check_names(settings: GateSettings) -> None:
    """Every text option that must be a name, an address or a network."""
    if not is_domain(settings.hostname):
        raise ConfigError("hostname", settings.hostname, "is no host name; write it as mx.example.org")
    _check_postmaster("postmaster", settings.postmaster, settings)
    for name, domain in settings.domains.items():
        where = f'domains."{name}"'
        if not is_domain(ascii_domain(name)):
            raise ConfigError(where, name, "is no domain name; write it as example.org")
        _check_postmaster(f"{where}.postmaster", domain.postmaster, settings)
        _check_catch_all(f"{where}.catch_all", domain.catch_all)
        if domain.separator not in SEPARATORS:
            raise ConfigError(f"{where}.separator", domain.separator, "choose one of + - = _ . # ~ or nothing")
        for local in domain.accounts:
            _check_local(f"{where}.accounts", local)
        for alias, targets in domain.aliases.items():
            _check_local(f"{where}.aliases", alias)
            if not targets:
                raise ConfigError(f"{where}.aliases", alias, "leads to nobody; name an account, or take the alias out")
            for target in targets:
                _check_mailbox(f"{where}.aliases", target)
    check_networks("smtp.proxy_networks", settings.smtp.proxy_networks)
    check_networks("smtp.xclient_networks", settings.smtp.xclient_networks)
    check_networks("smtp.unlimited_networks", settings.smtp.unlimited_networks)
    check_networks("door.exempt", settings.door.exempt)
    for entry in settings.door.exempt_recipients:
        if not (is_mailbox(entry) if "@" in entry else is_domain(ascii_domain(entry))):
            raise ConfigError("door.exempt_recipients", entry, "is neither an address nor a domain of ours")


def check_networks(field: str, networks: Iterable[str]) -> None:
    """Each is an address or a network in CIDR form."""
    for network in networks:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            raise ConfigError(field, network, "is no network; write it as 192.0.2.0/24 or 2001:db8::/32") from None


def _check_postmaster(field: str, address: str, settings: GateSettings) -> None:
    """His mail is always taken (RFC 5321 §4.5.1), so there must be a way to him."""
    _check_mailbox(field, address)
    served = {ascii_domain(name) for name in settings.domains}
    if "@" in address and ascii_domain(domain_of(address)) not in served and not settings.way_out:
        raise ConfigError(field, address, "is in a domain that is not served here, and no mail leaves (delivery.relay)")


def _check_catch_all(field: str, address: str) -> None:
    """An address, or "@example.net" for the same local part there."""
    if not address.startswith("@"):
        _check_mailbox(field, address)
    elif not is_domain(ascii_domain(address[1:])):
        raise ConfigError(field, address, "is no domain; write it as @example.org, or name an address")


def _check_local(field: str, local: str) -> None:
    if not is_mailbox(f"{local}@example.org"):
        raise ConfigError(field, local, "is no local part; write it as ann, without the domain")


def _check_mailbox(field: str, address: str) -> None:
    """An address, or a local part alone, or nothing."""
    if address and not is_mailbox(address if "@" in address else f"{address}@example.org"):
        raise ConfigError(field, address, "is no address; write it as ann or ann@example.org")
