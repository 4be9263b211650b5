"""``python -m elasticecsmetrics``: the same as the command ``elasticecsmetrics``."""

from __future__ import annotations

import sys

from elasticecsmetrics.cli import main

if __name__ == "__main__":
    sys.exit(main())
