"""Screens of the area: calendar."""

from flask import Blueprint

bp = Blueprint("calendar", __name__)
