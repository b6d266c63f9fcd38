"""DKIM: who signed a message, and whether the signature still fits.

In: a message, a resolver, the time; for signing a private key. Out: `DkimResult`; a signed message.
Standard: RFC 6376, RFC 8301, RFC 8463, RFC 8616. Files, in the order of the work: `signature` and `record` parse,
`lookup` asks DNS, `verify` judges over `content` (hashes) and `canonical` (forms), `result` says it, `sign` makes one.
"""

from gatepost.msgauth.dkim.content import Content
from gatepost.msgauth.dkim.result import DkimResult, DkimStatus, SignatureResult
from gatepost.msgauth.dkim.settings import DkimSettings
from gatepost.msgauth.dkim.sign import PrivateKey, sign_message
from gatepost.msgauth.dkim.signature import Signature
from gatepost.msgauth.dkim.verify import verify

__all__ = [
    "Content",
    "DkimResult",
    "DkimSettings",
    "DkimStatus",
    "PrivateKey",
    "Signature",
    "SignatureResult",
    "sign_message",
    "verify",
]
