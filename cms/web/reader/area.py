"""The blueprint of the public pages."""

from flask import Blueprint

bp = Blueprint("reader", __name__)
