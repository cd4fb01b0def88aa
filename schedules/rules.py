"""Which safety rules are in force: all of them, except where a test run proves that one is needed.

A safety net that never failed proves nothing: the kill suite switches a rule off and must go red.
"""

import os

from cms.core.config import current

SWITCHABLE = frozenset(
    {
        "unique",  # a post has one publication an occurrence
        "conditional",  # a state changes only where it still is what was read
        "attempt_first",  # the attempt is written before the first byte leaves
        "outcomes",  # what is not known is not taken for not sent
        "class",  # what is not known is repeated only where the carrier's class allows it
        "fence",  # a stale worker's result is refused
        "lease",  # a claim is its worker's until its lease is over
        "reconcile",  # what dead workers held comes back
        "late",  # what is too late does not leave
        "hash",  # what leaves is what was approved
        "confirm",  # what people still have to post is not called published
        "limits",  # an account sends no faster than it may
        "crashes",  # what killed three workers is put aside
        "alone",  # a poisonous row fails alone
        "stop",  # what was stopped does not leave
    }
)


def is_on(rule: str) -> bool:
    """Whether the rule holds; only test mode can switch one off, by SEEDBED_DISABLE=name,name."""
    if rule not in SWITCHABLE:
        raise LookupError(f"no rule is called {rule!r}")
    return not (current().is_test and rule in os.environ.get("SEEDBED_DISABLE", "").split(","))
