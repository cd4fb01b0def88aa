"""Connects schedules to the floors below: listeners, registrations, jobs and ticks."""


def connect() -> None:
    """Called once by the factory; calling again changes nothing."""
