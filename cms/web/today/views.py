"""Screens of the area: today."""

from flask import Blueprint

bp = Blueprint("today", __name__)
