"""Every scenario of the probe.

In: nothing. Out: `SCENARIOS`, in the order of the report. Not here: what a scenario is (`probe.scenario`).
"""

from gatepost.audit.probe.scenario import Scenario
from gatepost.audit.probe.scenarios import (
    letters,
    limits,
    login,
    recipients,
    relay,
    smuggling,
    spoofing,
    syntax,
    tls,
)

SCENARIOS: tuple[Scenario, ...] = (
    *relay.SCENARIOS,
    *recipients.SCENARIOS,
    *login.SCENARIOS,
    *tls.SCENARIOS,
    *smuggling.SCENARIOS,
    *syntax.SCENARIOS,
    *spoofing.SCENARIOS,
    *limits.SCENARIOS,
    *letters.SCENARIOS,
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
