"""A letter's body as a page may show it: the same words, pictures and order, in our own look."""

import re
from collections.abc import Sequence

import nh3
from markupsafe import Markup, escape

# Style sheets stand inside the letter, and our pages run none; links lead nowhere in a preview.
_TAGS = {"h1", "h2", "p", "a", "br", "img"}
_DROPPED = {"title", "style", "script"}
_AS = (
    (re.compile(r"<h1>(.*?)</h1>", re.DOTALL), r'<p class="letter__title">\1</p>'),
    (re.compile(r"<h2>(.*?)</h2>", re.DOTALL), r'<p class="letter__section">\1</p>'),
    (re.compile(r"<a\b[^>]*>(.*?)</a>", re.DOTALL), r'<span class="preview__link">\1</span>'),
)
_PICTURE = re.compile(r'<img\b[^>]*\bsrc="cid:[^"]*-(\d+)"[^>]*>')


def body(html: str, pictures: Sequence[str]) -> Markup:
    """The letter without its head and styles, each picture at the address given for it."""
    kept = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_DROPPED,
        attributes={"img": {"src", "alt"}},
        url_schemes={"cid"},
        link_rel=None,
    )
    for pattern, instead in _AS:
        kept = pattern.sub(instead, kept)

    def placed(match: re.Match[str]) -> str:
        number = int(match[1])
        if not 1 <= number <= len(pictures):
            return ""
        return f'<img src="{escape(pictures[number - 1])}" alt="" loading="lazy">'

    return Markup(_PICTURE.sub(placed, kept))  # noqa: S704 - cleaned above
