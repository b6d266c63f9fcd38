"""Forwarding before the start: is there a way out, and what will leave how?

In: settings. Out: nothing, or ConfigError; words for `serve --check`. Standard: none. Not here: aliases themselves.
"""

from __future__ import annotations

from gatepost.errors import ConfigError
from gatepost.server.delivery.routes import Routes
from gatepost.server.forward.secrets import secret_file
from gatepost.server.recipients import Recipients
from gatepost.server.settings import GateSettings
from gatepost.server.signing.keyring import load_ring
from gatepost.server.spelling import ascii_domain
from gatepost.wire.smtp.grammar import is_domain

SHOWN = 10  # addresses that are named


def check_forward(settings: GateSettings, recipients: Recipients, routes: Routes) -> None:
    """What can be said of the options alone. Raises ConfigError."""
    domain = settings.forward.srs_domain
    if domain and not is_domain(ascii_domain(domain)):
        raise ConfigError("forward.srs_domain", domain, "is no domain name; write it as srs.example.org")
    for address, where in recipients.aliases.outside.items():
        if routes.find(address) is None:
            remedy = 'leads outside, and no mail leaves for other domains; write "mx" or a smart host in delivery.relay'
            raise ConfigError(where, address, remedy)


def describe_forward(settings: GateSettings, recipients: Recipients) -> str:
    """One line for `serve --check`; it begins with a loud word where somebody should see to it."""
    outside = list(recipients.aliases.outside)
    if not outside:
        return "no address of ours leads elsewhere"
    more = f" and {len(outside) - SHOWN} more" if len(outside) > SHOWN else ""
    words = [f"mail leaves for {', '.join(outside[:SHOWN])}{more}"]
    forward = settings.forward
    if not forward.srs:
        words.insert(0, "NOT REWRITTEN: SPF fails where forwarded mail arrives (forward.srs is off)")
    else:
        place = secret_file(settings)
        made = "" if place.exists() else ", which is made at the start"
        words.append(f"senders become addresses in {forward.srs_domain or 'the forwarding domain'} ({place}{made})")
    if forward.arc:
        ring = load_ring(settings)
        lacking = [name for name in recipients.domains if not ring.find(name)]
        unsealed = f"; mail forwarded by {', '.join(lacking[:SHOWN])} without, for want of a key" if lacking else ""
        words.append(f"with an ARC seal{unsealed}")
    else:
        words.append("without an ARC seal")
    return "; ".join(words)
