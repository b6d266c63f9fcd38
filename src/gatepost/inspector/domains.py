"""A rough word on whether two domains belong together, for hints only.

In: domains in lower case. Out: a guess without DNS. Standard: none; DMARC's tree walk (RFC 9989 §4.10) is the real
answer and asks DNS (`msgauth.dmarc`). Not here: alignment.
"""

from __future__ import annotations

# Second-level labels under which country registries sell names: example.co.uk, example.com.au.
_REGISTRY_LABELS = frozenset(("ac", "co", "com", "edu", "gob", "gov", "gouv", "go", "ne", "net", "or", "org"))


def organizational_guess(domain: str) -> str:
    """The last two labels, or three under such as co.uk."""
    labels = domain.rsplit(".", 3)
    if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _REGISTRY_LABELS:
        return ".".join(labels[-3:])
    return ".".join(labels[-2:])


def same_organization(one: str, other: str) -> bool:
    """Equal, one below the other, or equal in the labels that are bought."""
    if not one or not other:
        return False
    if one == other or one.endswith("." + other) or other.endswith("." + one):
        return True
    return organizational_guess(one) == organizational_guess(other)
