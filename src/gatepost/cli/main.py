"""The entry point `gatepost`: finds the command, and turns every expected trouble into one clear line.

In: the arguments. Out: the exit code: 0 good, 1 findings at or above --fail-on, 2 usage or input error.
Standard: DESIGN, "What others may lean on". A command is a module `cli/<name>.py` with a click object `command`;
its name and one line of help stand in `COMMANDS`, so that `--help` imports none of them.
Not here: the commands themselves; what they share (`options`, `sources`, `terminal`).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence

import click

from gatepost.errors import GatepostError, InputError

COMMANDS: dict[str, str] = {
    "init": "Write gatepost.toml, keys and the first account for a domain.",
    "serve": "Run everything the configuration names.",
    "lab": "A small internet on loopback, with a tour of good and bad mail.",
    "inspect": "Explain messages: .eml, mbox, Maildir, stdin.",
    "verify": "One check alone: spf, dkim, dmarc or arc.",
    "probe": "Test how a mail server behaves: relay, passwords, TLS, smuggling, limits, mail.",
    "audit": "How a domain stands: records, servers, encryption, lists, with what to change.",
    "watch": "Audit domains on a schedule, tell people what has changed.",
    "records": "Print, compare, publish, try a domain's DNS records; change its keys.",
    "certificate": "Show the server's certificates, renew one before its time.",
    "dmarc": "Read DMARC and TLS reports, show them, say what they mean.",
    "rules": "List the rules that judge a message.",
    "log": "Find what happened to a message.",
    "queue": "List, show, retry or delete waiting mail.",
    "quarantine": "List, show, release or delete held mail.",
    "policy": "Show the policy, or try another one on the last days' mail.",
    "lists": "Test block lists, keep own ones, see what they stop.",
    "user": "Add, list, change and check accounts.",
    "ban": "List, add or lift bans at the door.",
    "learn": "Teach the classifier what is wanted here: ham, spam, phish.",
    "backup": "Copy the store while the gate runs.",
    "restore": "Bring a backup back.",
}
BAD_INPUT = 2
INTERNAL = 70  # sysexits.h, EX_SOFTWARE
INTERRUPTED = 130  # the shells' word for "ended by SIGINT"


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, never for --help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if importlib.util.find_spec(_module(name)) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS or importlib.util.find_spec(_module(cmd_name)) is None:
            return None
        command: click.Command = importlib.import_module(_module(cmd_name)).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, COMMANDS[name]) for name in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def _module(name: str) -> str:
    return f"gatepost.cli.{name.replace('-', '_')}"


def _show_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import version  # 20 ms that only this option needs

    click.echo(f"gatepost {version('gatepost')}")
    ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="The version.")
def cli() -> None:
    """Gatepost guards a mail domain's door and explains every message.

    Exit codes: 0 good, 1 findings at or above --fail-on, 2 usage or input error.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and answers its exit code; expected trouble is one line on stderr, never a traceback."""
    return run(cli, sys.argv[1:] if argv is None else argv)


def run(group: click.Command, argv: Sequence[str]) -> int:
    """`main` for any click command."""
    arguments = list(argv) or ["--help"]
    _let_output_carry_any_text()
    try:
        answer = group.main(args=arguments, prog_name="gatepost", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        return _say(_usage_line(error))
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:  # the reader (head, less) went away: no fault of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (InputError, GatepostError) as error:
        return _say(str(error))
    except OSError as error:
        return _say(f"{error.filename or 'system'}: {error.strerror or error}")
    except Exception as error:
        if os.environ.get("GATEPOST_TRACEBACK"):
            raise
        what = f"{type(error).__name__}: {error}"
        return _say(f"a mistake of ours: {what}; please report it (GATEPOST_TRACEBACK=1 shows where)", INTERNAL)
    return answer if isinstance(answer, int) else 0


def _say(line: str, code: int = BAD_INPUT) -> int:
    text = " ".join(line.split())
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    click.echo(f"gatepost: {shown}", err=True)
    return code


def _usage_line(error: click.ClickException) -> str:
    """Click's message, and where help is."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "gatepost"
    return f"{error.format_message().rstrip('.')}; see '{path} --help'"


def _let_output_carry_any_text() -> None:
    """A terminal that cannot show a character gets an escape for it, not a crash."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
