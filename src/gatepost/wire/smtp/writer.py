"""Command lines as clients write them.

In: a command (`events`). Out: its line with CRLF; or LocalProtocolError for what must not stand there.
Standard: RFC 5321 §4.1.1, RFC 3461 §4. Not here: reading them (`commands`), order (`client`).
Whatever was handed to us, nothing in it may become a second command or parameter.
"""

from __future__ import annotations

from gatepost.errors import LocalProtocolError
from gatepost.names import Body, Envelope, Recipient
from gatepost.wire.smtp import grammar
from gatepost.wire.smtp.events import Auth, AuthLine, Command, Hello, Mail, Plain, Rcpt, Xclient


def write_command(command: Command) -> bytes:
    """The line of `command`, CRLF included; LocalProtocolError when it cannot be written."""
    match command:
        case Mail(envelope=envelope):
            text = _join(
                "MAIL FROM:" + (_path(envelope.mail_from) if envelope.mail_from else "<>"), *_of_mail(envelope)
            )
        case Rcpt(recipient=recipient):
            text = _join(f"RCPT TO:{_path(recipient.address)}", *_of_rcpt(recipient))
        case Hello(verb=verb, domain=domain):
            text = _join(verb.value, domain)
        case Plain(verb=verb, argument=argument):
            text = f"{verb.value} {argument}" if argument else verb.value
        case Auth(mechanism=mechanism, initial_response=response):
            text = _join("AUTH", mechanism, *(() if response is None else (response,)))
        case AuthLine(text=text):
            pass
        case Xclient(attributes=attributes):
            text = _join("XCLIENT", *(f"{name}={_of_xclient(value)}" for name, value in attributes.items()))
    if not text.isprintable():
        raise LocalProtocolError("a command holds control characters")
    return text.encode("utf-8") + b"\r\n"


def _join(first: str, *words: str) -> str:
    """A blank in a word would begin the next parameter."""
    if any(" " in word or not word for word in words):
        raise LocalProtocolError("an argument of a command is empty or holds blanks")
    return " ".join((first, *words))


def _path(address: str) -> str:
    if not grammar.is_mailbox(address) and address != "postmaster":
        raise LocalProtocolError(f"{address!r} is no mailbox")
    return f"<{address}>"


def _of_mail(envelope: Envelope) -> list[str]:
    words = []
    if envelope.size is not None:
        words.append(f"SIZE={envelope.size}")
    if envelope.body is not Body.SEVEN_BIT:
        words.append(f"BODY={envelope.body.value}")
    words += ["SMTPUTF8"] * envelope.smtputf8 + ["REQUIRETLS"] * envelope.requiretls
    if envelope.ret is not None:
        words.append(f"RET={envelope.ret}")
    if envelope.envid is not None:
        words.append(f"ENVID={envelope.envid}")
    return words


def _of_rcpt(recipient: Recipient) -> list[str]:
    words = []
    if recipient.notify:
        words.append("NOTIFY=" + ",".join(recipient.notify))
    if recipient.orcpt is not None:
        words.append(f"ORCPT={recipient.orcpt}")
    return words


def _of_xclient(value: str | None) -> str:
    return "[UNAVAILABLE]" if value is None else grammar.encode_xtext(value.encode("utf-8"))
