"""TLS reports that we send: sessions counted by domain and day (`tally`), told once a day to who asks (`sending`).

Standard: RFC 8460. Reports that come in are read in `gatepost.reports`.
"""
