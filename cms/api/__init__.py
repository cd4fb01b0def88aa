"""The doors for programs: one module per resource, listed here."""

from flask import Flask

from cms.api import healthz


def connect(app: Flask) -> None:
    """Give the app its endpoints for programs."""
    app.register_blueprint(healthz.bp)
