"""Brings the real programs that the interop tests meet: installed where they may live side by side, else unpacked.

In: nothing, or names of neighbours. Out: one line a neighbour that is missing (by name, with the reason); exit code 0
even then, since the tests skip by name (and fail with CI=true). Debian's Postfix and Exim exclude each other and some
machines already run one, so those two and Dovecot are only unpacked, into a cache below $XDG_CACHE_HOME; the tests
lay that folder over /usr in a private mount namespace. No daemon is started. Quick when all is there.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Program (or file) that proves it is there, and the Debian package that brings it.
INSTALLED = {
    "swaks": "swaks",
    "/usr/share/doc/libnet-ssleay-perl": "libnet-ssleay-perl",  # swaks --tls
    "curl": "curl",
    "msmtp": "msmtp",
    "mutt": "mutt",
    "gsasl": "gsasl",
    "openssl": "openssl",
    "opendkim": "opendkim",
    "opendkim-testmsg": "opendkim-tools",
    "opendmarc": "opendmarc",
    "/usr/bin/dkimverify": "python3-dkim",
    "/usr/lib/python3/dist-packages/nacl": "python3-nacl",  # Ed25519 for it
    "rspamd": "rspamd",
    "strace": "strace",
    "nsd": "nsd",
    "unbound": "unbound",
    "knotd": "knot",
    "kdig": "knot-dnsutils",
    "rbldnsd": "rbldnsd",
    "pebble": "pebble",
    "dig": "bind9-dnsutils",
    "sslscan": "sslscan",
    "clamd": "clamav-daemon",
    "/usr/lib/postgresql/15/bin/postgres": "postgresql-15",
    "slapd": "slapd",
    "postsrsd": "postsrsd",
}
UNPACKED = {
    "postfix": ("postfix",),
    "dovecot": ("dovecot-core", "dovecot-lmtpd", "dovecot-imapd", "dovecot-pop3d"),
    "exim": ("exim4-daemon-light", "exim4-base"),
    "opensmtpd": ("opensmtpd",),
}
# Postfix demands users that share their id with nobody; Dovecot two that differ from the one it starts as.
# Exim looks for the user it was built with, OpenSMTPD for two of its own.
USERS = {
    "postfix": ("postfix",),
    "dovecot": ("dovecot", "dovenull"),
    "exim": ("Debian-exim",),
    "opensmtpd": ("opensmtpd", "opensmtpq"),
}
GROUPS = {"postfix": ("postdrop",), "dovecot": (), "exim": (), "opensmtpd": ()}
# Files without which an unpacked neighbour is of an older list of packages, and is unpacked anew.
PROOFS = {"dovecot": "usr/lib/dovecot/pop3-login"}
# Python programs whose packages may not mix with ours: each in a virtual environment of its own, pinned by hash.
VENVS = {"checkdmarc": Path(__file__).resolve().parent / "checkdmarc.lock"}
POLICY = Path("/usr/sbin/policy-rc.d")
INSTALL_LINE = re.compile(r"^Inst (\S+)", re.MULTILINE)


def cache_folder() -> Path:
    """Where the unpacked neighbours are: one folder each, holding `usr`, `etc` …"""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "gatepost-neighbours"


def found(program: str) -> str | None:
    """The path of a program or file; Debian keeps daemons in /usr/sbin, which is not on everybody's PATH."""
    if program.startswith("/"):
        return program if Path(program).exists() else None
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def unpacked(name: str) -> Path | None:
    """The folder of an unpacked neighbour, None when it is not (wholly) there."""
    folder = cache_folder() / name
    complete = (folder / ".complete").exists() and (folder / PROOFS.get(name, "")).exists()
    return folder if complete else None


def venv_python(name: str) -> Path | None:
    """The Python of a neighbour with a virtual environment, None when it is not (wholly) there."""
    folder = cache_folder() / name
    is_whole = (folder / ".complete").exists() and (folder / ".complete").read_bytes() == VENVS[name].read_bytes()
    return folder / "bin" / "python" if is_whole else None


def make_venv(name: str) -> None:
    """Makes the environment of a neighbour anew, with what its lock file pins and nothing else."""
    folder = cache_folder() / name
    print(f"neighbours: installing {name} for itself", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    run(sys.executable, "-m", "venv", str(folder))
    pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "-r", str(VENVS[name]))
    shutil.copyfile(VENVS[name], folder / ".complete")


@contextlib.contextmanager
def no_autostart() -> Iterator[None]:
    """Debian starts daemons on installation unless this script says 101 (invoke-rc.d(8))."""
    mine = not POLICY.exists()
    if mine:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if mine:
            POLICY.unlink(missing_ok=True)


def run(*command: str, cwd: Path | None = None) -> str:
    """Runs a command to its end; raises CalledProcessError with what it said."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def apt(*arguments: str, cwd: Path | None = None) -> str:
    """apt-get, waiting for another one to finish."""
    return run("apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", *arguments, cwd=cwd)


def install(packages: list[str]) -> None:
    """Installs what is missing, without starting anything."""
    with no_autostart():
        apt("install", "-y", "--no-install-recommends", *packages)


def unpack(name: str) -> None:
    """Downloads a neighbour with the libraries this machine lacks and unpacks them, without installing."""
    folder, packages = cache_folder() / name, UNPACKED[name]
    shutil.rmtree(folder, ignore_errors=True)
    downloads = folder / "downloads"
    downloads.mkdir(parents=True)
    downloads.chmod(0o777)  # apt downloads as its own user
    plan = apt("-s", "install", "--no-install-recommends", *packages)
    wanted = sorted({*packages, *INSTALL_LINE.findall(plan)})
    apt("download", *wanted, cwd=downloads)
    for package in sorted(downloads.glob("*.deb")):
        run("dpkg-deb", "-x", str(package), str(folder))
    shutil.rmtree(downloads)
    if (folder / "lib").is_dir():  # bookworm's /lib is /usr/lib, its packages still say /lib
        shutil.copytree(folder / "lib", folder / "usr" / "lib", symlinks=True, dirs_exist_ok=True)
    (folder / ".complete").touch()


def create_accounts(name: str) -> None:
    """The users and groups that an unpacked neighbour insists on, as its package would have made them."""
    for group in GROUPS[name]:
        try:
            grp.getgrnam(group)
        except KeyError:
            run("groupadd", "--system", group)
    for user in USERS[name]:
        try:
            pwd.getpwnam(user)
        except KeyError:
            run("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
                "--shell", "/usr/sbin/nologin", user)  # fmt: skip


def obtain(packages: list[str], names: list[str]) -> None:
    """Installs and unpacks; brings the package lists up to date only when the first try fails."""
    try:
        _obtain_once(packages, names)
    except subprocess.CalledProcessError:
        apt("update")
        _obtain_once(packages, names)


def _obtain_once(packages: list[str], names: list[str]) -> None:
    if packages:
        print(f"neighbours: installing {' '.join(packages)}", flush=True)
        install(packages)
    for name in names:
        if unpacked(name) is None:
            print(f"neighbours: unpacking {name}", flush=True)
            unpack(name)
        create_accounts(name)


def accounts_missing(name: str) -> bool:
    """True when a user or group of an unpacked neighbour has not been made yet."""
    try:
        for user in USERS[name]:
            pwd.getpwnam(user)
        for group in GROUPS[name]:
            grp.getgrnam(group)
    except KeyError:
        return True
    return False


def main(wanted: list[str]) -> int:
    """Brings all neighbours, or those named; always 0 (see the page above)."""
    packages = sorted({p for prog, p in INSTALLED.items() if (not wanted or prog in wanted) and not found(prog)})
    names = [n for n in UNPACKED if (not wanted or n in wanted) and (unpacked(n) is None or accounts_missing(n))]
    reason = ""
    for name in VENVS:
        if (not wanted or name in wanted) and venv_python(name) is None:
            try:
                make_venv(name)
            except (subprocess.CalledProcessError, OSError) as error:
                told = getattr(error, "stderr", "") or str(error)
                print(
                    f"neighbours: missing {name} ({told.strip().splitlines()[-1]}); its tests will skip",
                    file=sys.stderr,
                )
    if not packages and not names:
        return 0
    if os.geteuid() != 0:
        reason = "not root"
    elif not found("apt-get"):
        reason = "no apt-get here"
    else:
        try:
            obtain(packages, names)
        except subprocess.CalledProcessError as error:
            reason = (error.stderr or error.stdout or str(error)).strip().splitlines()[-1]
    if reason:
        missing = [package for program, package in INSTALLED.items() if not found(program)] + [
            n for n in UNPACKED if unpacked(n) is None
        ]
        print(f"neighbours: missing {', '.join(missing)} ({reason}); their tests will skip", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
