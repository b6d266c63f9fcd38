"""Looks at mail servers' ports for `ports.Prober`: what they say, how their TLS is.

In: targets. Out: services. `prober` goes about it politely; `talk` speaks SMTP, IMAP and POP3 as far as STARTTLS;
`handshake` shakes hands with OpenSSL; `hello` and `suites` ask with handshakes made by hand for what OpenSSL no longer
speaks. Not here: what is made of it (`audit`), hostile sessions (`net.visits`).
"""

from gatepost.net.probe.prober import TO_ONE, NetProber, read_networks

__all__ = ["TO_ONE", "NetProber", "read_networks"]
