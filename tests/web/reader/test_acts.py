"""What readers do on a page: likes, collects, shares, comments, and the proof that the page is ours."""

from datetime import timedelta

import pytest

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import session, transaction
from feedback import comments, rollups
from feedback.ingest import ingest
from feedback.models import CommentState, Event, ReaderComment, Rollup
from tests import factories as make
from tests.feedback import live
from tests.feedback.live import Reader

JSON = {"Accept": "application/json", "X-Requested-With": "fetch"}


@pytest.fixture
def of(app):
    return live.publication()


@pytest.fixture
def reader(client, of):
    made = Reader(client)
    made.tap(of)
    return made


def figures():
    ingest()
    rollups.roll_up()
    session.expire_all()
    return {row.kind: (row.raw, row.counted) for row in session.query(Rollup)}


@pytest.mark.parametrize("kind", ["like", "collect"])
def test_a_reaction_shows_at_once_and_is_taken_back(reader, of, kind):
    for pressed, raw, counted in ((True, 1, 1), (False, 1, 0), (True, 2, 1)):
        assert reader.post(of, kind).status_code == 303
        page = reader.get(f"/p/{of.public_id}").get_data(as_text=True)
        form = page.split(f'data-act="{kind}"')[1].split("</form>")[0]
        assert f'aria-pressed="{str(pressed).lower()}"' in form
        assert figures()[kind] == (raw, counted)


def test_a_script_gets_the_new_count(reader, of):
    answer = reader.post(of, "like", **JSON)
    assert answer.json == {"kind": "like", "count": 1, "pressed": True}
    figures()
    assert reader.post(of, "like", **JSON).json == {"kind": "like", "count": 0, "pressed": False}


def test_two_readers_count_twice(app, reader, of):
    reader.post(of, "like")
    other = Reader(app.test_client())
    other.tap(of)
    other.post(of, "like")
    assert figures()["like"] == (2, 2)


@pytest.mark.parametrize("act", ["like", "collect", "share", "seen", "comment"])
@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({"proof": "0" * 40}, {}),
        ({"proof": "密"}, {}),
        ({}, {"Origin": "https://evil.example"}),
        ({}, {"Origin": "null"}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
    ],
)
def test_a_form_of_another_site_does_nothing(reader, of, act, fields, headers):
    typed = {"text": "Kept words"} if act == "comment" else {}
    answer = reader.post(of, act, typed | fields, **headers)
    assert answer.status_code == 403
    if act == "comment":
        assert "Kept words" in answer.get_data(as_text=True)
    assert session.query(ReaderComment).count() == 0
    assert not {"like", "collect", "share", "seen", "comment"} & set(figures())
    assert session.query(Event).filter(Event.kind.in_(["like", "seen"])).count() == 0


def test_the_proof_is_the_browsers_own(app, reader, of):
    thief = Reader(app.test_client())
    thief.tap(of)
    thief.page = reader.page
    assert thief.post(of, "like").status_code == 403


def test_the_beacon_confirms_the_click(reader, of):
    assert reader.post(of, "seen", Origin="http://localhost").status_code == 204
    figures()
    click = session.query(Event).filter_by(kind="click").one()
    assert (click.is_counted, click.is_confirmed) == (True, True)
    assert session.query(Rollup).filter_by(kind="seen").count() == 0


def test_a_comment_waits_for_a_person(reader, of):
    assert reader.post(of, "comment", {"name": "阿哲", "text": "请问多久？"}).status_code == 303
    assert "请问多久" not in reader.get(f"/p/{of.public_id}").get_data(as_text=True)
    comment = session.query(ReaderComment).one()
    with transaction():
        comments.decide(comment, CommentState.SHOWN, by=make.user(Role.OPERATOR))
    page = reader.get(f"/p/{of.public_id}").get_data(as_text=True)
    assert "请问多久" in page
    assert "阿哲" in page
    assert figures()["comment"] == (1, 1)


def test_the_same_form_sent_twice_is_one_comment(reader, of):
    for _ in range(2):
        assert reader.post(of, "comment", {"text": "Once"}).status_code == 303
    assert session.query(ReaderComment).count() == 1
    assert figures()["comment"] == (1, 1)


@pytest.mark.parametrize(
    ("field", "text"),
    [("text", " \u200b\n"), ("text", "x" * 1001), ("name", "n" * 41)],
)
def test_a_bad_comment_comes_back_with_what_was_typed(reader, of, field, text):
    typed = {"name": "Ann", "text": "Long enough to be kept"} | {field: text}
    answer = reader.post(of, "comment", typed)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert f'id="{field}-fault"' in page
    assert (typed["name"] if field == "text" else typed["text"]) in page
    assert session.query(ReaderComment).count() == 0


def test_a_robot_that_fills_every_field_is_thanked_and_ignored(reader, of):
    answer = reader.post(of, "comment", {"text": "Buy now", "website": "https://spam.example"})
    assert answer.status_code == 303
    assert session.query(ReaderComment).count() == 0


def test_a_flood_is_stopped_and_keeps_the_text(reader, of):
    for number in range(comments.PER_VISITOR):
        reader.get(f"/p/{of.public_id}")
        assert reader.post(of, "comment", {"text": f"No {number}"}).status_code == 303
    reader.get(f"/p/{of.public_id}")
    answer = reader.post(of, "comment", {"text": "One too many"})
    assert answer.status_code == 429
    assert "One too many" in answer.get_data(as_text=True)
    with transaction():
        for comment in session.query(ReaderComment):
            comment.at = now() - timedelta(hours=1)
    assert reader.post(of, "comment", {"text": "Later"}).status_code == 303


def test_hidden_comments_count_no_longer(reader, of):
    reader.post(of, "comment", {"text": "Spam"})
    assert figures()["comment"] == (1, 1)
    moderator = make.user(Role.OPERATOR)
    with transaction():
        comments.decide(session.query(ReaderComment).one(), CommentState.HIDDEN, by=moderator)
    assert figures()["comment"] == (1, 0)
    with transaction():
        comments.decide(session.query(ReaderComment).one(), CommentState.SHOWN, by=moderator)
    assert figures()["comment"] == (1, 1)


def test_following_what_nobody_sees_makes_the_visit_suspect(client, of):
    scanner = Reader(client)
    scanner.tap(of)
    scanner.get(f"/p/{of.public_id}/more")
    assert figures()["click"] == (1, 0)
    assert "honeypot" in session.query(Event).filter_by(kind="click").one().reasons
