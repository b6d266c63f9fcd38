"""Gathering: asks DNS, web servers and mail servers what an audit needs to know, only through ports.

In: a domain, ports. Out: pieces of `Facts`. One file a subject; `stages` says which there are and what each waits for.
Not here: running them at the same time and within the deadline (`gatepost.api_audit`), judging (`checks`).
"""
