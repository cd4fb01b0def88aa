"""Slugs: readable where a name allows it, never taken twice."""

from cms.core.slugs import free_slug


def test_latin_names_give_readable_slugs():
    assert free_slug("Java 1 Group!", "pool", lambda _slug: False) == "java-1-group"


def test_chinese_names_fall_back():
    assert free_slug("晚自习群", "pool", lambda _slug: False) == "pool"


def test_a_taken_slug_gets_a_tail():
    slug = free_slug("Java", "pool", {"java"}.__contains__)
    assert slug.startswith("java-")
    assert len(slug) == len("java-") + 8
