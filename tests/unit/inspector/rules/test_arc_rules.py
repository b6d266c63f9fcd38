"""The rules on ARC, seen and not seen."""

from __future__ import annotations

from gatepost.inspector.rules import arc as rules
from gatepost.inspector.settings import InspectorSettings
from gatepost.msgauth.arc import ArcResult, ArcSetResult, ArcStatus
from judging import see

SET = ArcSetResult(instance=1, sealer="list.example", selector="s", cv="none", results=b" x.example; dmarc=pass")
CHAIN = ArcResult(result=ArcStatus.PASS, instance=1, sealer="list.example", sets=(SET,))
TRUSTING = InspectorSettings(trusted_sealers=("list.example",))


def test_a_chain_of_a_trusted_sealer_and_of_a_stranger() -> None:  # auth.arc.trusted, auth.arc.pass
    assert see(rules.arc_trusted, arc=CHAIN, settings=TRUSTING)
    assert see(rules.arc_trusted, arc=CHAIN) is None
    assert see(rules.arc_pass, arc=CHAIN)
    assert see(rules.arc_pass, arc=CHAIN, settings=TRUSTING) is None
    assert see(rules.arc_pass) is None


def test_a_broken_chain() -> None:  # auth.arc.fail
    broken = ArcResult(result=ArcStatus.FAIL, instance=1, sealer="list.example", sets=(SET,), reason="it was changed")
    finding = see(rules.arc_fail, arc=broken)
    assert finding is not None
    assert "it was changed" in finding.summary
    assert see(rules.arc_fail, arc=CHAIN) is None
    assert see(rules.arc_trusted, arc=broken, settings=TRUSTING) is None


def test_a_key_that_cannot_be_asked_for() -> None:  # auth.arc.temperror
    assert see(rules.arc_temperror, arc=ArcResult(result=ArcStatus.TEMPERROR, instance=1, reason="no answer"))
    assert see(rules.arc_temperror, arc=CHAIN) is None
