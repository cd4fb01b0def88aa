"""Shows the faults an operation found beside the fields they concern."""

from typing import Any

from flask_babel import gettext
from flask_wtf import FlaskForm

from cms.core.errors import Invalid, Problem

OUR_WORDS = frozenset({"noun", "carrier"})  # filled in by us, never by people
STATES = frozenset({"state", "to"})


def say(problem: Problem) -> str:
    """The problem in the page's language, and the words of ours that fill its places as well."""
    text = gettext(problem.message)
    if not problem.params:
        return text
    return text % {name: _filling(name, value) for name, value in problem.params.items()}


def _filling(name: str, value: Any) -> Any:
    """One value as the page says it; what people wrote stays as it is."""
    if isinstance(value, Problem):
        return say(value)
    if name in OUR_WORDS and value:
        return gettext(value)
    if name in STATES:  # the catalogue holds them as the badges show them
        return gettext(value.replace("_", " ").capitalize()).lower()
    return value


def show_faults(form: FlaskForm, error: Invalid) -> None:
    """Put each fault beside its field; what has no field stands above the form."""
    for name, problem in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, say(problem)]
        else:
            form.form_errors.append(say(problem))
