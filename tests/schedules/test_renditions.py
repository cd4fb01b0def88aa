"""Pictures cut to a carrier's measure: told beforehand, the same every time, never beyond the limits."""

import io

import pytest
from flask import Flask
from PIL import Image

from cms.core.db import session
from cms.core.errors import Refused
from content_library.models import Media
from schedules import renditions
from schedules.channels.answers import Limits
from schedules.content import outgoing
from schedules.envelopes import Picture
from tests import factories as make
from tests.content_library.pictures import stored

ROOMY = Limits(text=10, picture_bytes=10_000_000)


def picture(kept: Media) -> Picture:
    return Picture(kept.id, kept.sha256, kept.mime, kept.width, kept.height, kept.size)


def opened(made: renditions.Fitted) -> Image.Image:
    return Image.open(io.BytesIO(made.content))


def test_what_fits_goes_as_it_is(app: Flask) -> None:
    kept = stored()
    made = renditions.fitted(kept.sha256, ROOMY)
    assert (made.mime, made.was_changed) == ("image/png", False)
    assert made.filename.endswith(".png")
    assert len(made.content) == kept.size
    assert renditions.foretell(picture(kept), ROOMY) is None


def test_too_many_bytes_are_cut_the_same_way_each_time(app: Flask) -> None:
    kept = stored((400, 400), noise=True)
    tight = Limits(text=10, picture_bytes=20_000)
    first, second = (renditions.fitted(kept.sha256, tight) for _ in range(2))
    assert first.was_changed
    assert len(first.content) <= 20_000
    assert first == second
    assert opened(first).format == "JPEG"
    told = renditions.foretell(picture(kept), tight, number=2)
    assert told is not None
    assert str(told).startswith("Picture 2 is made smaller: 0.")


def test_an_edge_too_long_is_cut_and_keeps_its_shape(app: Flask) -> None:
    kept = stored((300, 150))
    narrow = Limits(text=10, longest_edge=100)
    made = renditions.fitted(kept.sha256, narrow)
    assert opened(made).size == (100, 50)
    assert opened(made).format == "PNG"
    told = renditions.foretell(picture(kept), narrow)
    assert str(told) == "Picture 1 is made smaller: 300 × 150 → 100 × 50 pixels."


def test_a_carrier_may_mind_the_shorter_side_only(app: Flask) -> None:
    limits = Limits(text=10, shorter_edge=100, longest_edge=1000)
    long, square = stored((50, 900)), stored((300, 300))
    assert not renditions.fitted(long.sha256, limits).was_changed
    assert opened(renditions.fitted(square.sha256, limits)).size == (100, 100)


@pytest.mark.parametrize(
    ("was", "formats", "is_now"),
    [("WEBP", ("jpeg", "png"), "JPEG"), ("PNG", ("jpeg",), "JPEG"), ("JPEG", ("png",), "PNG")],
)
def test_a_format_the_carrier_does_not_know_becomes_one_it_does(
    app: Flask, was: str, formats: tuple[str, ...], is_now: str
) -> None:
    kept = stored(kind=was)
    limits = Limits(text=10, picture_formats=formats)
    assert opened(renditions.fitted(kept.sha256, limits)).format == is_now
    told = renditions.changes([picture(stored()), picture(kept)], limits)[-1]
    assert str(told) == f"Picture 2 is sent as {is_now} instead of {was}."


def test_what_cannot_fit_is_refused_in_words(app: Flask) -> None:
    kept = stored((200, 200), noise=True)
    with pytest.raises(Refused, match="cannot be made small enough"):
        renditions.fitted(kept.sha256, Limits(text=10, picture_bytes=100))
    with pytest.raises(Refused, match="no longer exists"):
        renditions.fitted("0" * 64, ROOMY)


def test_no_transaction_is_left_open_while_pictures_are_drawn(app: Flask) -> None:
    renditions.fitted(stored(kind="WEBP").sha256, ROOMY)
    assert not session().in_transaction()


def test_a_post_carries_the_measures_of_its_pictures(app: Flask) -> None:
    kept = stored((300, 150))
    content = outgoing(make.post(media_ids=[kept.id]))
    assert content.pictures == (picture(kept),)
