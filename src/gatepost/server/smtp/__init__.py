"""The SMTP server: sockets, time and limits around the machine of `wire.smtp`.

In: listening sockets, `SmtpSettings`, a `Gatekeeper`. Out: answered sessions. Standard: RFC 5321.
Not here: who may send what (the gatekeeper, `server.pipeline`); the protocol itself (`wire.smtp`).
"""
