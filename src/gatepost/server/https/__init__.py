"""The HTTPS house: serves our MTA-STS policy, and what mail programs ask to set themselves up; nothing else.

Files, in the order of the work: `settings` says what is wanted, `connection` speaks HTTP within limits, `site` knows
what is served under which name, `policy`, `autoconfig` and `autodiscover` write it, `run` is the process.
Standard: RFC 8461 §3.3, RFC 8555 §8.3, RFC 9110. Not here: the dashboard, health and metrics (`server.monitor`).
"""
