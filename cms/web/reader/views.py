"""Screens of the area: reader."""

from flask import Blueprint

bp = Blueprint("reader", __name__)
