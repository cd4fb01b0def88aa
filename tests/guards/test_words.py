"""Nothing a person reads escapes translation, and the Chinese catalogue is complete."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import nodes

from cms.core.config import ROOT

CATALOGUE = ROOT / "cms/translations/zh_Hans_CN/LC_MESSAGES/messages.po"
NOT_SHIPPED = ("styleguide",)
NAMES = {"Seedbed", "English", "RSS", "CSV", "Markdown", "JSON", "Ctrl"}
SPOKEN = ("aria-label", "title", "placeholder", "alt")


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    """What the extractor finds in the source today."""
    out = tmp_path_factory.mktemp("words") / "messages.pot"
    subprocess.run(
        [
            *(sys.executable, "-m", "babel.messages.frontend", "extract", "-F", "babel.cfg"),
            *("-k", "N_", "-k", "NotFound", "-k", "lazy_gettext", "-o", str(out), "."),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    with out.open("rb") as file:
        return read_po(file)


def test_the_chinese_catalogue_is_complete(messages):
    with CATALOGUE.open("rb") as file:
        chinese = read_po(file, locale="zh_Hans_CN")
    missing = []
    for message in messages:
        if not message.id:
            continue
        known = chinese.get(message.id)
        if known is None or known.fuzzy or not known.string or known.string == ("",):
            missing.append(message.id)
    assert missing == []


def test_translations_keep_their_places(messages):
    """A %(name)s in English is there in Chinese too, and no other."""
    with CATALOGUE.open("rb") as file:
        chinese = read_po(file, locale="zh_Hans_CN")
    wrong = []
    for message in chinese:
        source = message.id if isinstance(message.id, str) else "".join(message.id)
        target = message.string if isinstance(message.string, str) else "".join(message.string)
        places = re.compile(r"%\((\w+)\)[sd]")
        if message.id and set(places.findall(target)) != set(places.findall(source)):
            wrong.append(message.id)
    assert wrong == []


def templates() -> list[Path]:
    return [
        path
        for path in sorted((ROOT / "templates").rglob("*.html"))
        if not set(NOT_SHIPPED) & set(path.parts)
    ]


@pytest.mark.parametrize("path", templates(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_bare_words_in_templates(application, path):
    """Text between tags, and what screen readers speak, comes out of the catalogue."""
    tree = application.jinja_env.parse(path.read_text())
    for block in tree.find_all(nodes.Block):
        if block.name.endswith("_class"):  # holds names for the style sheets, not words
            block.body = []
    text = "\x00".join(node.data for node in tree.find_all(nodes.TemplateData))
    spoken = re.findall(rf'(?:{"|".join(SPOKEN)})="([^"\x00]*)"', text)
    for cut in (r"<(script|style|code|pre)\b.*?</\1>", r"<!--.*?-->", r"<[^<>]*>"):
        text = re.sub(cut, " ", text, flags=re.DOTALL)
    text = re.sub(r"<[^<>]*$|^[^<>]*>", " ", text)
    text = re.sub(r"&\w+;", " ", text)
    words = re.findall(r"[A-Za-z]{2,}", text + " " + " ".join(spoken))
    assert set(words) <= NAMES
