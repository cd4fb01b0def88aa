"""The schema's history: one head, no drift from the models, up and down on a filled database."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Enum, create_engine, inspect

from cms.core.config import ROOT
from cms.core.db import UTCDateTime, db
from tests import postgres

MOMENT = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


def test_there_is_one_head():
    scripts = ScriptDirectory(str(ROOT / "cms" / "migrations"))
    assert len(scripts.get_heads()) == 1


def flask_db(home, url, *words):
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", *words],
        cwd=ROOT,
        env={"SEEDBED_HOME": str(home), "DATABASE_URL": url, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
def url(request, tmp_path):
    if request.config.getoption("--database") == "sqlite":
        yield f"sqlite:///{tmp_path / 'migrated.db'}"
        return
    with postgres.running() as server:
        yield postgres.create_database(server, "migrated")


def _engine(url):
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def _differences(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, db.metadata)
    return [one for one in found if "alembic_version" not in str(one)]


def test_migrations_make_the_schema_the_models_describe(application, tmp_path, url):
    flask_db(tmp_path, url, "upgrade")
    engine = _engine(url)
    assert _differences(engine) == []
    _fill(engine)
    flask_db(tmp_path, url, "downgrade", "base")
    assert inspect(engine).get_table_names() in ([], ["alembic_version"])
    flask_db(tmp_path, url, "upgrade")
    assert _differences(engine) == []
    engine.dispose()
    shutil.rmtree(tmp_path, ignore_errors=True)


def _fill(engine):
    """A row in every table that needs nothing else, so that going down meets real rows."""
    with engine.begin() as connection:
        for table in db.metadata.sorted_tables:
            if table.foreign_keys or table.name == "alembic_version":
                continue
            values = {
                column.name: _sample(column)
                for column in table.columns
                if not column.nullable and not (column.primary_key and column.autoincrement is True)
            }
            connection.execute(table.insert().values(values))


def _sample(column):
    if isinstance(column.type, UTCDateTime):
        return MOMENT
    if isinstance(column.type, JSON):
        return {}
    if isinstance(column.type, Enum):
        return column.type.enums[0]
    kind = column.type.python_type
    if kind is str:
        return "sample"
    if kind in (int, float, bool):
        return kind(1)
    return MOMENT.date()
