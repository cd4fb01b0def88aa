"""Readers' pages write journals, so each test begins with empty ones."""

from tests.feedback.conftest import empty_journal

__all__ = ["empty_journal"]
