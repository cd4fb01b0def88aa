"""Carriers' tokens: one renewal for all workers, whoever dies, errs or is slow meanwhile."""

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from cms.core import clock, sealing
from cms.core.clock import now
from cms.core.db import db, session, transaction
from cms.core.errors import Refused, TryAgain
from schedules import tokens
from schedules.models import CarrierToken
from schedules.tokens import Fresh
from tests.schedules.side_by_side import WORKERS, in_processes, in_threads

TWO_HOURS = timedelta(hours=2)
REALM = "carrier:app"


class Carrier:
    """Gives out numbered tokens; how often it was asked stands in a file, so processes count too."""

    def __init__(self, folder: Path, *, seconds: float = 0.3, lives: timedelta = TWO_HOURS) -> None:
        self.record, self.seconds, self.lives = folder / "asked", seconds, lives
        self.record.touch()

    @property
    def asked(self) -> int:
        return self.record.stat().st_size

    def fetch(self) -> Fresh:
        target = os.open(self.record, os.O_WRONLY | os.O_APPEND)
        os.write(target, b".")
        os.close(target)
        number = self.asked
        time.sleep(self.seconds)
        return Fresh(f"token-{number}", self.lives)


@pytest.fixture
def carrier(tmp_path: Path) -> Carrier:
    return Carrier(tmp_path)


def ask(carrier: Carrier, **how: object) -> Callable[[], str]:
    return lambda: tokens.token(REALM, carrier.fetch, **how)  # type: ignore[arg-type]


def row() -> CarrierToken:
    found = session.scalar(select(CarrierToken).execution_options(populate_existing=True))
    assert found is not None
    return found


class TestManyWorkers:
    """Eight at once, on connections of their own."""

    def test_the_first_token_is_fetched_once(self, own_database: Flask, carrier: Carrier) -> None:
        assert in_threads(own_database, ask(carrier)) == ["token-1"] * WORKERS
        assert carrier.asked == 1

    def test_processes_share_it_as_well(
        self, own_database: Flask, carrier: Carrier, tmp_path: Path
    ) -> None:
        assert in_processes(own_database, ask(carrier), tmp_path) == ["token-1"] * WORKERS
        assert carrier.asked == 1

    def test_one_that_is_over_is_renewed_once(self, own_database: Flask, carrier: Carrier) -> None:
        with own_database.app_context(), clock.holding(now() - timedelta(hours=3)):
            ask(carrier)()
        assert in_threads(own_database, ask(carrier)) == ["token-2"] * WORKERS
        assert carrier.asked == 2

    def test_one_that_was_refused_is_renewed_once(
        self, own_database: Flask, carrier: Carrier
    ) -> None:
        with own_database.app_context():
            ask(carrier)()
        told = in_threads(own_database, ask(carrier, stale="token-1"))
        assert told == ["token-2"] * WORKERS
        assert carrier.asked == 2

    @pytest.mark.parametrize("when", ["before", "during"])
    def test_whoever_looked_too_early_does_not_renew_again(
        self, own_database: Flask, carrier: Carrier, monkeypatch: pytest.MonkeyPatch, when: str
    ) -> None:
        looked, renewed, told = threading.Event(), threading.Event(), list[str]()
        look = tokens._look

        def slowly(realm: str, stale: str) -> tokens._Seen:
            seen = look(realm, stale)
            if threading.current_thread() is late and not looked.is_set():
                looked.set()
                renewed.wait(5)
            return seen

        def come_late() -> None:
            with own_database.app_context():
                told.append(ask(carrier)())

        def let_look() -> None:
            late.start()
            looked.wait(5)

        def fetch() -> Fresh:
            if when == "during":
                let_look()
            return carrier.fetch()

        monkeypatch.setattr(tokens, "_look", slowly)
        late = threading.Thread(target=come_late)
        if when == "before":
            let_look()
        with own_database.app_context():
            tokens.token(REALM, fetch)
        renewed.set()
        late.join()
        assert (told, carrier.asked) == (["token-1"], 1)

    def test_the_others_go_on_with_a_token_that_is_renewed_ahead(
        self, own_database: Flask, carrier: Carrier
    ) -> None:
        with own_database.app_context(), clock.holding(now() - TWO_HOURS + timedelta(minutes=3)):
            ask(carrier)()
        told = in_threads(own_database, ask(carrier, patience=0.0))
        assert set(told) == {"token-1", "token-2"}
        assert carrier.asked == 2

    def test_no_connection_waits_on_the_carrier(self, own_database: Flask) -> None:
        seen: list[int] = []

        def fetch() -> Fresh:
            seen.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]
            return Fresh("token", TWO_HOURS)

        with own_database.app_context():
            session.scalar(select(CarrierToken.realm))  # a reading transaction is open
            tokens.token(REALM, fetch)
        assert seen == [0]

    def test_a_transaction_may_not_be_open(self, own_database: Flask, carrier: Carrier) -> None:
        with own_database.app_context(), pytest.raises(RuntimeError), transaction():
            ask(carrier)()
        assert carrier.asked == 0


@pytest.fixture
def quick(app: Flask, tmp_path: Path) -> Carrier:
    return Carrier(tmp_path, seconds=0)


class TestOneWorker:
    def test_a_good_token_is_not_fetched_again(self, quick: Carrier) -> None:
        assert ask(quick)() == ask(quick)() == "token-1"
        assert quick.asked == 1

    def test_it_is_kept_sealed(self, quick: Carrier) -> None:
        ask(quick)()
        assert "token-1" not in row().sealed
        assert sealing.unseal(row().sealed) == {"token": "token-1"}

    @pytest.mark.parametrize(("age", "asked"), [(114, 1), (116, 2)])
    def test_it_is_renewed_five_minutes_before_its_end(
        self, quick: Carrier, age: int, asked: int
    ) -> None:
        with clock.holding(now() - timedelta(minutes=age)):
            ask(quick)()
        ask(quick)()
        assert quick.asked == asked

    @pytest.mark.parametrize(("age", "asked"), [(80, 1), (100, 2)])
    def test_one_that_lives_two_minutes_is_used_for_most_of_them(
        self, quick: Carrier, age: int, asked: int
    ) -> None:
        quick.lives = timedelta(minutes=2)
        with clock.holding(now() - timedelta(seconds=age)):
            ask(quick)()
        ask(quick)()
        assert quick.asked == asked

    def test_realms_are_apart(self, quick: Carrier) -> None:
        assert tokens.token("carrier:one", quick.fetch) == "token-1"
        assert tokens.token("carrier:two", quick.fetch) == "token-2"

    def test_a_realm_of_any_length_has_its_place(self, quick: Carrier) -> None:
        long = "carrier:" + "x" * 400
        assert tokens.token(long, quick.fetch) == tokens.token(long, quick.fetch)
        tokens.token(long + "y", quick.fetch)
        assert quick.asked == 2


class TestTrouble:
    def test_a_dead_renewer_is_waited_for_and_then_followed(self, quick: Carrier) -> None:
        with transaction():
            session.add(CarrierToken(realm=REALM, refreshing_until=now() + tokens.LOCK))
        with pytest.raises(TryAgain, match="Another worker"):
            ask(quick, patience=0.0)()
        with clock.holding(now() + tokens.LOCK + timedelta(seconds=1)):
            assert ask(quick, patience=0.0)() == "token-1"

    def test_a_lock_from_before_the_clock_went_back_holds_nobody(self, quick: Carrier) -> None:
        with transaction():
            session.add(CarrierToken(realm=REALM, refreshing_until=now() + timedelta(hours=2)))
        assert ask(quick, patience=0.0)() == "token-1"

    def test_a_renewer_that_wakes_up_late_does_not_overwrite(self, quick: Carrier) -> None:
        def slow() -> Fresh:
            if quick.asked == 0:  # meanwhile its lock runs out and another takes over
                with clock.holding(now() + tokens.LOCK + timedelta(seconds=1)):
                    ask(quick)()
            return Fresh("from long ago", TWO_HOURS)

        assert tokens.token(REALM, slow) == "token-1"
        assert sealing.unseal(row().sealed) == {"token": "token-1"}

    @pytest.mark.parametrize("error", [TryAgain("away"), Refused("bad secret"), KeyError("odd")])
    def test_a_carrier_that_errs_lets_the_next_one_try(
        self, quick: Carrier, error: Exception
    ) -> None:
        def fetch() -> Fresh:
            raise error

        with pytest.raises(type(error)):
            tokens.token(REALM, fetch)
        assert row().refreshing_until is None
        assert row().last_fault
        assert ask(quick, patience=0.0)() == "token-1"
        assert row().last_fault == ""

    def test_a_token_that_still_holds_is_used_while_the_carrier_is_away(
        self, quick: Carrier
    ) -> None:
        def away() -> Fresh:
            raise TryAgain("away")

        with clock.holding(now() - TWO_HOURS + timedelta(minutes=3)):
            ask(quick)()
        assert tokens.token(REALM, away) == "token-1"
        with pytest.raises(TryAgain):
            tokens.token(REALM, away, stale="token-1")

    def test_a_refused_token_is_given_to_nobody_while_it_is_renewed(self, quick: Carrier) -> None:
        ask(quick)()
        others: list[str] = []

        def fetch() -> Fresh:
            with pytest.raises(TryAgain):
                others.append(ask(quick, patience=0.0)())
            return quick.fetch()

        assert tokens.token(REALM, fetch, stale="token-1") == "token-2"
        assert others == []

    def test_a_refused_token_that_the_carrier_gives_again_is_not_handed_out(
        self, quick: Carrier
    ) -> None:
        def same() -> Fresh:
            return Fresh("token-1", TWO_HOURS)

        assert tokens.token(REALM, same) == "token-1"
        with pytest.raises(TryAgain) as told:
            tokens.token(REALM, same, stale="token-1")
        assert told.value.after

    def test_one_sealed_with_a_lost_key_is_fetched_anew(self, quick: Carrier) -> None:
        ask(quick)()
        with transaction():
            row().sealed = "gAAAAA" + row().sealed[::-1]
        assert ask(quick)() == "token-2"


class TestForgetting:
    def test_the_next_one_fetches(self, quick: Carrier) -> None:
        ask(quick)()
        tokens.forget(REALM)
        assert tokens.expires_at(REALM) is None
        assert ask(quick)() == "token-2"

    def test_it_speaks_of_what_lies_below_and_of_nothing_else(self, quick: Carrier) -> None:
        for realm in ("corp:1", "corp:1:agent", "corp:12"):
            tokens.token(realm, quick.fetch)
        tokens.forget("corp:1")
        assert tokens.expires_at("corp:1") is None
        assert tokens.expires_at("corp:12") is not None
        kept = session.scalars(select(CarrierToken.realm).where(CarrierToken.sealed != "")).all()
        assert kept == ["corp:12"]

    def test_whoever_renews_with_the_old_secret_leaves_nothing_behind(self, quick: Carrier) -> None:
        def old_secret() -> Fresh:
            if quick.asked == 0:
                tokens.forget(REALM)
                ask(quick)()
            return Fresh("of the old secret", TWO_HOURS)

        assert tokens.token(REALM, old_secret) == "token-1"
        assert sealing.unseal(row().sealed) == {"token": "token-1"}
