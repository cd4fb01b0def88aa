"""Faults are told in the page's language, and so are our own words inside them."""

import pytest
from flask_babel import force_locale

from cms.core.errors import NotFound, Problem
from cms.web.forms import say


@pytest.fixture
def chinese(application):
    with application.test_request_context("/"), force_locale("zh_Hans_CN"):
        yield application


def test_what_is_missing_is_named_in_chinese(chinese):
    assert say(NotFound("asset").problem) == "找不到这个素材。"


def test_states_are_named_as_the_badges_name_them(chinese):
    moved = Problem(
        "bad_move",
        "A publication that is %(state)s cannot become %(to)s.",
        {"state": "handed_over", "to": "missed"},
    )
    assert say(moved) == "“已转交”的发布不能变为“已错过”。"


def test_what_people_wrote_is_not_translated(chinese):
    about = Problem("unknown", "There is no tag %(name)s.", {"name": "Library"})
    assert say(about) == "没有标签“Library”。"


def test_a_reason_with_a_percent_sign_is_shown_as_it_is(chinese):
    page = chinese.jinja_env.from_string("{{ reason|told }}")
    assert page.render(reason="100% sure, not %(this)s") == "100% sure, not %(this)s"


def test_a_known_reason_is_shown_in_chinese(chinese):
    page = chinese.jinja_env.from_string("{{ reason|told }}")
    assert page.render(reason="The carrier refused the post.") == "平台拒收了这条帖子。"


def test_names_in_a_row_of_sentences_are_escaped_once(application):
    row = "{{ [_('Stopped by %(name)s on %(when)s.', name=name, when='Monday'), name]|in_a_row }}"
    with application.test_request_context("/"):
        said = application.jinja_env.from_string(row).render(name="O'Brien <b>")
    assert said == "Stopped by O&#39;Brien &lt;b&gt; on Monday. O&#39;Brien &lt;b&gt;"
