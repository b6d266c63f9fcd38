"""The tour: every visit that the lab pays to a mail server.

In: nothing. Out: `SCENARIOS`, in the order of the table. Data and small functions; they know no server's inside.
Not here: what a scenario is (`lab.scenario`), playing (`lab.player`), judging (`lab.judge`).
"""

from gatepost.lab.scenario import Scenario
from gatepost.lab.scenarios import honest, lures, payloads, sessions, spoofed, submission

SCENARIOS: tuple[Scenario, ...] = (
    *honest.SCENARIOS,
    *spoofed.SCENARIOS,
    *lures.SCENARIOS,
    *payloads.SCENARIOS,
    *sessions.SCENARIOS,
    *submission.SCENARIOS,
)
