"""The probe: visits to a mail server that a good server answers in one way, and what it means when it does not.

A file a thing: `scenario` (what a scenario is), `aim` (what is probed), `speech` (the words that visits are made of),
`judging` (transcripts to results), `run` (all of them, in order), `own` (scenarios from a file), `junit`.
The scenarios are in `scenarios/`. Not here: sockets (`net.visits`), mailboxes (`net.mailbox`), the command (`cli`).
"""
