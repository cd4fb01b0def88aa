"""The table of limits: each is said once, and each is obeyed somewhere."""

from pathlib import Path

from cms.core.limits import LIMITS, most

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cms", "audience", "content_library", "schedules", "feedback")


def test_every_limit_is_used_by_the_code() -> None:
    code = "\n".join(
        path.read_text()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if path.name != "limits.py"
    )
    assert [name for name in LIMITS if f'most("{name}")' not in code] == []


def test_every_limit_says_what_it_is_for() -> None:
    for name, limit in LIMITS.items():
        assert limit.name == name
        assert limit.unit
        assert limit.purpose
        assert most(name) > 0


def test_the_limits_fit_into_each_other() -> None:
    assert most("upload_bytes") < most("request_bytes")
    assert most("article_bytes") <= most("form_bytes")
    assert most("image_pixels") * 4 < most("image_memory")
