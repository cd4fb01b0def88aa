"""Trying an account out: a connection without a post, within a time limit, remembered with its result."""

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import give_back, transaction
from cms.core.i18n import N_
from cms.core.sealing import Unopenable
from cms.core.sentences import Sentence, parts_of
from cms.core.threads import within
from schedules import accounts
from schedules.addressing import way_of
from schedules.channels import CHANNELS

SECONDS = 15.0
NO_ANSWER_IN_TIME = N_("The carrier gave no answer within %(seconds)s seconds.")


def try_out(account_id: int, *, by: User | None, seconds: float = SECONDS) -> str:
    """Connect and note what came of it: "" when it works, else why not. It never pauses the account.

    No transaction is open while the carrier is called.
    """
    result = _result(account_id, seconds)
    with transaction():
        account = accounts.get(account_id)
        account.tested_at = now()
        account.test_result, account.test_parts = result[:300], parts_of(result)
        audit.record("account.tested", account, by=by, went_well=not result)
    return result


def _result(account_id: int, seconds: float) -> str:
    account = accounts.get(account_id)
    channel = CHANNELS.get(account.channel)
    try:
        way = way_of(account)
    except Unopenable as error:
        return str(error)
    give_back()
    try:
        return within(seconds, channel.try_out, way)
    except TimeoutError:
        return Sentence(NO_ANSWER_IN_TIME, {"seconds": int(seconds)})
