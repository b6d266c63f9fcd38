"""The judge of messages: facts in, findings and a decision out.

In: a message, what authentication found, who handed it in, the settings. Out: `Judgement`, `Decision`.
Standard: DESIGN, "Findings and decisions". Files, in the order of the work: `trace` finds the hop to judge, `facts`
gathers, `rules/` see, `enforcement` says what DMARC demands, `policy` decides; `judge` joins them.
"""

from gatepost.inspector.decision import Action, Decision, Forced
from gatepost.inspector.facts import Facts, LineEnds, gather_facts
from gatepost.inspector.judge import Judgement, judge
from gatepost.inspector.policy import decide, decide_transaction, for_delivery
from gatepost.inspector.settings import DmarcEnforcement, InspectorSettings, OnTemperror
from gatepost.inspector.trace import Path, PathHop, judge_from, read_path

__all__ = [
    "Action",
    "Decision",
    "DmarcEnforcement",
    "Facts",
    "Forced",
    "InspectorSettings",
    "Judgement",
    "LineEnds",
    "OnTemperror",
    "Path",
    "PathHop",
    "decide",
    "decide_transaction",
    "for_delivery",
    "gather_facts",
    "judge",
    "judge_from",
    "read_path",
]
