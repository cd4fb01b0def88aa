"""Each test begins with empty journals: their files outlive the database's rollback."""

from collections.abc import Iterator

import pytest

from feedback import journal


@pytest.fixture(autouse=True)
def empty_journal(app) -> Iterator[None]:
    def empty() -> None:
        for writer in journal._writers.values():
            writer.close()
        for path in journal.folder().iterdir():
            path.unlink()

    empty()
    yield
    empty()
