"""Which domains are held for others, and the ways to their primaries.

In: settings. Out: `Backup`; or ConfigError for a primary that is none. Standard: RFC 5321 §5.1.
Not here: what is done with it (`primaries`, `recipients`).
"""

from __future__ import annotations

from gatepost.errors import ConfigError
from gatepost.server.backup.primaries import Backup
from gatepost.server.delivery.routes import Carrier, Route, parse_route
from gatepost.server.outwards import all_routes
from gatepost.server.settings import DomainSettings, GateSettings
from gatepost.server.spelling import ascii_domain

CARRIERS = (Carrier.SMTP, Carrier.SMTPS, Carrier.LMTP, Carrier.MX)


def check_primary(name: str, domain: DomainSettings) -> None:
    """Raises ConfigError where the primary cannot be asked, or where the domain is somebody's at home here as well."""
    field = f'domains."{name}".primary'
    if parse_route(domain.primary, field).carrier not in CARRIERS:
        raise ConfigError(field, domain.primary, 'is no server elsewhere; write "smtp:HOST:PORT" or "mx"')
    if domain.accounts or domain.aliases or domain.catch_all:
        raise ConfigError(field, domain.primary, "excludes accounts, aliases and catch_all, which the primary has")


def open_backup(settings: GateSettings) -> Backup:
    """The ways to all primaries."""
    routes, ways = all_routes(settings), dict[Route, tuple[str, ...]]()
    for name, domain in settings.domains.items():
        route = routes.find(f"x@{ascii_domain(name)}") if domain.primary else None
        if route is not None:
            ways[route] = (*ways.get(route, ()), ascii_domain(name))
    return Backup(settings=settings.backup, ways=ways)
