"""Sentences keep their template on every way that a reason takes."""

import json

from cms.core.errors import Conflict, Problem, Refused, TryAgain
from cms.core.sentences import Sentence, parts_of

PARTS = {"message": "At most %(most)s, said %(who)s.", "params": {"most": 3, "who": "Mei"}}


def filled() -> Sentence:
    return Sentence(PARTS["message"], PARTS["params"])


def test_it_is_a_string_like_any_other():
    assert filled() == "At most 3, said Mei."
    assert json.loads(json.dumps({"reason": filled()})) == {"reason": "At most 3, said Mei."}
    assert type(filled()[:7]) is str


def test_it_survives_str_problems_and_exceptions():
    problem = Problem("any", PARTS["message"], PARTS["params"])
    for told in (str(filled()), str(problem), str(Conflict(problem))):
        assert told == "At most 3, said Mei."
        assert parts_of(told) == PARTS
    for error in (Refused(str(problem)), TryAgain(str(problem))):
        assert parts_of(str(error)) == PARTS


def test_a_sentence_without_places_has_no_parts():
    assert parts_of("100 % of it") == {}
    assert parts_of(Sentence("100 % of it")) == {}
    assert str(Sentence("100 % of it")) == "100 % of it"


def test_what_fills_it_can_be_stored():
    error = Sentence("%(fault)s", {"fault": ValueError("broken")})
    assert json.dumps(parts_of(error)) == '{"message": "%(fault)s", "params": {"fault": "broken"}}'
