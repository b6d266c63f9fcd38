"""What can be said of the ways out before a message is sent: routes, logins, addresses of our own.

In: settings. Out: nothing or ConfigError; a line for `serve --check`; the ports on which mail is taken.
Standard: RFC 5321 §5.1. Not here: delivering (`delivery`).
"""

from __future__ import annotations

from gatepost.server.delivery.login import check_logins
from gatepost.server.delivery.own import Own
from gatepost.server.delivery.routes import Carrier, Routes, parse_route
from gatepost.server.settings import GateSettings
from gatepost.server.transport import check_transport, describe_transport


def all_routes(settings: GateSettings) -> Routes:
    """Every way that mail may go. Raises ConfigError for a route that is none."""
    served = {name: one.route for name, one in settings.domains.items()}
    return Routes(served, settings.way_out, settings.delivery.destinations)


def check_delivery(settings: GateSettings) -> None:
    """Raises ConfigError for a route, a network or a login that is none."""
    all_routes(settings)
    Own(settings.hostname, settings.delivery)
    check_logins(settings.delivery.auth)
    check_transport(settings)


def listening_ports(settings: GateSettings) -> frozenset[int]:
    """The ports on which mail from everybody is taken; none where systemd hands them over."""
    return frozenset(int(text.rpartition(":")[2]) for text in settings.server.listen)


def describe_delivery(settings: GateSettings) -> str:
    """One line: where mail for other people's domains goes."""
    delivery = settings.delivery
    if not settings.way_out:
        return "no mail leaves for other people's domains (delivery.relay)"
    route = parse_route(settings.way_out, "delivery.relay")
    words = ["to the mail exchangers of each domain" if route.carrier is Carrier.MX and not route.host else str(route)]
    if route.host in delivery.auth:
        words.append(f"logged in as {delivery.auth[route.host].user}")
    if delivery.destinations:
        words.append(f"{len(delivery.destinations)} domains have a table of their own")
    if route.carrier is Carrier.MX and delivery.mx_port != 25:
        words.append(f"on port {delivery.mx_port}, which the Internet does not know (delivery.mx_port)")
    words += [f"TLS {delivery.tls}", describe_transport(settings)]
    return "; ".join(words)
