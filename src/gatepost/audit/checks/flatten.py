"""What each term of an SPF policy costs, and what the costliest would be as a list of networks.

In: an SPF tree. Out: words for the advice. Standard: RFC 7208 §10.1.1 (managing the limit).
Not here: whether too much is asked (`spf`).
"""

from __future__ import annotations

from gatepost.audit.facts import SpfNode, SpfTerm
from gatepost.msgauth.spf.record import MechanismKind
from gatepost.msgauth.spf.result import SpfResultWord

MAX_NETWORKS = 30  # networks that are written out; more than that nobody keeps by hand


def cost(term: SpfTerm) -> int:
    """Look-ups of a term and all below it."""
    return 1 + (term.node.lookups if term.node is not None else 0)


def costs(node: SpfNode) -> list[str]:
    """Each term of the policy with its cost, the dearest first."""
    return [f"{term.text} {cost(term)}" for term in sorted(node.terms, key=cost, reverse=True)]


def flattened(node: SpfNode) -> str:
    """The dearest include as networks; in words why that is no help where it is none."""
    includes = [term for term in node.terms if term.node is not None and term.kind == "include"]
    if not includes:
        return "there is no include to write out"
    dearest = max(includes, key=cost)
    networks = list(dict.fromkeys(_networks(dearest.node)))
    if not networks:
        return f"{dearest.text} names no networks of its own"
    if len(networks) > MAX_NETWORKS:
        return f"{dearest.text} stands for {len(networks)} networks, too many to keep by hand"
    return f"{dearest.text} is today {' '.join(networks)}"


def _networks(node: SpfNode | None) -> list[str]:
    if node is None or node.record is None:
        return []
    own = [
        one.text.lstrip("+")
        for one in node.record.mechanisms
        if one.kind in (MechanismKind.IP4, MechanismKind.IP6) and one.result is SpfResultWord.PASS
    ]
    return own + [network for term in node.terms for network in _networks(term.node)]
