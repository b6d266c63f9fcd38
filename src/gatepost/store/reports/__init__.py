"""Reports of others, kept: each once, for a time, and added up by day, source and reporter.

In: values of `ports.reported`. Out: the same, added up. Not here: reading reports (`gatepost.reports`).
"""

from gatepost.store.reports.store import ReportStore, prune_reports

__all__ = ["ReportStore", "prune_reports"]
