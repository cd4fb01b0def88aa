"""The screens of insights: figures, suggestions, runs, comments, exports."""

import csv
import io

import pytest

from cms.accounts.models import Role
from cms.core.db import session, transaction
from content_library.models import AssetTag
from feedback import comments, model_runs, refinement, reports, rollups
from feedback.ingest import ingest
from feedback.models import CommentState, ModelRun, RunState, Suggestion, SuggestionState
from feedback.periods import last_weeks
from tests import factories as make
from tests.feedback import live
from tests.feedback.live import Reader
from tests.feedback.world import World
from tests.signing_in import sign_in

PAGES = (
    "/insights/",
    "/insights/live",
    "/insights/posts",
    "/insights/assets",
    "/insights/tags",
    "/insights/cells",
    "/insights/suggestions",
    "/insights/runs",
    "/insights/comments",
)


@pytest.fixture
def admin(client):
    return sign_in(client, make.user(Role.ADMINISTRATOR))


@pytest.fixture
def world(app):
    return World()


@pytest.fixture
def learned(world):
    with transaction():
        run_id = model_runs.request(by=None).id
    refinement.carry_out(run_id)
    session.expire_all()
    return world


def open_suggestion(world):
    return session.query(Suggestion).filter_by(asset_id=world.mistagged.id).one()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_stands_in_an_empty_house(admin, path):
    assert admin.get(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_every_page_asks_a_steady_number_of_questions(admin, learned, count_queries, path):
    with count_queries() as statements:
        assert admin.get(f"{path}?weeks=12" if path.count("/") > 2 else path).status_code == 200
    assert len(statements) <= 18, "\n".join(statements)


@pytest.mark.parametrize(
    "query",
    ["posts?weeks=5", "posts?sort=DROP", "posts?stage=x", "posts?stage=99999999", "posts?page=-1",
     "tags?outcome=like", "suggestions?state=no", "comments?state=no"],
)  # fmt: skip
def test_unknown_sorts_and_filters_name_what_is_allowed(admin, query):
    assert admin.get(f"/insights/{query}").status_code == 422


def test_a_tap_is_seen_on_the_overview_after_one_turn_of_the_job(admin, app):
    of = live.publication()
    reader = Reader(app.test_client())
    reader.tap(of)
    reader.post(of, "collect")
    ingest()
    rollups.roll_up()
    page = admin.get("/insights/live").get_data(as_text=True)
    assert of.post.version.title in page
    session.expire_all()
    total = reports.totals(last_weeks(1))
    assert (total.posts, total.reach, total.counts["click"], total.counts["collect"]) == (
        1,
        200,
        1,
        1,
    )
    assert total.confirmed_clicks == 1
    assert admin.get(f"/insights/posts/{of.id}").status_code == 200
    assert admin.get(f"/insights/posts/{of.id}/live").status_code == 200


def test_breakdowns_add_up_to_the_whole(world):
    period = last_weeks(12)
    whole = reports.totals(period)
    assert whole.posts == 216
    for lines in (reports.by_stage(period), reports.by_hour(period), reports.by_channel(period)):
        assert sum(line.figures.counts["click"] for line in lines) == whole.counts["click"]
        assert sum(line.figures.reach for line in lines) == whole.reach
    cells = reports.cells(period)
    assert len(cells) == 9
    assert sum(cell.counts["click"] for cell in cells.values()) == whole.counts["click"]


def test_posts_are_sorted_and_filtered(admin, world):
    rows = session.execute(reports.posts(last_weeks(12), sort="clicks").limit(5)).all()
    clicks = [reports.figures_of(row).counts["click"] for row in rows]
    assert clicks == sorted(clicks, reverse=True)
    stage = world.pools[0].stage
    filtered = session.execute(reports.posts(last_weeks(12), stage_id=stage.id)).all()
    assert len(filtered) == 72
    page = admin.get("/insights/posts?weeks=12&sort=clicks").get_data(as_text=True)
    assert rows[0][0].post.version.title in page
    assert "216" in page


def test_a_suggestion_is_explained_accepted_and_undone(admin, learned):
    one = open_suggestion(learned)
    page = admin.get("/insights/suggestions").get_data(as_text=True)
    assert learned.mistagged.title in page
    assert learned.strong.name_en in page
    assert "to be expected without the tag" in page
    asset_page = admin.get(f"/library/{learned.mistagged.id}").get_data(as_text=True)
    assert f"/insights/suggestions/{one.id}" in asset_page
    assert admin.post(f"/insights/suggestions/{one.id}/accept").status_code == 302
    assert session.get(AssetTag, (learned.mistagged.id, learned.strong.id)) is not None
    assert "/undo" in admin.get(f"/insights/suggestions/{one.id}").get_data(as_text=True)
    admin.post(f"/insights/suggestions/{one.id}/undo")
    assert session.get(AssetTag, (learned.mistagged.id, learned.strong.id)) is None
    assert open_suggestion(learned).state is SuggestionState.UNDONE
    page = admin.post(f"/insights/suggestions/{one.id}/undo", follow_redirects=True)
    assert "already" in page.get_data(as_text=True)


def test_refusing_is_kept(admin, learned):
    one = open_suggestion(learned)
    admin.post(f"/insights/suggestions/{one.id}/reject")
    assert open_suggestion(learned).state is SuggestionState.REJECTED
    page = admin.get("/insights/suggestions?state=rejected").get_data(as_text=True)
    assert learned.mistagged.title in page


def test_operators_look_but_do_not_decide(client, learned):
    sign_in(client, make.user(Role.OPERATOR))
    one = open_suggestion(learned)
    assert "/accept" not in client.get("/insights/suggestions").get_data(as_text=True)
    for act in ("accept", "reject", "undo"):
        assert client.post(f"/insights/suggestions/{one.id}/{act}").status_code == 403
    assert client.post("/insights/runs").status_code == 403


def test_a_run_is_asked_for_and_followed(client, world):
    sign_in(client, make.user(Role.ANALYST))
    answer = client.post("/insights/runs")
    assert answer.status_code == 302
    run = session.query(ModelRun).one()
    assert run.state is RunState.WAITING
    page = client.get(answer.location).get_data(as_text=True)
    assert f"/insights/runs/{run.id}/live" in page
    refinement.carry_out(run.id)
    after = client.get(f"/insights/runs/{run.id}/live").get_data(as_text=True)
    assert "216" in after
    assert "<html" not in after


def test_effects_show_their_doubt(admin, learned):
    page = admin.get("/insights/tags").get_data(as_text=True)
    assert learned.strong.name_en in page
    assert "bars__row--marked" in page
    assert "bars__row--thin" in page


def test_comments_are_shown_and_hidden_by_operators(client, app):
    of = live.publication()
    reader = Reader(app.test_client())
    reader.tap(of)
    reader.post(of, "comment", {"name": "<b>Eve</b>", "text": "=1+1 & <script>"})
    sign_in(client, make.user(Role.OPERATOR))
    page = client.get("/insights/comments").get_data(as_text=True)
    assert "&lt;script&gt;" in page
    assert "<b>Eve" not in page
    comment = session.scalars(comments.in_state(CommentState.HELD)).one()
    client.post(f"/insights/comments/{comment.id}/show")
    assert "&lt;script&gt;" in reader.get(f"/p/{of.public_id}").get_data(as_text=True)
    client.post(f"/insights/comments/{comment.id}/hide")
    assert "&lt;script&gt;" not in reader.get(f"/p/{of.public_id}").get_data(as_text=True)


def test_planners_do_not_moderate(client, app):
    sign_in(client, make.user(Role.PLANNER))
    assert client.get("/insights/comments").status_code == 403


def test_exports_are_complete_and_run_nowhere(admin, app):
    live.publication(asset=make.asset(title="=HYPERLINK(1)"))
    answer = admin.get("/insights/posts.csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(rows) == 2
    assert not any(cell.startswith("=") for cell in rows[1])
    assert len({len(row) for row in rows}) == 1
    assert admin.get("/insights/tags.csv").status_code == 200
