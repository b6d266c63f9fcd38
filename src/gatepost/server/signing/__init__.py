"""The signing house: what accounts hand in leaves with the signatures of its author's domain.

In: messages, keys. Out: signed messages; keys that are changed without a gap. Standard: RFC 6376, RFC 8463.
Files, in the order of the work: `settings` says what is wanted, `keyfiles` and `keyring` hold keys, `signer` signs,
`rotation` is the life of a key, `upkeep` looks after it, `fresh` tells running processes, `records` is what to publish.
"""
