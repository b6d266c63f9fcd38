"""`gatepost verify spf|dkim|dmarc|arc`: one check alone.

In: a message, or a session; where DNS answers come from. Out: the result in the RFC's words, or as JSON.
Standard: DESIGN, "What others may lean on". Exit code 0 for pass and none (SPF: neutral too), 1 for everything else, 2
for input that cannot be used. Not here: the checks (`gatepost.spf` and its sisters), everything at once (`inspect`).
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatepost.cli.clock import read_now
from gatepost.cli.gate import json_option
from gatepost.cli.options import (
    config_option,
    dns_options,
    inspection_settings,
    make_resolver,
    make_session,
    now_option,
    read_settings,
    session_options,
)
from gatepost.cli.sources import read_one
from gatepost.cli.terminal import console, safe
from gatepost.errors import InputError
from gatepost.msgauth.dkim import DkimResult, DkimStatus, SignatureResult
from gatepost.msgauth.dkim.result import summarize
from gatepost.msgauth.settings import MsgauthSettings
from gatepost.msgauth.spf import SpfResultWord

if TYPE_CHECKING:
    from gatepost.config import Settings

GOOD = frozenset(("pass", "none"))
GOOD_SPF = GOOD | {"neutral"}  # RFC 7208 §8.2: neutral is treated like none


@click.group("verify")
def command() -> None:
    """One check alone; exit code 0 for pass and none (spf: neutral too), 1 for any other result."""


@command.command("spf")
@click.argument("domain", required=False)
@session_options
@dns_options
@now_option
@config_option
@json_option
def spf(domain: str | None, ip: str, ehlo: str, mail_from: str | None, as_json: bool, **given: Any) -> int:
    """May the client at --ip send for DOMAIN, or for the domain of --mail-from?

    Without either the EHLO name is checked, as RFC 7208 says for the null sender.
    """
    from gatepost.msgauth.spf import check_host

    session = make_session(ip, ehlo)
    if not session.client_ip:
        raise click.UsageError("--ip is missing: SPF is about the client's address")
    sender = (mail_from or "").strip("<>") or (f"postmaster@{domain}" if domain else "")
    if not sender and not ehlo:
        raise click.UsageError("nothing to check: give DOMAIN, --mail-from or --ehlo")
    resolver, settings = _world(given)
    now = read_now(given["now"])
    result = asyncio.run(
        check_host(ip=session.client_ip, ehlo=ehlo, mail_from=sender, resolver=resolver, now=now, settings=settings.spf)
    )
    details = [("domain", result.domain), ("term", result.mechanism), ("why", result.reason)]
    return _answer(result.as_json(), [*details, ("explanation", result.explanation)], as_json, GOOD_SPF)


@command.command("dkim")
@click.argument("file", metavar="FILE|-")
@dns_options
@now_option
@config_option
@json_option
def dkim(file: str, as_json: bool, **given: Any) -> int:
    """Do the DKIM signatures of the message in FILE fit? pass if any does."""
    from gatepost.msgauth.dkim import verify

    resolver, settings = _world(given)
    raw, now = read_one(file), read_now(given["now"])
    result = asyncio.run(verify(raw, resolver=resolver, now=now, settings=settings.dkim))
    return _answer(result.as_json(), [("signature", _signature(one)) for one in result.signatures], as_json)


@command.command("arc")
@click.argument("file", metavar="FILE|-")
@dns_options
@now_option
@config_option
@json_option
def arc(file: str, as_json: bool, **given: Any) -> int:
    """Is the ARC chain of the message in FILE whole?"""
    from gatepost.msgauth.arc import verify

    resolver, settings = _world(given)
    raw, now = read_one(file), read_now(given["now"])
    result = asyncio.run(verify(raw, resolver=resolver, now=now, settings=settings.dkim))
    seals = [(f"seal {one.instance}", f"{one.sealer} (cv={one.cv})") for one in result.sets]
    return _answer(result.as_json(), [*seals, ("why", result.reason)], as_json)


@command.command("dmarc")
@click.argument("subject", metavar="FILE|-|DOMAIN")
@session_options
@click.option("--spf-domain", metavar="NAME", help="With DOMAIN: the domain that SPF was checked for.")
@click.option(
    "--spf-result", type=click.Choice([word.value for word in SpfResultWord]), default="pass", help="And its result."
)
@click.option("--dkim", "signed", multiple=True, metavar="NAME[=RESULT]", help="With DOMAIN: a signature (=pass).")
@dns_options
@now_option
@config_option
@json_option
def dmarc(
    subject: str,
    ip: str,
    ehlo: str,
    mail_from: str | None,
    spf_domain: str | None,
    spf_result: str,
    signed: tuple[str, ...],
    as_json: bool,
    **given: Any,
) -> int:
    """Is the author of the message in FILE proven? Or: what would DMARC say for DOMAIN with these results?"""
    if subject == "-" or Path(subject).exists():
        if spf_domain or signed:
            raise InputError("--spf-domain", spf_domain or signed[0], "goes with a DOMAIN, not with a message")
        answer = _dmarc_of_file(subject, ip, ehlo, mail_from, given)
    else:
        if "." not in subject or "/" in subject:
            raise InputError("FILE|DOMAIN", subject, "is neither a file that exists nor a domain")
        spf_given = (spf_domain, spf_result) if spf_domain else None
        answer = _dmarc_of_domain(subject, spf_given, _signatures(signed), given)
    names = ("author_domain", "organizational_domain", "policy_domain", "policy", "disposition", "record", "reason")
    details = [(name, str(answer[name])) for name in names if answer[name]]
    alignment = [name for name, aligned in answer["alignment"].items() if aligned]
    return _answer(answer, [*details, ("aligned", ", ".join(alignment) or "nothing")], as_json)


def _dmarc_of_file(file: str, ip: str, ehlo: str, mail_from: str | None, given: dict[str, Any]) -> dict[str, Any]:
    from gatepost.api import inspect_message_sync

    settings = read_settings(given["config"])
    inspection = inspect_message_sync(
        read_one(file),
        session=make_session(ip, ehlo),
        mail_from=mail_from,
        resolver=_resolver(given, settings),
        now=None if given["now"] is None else read_now(given["now"]),
        settings=inspection_settings(settings),
    )
    return inspection.authentication.dmarc.as_json()


def _dmarc_of_domain(
    domain: str, spf_given: tuple[str, str] | None, signatures: DkimResult, given: dict[str, Any]
) -> dict[str, Any]:
    from gatepost.msgauth.dmarc import evaluate

    resolver, settings = _world(given)
    result = asyncio.run(evaluate(domain, spf_given, signatures, resolver=resolver, settings=settings.dmarc))
    return result.as_json()


def _signatures(texts: tuple[str, ...]) -> DkimResult:
    """The results that `--dkim` names."""
    found = []
    for text in texts:
        domain, _, word = text.partition("=")
        try:
            found.append(SignatureResult(domain=domain.lower(), result=DkimStatus(word or "pass")))
        except ValueError:
            known = ", ".join(status.value for status in DkimStatus)
            raise InputError("--dkim", text, f"has no known result; use one of {known}") from None
    return summarize(tuple(found))


def _signature(one: SignatureResult) -> str:
    key = f"{one.algorithm}, {one.key_bits} bits" if one.key_bits else one.algorithm
    return f"{one.result}: {one.domain} ({one.selector}; {key}) {one.reason}".rstrip()


def _world(given: dict[str, Any]) -> tuple[Any, MsgauthSettings]:
    settings = read_settings(given["config"])
    return _resolver(given, settings), settings.msgauth if settings is not None else MsgauthSettings()


def _resolver(given: dict[str, Any], settings: Settings | None) -> Any:
    return make_resolver(given["zone"], given["resolver"], given["dns_timeout"], given["dns_fail"], settings)


def _answer(data: dict[str, Any], details: list[tuple[str, str]], as_json: bool, good: frozenset[str] = GOOD) -> int:
    """Prints the result and gives the exit code."""
    if as_json:
        click.echo(json.dumps(data))
    else:
        out = console()
        out.print(safe(data["result"]), style="bold")
        for name, text in details:
            if text:
                out.print(safe(f"  {name:<22} {text}"), soft_wrap=True)
    return 0 if data["result"] in good else 1
