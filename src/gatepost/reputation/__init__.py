"""Reputation: what lists, the world's and our own, know of a sender and of what a message points to.

In: subjects (addresses, names, e-mail addresses, hashes). Out: `Listings`, `LocalEntry`s.
Standard: RFC 5782. Files, in the order of the work: `known` and `settings` say which lists there are, `questions` makes
names, `answers` reads them, `health` says whom to believe, `check` asks; `local` are the house's own entries; `lists`
joins all. Not here: what findings come of it (`inspector.rules.lists`).
"""

from gatepost.reputation.check import Listing, Listings
from gatepost.reputation.lists import Lists
from gatepost.reputation.local import EntryKind, LocalEntry, LocalLists, Verdict
from gatepost.reputation.questions import Subject, SubjectKind
from gatepost.reputation.settings import ListsSettings

__all__ = [
    "EntryKind",
    "Listing",
    "Listings",
    "Lists",
    "ListsSettings",
    "LocalEntry",
    "LocalLists",
    "Subject",
    "SubjectKind",
    "Verdict",
]
