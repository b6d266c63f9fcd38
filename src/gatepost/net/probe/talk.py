"""What is said to a mail server: greeting, capabilities, STARTTLS, recipients, and good-bye.

In: a channel. Out: words. Nobody logs in, and no mail is handed over: after RCPT comes RSET.
Standard: RFC 5321 §3.1, §4.1.1.1 (EHLO); RFC 9051 §6.1.1, §6.2.1; RFC 1939 §4, RFC 2449 §5 (CAPA); RFC 2595 §4 (STLS).
Not here: the connection (`channel`), the handshake (`handshake`).
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from gatepost.net.probe.channel import Channel, Trouble
from gatepost.ports import Answered, Spoken

MAX_LINES = 200  # of one answer
MAX_WORD = 300  # characters of a capability that are kept
MAX_TEXT = 500


class Talk:
    """A dialogue in one of the three protocols. `capabilities` are those of the last time they were asked for."""

    def __init__(self, channel: Channel, spoken: Spoken, name: str) -> None:
        self._channel = channel
        self._spoken = spoken
        self._name = name
        self._tag = 0
        self.banner = ""
        self.hello = ""
        self.capabilities: tuple[str, ...] = ()

    async def greet(self) -> None:
        """Reads the greeting. Raises Trouble for a server that turns us away."""
        if self._spoken is Spoken.SMTP:
            code, lines = await self._smtp_reply()
            self.banner = lines[0][:MAX_TEXT]
            self.hello = self.banner.partition(" ")[0]
            if code != 220:
                raise Trouble(f"it greets with {code} {lines[0][:200]}")
            return
        self.banner = (await self._channel.read_line())[:MAX_TEXT]
        good = ("* OK", "* PREAUTH") if self._spoken is Spoken.IMAP else ("+OK",)
        if not self.banner.upper().startswith(good):
            raise Trouble(f"it greets with {self.banner[:200]}")

    async def ask_capabilities(self) -> None:
        """EHLO, CAPABILITY or CAPA; a server that knows none has none."""
        if self._spoken is Spoken.SMTP:
            code, lines = await self._smtp(f"EHLO {self._name or _literal(self._channel.own_address)}")
            if code != 250:
                raise Trouble(f"it answers EHLO with {code} {lines[0][:200]}")
            self.hello = lines[0].partition(" ")[0][:MAX_WORD]
            self.capabilities = tuple(line.strip()[:MAX_WORD] for line in lines[1:])
        elif self._spoken is Spoken.IMAP:
            _, lines = await self._imap("CAPABILITY")
            told = [line for line in lines if line.upper().startswith("* CAPABILITY ")]
            self.capabilities = tuple(word[:MAX_WORD] for word in " ".join(line[13:] for line in told).split())
        else:
            self.capabilities = await self._pop3_list()

    @property
    def offers_tls(self) -> bool:
        """Whether STARTTLS or STLS is among the capabilities."""
        wanted = "STLS" if self._spoken is Spoken.POP3 else "STARTTLS"
        return any(word.upper() == wanted for word in self.capabilities)

    async def ask_tls(self) -> None:
        """STARTTLS; on return the handshake may begin. Raises Trouble."""
        if self._spoken is Spoken.SMTP:
            code, lines = await self._smtp("STARTTLS")
            said, good = f"{code} {lines[0]}", code == 220
        elif self._spoken is Spoken.IMAP:
            said, _ = await self._imap("STARTTLS")
            good = said.upper().startswith("OK")
        else:
            await self._channel.send_line("STLS")
            said = await self._channel.read_line()
            good = said.startswith("+OK")
        if not good:
            raise Trouble(f"it answers STARTTLS with {said[:200]}")

    async def try_recipients(self, recipients: Sequence[str]) -> tuple[Answered, ...]:
        """RCPT for each, after a null sender; then RSET. None is answered where MAIL is refused."""
        code, _ = await self._smtp("MAIL FROM:<>")
        found = []
        for recipient in recipients if code == 250 else ():
            code, lines = await self._smtp(f"RCPT TO:<{recipient}>")
            found.append(Answered(recipient=recipient, code=code, text=lines[0][:MAX_TEXT]))
        await self._smtp("RSET")
        return tuple(found)

    async def leave(self) -> None:
        """Says good-bye, and does not wait long for the answer to it."""
        try:
            await self._channel.send_line(
                {Spoken.SMTP: "QUIT", Spoken.IMAP: "z LOGOUT", Spoken.POP3: "QUIT"}[self._spoken]
            )
        except Trouble:
            pass

    async def _smtp(self, command: str) -> tuple[int, list[str]]:
        await self._channel.send_line(command)
        return await self._smtp_reply()

    async def _smtp_reply(self) -> tuple[int, list[str]]:
        """RFC 5321 §4.2.1: lines with a hyphen go on."""
        lines: list[str] = []
        while len(lines) < MAX_LINES:
            line = await self._channel.read_line()
            if len(line) < 3 or not line[:3].isascii() or not line[:3].isdigit():
                raise Trouble(f"what it says is no SMTP: {line[:100]!r}")
            lines.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), lines
        raise Trouble("its answer has no end")

    async def _imap(self, command: str) -> tuple[str, list[str]]:
        """The tagged answer without its tag, and the untagged lines before it."""
        self._tag += 1
        tag = f"a{self._tag}"
        await self._channel.send_line(f"{tag} {command}")
        lines: list[str] = []
        while len(lines) < MAX_LINES:
            line = await self._channel.read_line()
            if line.startswith(tag + " "):
                return line[len(tag) + 1 :], lines
            lines.append(line)
        raise Trouble("its answer has no end")

    async def _pop3_list(self) -> tuple[str, ...]:
        await self._channel.send_line("CAPA")
        if not (await self._channel.read_line()).startswith("+OK"):
            return ("USER",)  # RFC 1939 §7: a server of that time knows USER and nothing to ask for it
        found: list[str] = []
        while len(found) < MAX_LINES:
            line = await self._channel.read_line()
            if line == ".":
                return tuple(found)
            found.append(line.strip()[:MAX_WORD])
        raise Trouble("its answer has no end")


def _literal(address: str) -> str:
    """RFC 5321 §4.1.3: who has no name says where he is."""
    try:
        ip = ip_address(address)
    except ValueError:
        return "[127.0.0.1]"
    return f"[IPv6:{ip}]" if ip.version == 6 else f"[{ip}]"
