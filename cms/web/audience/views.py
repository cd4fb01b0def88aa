"""Screens of the area: audience."""

from flask import Blueprint

bp = Blueprint("audience", __name__)
