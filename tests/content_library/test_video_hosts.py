"""Video links: the usual hosts by the shape of the address, and addresses nobody may use."""

import pytest

from cms.core.errors import Invalid
from content_library.kinds.video_hosts import VideoLink, known_hosts, recognise

BV = "BV1GJ411x7h7"
LONG = "7301234567890123456"
NOTE = "64f0a1b2c3d4e5f601234567"


@pytest.mark.parametrize(
    ("url", "host", "video_id", "canonical"),
    [
        (
            f"https://www.bilibili.com/video/{BV}/?spm_id_from=333&vd_source=x",
            "bilibili",
            BV,
            f"https://www.bilibili.com/video/{BV}/",
        ),
        (
            f"http://m.bilibili.com/video/{BV}",
            "bilibili",
            BV,
            f"https://www.bilibili.com/video/{BV}/",
        ),
        (
            "https://www.bilibili.com/video/av170001",
            "bilibili",
            "av170001",
            "https://www.bilibili.com/video/av170001/",
        ),
        (
            f"https://player.bilibili.com/player.html?bvid={BV}&page=1",
            "bilibili",
            BV,
            f"https://www.bilibili.com/video/{BV}/",
        ),
        ("https://b23.tv/aB3dE9", "bilibili", None, "https://b23.tv/aB3dE9"),
        (
            "https://www.bilibili.com/bangumi/play/ep123",
            "bilibili",
            "ep123",
            "https://www.bilibili.com/bangumi/play/ep123",
        ),
        (
            "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=3&si=abc",
            "youtube",
            "dQw4w9WgXcQ",
            "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        ),
        (
            "https://youtu.be/dQw4w9WgXcQ?si=x",
            "youtube",
            "dQw4w9WgXcQ",
            "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        ),
        (
            "https://youtube.com/shorts/dQw4w9WgXcQ",
            "youtube",
            "dQw4w9WgXcQ",
            "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        ),
        (
            "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
            "youtube",
            "dQw4w9WgXcQ",
            "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        ),
        (
            "https://v.qq.com/x/page/a0012abcdef.html",
            "tencent",
            "a0012abcdef",
            "https://v.qq.com/x/page/a0012abcdef.html",
        ),
        (
            "https://v.qq.com/x/cover/mzc00200abc/a0012abcdef.html",
            "tencent",
            "a0012abcdef",
            "https://v.qq.com/x/page/a0012abcdef.html",
        ),
        (
            "https://v.qq.com/txp/iframe/player.html?vid=a0012abcdef",
            "tencent",
            "a0012abcdef",
            "https://v.qq.com/x/page/a0012abcdef.html",
        ),
        (
            "https://v.youku.com/v_show/id_XNTk4OTY2Mg==.html?s=1",
            "youku",
            "XNTk4OTY2Mg==",
            "https://v.youku.com/v_show/id_XNTk4OTY2Mg==.html",
        ),
        (
            "https://player.youku.com/embed/XNTk4OTY2Mg==",
            "youku",
            "XNTk4OTY2Mg==",
            "https://v.youku.com/v_show/id_XNTk4OTY2Mg==.html",
        ),
        (
            f"https://www.douyin.com/video/{LONG}",
            "douyin",
            LONG,
            f"https://www.douyin.com/video/{LONG}",
        ),
        (
            f"https://www.iesdouyin.com/share/video/{LONG}/?region=CN",
            "douyin",
            LONG,
            f"https://www.douyin.com/video/{LONG}",
        ),
        (
            f"https://www.douyin.com/discover?modal_id={LONG}",
            "douyin",
            LONG,
            f"https://www.douyin.com/video/{LONG}",
        ),
        ("https://v.douyin.com/iRNBho6u/", "douyin", "iRNBho6u", "https://v.douyin.com/iRNBho6u/"),
        (
            f"https://www.xiaohongshu.com/explore/{NOTE}?xsec_token=AB%3D&utm_source=x",
            "xiaohongshu",
            NOTE,
            f"https://www.xiaohongshu.com/explore/{NOTE}?xsec_token=AB%3D",
        ),
        ("http://xhslink.com/a/b1C2d3", "xiaohongshu", None, "http://xhslink.com/a/b1C2d3"),
        (
            "https://weixin.qq.com/sph/AbCdEf123",
            "channels",
            "AbCdEf123",
            "https://weixin.qq.com/sph/AbCdEf123",
        ),
        (
            "https://channels.weixin.qq.com/web/pages/feed?eid=export123",
            "channels",
            "export123",
            "https://channels.weixin.qq.com/web/pages/feed?eid=export123",
        ),
        ("https://vimeo.com/76979871", "vimeo", "76979871", "https://vimeo.com/76979871"),
        (
            "https://vimeo.com/76979871/1a2b3c4d5e",
            "vimeo",
            "76979871/1a2b3c4d5e",
            "https://vimeo.com/76979871/1a2b3c4d5e",
        ),
        (
            "https://player.vimeo.com/video/76979871?h=1",
            "vimeo",
            "76979871",
            "https://vimeo.com/76979871",
        ),
        (
            "https://vimeo.com/channels/staffpicks/76979871",
            "vimeo",
            "76979871",
            "https://vimeo.com/76979871",
        ),
    ],
)
def test_the_usual_hosts(url: str, host: str, video_id: str | None, canonical: str) -> None:
    link = recognise(url)
    assert (link.host, link.video_id, link.canonical_url) == (host, video_id, canonical)
    assert link.host_name == next(known.name for known in known_hosts() if known.slug == host)


def test_recognising_the_plain_form_changes_nothing() -> None:
    for host in known_hosts():
        for pattern in host.patterns:
            if pattern.plain:
                plain = pattern.plain.format(id=BV if host.slug == "bilibili" else "12345678901")
                link = recognise(plain)
                if link.video_id:
                    assert link.canonical_url == plain


def test_a_page_of_a_known_host_without_a_video_still_names_the_host() -> None:
    assert recognise("https://space.bilibili.com/12345") == VideoLink(
        "bilibili", None, "https://space.bilibili.com/12345", "Bilibili"
    )


def test_another_public_site_is_taken_under_its_own_name() -> None:
    assert recognise("https://www.school.example.com/v/1?utm_source=x#t=3") == VideoLink(
        "other", None, "https://www.school.example.com/v/1", "school.example.com"
    )
    assert recognise("https://mp.weixin.qq.com/s/abc").host == "other"


def test_a_pasted_sentence_and_a_bare_address() -> None:
    pasted = "3.58 复制打开抖音，看看【程序员】 https://v.douyin.com/iRNBho6u/ 01/02 abc:/"
    assert recognise(pasted).canonical_url == "https://v.douyin.com/iRNBho6u/"
    assert recognise(f"www.bilibili.com/video/{BV}").video_id == BV


@pytest.mark.parametrize(
    "url",
    [
        "https://bilibili.com.evil.example/video/" + BV,
        "https://evilbilibili.com/video/" + BV,
        "https://evil.example/?u=youtu.be/dQw4w9WgXcQ",
        "https://evil.example/youtube.com/watch?v=dQw4w9WgXcQ",
        "https://youtube.com.evil.example/watch?v=dQw4w9WgXcQ",
    ],
)
def test_a_look_alike_is_not_the_host(url: str) -> None:
    assert recognise(url).host == "other"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("javascript:alert(1)", "address_not_allowed"),
        ("JaVaScRiPt:alert(1)", "address_not_allowed"),
        ("java\nscript:alert(1)", "address_not_allowed"),
        ("java\tscript:alert(1)//https", "address_not_allowed"),
        ("\x01javascript:alert(1)", "address_not_allowed"),
        (" javascript:alert(1)", "address_not_allowed"),
        ("javascript://www.youtube.com/%0aalert(1)", "address_not_allowed"),
        ("data:text/html,<script>", "address_not_allowed"),
        ("file:///etc/passwd", "address_not_allowed"),
        ("ftp://v.qq.com/x", "address_not_allowed"),
        ("weixin://dl/x", "address_not_allowed"),
        ("https://youtube.com@evil.example/watch?v=dQw4w9WgXcQ", "address_not_allowed"),
        ("https://user:pw@www.youtube.com/watch?v=dQw4w9WgXcQ", "address_not_allowed"),
        ("https://www.youtube.com:8443/watch?v=dQw4w9WgXcQ", "address_not_allowed"),
        ("http://127.0.0.1/v", "address_not_allowed"),
        ("http://127.1/v", "address_not_allowed"),
        ("http://2130706433/v", "address_not_allowed"),
        ("http://0x7f000001/v", "address_not_allowed"),
        ("http://[::1]/v", "address_not_allowed"),
        ("http://[::ffff:10.0.0.1]/v", "address_not_allowed"),
        ("http://localhost/v", "address_not_allowed"),
        ("http://printer.local/v", "address_not_allowed"),
        ("", "bad_link"),
        ("   ", "bad_link"),
        ("a video", "bad_link"),
        ("//www.youtube.com/watch?v=dQw4w9WgXcQ", "bad_link"),
        ("https:///watch", "bad_link"),
        ("https://", "bad_link"),
        ("https://exa mple.com/", "bad_link"),
        ("https:\\\\www.youtube.com\\watch", "bad_link"),
        ("https://www.youtube.com\\@evil.example/", "bad_link"),
        ("http://[::1/v", "bad_link"),
        ("https://www.youtube.com:99999/", "bad_link"),
        ("https://nodot/v", "bad_link"),
        ("https://v.qq.com/" + "x" * 2_100, "bad_link"),
        ("https://" + "a" * 64 + ".com/", "bad_link"),
    ],
)
def test_addresses_nobody_may_use(url: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        recognise(url)
    assert caught.value.fields["url"].code == code
    assert str(caught.value)


def test_an_odd_id_is_not_carried_into_the_plain_address() -> None:
    link = recognise("https://www.youtube.com/watch?v=%22%3E%3Cscript%3E")
    assert link.video_id is None
    assert "<" not in link.canonical_url
