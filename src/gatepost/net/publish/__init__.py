"""Publishing records: the `Publisher` port answered by dynamic update (RFC 2136) with TSIG.

In: `PublishSettings`. Out: `DnsPublisher`. Providers' own interfaces can follow as other modules of the same port.
"""

from gatepost.net.publish.publisher import DnsPublisher
from gatepost.net.publish.settings import PublishSettings

__all__ = ["DnsPublisher", "PublishSettings"]
