"""Settings: team, audit trail, health; and that only administrators may change the team."""

from cms.accounts.models import Role
from tests import factories
from tests.signing_in import sign_in


def test_adding_somebody_gives_a_link_that_lets_them_in(client, app, admin):
    answer = client.post(
        "/settings/users",
        data={"name": "Mei", "login": "mei", "role": "planner"},
        follow_redirects=True,
    )
    link = answer.text.split("/enter/")[1].split("<")[0].split()[0]
    other = app.test_client()
    assert other.post(f"/enter/{link}").status_code == 302
    assert other.get("/profile").status_code == 200


def test_a_bad_login_comes_back_with_its_fault(client, admin):
    answer = client.post("/settings/users", data={"name": "Mei", "login": "m i", "role": "planner"})
    assert answer.status_code == 422
    assert "m i" in answer.text


def test_planners_cannot_see_the_team(client):
    sign_in(client, factories.user(Role.PLANNER))
    assert client.get("/settings/users").status_code == 403


def test_the_audit_trail_tells_who_did_what(client, admin):
    client.post("/settings/users", data={"name": "Mei", "login": "mei", "role": "planner"})
    page = client.get("/settings/audit").text
    assert "user.added" in page
    assert "Ada" in page


def test_audit_and_team_pages_ask_few_questions(client, admin, count_queries):
    for _ in range(30):
        factories.user()
    for path in ("/settings/users", "/settings/audit"):
        with count_queries() as statements:
            assert client.get(path).status_code == 200
        assert len(statements) <= 8, path  # two of them for the frame: stops, what waits


def test_health_names_what_is_missing(client, admin):
    page = client.get("/settings/health")
    assert page.status_code == 200
    assert "No process has given a sign of life" in page.text
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json["checks"]["database"]["level"] == "well"
    assert answer.json["checks"]["queue"]["level"] == "fault"


def test_bad_pages_say_what_is_allowed(client, admin):
    for page in ("0", "-1", "x", "99999999"):
        assert client.get(f"/settings/audit?page={page}").status_code == 422


def test_a_field_that_no_form_offers_is_refused(client, admin):
    form = {"name": "Mei", "login": "mei", "role": "planner", "is_active": "1"}
    answer = client.post("/settings/users", data=form, headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert (answer.json["error"], answer.json["field"]) == ("unknown_field", "is_active")
    assert "mei" not in client.get("/settings/users").text
