"""The accounts of the embedded default: who they are, what proves them, what they may do.

Files: `accounts` (addresses, passwords, state), `credentials` (app passwords, certificates), `rights` (delegations,
limits, bulk), `directory` (who logged in: `ports.BlockingDirectory`), `passwords` and `scram` (argon2id, verifiers),
`strength` (what is refused as a password), `audit` (weak ones that exist), `names` (one form of an address), `schema`.
Standard: RFC 9106 §4, RFC 5802, RFC 8265. Not here: the exchange (`wire.sasl`), other directories (`net.directory`).
"""

from gatepost.store.accounts.accounts import Accounts
from gatepost.store.accounts.credentials import AppPassword, Certificate
from gatepost.store.accounts.directory import AccountDirectory
from gatepost.store.accounts.model import LIMITS, SCOPES, Account, Standing, Suspension
from gatepost.store.accounts.names import prepare_address
from gatepost.store.accounts.passwords import random_password

__all__ = [
    "LIMITS",
    "SCOPES",
    "Account",
    "AccountDirectory",
    "Accounts",
    "AppPassword",
    "Certificate",
    "Standing",
    "Suspension",
    "prepare_address",
    "random_password",
]
