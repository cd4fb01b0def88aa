"""Components say what they are given, safely, and tie words to the things they speak of."""

from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from flask import Flask, get_template_attribute
from wtforms import Form, StringField
from wtforms.validators import InputRequired

from schedules.states import PublicationState


@pytest.fixture
def draw(application: Flask):
    """Calls a component and reads the answer as a browser would."""

    def drawn(name: str, *args, **kwargs) -> BeautifulSoup:
        with application.test_request_context("/"):
            macro = get_template_attribute(f"components/{name}.html", name)
            return BeautifulSoup(str(macro(*args, **kwargs)), "html.parser")

    return drawn


class Title(Form):
    title = StringField("Title", [InputRequired("Give it a title.")])


def test_a_field_ties_label_hint_and_fault_to_its_input(draw):
    form = Title(data={})
    form.title.errors = ["Give it a title."]
    page = draw("field", form.title, hint="Shown on the card.")
    box = page.find("input")
    assert page.find("label")["for"] == box["id"]
    assert box["aria-invalid"] == "true"
    told = [page.find(id=name).get_text(strip=True) for name in box["aria-describedby"].split()]
    assert told == ["Shown on the card.", "Give it a title."]


def test_a_plain_field_escapes_and_keeps_its_value(draw):
    page = draw("field", {"name": "note", "label": "Note", "kind": "textarea", "value": "<b>&"})
    assert page.find("textarea").get_text().strip() == "<b>&"
    options = [("a", "A"), ("b", "B")]
    chosen = draw(
        "field", {"name": "x", "label": "X", "kind": "select", "options": options, "value": "b"}
    )
    assert [o["value"] for o in chosen.find_all("option", selected=True)] == ["b"]


@pytest.mark.parametrize("state", list(PublicationState))
def test_every_state_of_a_publication_has_shape_and_word(draw, state):
    page = draw("state_badge", state)
    assert page.find("use")["href"].split("#")[1] != "circle"
    assert page.get_text(strip=True) not in ("", str(state))
    only = draw("state_badge", state, mark_only=True)
    assert only.find("svg")["aria-label"] == page.get_text(strip=True)


def test_a_rate_shows_its_doubt_and_pales_when_few(draw):
    sure = draw("rate", 0.031, 0.022, 0.043, 620)
    assert sure.get_text() == "3.1\u202f% · 2.2–4.3 · n\u202f620"
    assert "rate--thin" not in sure.span["class"]
    assert "rate--thin" in draw("rate", 0.0625, 0.008, 0.208, 16).span["class"]


def test_bars_share_one_zero_and_keep_their_proportion(draw):
    rows = [{"label": "a", "value": 4, "text": "4"}, {"label": "b", "value": -2, "text": "-2"}]
    up, down = draw("bar_chart", rows, "Effects").select("rect")
    assert float(up["width"]) == pytest.approx(2 * float(down["width"]), rel=0.01)
    assert float(down["x"]) + float(down["width"]) == pytest.approx(float(up["x"]), abs=0.02)


def test_a_sparkline_survives_silence(draw):
    assert draw("sparkline", [0, 0, 0], "Clicks").find("polyline")
    assert not draw("sparkline", [], "Clicks").find("svg")


def test_the_pager_keeps_what_was_asked(draw):
    page = SimpleNamespace(number=2, pages=3, total=41)
    links = [a["href"] for a in draw("pager", page, "library.index", {"q": "转行"}).find_all("a")]
    assert len(links) == 2
    assert all("q=%E8%BD%AC%E8%A1%8C" in link for link in links)
    assert ["page=1" in links[0], "page=3" in links[1]] == [True, True]
    assert not draw("pager", SimpleNamespace(number=1, pages=1, total=3), "library.index").find(
        "nav"
    )


def test_a_post_card_escapes_its_title_and_can_be_moved(draw):
    card = draw("post_card", {"id": 7, "href": "/p/7", "time": "08:00", "kind": "poster",
                              "title": "<script>1", "state": "scheduled", "move_url": "/p/7/move"})  # fmt: skip
    assert card.find("script") is None
    assert card.find("article")["data-move-url"] == "/p/7/move"
    assert card.find("a").get_text() == "<script>1"
