"""Reports of others, from the files and mails they come in to the store.

In: octets of a file or message. Out: reports, or for each thing that is none the reason. Standard: RFC 9990, RFC 9991,
RFC 8460. Not here: the formats (`gatepost.reports`), the database (`store.reports`), the commands (`cli.dmarc`).
"""
