"""`gatepost probe HOST`: good and hostile sessions with a mail server, and what it did.

In: hosts, what may be used, limits. Out: a report, JSON, JUnit; exit 1 when a finding is at or above --fail-on.
Standard: DESIGN, "What others may lean on". Not here: options (`probe_options`), addresses and ports (`probe_where`),
running (`probe_run`), printing (`show_probe`), scenarios (`audit.probe`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatepost.cli.gate import json_option
from gatepost.cli.options import fail_on_option
from gatepost.cli.probe_options import (
    Options,
    check,
    choice_options,
    limit_options,
    mail_options,
    target_options,
)
from gatepost.errors import InputError
from gatepost.finding import Severity

if TYPE_CHECKING:
    from gatepost.api_probe import Probed


@click.command("probe")
@click.argument("hosts", nargs=-1, metavar="HOST[:PORT]...")
@target_options
@mail_options
@choice_options
@limit_options
@fail_on_option
@click.option("--junit", metavar="FILE", help="Write the results for a CI, too.")
@click.option("--html", metavar="FILE", help="Write a report that prints well, too.")
@click.option("--verbose", "-v", is_flag=True, help="Also what was passed and what could not be tested.")
@json_option
def command(
    list_only: bool,
    fail_on: str,
    junit: str | None,
    html: str | None,
    verbose: bool,
    as_json: bool,
    **given: object,
) -> int:
    """Test how a mail server behaves: relay, passwords, TLS, smuggling, odd lines, limits, and what it makes of mail.

    HOST is a name or an address, with a port or without (then those of 25, 465, 587, 143, 993, 110 and 995 that
    answer), or a URL such as smtp://mx.example:2525 or imaps://mx.example. Ctrl-C ends it; what was found is kept.
    """
    options = Options(**given)  # type: ignore[arg-type]
    from gatepost.cli.probe_own import choose

    scenarios = choose(options.only, options.skip, options.own)
    if list_only:
        from gatepost.cli.show_probe import show_list

        show_list(scenarios, as_json=as_json)
        return 0
    if not options.hosts:
        raise InputError("HOST", "", "name a server to test, as in: gatepost probe 127.0.0.1:25")
    check(options)
    from gatepost.cli.probe_run import run

    probed = run(options, scenarios)
    from gatepost.cli.show_probe import show

    if junit:
        from gatepost.audit.probe.junit import write_junit

        _write("--junit", junit, write_junit(probed))
    if html:
        from gatepost.audit.probe.report import write_report

        _write("--html", html, write_report([one.as_json() for one in probed], probed[0].aim.now))
    if as_json:
        print(json.dumps({"probed": [one.as_json() for one in probed]}, ensure_ascii=False))
    else:
        show(probed, verbose=verbose)
    return _exit_code(probed, fail_on)


def _write(option: str, path: str, text: str) -> None:
    try:
        Path(path).write_text(text, "utf-8", errors="replace")
    except OSError as error:
        raise InputError(option, path, f"cannot be written: {error.strerror}") from None


def _exit_code(probed: tuple[Probed, ...], fail_on: str) -> int:
    """A port that could not be tested at all is no good news: exit 1."""
    if any(one.grade is None and one.reason for one in probed):
        return 1
    gravest = max((result.severity.rank for one in probed for result in one.results), default=0)
    return 1 if fail_on != "never" and gravest >= Severity(fail_on).rank else 0
