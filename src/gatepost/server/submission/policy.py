"""Who may send what: senders that belong to an account, recipients that mail can get to.

In: an account (or a client of a listed network), an address from MAIL, the header section. Out: None, or the reply that
says what to do. Standard: RFC 6409 §6.1 (enforced submission rights), RFC 4954 §6 (530), RFC 8098 §3 (receipts).
Not here: whether somebody is who he says (`login`); how much he may send (`limits`).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from gatepost.errors import ConfigError
from gatepost.message.addresses import parse_addresses
from gatepost.message.message import Message
from gatepost.message.parameters import parse_content_type
from gatepost.names import domain_of
from gatepost.net.tls import ascii_name
from gatepost.ports.accounts import AddressBook
from gatepost.server.door.networks import home_of
from gatepost.server.recipients import Recipients
from gatepost.server.settings import GateSettings
from gatepost.server.submission.content import outbound_inspector
from gatepost.server.wellformed import check_networks
from gatepost.wire.smtp.grammar import is_domain
from gatepost.wire.smtp.replies import Reply

NEED_TLS = Reply(530, "Start TLS first", enhanced="5.7.0")
NEED_LOGIN = Reply(530, "Log in first", enhanced="5.7.0")
NOT_YOUR_SENDER = Reply(
    553, "You may not send as this address; use one of your account, or have it delegated to you", enhanced="5.7.1"
)
NOT_YOUR_AUTHOR = Reply(
    550,
    "The From or Sender field names an address that is not yours; use one of your account, or have it delegated to you",
    enhanced="5.7.1",
)
NO_AUTHOR = Reply(550, "The message has no From field with an address", enhanced="5.6.0")
NO_NULL_SENDER = Reply(553, "The null sender is not for mail of people; send as your own address", enhanced="5.7.1")
ONLY_RECEIPTS = Reply(
    550, "The null sender is for receipts only (RFC 8098); send as your own address", enhanced="5.7.1"
)
NO_WAY_OUT = Reply(
    550,
    "Mail to other domains cannot leave from here; the administrator has to name a way out (delivery.relay)",
    enhanced="5.4.4",
)
ASK_LATER = Reply(451, "Whose address this is cannot be checked now, try again later", enhanced="4.3.0")

MAX_AUTHORS = 50  # addresses in From and Sender that are looked at; more are no mail of a person


class Senders:
    """Answers "may this account write as that address?". StoreError when the directory cannot say."""

    def __init__(self, settings: GateSettings, recipients: Recipients, book: AddressBook) -> None:
        self._recipients = recipients
        self._book = book
        self._aliases = settings.submission.alias_senders

    async def may_write_as(self, account: str, address: str) -> bool:
        """Its own, a sub-address of its own, an alias whose mail it gets, or one delegated to it."""
        local, _, domain = address.rpartition("@")
        written = f"{local.lower()}@{ascii_name(domain)}"
        if written == account:
            return True
        if account in self._recipients.owners(written, aliases=self._aliases):
            return True
        return await self._book.may_send_as(account, written)

    def is_ours(self, address: str) -> bool:
        """Whether `address` is in a served domain: all that a client without an account can be held to."""
        return self._recipients.serves(domain_of(address)) is not None


def authors_of(message: Message) -> tuple[str, ...]:
    """Every address in From and Sender, whichever of several fields it stands in."""
    return tuple(dict.fromkeys(_addresses(message)))[:MAX_AUTHORS]


def _addresses(message: Message) -> Iterator[str]:
    for name in ("from", "sender"):
        for field in message.header.all(name)[:MAX_AUTHORS]:
            for box in parse_addresses(field.value[:20_000]).mailboxes:
                yield box.address


def has_author(message: Message) -> bool:
    """Whether some From field names an address."""
    return any(parse_addresses(field.value[:20_000]).mailboxes for field in message.header.all("from")[:MAX_AUTHORS])


def is_receipt(message: Message) -> bool:
    """RFC 8098 §3: multipart/report of the kind disposition-notification."""
    field = message.header.first("content-type")
    if field is None:
        return False
    found = parse_content_type(field.value)
    kind = found.parameters.get("report-type", "").lower()
    return found.value.lower() == "multipart/report" and kind == "disposition-notification"


def check_submission(settings: GateSettings) -> None:
    """What can be said of the options without binding anything. Raises ConfigError."""
    submission = settings.submission
    listened = submission.listen_tls + submission.listen_starttls
    if listened and not settings.tls.certificate:
        raise ConfigError("submission.listen_tls, listen_starttls", ", ".join(listened), "needs tls.certificate")
    for name in settings.tls.names:
        bare = name.removeprefix("*.")
        if not is_domain(ascii_name(bare)):
            raise ConfigError(f'tls.names."{name}"', name, "is no host name; write it as mail.example.org")
    check_networks("submission.relay_networks", submission.relay_networks)
    outbound_inspector(settings)


def private_networks(settings: GateSettings) -> tuple[str, ...]:
    """The networks that may relay and in which nobody knows who is who: a container's bridge, a proxy."""
    return tuple(text for text in settings.submission.relay_networks if _hides_many(text))


def _hides_many(text: str) -> bool:
    network = ip_network(text, strict=False)
    return not network.is_loopback and home_of(str(network.network_address)).private


def describe_submission(settings: GateSettings) -> str:
    """One line for `serve --check`; it begins with a loud word where somebody should see to it."""
    submission = settings.submission
    if not (submission.listen_tls or submission.listen_starttls):
        return "nobody hands in mail here (submission.listen_tls, submission.listen_starttls)"
    words = []
    if not settings.way_out:
        words.append('NO WAY OUT: accounts can write to each other only; write "mx" or a smart host in delivery.relay')
    private = private_networks(settings)
    if private:
        words.append(
            f"STRANGERS may hide behind a bridge or a proxy in {', '.join(private)}, from which mail is relayed without"
            " a login: name single addresses in submission.relay_networks, or let the port see its clients' addresses"
        )
    if submission.relay_networks:
        words.append(f"relayed without a login: {', '.join(submission.relay_networks)}")
    words.append(f"TLS on {', '.join(submission.listen_tls) or 'no port'}")
    words.append(f"STARTTLS on {', '.join(submission.listen_starttls) or 'no port'}")
    return "; ".join(words)
