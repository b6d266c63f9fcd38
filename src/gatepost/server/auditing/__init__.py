"""Watching domains: audits repeated on a schedule, and word to people when something has changed.

In: the settings, the store. Out: mail, webhooks, lines for whoever runs it. Files: `settings`, `watcher` (one round),
`alerts` (mail and webhook). Not here: the audit (`gatepost.audit`), comparing (`audit.compare`), the command
(`cli.watch`), our own listings on block lists (`server.own_standing`).
"""
