"""Screens of the area: insights."""

from flask import Blueprint

bp = Blueprint("insights", __name__)
