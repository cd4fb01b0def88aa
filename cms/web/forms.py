"""What our forms share: they refuse fields they never offered, and show faults beside fields."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ClassVar, ParamSpec, TypeVar

from flask import request
from flask_babel import gettext
from flask_wtf import FlaskForm

from cms.core.errors import Invalid, Problem, invalid
from cms.core.i18n import N_

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")

CARRIED = frozenset({"csrf_token"})  # every form brings it, whatever else it offers
OUR_WORDS = frozenset({"noun", "carrier"})  # filled in by us, never by people
STATES = frozenset({"state", "to"})


class Form(FlaskForm):
    """A form that says no to fields it never offered (`status=published`, `approved_by=1` …).

    `also` names what its page sends beside the fields: a button's own name, where to go next.
    """

    also: ClassVar[frozenset[str]] = frozenset({"do", "next"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_submitted() or kwargs.get("formdata", True) is None:
            return
        refuse_unknown([*(field.name for field in self), *self.also])


def takes(*offered: str) -> Callable[[Callable[Asked, Answer]], Callable[Asked, Answer]]:
    """Mark a view that reads its fields by hand, or none: any other field is refused before it."""

    def mark(view: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
        @wraps(view)
        def checked(*args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
            refuse_unknown(offered)
            return view(*args, **kwargs)

        return checked

    return mark


def refuse_unknown(offered: Iterable[str]) -> None:
    """Raise Invalid `unknown_field` when the request brings a field that is not among the offered."""
    unknown = {*request.form, *request.files} - {*offered} - CARRIED
    if unknown:
        name = min(unknown)[:60]
        raise invalid(
            name,
            "unknown_field",
            N_("This form has no field called %(name)s. Nothing was changed."),
            name=name,
        )


def say(problem: Problem) -> str:
    """The problem in the page's language, and the words of ours that fill its places as well."""
    text = gettext(problem.message)
    if not problem.params:
        return text
    return text % {name: _filling(name, value) for name, value in problem.params.items()}


def _filling(name: str, value: Any) -> Any:
    """One value as the page says it; what people wrote stays as it is."""
    if name in OUR_WORDS and value:
        return gettext(value)
    if name in STATES:  # the catalogue holds them as the badges show them
        return gettext(value.replace("_", " ").capitalize()).lower()
    return value


def show_faults(form: Form, error: Invalid) -> None:
    """Put each fault beside its field; what has no field stands above the form."""
    for name, problem in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, say(problem)]
        else:
            form.form_errors.append(say(problem))
