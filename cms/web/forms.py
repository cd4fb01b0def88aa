"""Shows the faults an operation found beside the fields they concern."""

from flask_babel import gettext
from flask_wtf import FlaskForm

from cms.core.errors import Invalid, Problem


def say(problem: Problem) -> str:
    """The problem in the page's language."""
    text = gettext(problem.message)
    return text % dict(problem.params) if problem.params else text


def show_faults(form: FlaskForm, error: Invalid) -> None:
    """Put each fault beside its field; what has no field stands above the form."""
    for name, problem in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, say(problem)]
        else:
            form.form_errors.append(say(problem))
