"""A family's list of members, found by slug."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from cms.core.errors import NotFound


class HasSlug(Protocol):
    @property
    def slug(self) -> str: ...


Member = TypeVar("Member", bound=HasSlug)


class Registry(Generic[Member]):
    """Members in the order given; slugs are unique."""

    def __init__(self, noun: str, *members: Member) -> None:
        self.noun = noun
        self._members: dict[str, Member] = {}
        for member in members:
            self.add(member)

    def add(self, member: Member) -> None:
        if member.slug in self._members:
            raise ValueError(f"two members of {self.noun} are called {member.slug!r}")
        self._members[member.slug] = member

    def get(self, slug: str) -> Member:
        """The member of that slug; raises NotFound."""
        try:
            return self._members[slug]
        except KeyError:
            raise NotFound(self.noun) from None

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def __contains__(self, slug: object) -> bool:
        return slug in self._members

    @property
    def slugs(self) -> list[str]:
        return list(self._members)
