"""Which safety rules are in force: all of them, except where a test run proves that one is needed.

A safety net that never failed proves nothing: the kill suite switches a rule off and must go red.
"""

import os

from cms.core.config import current

SWITCHABLE = frozenset({"attempt_first", "fence", "unique", "hash", "lease", "stop"})


def is_on(rule: str) -> bool:
    """Whether the rule holds; only test mode can switch one off, by SEEDBED_DISABLE=name,name."""
    if rule not in SWITCHABLE:
        raise LookupError(f"no rule is called {rule!r}")
    return not (current().is_test and rule in os.environ.get("SEEDBED_DISABLE", "").split(","))
