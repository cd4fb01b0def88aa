"""What a letter says and to whom: one of their own for each, with what else their pool got."""

from dataclasses import replace

from sqlalchemy import select

from cms.core import config
from cms.core.db import session, transaction
from content_library import media
from content_library.models import VersionMedia
from schedules import letters
from schedules.content import outgoing
from schedules.models import Publication, Subscriber
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import png
from tests.schedules.channels.email.mailing import CHANNEL, body, send
from tests.schedules.ready import again, approved, tried


class TestLetter:
    def test_everybody_gets_one_of_their_own(self, sink, account):
        publication = send(account, asset=make.asset(title="立春第一批种子", lang="zh"))
        assert publication.state is State.PUBLISHED
        kept = sink.letters()
        assert [one.to for one in kept] == ["ann@example.com", "bo@example.com", "cy@example.com"]
        first = kept[0].message
        assert first["Subject"] == "立春第一批种子"
        assert first["From"] == "种子铺 <shop@example.com>"
        assert first["To"] == "ann@example.com"
        assert first["Date"]
        assert first["List-Id"] == f"<{account.slug}.localhost>"
        ids = {one.message["Message-ID"] for one in kept}
        assert len(ids) == 3
        assert all(publication.idempotency_key in one for one in ids)
        assert publication.carrier_facts["sent"] == 3

    def test_it_says_the_post_in_text_and_html(self, sink, account):
        send(account, text="Zwei <b>Zeilen</b>\nund noch eine")
        [message, *_] = [one.message for one in sink.letters()]
        link = session.scalars(select(Publication)).one().links[0]
        for kind in ("plain", "html"):
            assert f"/l/{link.code}" in body(message, kind)
            assert "Lane 3, Suzhou" in body(message, kind)
        assert "Zwei <b>Zeilen</b>\nund noch eine" in body(message, "plain")
        assert "Zwei &lt;b&gt;Zeilen&lt;/b&gt;<br>und noch eine" in body(message, "html")

    def test_a_chinese_asset_gets_a_chinese_frame(self, sink, account):
        send(account, asset=make.asset(lang="zh"))
        page = body(sink.letters()[0].message, "html")
        assert 'lang="zh-CN"' in page

    def test_one_click_takes_its_reader_off_the_list(self, sink, account):
        send(account)
        for one in sink.letters():
            token = session.scalar(select(Subscriber.token).where(Subscriber.address == one.to))
            own = f"http://localhost/u/{token}"
            assert one.message["List-Unsubscribe"] == f"<{own}>"
            assert one.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert own in body(one.message, "plain")
            assert own in body(one.message, "html")
            assert body(one.message, "html").count("/u/") == 1

    def test_a_long_host_leaves_the_way_off_the_list_readable(self, sink, account):
        """Mail programs read these lines as they come: encoded ones would be no address to them."""
        host = "letters.content-marketing.some-long-company-name.example.com"
        config.use(replace(config.current(), base_url=f"https://{host}"))
        send(account)
        one = session.scalars(select(Subscriber)).first()
        heads = (file.read_bytes().partition(b"\r\n\r\n")[0] for file in sink.folder.glob("*.eml"))
        [raw] = [head for head in heads if f"To: {one.address}".encode() in head.split(b"\r\n")]
        lines = raw.decode("ascii").split("\r\n")
        assert f"List-Unsubscribe: <https://{host}/u/{one.token}>" in lines
        assert f"List-Id: <{account.slug}.{host}>" in lines
        assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines

    def test_the_cover_travels_inside(self, sink, account):
        asset = make.asset()
        with transaction():
            picture = media.store(png(), "cover.png", by=None)
            link = VersionMedia(media_id=picture.id, role="cover", alt="")
            asset.versions[0].media_links.append(link)
        send(account, asset=asset)
        message = sink.letters()[0].message
        [image] = [part for part in message.walk() if part.get_content_maintype() == "image"]
        assert image["Content-ID"] == "<picture-1>"
        assert 'src="cid:picture-1"' in body(message, "html")
        assert image.get_payload(decode=True)[:4] == b"\x89PNG"

    def test_nothing_breaks_out_of_a_header(self, sink, account):
        with transaction():
            settings = {"sender_name": "A\r\nBcc: x@example.com", "reply_to": "a@b.c\r\nX-Evil: 1"}
            account.settings = settings
        send(account, asset=make.asset(title="Hello\r\nBcc: eve@example.com"))
        message = sink.letters()[0].message
        assert message["Bcc"] is None
        assert message["X-Evil"] is None
        assert message["Subject"] == "Hello Bcc: eve@example.com"

    def test_what_is_sent_is_what_was_shown(self, sink, account):
        post = make.post(account=account)
        shown = CHANNEL.render(outgoing(post))
        assert shown.title == post.version.title
        publication = send(account, asset=post.asset, text=post.text)
        drawn = CHANNEL.render(outgoing(publication.post))
        token = session.scalar(select(Subscriber.token).order_by(Subscriber.address))
        sent = body(sink.letters()[0].message, "html").rstrip("\n")
        assert sent == drawn.html.replace(letters.ANYBODY, token)


class TestAlso:
    def test_it_lists_what_the_pool_got_since_the_last_letter(self, sink, account):
        pool = make.pool()
        other = make.account(pool, channel="reader", per_minute=6000)
        early = send(other, pool=pool)
        first = send(account, pool=pool)
        assert early.post.version.title in body(sink.letters()[0].message, "plain")
        late = send(other, pool=pool)
        second = send(account, pool=pool)
        assert first.state is second.state is State.PUBLISHED
        text = body(sink.letters()[-1].message, "plain")
        assert late.post.version.title in text
        assert f"/l/{late.links[0].code}" in text
        assert early.post.version.title not in text
        assert first.post.version.title not in text

    def test_at_most_five_and_none_twice_and_none_of_other_pools(self, sink, account):
        pool = make.pool()
        other = make.account(pool, channel="reader", per_minute=6000)
        asset = make.asset()
        send(other, pool=pool, asset=asset)
        send(other, pool=pool, asset=asset)
        alien = send(other, pool=make.pool())
        for _ in range(5):
            send(other, pool=pool)
        send(account, pool=pool)
        text = body(sink.letters()[0].message, "plain")
        assert text.count("\n- ") == 5
        assert alien.post.version.title not in text

    def test_the_choice_stays_the_same_through_all_parts(self, sink, account):
        pool = make.pool()
        other = make.account(pool, channel="reader", per_minute=6000)
        send(other, pool=pool)
        sink.handler.script["*"] = ["ok", "cut", "ok"]
        publication = send(account, pool=pool)
        send(other, pool=pool)
        assert again(publication).state is State.PUBLISHED
        said = {body(one.message, "plain").partition("\n-- ")[0] for one in sink.letters()}
        assert len(said) == 1

    def test_an_approval_outlives_a_new_neighbour(self, sink, account):
        pool = make.pool()
        other = make.account(pool, channel="reader", per_minute=6000)
        publication = approved(account=account, pool=pool)
        send(other, pool=pool)
        assert tried(publication).state is State.PUBLISHED
