"""The people on a publication's page: whom it reached, who has posted it, who is reminded."""

import io
from datetime import timedelta

from flask.testing import FlaskClient

from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import carrying
from schedules.models import Delivery, EmployeeTask, Publication
from schedules.states import DeliveryState
from schedules.states import PublicationState as State
from tests import factories as make
from tests.demo_carriers import Start
from tests.schedules.channels.corporation import asked as asked_carrier
from tests.schedules.channels.corporation import running, sent
from tests.schedules.ready import account
from tests.web.reading import read


def test_recipients_are_counted_and_listed(client: FlaskClient, operator: User) -> None:
    publication = make.post(state=State.PUBLISHED).publication
    with transaction():
        for number in range(60):
            state = DeliveryState.SENT if number % 3 else DeliveryState.NOT_A_CONTACT
            session.add(
                Delivery(
                    publication_id=publication.id,
                    recipient=f"wm{number:03}",
                    state=state,
                    updated_at=now(),
                )
            )
    address = f"/today/publications/{publication.id}"
    page = read(client, address)
    facts = page.select_one("section[aria-labelledby=reached] dl")
    assert [one.text for one in facts.select("dt, dd")] == [
        "Reached",
        "40",
        "No contact any more",
        "20",
    ]
    listed = read(client, f"{address}/recipients")
    assert len(listed.select("tbody tr")) == 50
    gone = read(client, f"{address}/recipients?state=not_a_contact")
    assert len(gone.select("tbody tr")) == 20
    assert client.get(f"{address}/recipients?state=lost").status_code == 422


def asked(*employees: str) -> Publication:
    """Taken by its carrier, and those employees were asked to post it."""
    publication = make.post(state=State.HANDED_OVER, account=account()).publication
    with transaction():
        publication.expected = len(employees)
        publication.confirm_by = now() + timedelta(hours=2)
        for name in employees:
            session.add(
                EmployeeTask(publication_id=publication.id, employee=name, updated_at=now())
            )
    return publication


def test_employees_are_counted_and_confirmed_with_proof(
    client: FlaskClient, operator: User
) -> None:
    publication = asked("zhang-san", "li-si")
    address = f"/today/publications/{publication.id}"
    page = client.get(address).text
    assert "0 of 2 confirmed" in page
    bare = client.post(f"{address}/confirm-by-hand", data={"employee": "li-si", "note": " "})
    assert bare.status_code == 422
    assert "Add a screenshot" in bare.text
    said = {"employee": "li-si", "note": "Seen at 20:31"}
    assert client.post(f"{address}/confirm-by-hand", data=said).status_code == 302
    page = client.get(address).text
    assert "1 of 2 confirmed" in page
    assert f"said by {operator.name}: Seen at 20:31" in page
    assert publication.state is State.HANDED_OVER
    nobody = client.post(f"{address}/confirm-by-hand", data={"employee": "wang", "note": "x"})
    assert nobody.status_code == 404
    html = (io.BytesIO(b"<html>"), "proof.png")
    wrong = client.post(f"{address}/confirm-by-hand", data={"employee": "zhang-san", "file": html})
    assert wrong.status_code == 422


def test_what_the_carrier_is_silent_about_is_confirmed_or_given_up(
    client: FlaskClient, operator: User
) -> None:
    live, absent = asked(), asked()
    with transaction():
        for one in (live, absent):
            one.confirm_by = now() - timedelta(minutes=1)
    said = {"employee": "", "note": "Seen in the app"}
    client.post(f"/today/publications/{live.id}/confirm-by-hand", data=said)
    assert client.post(f"/today/publications/{absent.id}/absent").status_code == 302
    assert (live.state, absent.state) == (State.PUBLISHED, State.FAILED)
    assert (
        "Somebody looked: it is not there." in client.get(f"/today/publications/{absent.id}").text
    )


def test_employees_are_reminded_by_a_button(
    client: FlaskClient, operator: User, start_carriers: Start
) -> None:
    corporation = running(start_carriers)
    publication = sent(corporation.account("wecom_mass"))
    corporation.advance(10)
    asked_carrier(publication)
    address = f"/today/publications/{publication.id}"
    with transaction():
        publication.confirm_by = now() + timedelta(minutes=20)
    assert "Remind them" in client.get("/today/waiting").text
    for _time in range(3):
        assert "Remind who has not posted it" in client.get(address).text
        assert client.post(f"{address}/remind").status_code == 302
        assert "being asked to remind" in client.get(address).text
        carrying.carry(publication.id, worker="here")
    assert "Remind them" not in client.get("/today/waiting").text
    page = client.get(address).text
    assert "Remind who has not posted it" not in page
    assert "reminded 3 times within a day" in page
    assert "Reminded employees" in page
    assert client.post(f"{address}/remind").status_code == 409
