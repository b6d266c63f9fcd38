"""The peers of the SMTP benchmark: real servers with the same checks, from the scripts in ../shared/perf.

In: GATEPOST_PERF, or ../shared/perf beside this checkout (read only: the scripts are copied into a cache first).
Out: the scripts' module, which starts and stops contestants and reads their processor time; or `PeersMissing`, which
says what to do. Needs root and apt, pip and npm once, for the installation; all listen on loopback.
Not here: load and tables (`smtp`).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = Path(os.environ.get("GATEPOST_PERF", ROOT.parent / "shared" / "perf"))
# OpenDKIM and others run as their own users, who may not look into root's home.
HOME = Path("/var/cache") if os.geteuid() == 0 else Path.home() / ".cache"
CACHE = Path(os.environ.get("PERF") or HOME / "gatepost-perf")
MARK = "; gatepost bench\n"


class PeersMissing(Exception):
    """The peers cannot run here; the text says why."""


def load_scripts() -> ModuleType:
    """Installs and configures the peers once, and returns the module that runs them."""
    if not (SCRIPTS / "bench.py").exists():
        raise PeersMissing(f"no measuring scripts in {SCRIPTS}; set GATEPOST_PERF to their folder")
    scripts = CACHE / "scripts"
    shutil.copytree(SCRIPTS, scripts, dirs_exist_ok=True)
    for path in scripts.iterdir():
        path.chmod(path.stat().st_mode | 0o600)
    os.environ["PERF"] = str(CACHE)
    if not (CACHE / "haraka" / "node_modules").exists() or not shutil.which("opendkim", path="/usr/sbin:/usr/bin"):
        if os.geteuid() != 0:
            raise PeersMissing("installing the peers needs root (apt), once")
        print("bench: installing the peers, some minutes", file=sys.stderr, flush=True)
        subprocess.run(["bash", str(scripts / "install.sh")], check=True, stdout=sys.stderr)
    configured = CACHE / "in_ns.sh"
    if not configured.exists() or str(CACHE) not in configured.read_text():
        subprocess.run([sys.executable, str(scripts / "setup.py")], check=True, stdout=sys.stderr)
    spec = importlib.util.spec_from_file_location("gatepost_peers", scripts / "bench.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for contestant in module.C.values():  # peers in Python run on the same one as the gate
        contestant["cmd"] = contestant["cmd"].replace(f"{CACHE}/venv/bin/python", sys.executable)
    return module


def add_zone(lines: str) -> None:
    """Adds our senders to the zone that all contestants ask."""
    path = CACHE / "dns" / "root.zone"
    path.write_text(path.read_text().partition(MARK)[0] + MARK + lines)


def build_load() -> Path:
    """The load generator, compiled when it is newer than what was compiled last."""
    source, program = ROOT / "bench" / "load.c", CACHE / "run" / "gatepost-load"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise PeersMissing("no C compiler for bench/load.c (Debian: apt-get install gcc libc6-dev)")
        program.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler, "-O2", "-o", str(program), str(source)], check=True)
    return program
