"""The list of video hosts: their domains, and how their addresses show a video's id."""

from dataclasses import dataclass

from cms.core.i18n import N_


@dataclass(frozen=True)
class Pattern:
    """Where in an address of one domain the id stands, and the plain form of that address.

    Without a plain form the address itself is kept: some open only with the words they were
    shared with.
    """

    domain: str
    path: str
    plain: str = ""
    query: str = ""  # the parameter that holds the id, when the path does not


@dataclass(frozen=True)
class Host:
    """One host: its slug, the name people know, every domain of its own, its address patterns."""

    slug: str
    name: str
    domains: tuple[str, ...]
    patterns: tuple[Pattern, ...]


_BILIBILI = "https://www.bilibili.com/video/{id}/"
_YOUTUBE = "https://www.youtube.com/watch?v={id}"
_TENCENT = "https://v.qq.com/x/page/{id}.html"
_YOUKU = "https://v.youku.com/v_show/id_{id}.html"
_DOUYIN = "https://www.douyin.com/video/{id}"
_VIMEO = "https://vimeo.com/{id}"

_BV = r"(?P<id>BV[0-9A-Za-z]{10})"
_TUBE = r"(?P<id>[\w-]{11})"
_LONG = r"(?P<id>\d{15,22})"
_KU = r"(?P<id>[\w=]{8,40})"
_VIMEO_ID = r"(?P<id>\d{4,12}(?:/[0-9a-f]{6,16})?)"  # the second part opens an unlisted video

HOSTS = (
    Host(
        "bilibili",
        N_("Bilibili"),
        ("bilibili.com", "b23.tv", "bili2233.cn"),
        (
            Pattern("bilibili.com", rf"/(?:s/)?video/{_BV}", _BILIBILI),
            Pattern("bilibili.com", r"/(?:s/)?video/(?P<id>av\d{1,18})", _BILIBILI),
            Pattern("bilibili.com", r"/bangumi/play/(?P<id>(?:ep|ss)\d{1,12})"),
            Pattern("player.bilibili.com", r"/player\.html", _BILIBILI, query="bvid"),
            Pattern("b23.tv", rf"/{_BV}", _BILIBILI),
        ),
    ),
    Host(
        "youtube",
        N_("YouTube"),
        ("youtube.com", "youtu.be", "youtube-nocookie.com"),
        (
            Pattern("youtube.com", r"/watch", _YOUTUBE, query="v"),
            Pattern("youtube.com", rf"/(?:shorts|embed|live|v)/{_TUBE}", _YOUTUBE),
            Pattern("youtube-nocookie.com", rf"/embed/{_TUBE}", _YOUTUBE),
            Pattern("youtu.be", rf"/{_TUBE}", _YOUTUBE),
        ),
    ),
    Host(
        "tencent",
        N_("Tencent Video"),
        ("v.qq.com",),
        (
            Pattern("v.qq.com", r"/x/(?:page|cover/\w{5,32})/(?P<id>\w{8,16})\.html", _TENCENT),
            Pattern("v.qq.com", r"/(?:txp/)?iframe/player\.html", _TENCENT, query="vid"),
            Pattern("v.qq.com", r"/x/m/play", _TENCENT, query="vid"),
            Pattern("v.qq.com", r"/x/cover/(?P<id>\w{5,32})\.html"),
        ),
    ),
    Host(
        "youku",
        N_("Youku"),
        ("youku.com",),
        (
            Pattern("youku.com", rf"/v_show/id_{_KU}\.html", _YOUKU),
            Pattern("youku.com", rf"/embed/{_KU}", _YOUKU),
            Pattern("youku.com", r"/video", _YOUKU, query="vid"),
        ),
    ),
    Host(
        "douyin",
        N_("Douyin"),
        ("douyin.com", "iesdouyin.com"),
        (
            Pattern("douyin.com", rf"/(?:share/)?video/{_LONG}", _DOUYIN),
            Pattern("iesdouyin.com", rf"/share/video/{_LONG}", _DOUYIN),
            Pattern("douyin.com", r"/(?:discover|jingxuan|user/[\w-]+)", _DOUYIN, query="modal_id"),
            Pattern("v.douyin.com", r"/(?P<id>[\w-]{5,32})"),
        ),
    ),
    Host(
        "xiaohongshu",
        N_("Xiaohongshu"),
        ("xiaohongshu.com", "xhslink.com"),
        (Pattern("xiaohongshu.com", r"/(?:explore|discovery/item)/(?P<id>[0-9a-f]{24})"),),
    ),
    Host(
        "channels",
        N_("WeChat Channels"),
        ("channels.weixin.qq.com",),
        (
            Pattern("weixin.qq.com", r"/sph/(?P<id>[\w-]{5,64})"),
            Pattern("channels.weixin.qq.com", r"/(?:web|finder-preview)/pages/\w+", query="eid"),
            Pattern("channels.weixin.qq.com", r"/(?:web|finder-preview)/pages/\w+", query="feedId"),
        ),
    ),
    Host(
        "vimeo",
        N_("Vimeo"),
        ("vimeo.com",),
        (
            Pattern("player.vimeo.com", r"/video/(?P<id>\d{4,12})", _VIMEO),
            Pattern("vimeo.com", rf"/{_VIMEO_ID}", _VIMEO),
            Pattern("vimeo.com", rf"/(?:channels|groups)/[\w-]+/(?:videos/)?{_VIMEO_ID}", _VIMEO),
            Pattern("vimeo.com", rf"/(?:album|showcase)/\d+/video/{_VIMEO_ID}", _VIMEO),
        ),
    ),
)
