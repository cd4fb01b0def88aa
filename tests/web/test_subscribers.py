"""The list of an e-mail account: adding, searching, removing, leaving by one click."""

import io

import pytest
from sqlalchemy import select

from cms.accounts.models import AuditEntry, Role
from cms.core.db import session, transaction
from schedules import mailings, publishing, subscribers
from schedules.models import Subscriber
from tests import factories as make
from tests.demo_carriers import mail_sink
from tests.schedules.ready import approved
from tests.signing_in import sign_in
from tests.web.reading import parsed


@pytest.fixture
def account(app):
    return make.account(channel="email", name="Weekly", settings={"sender_name": "Seeds"})


@pytest.fixture
def place(account):
    return f"/settings/accounts/{account.id}/subscribers"


def on_list(account):
    return [one.address for one in session.scalars(subscribers.of_account(account))]


def add(account, *addresses):
    with transaction():
        return subscribers.add(account, "\n".join(addresses), by=None)


def one(account, start):
    return session.scalar(
        select(Subscriber).where(
            Subscriber.account_id == account.id, Subscriber.address.startswith(start)
        )
    )


class TestAdding:
    def test_pasted_lines_in_many_spellings(self, client, operator, account, place):
        text = "E-mail;Name\nAnn@Example.COM;Ann\n“Bo” <bo@example.com>\ncy@example.com, di@example.com\n"
        assert client.post(place, data={"lines": text}).status_code == 302
        names = ["ann", "bo", "cy", "di"]
        assert on_list(account) == [f"{name}@example.com" for name in names]

    def test_a_chinese_spreadsheet_in_its_own_encoding(self, client, operator, account, place):
        content = "邮箱,姓名\n王@例子.cn,王\nli@例子.cn,李丽在苏州\n".encode("gb18030")
        answer = client.post(place, data={"file": (io.BytesIO(content), "名单.csv")})
        assert answer.status_code == 422
        assert on_list(account) == ["li@xn--fsqu00a.cn"]

    def test_bad_lines_are_named_and_the_others_added(self, client, operator, account, place):
        text = "ann@example.com\nno address\nbo@\n\nx@1.2.3.4\na b@example.com\n"
        answer = client.post(place, data={"lines": text})
        assert answer.status_code == 422
        page = parsed(answer)
        rows = [
            (row.td.text, row.th.text)
            for row in page.select("section[aria-labelledby=report] tbody tr")
        ]
        assert rows == [
            ("2", "no address"),
            ("3", "bo@"),
            ("5", "x@1.2.3.4"),
            ("6", "a b@example.com"),
        ]
        kept = page.select_one("textarea[name=lines]").text.strip().splitlines()
        assert kept == ["no address", "bo@", "x@1.2.3.4", "a b@example.com"]
        assert on_list(account) == ["ann@example.com"]

    def test_the_same_twice_is_told_and_added_once(self, client, operator, account, place):
        add(account, "ann@example.com")
        data = {"lines": "ANN@example.com\nbo@example.com\nbo@example.com"}
        page = client.post(place, data=data, follow_redirects=True).text
        assert "1 added. 2 were on the list already." in page
        assert on_list(account) == ["ann@example.com", "bo@example.com"]

    def test_who_left_is_not_put_back_in_silence(self, client, operator, account, place):
        add(account, "ann@example.com")
        with transaction():
            subscribers.leave(one(account, "ann").token)
        answer = client.post(place, data={"lines": "ann@example.com"})
        assert answer.status_code == 422
        assert "left the list; only they can ask to come back" in answer.text
        assert on_list(account) == []
        assert client.post(f"{place}/{one(account, 'ann').id}/let-back").status_code == 302
        assert on_list(account) == ["ann@example.com"]
        action = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()[-1]
        assert action == "subscriber.let_back"

    def test_too_many_lines_add_nobody(self, client, operator, account, place):
        text = "\n".join(f"a{number}@example.com" for number in range(subscribers.MOST_LINES + 1))
        answer = client.post(place, data={"lines": text})
        assert answer.status_code == 422
        assert "At most 5000 lines at once; these are 5001." in answer.text
        assert on_list(account) == []

    @pytest.mark.parametrize("data", [{}, {"lines": " \n\u200b"}])
    def test_nothing_is_told(self, client, operator, place, data):
        answer = client.post(place, data=data)
        assert answer.status_code == 422
        assert "There is no address here" in answer.text

    def test_an_address_cannot_carry_a_header(self, account):
        added = add(account, "ann@example.com\rBcc:eve@example.com", "a\tb@example.com")
        assert [address for address in on_list(account) if set(address) & set("\r\n\t: ")] == []
        assert added.added <= 3


class TestPage:
    def test_it_is_searched_and_paged(self, client, operator, account, place):
        add(account, *(f"reader{number:03}@example.com" for number in range(60)), "zoe@example.org")
        page = client.get(place).text
        assert "reader000@example.com" in page
        assert "zoe@example.org" not in page
        found = client.get(f"{place}?q=ZOE").text
        assert "zoe@example.org" in found
        assert "reader000" not in found
        assert "reader055" in client.get(f"{place}?page=2").text

    def test_it_asks_few_questions(self, client, operator, account, place, count_queries):
        add(account, *(f"reader{number:03}@example.com" for number in range(60)))
        with count_queries() as statements:
            client.get(place)
        assert len(statements) <= 10

    def test_removing_ends_the_letters(self, client, operator, account, place):
        add(account, "ann@example.com")
        assert client.post(f"{place}/{one(account, 'ann').id}/remove").status_code == 302
        assert on_list(account) == []
        assert "ann@example.com" in client.get(f"{place}?left=1").text

    def test_only_e_mail_accounts_have_one(self, client, operator, account):
        other = make.account(channel="reader")
        assert client.get(f"/settings/accounts/{other.id}/subscribers").status_code == 404
        add(account, "ann@example.com")
        second = make.account(channel="email")
        path = f"/settings/accounts/{second.id}/subscribers/{one(account, 'ann').id}/remove"
        assert client.post(path).status_code == 404

    @pytest.mark.parametrize("role", [Role.PLANNER, Role.ANALYST])
    def test_addresses_are_not_for_everybody(self, client, place, role):
        sign_in(client, make.user(role))
        assert client.get(place).status_code == 403

    def test_whom_a_letter_did_not_reach(self, client, operator, account, tmp_path):
        add(account, "ann@example.com", "bo@example.com")
        with mail_sink(tmp_path / "letters") as server:
            server.handler.script["bo@example.com"] = ["550"]
            publication = approved(account=account)
            publishing.publish(publication.id, worker="here")
        page = client.get(f"/settings/accounts/{account.id}/letters/{publication.id}").text
        assert "bo@example.com" in page
        assert "no such mailbox" in page
        assert "ann@example.com" not in page
        assert mailings.tally(publication.id).told() == {"sent": 1, "failed": 1, "uncertain": 0}
        other = approved(account=make.account(channel="reader"))
        path = f"/settings/accounts/{account.id}/letters/{other.id}"
        assert client.get(path).status_code == 404


class TestLeaving:
    def test_looking_changes_nothing_one_post_does(self, client, app, account):
        add(account, "ann@example.com")
        path = f"/u/{one(account, 'ann').token}"
        app.config["WTF_CSRF_ENABLED"] = True
        try:
            assert client.get(path).status_code == 200
            assert client.head(path).status_code == 200
            assert on_list(account) == ["ann@example.com"]
            answer = client.post(path, data={"List-Unsubscribe": "One-Click"})
            assert answer.status_code == 200
            assert "Set-Cookie" not in answer.headers
            assert on_list(account) == []
            left_at = one(account, "ann").left_at
            assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
            assert one(account, "ann").left_at == left_at
        finally:
            app.config["WTF_CSRF_ENABLED"] = False

    def test_a_multipart_post_works_too(self, client, account):
        add(account, "ann@example.com")
        client.post(
            f"/u/{one(account, 'ann').token}",
            data={"List-Unsubscribe": "One-Click"},
            content_type="multipart/form-data",
        )
        assert on_list(account) == []

    def test_a_token_nobody_has_looks_the_same(self, client, account):
        add(account, "ann@example.com")
        own = one(account, "ann").token
        for method in ("GET", "POST"):
            true, false = (client.open(f"/u/{token}", method=method) for token in (own, "nobody"))
            assert true.status_code == false.status_code == 200
            assert true.text.replace(own, "nobody") == false.text

    def test_it_is_noted_without_the_address(self, client, account):
        add(account, "ann@example.com")
        client.post(f"/u/{one(account, 'ann').token}")
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()[-1]
        assert (entry.action, entry.actor_id) == ("subscriber.left", None)
        assert "ann" not in str(entry.detail)
