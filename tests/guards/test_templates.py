"""Every template parses, uses what it imports, and carries no inline script or style."""

import re

import pytest
from jinja2 import Environment, FileSystemLoader, nodes

from cms.core.config import ROOT

TEMPLATES = sorted(
    path for path in (ROOT / "templates").rglob("*.html") if "styleguide" not in path.parts
)


@pytest.fixture(scope="module")
def environment(application):
    return application.jinja_env


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
class TestTemplate:
    def test_it_parses_and_uses_its_imports(self, environment, path):
        source = path.read_text()
        tree = environment.parse(source)
        imported = {
            name if isinstance(name, str) else name[1]
            for node in tree.find_all(nodes.FromImport)
            for name in node.names
        }
        used = {node.name for node in tree.find_all(nodes.Name)}
        assert imported <= used

    def test_it_has_no_inline_script_or_style(self, path):
        source = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", source)
        assert not re.search(r"<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']", source)

    def test_it_names_templates_that_exist(self, environment, path):
        tree = environment.parse(path.read_text())
        for node in tree.find_all((nodes.Extends, nodes.Include, nodes.FromImport, nodes.Import)):
            if isinstance(node.template, nodes.Const) and not getattr(
                node, "ignore_missing", False
            ):
                assert (ROOT / "templates" / node.template.value).exists(), node.template.value


def test_the_loader_sees_them(application):
    assert isinstance(application.jinja_env, Environment)
    assert FileSystemLoader(str(ROOT / "templates")).list_templates()


def test_every_module_that_a_page_names_is_there_and_every_script_is_used():
    scripts = {path.stem: path.read_text() for path in (ROOT / "static/js").glob("*.js")}
    pages = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    found = re.findall(r"data-module['\"]?\s*[=:]\s*['\"]([a-z0-9 -]+)['\"]", pages)
    named = {name for names in found for name in names.split()}
    assert {name for name in named if "export function init" not in scripts.get(name, "")} == set()
    loaded = set(re.findall(r"js/([\w-]+)\.js", pages))
    imported = {
        one for text in scripts.values() for one in re.findall(r'from "\./([\w-]+)\.js', text)
    }
    assert set(scripts) == named | loaded | imported
