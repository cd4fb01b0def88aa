"""Refuses form fields that the page did not offer, before anything reads them."""

from collections.abc import Iterable

from flask import request

from cms.core.errors import invalid
from cms.core.i18n import N_

CARRIED = frozenset({"csrf_token"})


def refuse_unknown(offered: Iterable[str]) -> None:
    """Raise Invalid `unknown_field` when the request brings a field that is not among the offered."""
    unknown = sorted(set(request.form) - set(offered) - CARRIED)
    if unknown:
        name = unknown[0][:60]
        raise invalid(
            name,
            "unknown_field",
            N_("This form has no field called %(name)s. Nothing was changed."),
            name=name,
        )
