"""The house of certificates: obtained by ACME, renewed well before they end, tied to the TLSA records that name them.

Files, in the order of the work: `settings` says what is wanted, `folder` is where keys and chains lie, `state` what was
reached, `tlsa` what DNS must show of a key, `challenges` proves that the names are ours, `order` gets a certificate,
`renewal` decides, `upkeep` does it while the gate runs.
Standard: RFC 8555, RFC 7671 §8. Not here: TLS contexts (`net.tls`), our own authority (`net.authority`).
"""
