"""`python -m gatepost` is `gatepost`."""

from __future__ import annotations

import sys

from gatepost.cli.main import main

sys.exit(main())
