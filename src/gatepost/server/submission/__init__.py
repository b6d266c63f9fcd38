"""Submission: people hand in mail, after they proved who they are.

In: connections on ports 465 (TLS), 587 and 2525 (STARTTLS). Out: messages in the spool, signed, in nobody's name but
the account's. Standard: RFC 6409 (submission), RFC 8314 (TLS on 465), RFC 4954 (AUTH).
Files, in the order of the work: `login` lets in, `policy` says who may write as whom, `content` judges what is inside,
`limits` counts, `prepare` mends and signs, `gate` is asked at each step, `suspension` stops a stolen account.
"""
