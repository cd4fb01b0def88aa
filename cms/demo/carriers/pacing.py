"""How often a demo carrier lets itself be called: counted in its own ledger, by its own clock."""

from cms.demo.carriers.book import Book


def is_too_fast(book: Book, key: str, moment: float, *, most: int, seconds: float) -> bool:
    """Whether `most` calls of that key came within the last `seconds`; otherwise this one counts."""
    came = [at for at in book.get("pace", key) or [] if at > moment - seconds]
    if len(came) >= most:
        return True
    book.put("pace", key, [*came, moment])
    return False
