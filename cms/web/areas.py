"""Every area's blueprint."""

from flask import Blueprint

from cms.web import account, admin, audience, calendar, callbacks, insights, library, reader, today

BLUEPRINTS: tuple[Blueprint, ...] = (
    account.bp,
    library.bp,
    calendar.bp,
    today.bp,
    insights.bp,
    audience.bp,
    admin.bp,
    reader.bp,
    callbacks.bp,
)
