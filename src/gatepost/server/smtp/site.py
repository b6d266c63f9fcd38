"""What connections of one listener share: name, options, gatekeeper, certificate, counters.

In: made by `listener` whenever one of them changes; a connection keeps the one it began with. Out: read by `protocol`.
Not here: what each does.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from gatepost.errors import ConfigError
from gatepost.server.smtp.counters import Counters
from gatepost.server.smtp.gatekeeper import Gatekeeper
from gatepost.server.smtp.networks import Networks
from gatepost.server.smtp.settings import SmtpSettings

if TYPE_CHECKING:
    from gatepost.server.smtp.arrival import Arrival


class Site:
    """`protocols` are all connections of the listener, `left` is called after one of them ended."""

    __slots__ = (
        "counters", "gatekeeper", "hostname", "left", "protocols", "proxies", "settings", "tls", "unlimited",
        "xclients",
    )  # fmt: skip

    def __init__(
        self,
        *,
        hostname: str,
        settings: SmtpSettings,
        gatekeeper: Gatekeeper,
        tls: ssl.SSLContext | None,
        counters: Counters,
        protocols: set[Arrival],
        left: Callable[[], None],
    ) -> None:
        if settings.implicit_tls and tls is None:
            raise ConfigError("implicit_tls", True, "needs a certificate")
        self.hostname = hostname
        self.settings = settings
        self.gatekeeper = gatekeeper
        self.tls = tls
        self.counters = counters
        self.protocols = protocols
        self.left = left
        self.proxies = Networks(settings.proxy_networks)
        self.xclients = Networks(settings.xclient_networks)
        self.unlimited = Networks(settings.unlimited_networks)
