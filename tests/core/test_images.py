"""Uploaded pictures: what is taken, what is refused and how, and what never survives the way in."""

import io
import struct
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from cms.core import image_header, images
from cms.core.errors import Invalid
from cms.core.limits import most

ROOT = Path(__file__).resolve().parents[2]


def drawn(size: tuple[int, int] = (60, 40), mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, size, "white")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2, size[1] // 2), fill="red")
    return image


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def animation(frames: int, size: tuple[int, int] = (40, 30), kind: str = "GIF") -> bytes:
    pictures = []
    for number in range(frames):
        picture = Image.new("RGB", size, "white")
        ImageDraw.Draw(picture).rectangle(
            (number % 30, 0, number % 30 + 5, 20), fill=(number % 256, 9, 9)
        )
        pictures.append(picture)
    return encoded(
        pictures[0], kind, save_all=True, append_images=pictures[1:], duration=80, loop=0
    )


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def png_of(width: int, height: int, body: bytes | None = None) -> bytes:
    """A PNG of one grey bit a pixel, so that a huge one is a small file."""
    if body is None:
        row = b"\0" + b"\0" * ((width + 7) // 8)
        packer = zlib.compressobj(9)
        body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def refusal(content: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        images.take(content, field="poster")
    assert list(caught.value.fields) == ["poster"]
    assert str(caught.value)  # every parameter of the message is there
    return caught.value.fields["poster"].code


# --- taken


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_four_kinds_are_taken(kind: str) -> None:
    picture = images.take(encoded(drawn((1000, 600)), kind))
    assert (picture.format, picture.width, picture.height, picture.frames) == (kind, 1000, 600, 1)
    sizes = {name: (made.width, made.height) for name, made in picture.renditions.items()}
    assert sizes == {
        "full": (1000, 600),
        "share": (1000, 600),
        "card": (640, 384),
        "thumb": (320, 192),
    }
    for made in [picture.original, *picture.renditions.values()]:
        with Image.open(io.BytesIO(made.content)) as opened:
            assert opened.size == (made.width, made.height)
            assert opened.get_format_mimetype() == made.media_type
            red, green, blue = opened.convert("RGB").getpixel((2, 2))
            assert red > 230
            assert green < 30
            assert blue < 30


def test_nothing_is_ever_made_larger_and_long_posters_stay_legible() -> None:
    small = images.take(encoded(drawn((60, 40)), "PNG"))
    assert {(made.width, made.height) for made in small.renditions.values()} == {(60, 40)}
    long = images.take(encoded(drawn((800, 6000)), "JPEG"))
    assert (long.renditions["full"].width, long.renditions["full"].height) == (800, 6000)
    assert long.renditions["card"].height == 2560


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_every_colour_mode_becomes_an_ordinary_picture(mode: str) -> None:
    image = Image.new("RGB", (30, 30), "white")
    image = image.convert("L").convert(mode) if mode == "I;16" else image.convert(mode)
    picture = images.take(encoded(image, "JPEG" if mode == "CMYK" else "PNG"))
    with Image.open(io.BytesIO(picture.original.content)) as opened:
        assert opened.mode in {"RGB", "RGBA"}


def test_transparency_stays_and_lies_on_white_where_it_cannot() -> None:
    image = Image.new("RGBA", (50, 50), (0, 0, 255, 0))
    picture = images.take(encoded(image, "PNG"))
    with Image.open(io.BytesIO(picture.original.content)) as opened:
        assert opened.getpixel((1, 1))[3] == 0
    with Image.open(io.BytesIO(picture.renditions["share"].content)) as opened:
        assert min(opened.convert("RGB").getpixel((1, 1))) > 250


def test_an_animation_within_the_limits_keeps_moving() -> None:
    picture = images.take(animation(6))
    assert (picture.frames, picture.is_stilled) == (6, False)
    with Image.open(io.BytesIO(picture.original.content)) as opened:
        assert opened.n_frames == 6
        assert opened.info["duration"] == 80
        assert opened.info["loop"] == 0


def test_too_long_an_animation_becomes_its_first_frame_and_says_so() -> None:
    picture = images.take(animation(most("image_frames") + 1))
    assert (picture.frames, picture.is_stilled) == (1, True)
    assert picture.original.media_type == "image/png"


def test_a_moving_webp_becomes_its_first_frame_and_says_so() -> None:
    picture = images.take(animation(4, kind="WEBP"))
    assert (picture.frames, picture.is_stilled) == (1, True)


# --- what never survives


def with_metadata() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "SECRET-description"
    exif[0x0112] = 6  # turned by a quarter
    exif.get_ifd(0x8825).update(
        {1: "N", 2: (31.0, 14.0, 9.0), 3: "E", 4: (121.0, 28.0, 1.0), 29: "2024:05:06"}
    )
    return encoded(drawn((60, 40)), "JPEG", exif=exif, comment=b"SECRET-comment", quality=95)


def test_place_and_author_are_gone_and_the_picture_stands_upright() -> None:
    source = with_metadata()
    with Image.open(io.BytesIO(source)) as opened:
        assert opened.getexif().get_ifd(0x8825)  # there was something to remove
    picture = images.take(source)
    assert (picture.width, picture.height) == (40, 60)
    for made in [picture.original, *picture.renditions.values()]:
        with Image.open(io.BytesIO(made.content)) as opened:
            assert not opened.getexif()
            assert not {"exif", "comment", "icc_profile", "xmp"} & set(opened.info)
        assert b"SECRET" not in made.content
        assert b"Exif" not in made.content
        assert b"2024:05:06" not in made.content
    with Image.open(io.BytesIO(picture.original.content)) as opened:
        assert opened.getpixel((35, 3))[1] < 60  # red moved from the left to the right corner


def test_texts_inside_a_png_and_a_gif_are_gone() -> None:
    whole = encoded(drawn(), "PNG")
    texts = chunk(b"tEXt", b"Author\0SECRET") + chunk(b"eXIf", b"II*\0\x08\0\0\0SECRET")
    png = whole[:33] + texts + whole[33:]
    gif = encoded(drawn(), "GIF", comment=b"SECRET")
    assert b"SECRET" in gif
    for content in (png, gif):
        picture = images.take(content)
        assert b"SECRET" not in b"".join(
            made.content for made in [picture.original, *picture.renditions.values()]
        )


HTML = b"<html><script>alert(1)</script></html>"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_that_goes_on_as_a_page_is_only_a_picture_afterwards(kind: str) -> None:
    picture = images.take(encoded(drawn(), kind) + HTML + b"PK\x03\x04 archive")
    for made in [picture.original, *picture.renditions.values()]:
        assert b"script" not in made.content
        assert b"PK\x03\x04" not in made.content


# --- refused


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (HTML, "not_an_image"),
        (
            b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            "not_an_image",
        ),
        (b"%PDF-1.7\n", "not_an_image"),
        (b"BM" + b"\0" * 60, "not_an_image"),
        (b"MZ" + b"\0" * 99, "not_an_image"),
        (b"II*\0" + b"\0" * 99, "not_an_image"),
        (b"8BPS\0\1" + b"\0" * 99, "not_an_image"),
        (b"\0\0\0\x20ftypavif" + b"\0" * 99, "not_an_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not_an_image"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "not_an_image"),
        (b"x", "not_an_image"),
        (b"\x89PNG\r\n\x1a\n", "image_damaged"),
        (b"\xff\xd8\xff", "image_damaged"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 40, "image_damaged"),
        (b"GIF89a", "image_damaged"),
        (b"RIFF\x10\0\0\0WEBP", "image_damaged"),
        (b"GIF89a" + b"\1\0\1\0\0\0\0" + b";", "image_damaged"),
        (png_of(0, 10, zlib.compress(b"")), "image_damaged"),
    ],
)
def test_what_is_no_whole_picture_is_refused_by_name(content: bytes, code: str) -> None:
    assert refusal(content) == code


def test_a_page_that_begins_like_a_gif_never_comes_through() -> None:
    assert refusal(b"GIF89a" + HTML * 20) in {"image_damaged", "image_too_large", "not_an_image"}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("part", [0.3, 0.7])
def test_half_a_picture_is_refused(kind: str, part: float) -> None:
    whole = encoded(Image.effect_noise((300, 200), 90).convert("RGB"), kind)
    assert refusal(whole[: int(len(whole) * part)]) == "image_damaged"


def test_a_picture_with_flipped_bytes_is_refused_or_clean_but_never_an_error() -> None:
    whole = encoded(drawn((100, 100)), "PNG")
    broken = whole[:50] + bytes(byte ^ 0xFF for byte in whole[50:60]) + whole[60:]
    assert refusal(broken) == "image_damaged"


def test_the_message_says_what_is_allowed() -> None:
    with pytest.raises(Invalid) as caught:
        images.take(HTML)
    assert "PNG, JPEG, WebP, GIF" in str(caught.value)


def test_a_small_file_of_400_megapixels_is_refused_before_decoding() -> None:
    content = png_of(20_000, 20_000)
    assert len(content) < 60_000
    started = time.monotonic()
    assert refusal(content) == "image_too_large"
    assert time.monotonic() - started < 1


def test_just_under_pillows_own_alarm_is_refused_as_well() -> None:
    """Pillow only warns between once and twice its limit; our own count has no such gap."""
    assert refusal(png_of(12_000, 12_000)) == "image_too_large"
    assert refusal(png_of(60_000, 10)) == "image_too_large"


def test_a_gif_whose_frame_is_larger_than_its_screen_is_counted_by_the_frame() -> None:
    whole = bytearray(encoded(drawn(), "GIF"))
    frame = whole.index(b"\x2c\0\0\0\0")
    whole[frame + 5 : frame + 9] = struct.pack("<HH", 65_000, 65_000)
    assert refusal(bytes(whole)) == "image_too_large"


def test_a_header_that_lies_is_found_out_by_the_child() -> None:
    """Two frames of a JPEG: ours reads the first size, the decoder may believe the second."""
    whole = encoded(drawn((50, 50)), "JPEG")
    at = whole.index(b"\xff\xc0")
    length = struct.unpack_from(">H", whole, at + 2)[0]
    second = bytearray(whole[at : at + 2 + length])
    second[5:9] = struct.pack(">HH", 60_000, 60_000)
    lying = whole[: at + 2 + length] + bytes(second) + whole[at + 2 + length :]
    assert refusal(lying) in {"image_damaged", "image_too_large"}


def test_the_child_dies_alone_when_memory_runs_out() -> None:
    """The same child, told to decode what the parent would have refused, meets its own limits."""
    done = subprocess.run(
        [sys.executable, "-m", "cms.core.image_worker", "PNG"],
        input=png_of(20_000, 20_000),
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.stdout.strip() == b'{"error": "image_too_large"}', done.stderr


def test_a_file_over_the_limit_is_refused_with_both_sizes() -> None:
    content = encoded(drawn(), "PNG") + b"\0" * most("upload_bytes")
    with pytest.raises(Invalid) as caught:
        images.take(content)
    assert caught.value.fields["file"].code == "file_too_large"
    assert str(caught.value) == "This file has 20.0 MB; up to 20 MB are allowed."


def test_several_at_once() -> None:
    content = encoded(drawn((500, 400)), "JPEG")
    with ThreadPoolExecutor(6) as pool:
        pictures = list(pool.map(lambda _: images.take(content), range(6)))
    assert len({picture.original.content for picture in pictures}) == 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("options", [{}, {"lossless": True}])
def test_our_reading_of_headers_agrees_with_pillow(kind: str, options: dict[str, bool]) -> None:
    for size in ((1, 1), (317, 211), (1024, 3)):
        content = encoded(drawn(size), kind, **(options if kind == "WEBP" else {}))
        assert image_header.read(content) == image_header.Header(kind, *size)


def test_frames_are_counted_without_decoding() -> None:
    for kind in ("GIF", "WEBP"):
        header = image_header.read(animation(5, kind=kind))
        assert header is not None
        assert (header.width, header.height, header.frames) == (40, 30, 5)
