"""Creates the virtual environment, also where Debian ships Python without ensurepip (package python3-venv).

In: the folder. Out: a venv with pip. As root, the missing Debian package is installed; else the message
says which one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv


def main(folder: str) -> int:
    """0 when the folder holds a usable environment."""
    if sys.version_info < (3, 11):
        print(
            f"Gatepost needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12",
            file=sys.stderr,
        )
        return 2
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            print(
                f"This Python has no ensurepip. Install it first, on Debian: apt-get install {package}",
                file=sys.stderr,
            )
            return 2
        subprocess.run(["apt-get", "update", "-q"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["apt-get", "install", "-y", "-q", package], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(
        [sys.executable, "-m", "venv", folder], check=True
    ) if "ensurepip" not in sys.modules else venv.create(folder, with_pip=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
