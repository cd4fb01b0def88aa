"""The kind `poster`: one picture, with words for those who cannot see it."""

from cms.core.errors import invalid
from cms.core.i18n import N_
from content_library.kinds.base import AssetFields, Composed, Kind, MediaUse, checked_alt


class Poster(Kind):
    slug = "poster"
    label = N_("Poster")
    new_label = N_("New poster")
    icon = "image"

    def _compose(self, fields: AssetFields, *, title: str, summary: str) -> Composed:
        if fields.poster is None:
            raise invalid("file", "file_missing", N_("Choose a picture to upload."))
        alt = checked_alt(fields.poster, "alt")
        return Composed(
            title=title,
            summary=summary,
            lang=fields.lang,
            content={"words": alt},
            media=(MediaUse(fields.poster.media, "poster", alt),),
        )
