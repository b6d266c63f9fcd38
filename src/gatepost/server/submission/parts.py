"""The parts of submission, put together for one worker.

In: the plan, what the reception has opened already. Out: `SubmissionParts`. Standard: none.
Not here: what the parts do (the files beside this one).
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.server.delivery.routes import Routes
from gatepost.server.door.door import Door
from gatepost.server.pipeline.admission import Admission
from gatepost.server.pipeline.keeping import Keeper
from gatepost.server.settings import GateSettings
from gatepost.server.signing.signer import Signer
from gatepost.server.submission.content import Inspection
from gatepost.server.submission.limits import Quotas
from gatepost.server.submission.login import Login
from gatepost.server.submission.policy import Senders
from gatepost.server.submission.record import SubmissionRecorder
from gatepost.server.submission.suspension import Suspensions
from gatepost.server.submission.unsubscribe import Unsubscribe


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionParts:
    """What the gate puts together, one of each for a worker."""

    settings: GateSettings
    login: Login
    senders: Senders
    admission: Admission
    routes: Routes
    inspection: Inspection
    quotas: Quotas
    suspensions: Suspensions
    signer: Signer
    unsubscribe: Unsubscribe
    keeper: Keeper
    recorder: SubmissionRecorder
    door: Door
