"""The domain's DNS records between the gate's settings and the zone: which are wanted, how DNS compares, publishing.

In: settings, a resolver, a publisher. Out: plans, changes, what became of them. Standard: RFC 2136.
Not here: the records and why (`audit.records`), how changes travel (`net.publish`), the commands (`cli.records`).
"""
