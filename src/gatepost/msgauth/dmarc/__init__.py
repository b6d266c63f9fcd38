"""DMARC: is the author's domain proven, and what does it ask for if not?

In: the author domain, SPF and DKIM results, a resolver. Out: `DmarcResult`. Standard: RFC 9989.
`record` parses, `lookup` walks the tree, `evaluate` judges, `author` finds whose policy it is, `result` is the outcome.
"""

from gatepost.msgauth.dmarc.author import Authors, extract_author_domain
from gatepost.msgauth.dmarc.evaluate import evaluate, evaluate_all
from gatepost.msgauth.dmarc.lookup import Walk, lookup_walk
from gatepost.msgauth.dmarc.record import AlignmentMode, DmarcPolicy, DmarcRecord, Psd, parse_record
from gatepost.msgauth.dmarc.result import Alignment, DmarcResult, DmarcResultWord
from gatepost.msgauth.dmarc.settings import DmarcSettings

__all__ = [
    "Alignment",
    "AlignmentMode",
    "Authors",
    "DmarcPolicy",
    "DmarcRecord",
    "DmarcResult",
    "DmarcResultWord",
    "DmarcSettings",
    "Psd",
    "Walk",
    "evaluate",
    "evaluate_all",
    "extract_author_domain",
    "lookup_walk",
    "parse_record",
]
