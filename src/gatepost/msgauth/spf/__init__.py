"""SPF: is this client allowed to send for this domain?

In: address, EHLO name, MAIL FROM and a resolver. Out: `SpfResult`. Standard: RFC 7208.
`record` and `macro` parse, `lookup` asks DNS, `check` judges, `result` is what comes of it.
"""

from gatepost.msgauth.spf.check import check_ehlo, check_host
from gatepost.msgauth.spf.record import Mechanism, MechanismKind, SpfRecord, parse_record
from gatepost.msgauth.spf.result import SpfIdentity, SpfResult, SpfResultWord
from gatepost.msgauth.spf.settings import SpfSettings

__all__ = [
    "Mechanism",
    "MechanismKind",
    "SpfIdentity",
    "SpfRecord",
    "SpfResult",
    "SpfResultWord",
    "SpfSettings",
    "check_ehlo",
    "check_host",
    "parse_record",
]
