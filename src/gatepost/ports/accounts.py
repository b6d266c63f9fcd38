"""Which addresses there are, and who may write as which, as the houses ask it.

In: addresses. Out: yes or no; StoreError when the directory cannot say, and then nobody is told "unknown".
Standard: RFC 5321 §4.2.3 (550 against 451). Not here: who logs in (`directory`); who answers (`store.accounts`,
`net.directory`); aliases (`server.recipients`).
"""

from __future__ import annotations

from typing import Protocol


class AddressBook(Protocol):
    """Asked at RCPT and at MAIL. Addresses have their domain in A-labels and lower case."""

    async def exists(self, address: str) -> bool:
        """Whether mail to `address` has a mailbox. Raises StoreError when it cannot be said now."""
        ...

    async def may_send_as(self, account: str, address: str) -> bool:
        """Whether `account` may write as `address` by the directory's word: its own, or one delegated to it. Raises
        StoreError when it cannot be said now."""
        ...
