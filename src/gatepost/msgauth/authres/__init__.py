"""Authentication-Results: what a server found out of a message's sender, said in the message.

In: field bodies, or results to be written. Out: `AuthenticationResults`, or a field; and which fields must go on the
way in because they claim to be ours.
Standard: RFC 8601. Files: `record` parses, `write` writes, `select` finds whose they are, `describe` turns our own
results into them.
"""

from gatepost.msgauth.authres.describe import (
    describe_arc,
    describe_dkim,
    describe_dmarc,
    describe_iprev,
    describe_spf,
)
from gatepost.msgauth.authres.record import parse_authentication_results
from gatepost.msgauth.authres.result import AuthenticationResults, MethodResult, Property
from gatepost.msgauth.authres.select import ranges_to_drop, remove_ours, trusted_results, without_ranges
from gatepost.msgauth.authres.write import write_authentication_results, write_body

__all__ = [
    "AuthenticationResults",
    "MethodResult",
    "Property",
    "describe_arc",
    "describe_dkim",
    "describe_dmarc",
    "describe_iprev",
    "describe_spf",
    "parse_authentication_results",
    "ranges_to_drop",
    "remove_ours",
    "trusted_results",
    "without_ranges",
    "write_authentication_results",
    "write_body",
]
