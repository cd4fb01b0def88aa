"""The kind `video`: a link to a video on a host that is recognised by its address alone."""

from cms.core.i18n import N_
from cms.core.text import check_length, clean_line
from content_library.kinds.base import AssetFields, Composed, Kind, MediaUse, checked_alt
from content_library.kinds.video_hosts import recognise


class Video(Kind):
    """Nothing is fetched from the host: title and cover are what the team says they are."""

    slug = "video"
    label = N_("Video")
    new_label = N_("New video")
    icon = "video"

    def _compose(self, fields: AssetFields, *, title: str, summary: str) -> Composed:
        link = recognise(clean_line(fields.url))
        duration = clean_line(fields.duration)
        check_length("duration", duration, 20)
        cover = fields.cover
        if cover:
            cover = MediaUse(cover.media, "cover", checked_alt(cover, "alt"))
        return Composed(
            title=title,
            summary=summary,
            lang=fields.lang,
            content={
                "url": link.canonical_url,
                "host": link.host,
                "host_name": link.host_name,
                "video_id": link.video_id or "",
                "duration": duration,
                "words": link.host_name,
            },
            media=(cover,) if cover else (),
        )
