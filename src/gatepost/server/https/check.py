"""What can be said of the HTTPS listener without starting it.

In: settings. Out: nothing, or ConfigError; words for `serve --check`. Not here: whether the ports are free.
"""

from __future__ import annotations

from gatepost.errors import ConfigError
from gatepost.net.tls import ascii_name
from gatepost.server.https.offers import find_offers
from gatepost.server.https.policy import write_policy
from gatepost.server.settings import GateSettings


def check_https(settings: GateSettings) -> None:
    """Raises ConfigError for options that cannot work together."""
    write_policy(settings.mta_sts, settings.hostname)
    find_offers(settings)
    if settings.https.listen and not settings.tls.certificate:
        raise ConfigError("https.listen", settings.https.listen[0], "needs tls.certificate, or names in [acme]")


def describe_https(settings: GateSettings) -> str:
    """For `serve --check`."""
    check_https(settings)
    if not settings.https.listen:
        return "off; nobody serves our MTA-STS policy"
    names = ", ".join(f"mta-sts.{ascii_name(name)}" for name in list(settings.domains)[:5])
    tells = "and autoconfig" if find_offers(settings) else "and nothing for mail programs (no [submission])"
    return f"serves the MTA-STS policy (mode {settings.mta_sts.mode}) under {names}, {tells}"
