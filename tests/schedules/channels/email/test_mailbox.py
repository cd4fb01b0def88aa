"""The pages on which a new user reads what the demo mail server keeps."""

import pytest
from werkzeug.test import Client

from cms.demo.carriers.mail import Mailbox
from tests import factories as make
from tests.schedules.channels.email.mailing import listed, send


class TestMailbox:
    def test_letters_are_listed_and_drawn_without_scripts(self, start_carriers, app):
        carriers, _url = start_carriers(Mailbox)
        account = make.account(
            channel="email", per_minute=6000, settings={"sender_name": "<script>x</script>"}
        )
        listed(account, "ann@example.com")
        send(account, asset=make.asset(title="Hello <b>you</b>"))
        box = Client(carriers)
        listing = box.get("/mail/")
        assert "Hello &lt;b&gt;you&lt;/b&gt;" in listing.text
        name = listing.text.partition('href="letter/')[2].partition('"')[0]
        letter = box.get(f"/mail/letter/{name}")
        assert "Hello &lt;b&gt;you&lt;/b&gt;" in letter.text
        assert "sandbox" in letter.headers["Content-Security-Policy"]
        assert b"List-Unsubscribe-Post" in box.get(f"/mail/source/{name}").data

    @pytest.mark.parametrize("name", ["nothing.eml", "..%2Fsecret.key", "%2Fetc%2Fpasswd"])
    def test_it_gives_out_letters_and_nothing_else(self, start_carriers, tmp_path, name):
        carriers, _url = start_carriers(Mailbox)
        assert Mailbox.folder.parent == tmp_path
        (tmp_path / "secret.key").write_text("beside the letters")
        assert Client(carriers).get(f"/mail/letter/{name}").status_code == 404
