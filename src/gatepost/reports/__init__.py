"""What others reported about our mail: DMARC aggregate and failure reports, TLS reports, and what they mean.

In: octets of one report, unpacked. Out: values of `ports.reported`; `BadReport` for what is none.
Standard: RFC 9990, RFC 9991, RFC 8460 and the forms before them. A pure room: no archive is opened here
(`server.reports`), nothing is kept (`store.reports`).
"""

from gatepost.reports.dmarc_aggregate import parse_aggregate
from gatepost.reports.failure import parse_failure
from gatepost.reports.reading import BadReport
from gatepost.reports.tlsrpt import parse_tls_report

__all__ = ["BadReport", "parse_aggregate", "parse_failure", "parse_tls_report"]
