"""The journal: what happened to every message, written after the answer was given.

In: an `Entry` a message, an `Attempt` a delivery tried, through a `JournalWriter`. Out: what `gatepost log` searches.
It is written in batches and synced by SQLite at its leisure: a crash may lose the last batch. Mail never waits for it.
Standard: none. Not here: mail itself (`store.spool`), the log lines (`server.logs`).

    writer = JournalWriter(Journal.open(folder)); writer.note(Entry(…)); writer.note(Attempt(…)); writer.close()
    for entry in Journal.open(folder).search(rcpt_to="anna@example.org", since=…): …
"""

from gatepost.store.journal.entry import Attempt, Entry
from gatepost.store.journal.journal import Journal
from gatepost.store.journal.writer import JournalWriter

__all__ = ["Attempt", "Entry", "Journal", "JournalWriter"]
