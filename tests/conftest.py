"""How property tests run everywhere: never against the clock, and with the same examples in CI."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("wengert", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("wengert")
