"""Connects schedules to the floors below: listeners, registrations, jobs and ticks."""

from audience.events import PersonaPassedOn
from cms.core import health
from cms.core.events import subscribe
from content_library.where_used import USES
from schedules import alert_jobs, carrier_jobs, condition, credentials, handover, jobs, link_jobs
from schedules.asset_uses import PostUses
from schedules.callbacks import jobs as call_jobs

# Importing them declares them.
DECLARED = (jobs.publish_batch, jobs.hint_due, jobs.reconcile)
DECLARED_FOR_CARRIERS = (
    carrier_jobs.ask_batch,
    carrier_jobs.wish_batch,
    carrier_jobs.warm_up,
    carrier_jobs.prepare,
    carrier_jobs.ask_due,
    carrier_jobs.hint_wishes,
    carrier_jobs.make_ready,
)
DECLARED_FOR_ALERTS = (
    alert_jobs.tell_route,
    alert_jobs.look_for_causes,
    alert_jobs.forget_alerts,
)
DECLARED_FOR_LINKS = (link_jobs.check_link, link_jobs.hint_links)
DECLARED_FOR_CALLS = (call_jobs.handle_call, call_jobs.hint_calls, call_jobs.forget_calls)


def connect() -> None:
    """Called once by the factory; calling again changes nothing."""
    if PostUses.slug not in USES:
        USES.add(PostUses())
    subscribe(PersonaPassedOn, handover.pass_on)
    health.add(condition.CHECKS_OF_PUBLISHING)
    health.add(credentials.CHECKS_OF_CREDENTIALS)
