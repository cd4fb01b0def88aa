"""The attempt log on a publication's page: each try once, what was asked since, and no secret."""

from flask.testing import FlaskClient

from cms.accounts.models import Role, User
from cms.core.db import session, transaction
from cms.demo.carriers.wecom import SECRET
from schedules import publishing
from schedules.states import PublicationState as State
from tests import factories as make
from tests.demo_carriers import Start
from tests.schedules.channels.corporation import again, asked, running, sent
from tests.schedules.ready import account, approved, uncertain
from tests.signing_in import sign_in
from tests.web.reading import read


def test_the_attempt_log_can_be_read(client: FlaskClient, operator: User) -> None:
    publication = uncertain()
    page = client.get(f"/today/publications/{publication.id}").text
    for words in ("Nobody knows", "The sandbox fell silent", "Scheduled", "Tracked link"):
        assert words in page


def test_the_log_tells_each_try_once(client: FlaskClient, operator: User) -> None:
    publication = approved(account=account("not_sent ok", settings={"retry_after": 30}))
    publishing.publish(publication.id, worker="machine:7")
    session.expire_all()
    with transaction():
        attempt = publication.attempts[0]
        attempt.detail = attempt.detail | {
            "calls": [
                {
                    "method": "POST",
                    "address": "https://carrier.example/send?access_token=•••",
                    "sent": '{"text": "早安 <b>"}',
                    "status": 429,
                    "said": "slow down",
                    "ms": 41,
                }
            ]
        }
    page = read(client, f"/today/publications/{publication.id}")
    tries = page.select(".log__entry--try")
    assert len(tries) == 1
    words = " ".join(tries[0].text.split())
    for part in (
        "Try 1",
        "Nothing was sent",
        "by machine:7",
        "Next try at",
        "1 call to the carrier",
    ):
        assert part in words
    call = tries[0].select_one(".calls details.call")
    assert call is not None
    assert "https://carrier.example/send?access_token=•••" in call.text
    assert [one.text for one in call.select("pre")] == ['{"text": "早安 <b>"}', "slow down"]
    moves = [
        one.select_one(".strong").text for one in page.select(".log__entry:not(.log__entry--try)")
    ]
    assert moves == ["Scheduled"]  # the approval; what the try led to is told by the try
    assert page.find("a", href=f"/settings/audit?on=publications:{publication.id}") is None


def test_administrators_go_on_to_the_audit_trail(client: FlaskClient) -> None:
    sign_in(client, make.user(Role.ADMINISTRATOR))
    publication, _other = uncertain(), uncertain()
    page = read(client, f"/today/publications/{publication.id}")
    link = page.find("a", string="Audit trail")
    assert link is not None
    trail = read(client, link["href"])
    rows = {row.select("td")[3].text for row in trail.select("tbody tr")}
    assert rows == {f"publications {publication.id}"}
    assert client.get("/settings/audit?on=nonsense").status_code == 422


def test_the_log_tells_what_the_carrier_answered_since(
    client: FlaskClient, operator: User, start_carriers: Start
) -> None:
    corporation = running(start_carriers)
    publication = sent(corporation.account("wecom_mass"))
    corporation.advance(10)
    asked(publication)
    corporation.control("confirm", employee="lina")
    for hours in (2, 3, 4):
        asked(publication, later=hours * 3600)
    address = f"/today/publications/{publication.id}"
    page = read(client, address)
    entry = page.select_one(".log__entry--try")
    assert entry is not None
    words = " ".join(entry.text.split())
    for part in (
        "The carrier was asked 4 times since.",
        "Not yet live.",
        "It is asked again at",
        "0 of 2 confirmed",
        "1 of 2 confirmed",
        "get_groupmsg_task",
    ):
        assert part in words
    assert words.count("of 2 confirmed") == 2  # what stayed the same is told once
    assert SECRET not in entry.text
    with transaction():
        publication.account.is_paused = True
    asked(publication, later=5 * 3600)
    words = client.get(address).text
    assert "The carrier was asked 4 times since." in words
    assert "The account is paused; its carrier is not asked." in words


def test_the_log_shows_the_look_up_before_a_send(
    client: FlaskClient, operator: User, start_carriers: Start
) -> None:
    corporation = running(start_carriers)
    corporation.script("/add_msg_template", "before", "ok")
    publication = sent(corporation.account("wecom_mass", senders=["lina"]))
    assert publication.state is State.SCHEDULED
    again(publication, later=300)
    assert publication.state is State.HANDED_OVER
    page = read(client, f"/today/publications/{publication.id}")
    newest = page.select_one(".log__entry--try")
    assert newest is not None
    looked, called = newest.select("details.calls")[:2]
    assert "An earlier try was looked up first" in newest.text
    assert "get_groupmsg_list_v2" in looked.text
    assert "add_msg_template" in called.text
