"""The caching resolver that asks the network.

In: `ResolverSettings`. Out: `DnsResolver`, and `BudgetedResolver` for one message.
Standard: STANDARDS, row DNS. Not here: answers from zone text (`net.zone`).
"""

from gatepost.net.resolver.budget import BudgetedResolver
from gatepost.net.resolver.resolver import DnsResolver
from gatepost.net.resolver.settings import ResolverSettings

__all__ = ["BudgetedResolver", "DnsResolver", "ResolverSettings"]
