"""Links: what a URL says, whose its host is, what it looks like, what it is for.

In: text. Out: `Url`, `Host`, registrable domains, `Likeness`, services. Pure, total and linear.
Files: `url`, `host`, `domain`, `lists` (what is shipped), `lookalike`, `hosting`, `shown`, `seen` (all of it for the
links of one message).
Not here: finding links in bodies and documents (`sandbox.readers`), the rules (`rules.links`).
"""
