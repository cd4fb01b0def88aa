"""E-mail against a real mail server: what arrives, and what each refusal or silence proves."""

import socket

import pytest
from aiosmtpd.smtp import SMTP

from cms.core import mail
from cms.core.mail import BadLetter, Letter, NotSent, Refused, Unanswered
from tests.core.answering import tls_server, trusting
from tests.mail_server import SENDER, mail_server, use

pytestmark = pytest.mark.usefixtures("app")
LETTER = Letter(("wei@example.com",), "Two posts failed", "Look at the inbox.\n.\n..and so on\n")


def test_a_letter_arrives_as_it_was_written() -> None:
    with mail_server() as box:
        sent = mail.send(
            Letter(
                ("wei@example.com", "li@例子.example"),
                "两条内容没有发出：账号被暂停 " + "很长的标题" * 20,
                "早安\n.\n去收件箱看看",
                html="<p>早安</p>",
                id="notice-7",
                headers={"Auto-Submitted": "auto-generated", "List-Unsubscribe": "<https://x/u>"},
            )
        )
    letter = box.letters[0]
    assert sent.accepted == ("wei@example.com", "li@例子.example")
    assert box.recipients == [["wei@example.com", "li@xn--fsqu00a.example"]]
    assert letter["From"] == SENDER
    assert letter["Subject"].startswith("两条内容没有发出：账号被暂停 很长的标题")
    assert letter["Message-ID"] == "<notice-7@example.com>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Unsubscribe"] == "<https://x/u>"
    assert letter["Date"].datetime.tzinfo is not None
    body, page = letter.get_body(("plain",)), letter.get_body(("html",))
    assert body is not None
    assert page is not None
    assert body.get_content().splitlines() == ["早安", ".", "去收件箱看看"]
    assert page.get_content().strip() == "<p>早安</p>"


def test_lines_of_dots_arrive_whole() -> None:
    with mail_server() as box:
        mail.send(LETTER)
    assert box.letters[0].get_content().splitlines() == LETTER.text.splitlines()


def test_one_connection_carries_many_letters() -> None:
    with mail_server() as box, mail.connected() as line:
        box.answer_to["gone@example.com"] = "550 no such box"
        for name in ("one", "gone", "two"):
            line.send(Letter((f"{name}@example.com",), "Hi", "Hi"))
    assert box.recipients == [["one@example.com"], ["two@example.com"]]


def test_each_recipient_may_be_refused_alone() -> None:
    with mail_server() as box:
        box.answer_to |= {"gone@example.com": "550 no such box", "full@example.com": "452 full"}
        sent = mail.send(
            Letter(("wei@example.com", "gone@example.com", "full@example.com"), "Hi", "Hi")
        )
        nobody = mail.send(Letter(("gone@example.com",), "Hi", "Hi"))
    assert sent.accepted == ("wei@example.com",)
    assert [(one.code, one.said, one.is_final) for one in sent.refused] == [
        (550, "no such box", True),
        (452, "full", False),
    ]
    assert nobody.accepted == ()
    assert len(box.letters) == 1


def test_a_no_for_now_is_not_sent_and_a_no_for_good_is_refused() -> None:
    with mail_server() as box:
        box.answer_at_end = "451 try later"
        with pytest.raises(NotSent, match="try later"):
            mail.send(LETTER)
        box.answer_at_end = "554 looks like spam"
        with pytest.raises(Refused, match="looks like spam"):
            mail.send(LETTER)


def test_silence_after_the_last_byte_leaves_it_open() -> None:
    def hang_up(server: SMTP) -> None:
        assert server.transport is not None
        server.transport.abort()

    with mail_server() as box:
        box.on_end = hang_up
        with pytest.raises(Unanswered):
            mail.send(LETTER)


@pytest.mark.parametrize("answer", ["nonsense after the last byte", "354 go on", "100 wait"])
def test_an_answer_that_says_neither_leaves_it_open(answer: str) -> None:
    """It may be in the mailbox: called refused, it would be sent once more."""
    with mail_server() as box:
        box.answer_at_end = answer
        with pytest.raises(Unanswered):
            mail.send(LETTER)


def test_every_yes_after_the_last_byte_is_a_yes() -> None:
    with mail_server() as box:
        box.answer_at_end = "251 forwarded"
        assert mail.send(LETTER).accepted


def test_no_server_means_that_nothing_left() -> None:
    use("")
    with pytest.raises(NotSent, match="no mail server"):
        mail.send(LETTER)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        use(f"smtp://127.0.0.1:{unused.getsockname()[1]}")
    with pytest.raises(NotSent, match="refused"):
        mail.send(LETTER)


def test_a_wrong_password_is_a_refused_login() -> None:
    with mail_server(login="wei:pass%20word@") as box:
        mail.send(LETTER)
        assert box.logins == [("wei", "pass word")]
    with mail_server(login="wei:wrong@") as box:
        with pytest.raises(Refused) as refused:
            mail.send(LETTER)
        assert refused.value.is_login
        assert box.letters == []


def test_no_password_passes_a_network_in_the_clear() -> None:
    """The server stands at another address of this machine, as if it were elsewhere."""
    here = socket.gethostbyname(socket.gethostname())
    if here.startswith("127."):
        here = _own_address()
    with mail_server(login="wei:pass%20word@", host=here) as box:
        with pytest.raises(Refused, match="no encryption"):
            mail.send(LETTER)
        assert box.logins == []


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; only asks for the way
        except OSError:
            pytest.skip("this machine has no address but its own")
        return str(probe.getsockname()[0])


def test_letters_go_encrypted_where_the_server_offers_it() -> None:
    ours = trusting()
    ours.check_hostname = False
    with mail_server(tls=tls_server(), require_starttls=True) as box:
        mail.send(LETTER, tls=ours)
        assert len(box.letters) == 1
        with pytest.raises(NotSent, match="TLS"):  # a certificate that nobody vouches for
            mail.send(LETTER)


@pytest.mark.parametrize(
    "letter",
    [
        Letter(("wei@example.com\r\nBcc: all@example.com",), "Hi", "Hi"),
        Letter(("wei@example.com, all@example.com",), "Hi", "Hi"),
        Letter(("Wei <wei@example.com>",), "Hi", "Hi"),
        Letter(("@example.com",), "Hi", "Hi"),
        Letter(("wei",), "Hi", "Hi"),
        Letter(("wei@exa mple.com",), "Hi", "Hi"),
        Letter(("wei@" + "a" * 300,), "Hi", "Hi"),
        Letter(("wei@example.com",), "Hi", "Hi", id="a> <b"),
        Letter(("wei@example.com",), "Hi", "Hi", headers={"X-A": "1\r\nBcc: all@example.com"}),
        Letter(("wei@example.com",), "Hi", "Hi", headers={"X-A\r\nBcc": "all@example.com"}),
        Letter(("wei@example.com",), "Hi", "Hi", headers={"Subject": "another"}),
    ],
)
def test_nothing_breaks_out_of_a_header(letter: Letter) -> None:
    with mail_server() as box:
        with pytest.raises(BadLetter):
            mail.send(letter)
        assert box.letters == []


def test_a_subject_of_several_lines_becomes_one() -> None:
    with mail_server() as box:
        mail.send(Letter(("wei@example.com",), "Hi\r\nBcc: all@example.com\r\n\r\nBody", "Hi"))
    assert box.letters[0]["Subject"] == "Hi Bcc: all@example.com Body"
    assert box.letters[0]["Bcc"] is None
    assert box.recipients == [["wei@example.com"]]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (" Wei.Li+a@Example.COM ", "Wei.Li+a@example.com"),
        ("a@例子.中国", "a@xn--fsqu00a.xn--fiqs8s"),
        ("", None),
        ("a@b@c.com", None),
        ("伟@example.com", None),
        ("a..b@example.com", None),
        ("a@-b.com", None),
    ],
)
def test_what_is_an_address(text: str, clean: str | None) -> None:
    assert mail.clean_address(text) == clean
