"""Which addresses may be called at all: none inside, in no spelling, and not by a second look-up."""

import pytest

from cms.core.addresses import is_public, parse
from cms.core.http import AddressNotAllowed, Client, NotSent
from tests.core.answering import OK, Serve, client, to_loopback

PRIVATE = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "168.63.129.16", "0.0.0.0", "0.1.2.3", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1",
    "ff02::1", "2001:db8::1", "100::1", "not an address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_closed_addresses(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(AddressNotAllowed):
        Client(resolve=lambda _host, _port: [address]).request("POST", "https://inside.example/")


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "8.8.8.8", "223.5.5.5", "2400:3200::1", "2606:4700::1111", "::ffff:8.8.8.8"],
)
def test_open_addresses(address: str) -> None:
    assert is_public(address)


def test_one_closed_address_among_open_ones_is_refused() -> None:
    with pytest.raises(AddressNotAllowed):
        Client(resolve=lambda _host, _port: ["8.8.8.8", "127.0.0.1"]).request(
            "GET", "http://two.example/"
        )


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "LOCALHOST.",
    ],
)
def test_this_machine_in_any_spelling_with_the_real_resolver(serve: Serve, host: str) -> None:
    server = serve(OK)
    with pytest.raises((AddressNotAllowed, NotSent)):
        Client(seconds=3).request("GET", f"http://{host}:{server.port}/")
    assert server.received == []


def test_a_name_is_looked_up_once_and_that_address_is_used(serve: Serve) -> None:
    """A name that is public when checked and private when called (rebinding) gets no second look."""
    server = serve(OK)
    asked: list[str] = []

    def turncoat(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["203.0.114.1"] if len(asked) == 1 else ["127.0.0.1"]

    with pytest.raises(NotSent):
        Client(resolve=turncoat, seconds=0.5).request("GET", f"http://turn.example:{server.port}/")
    assert asked == ["turn.example"]
    assert server.received == []


def test_an_allowed_simulator_is_one_name_and_one_port(serve: Serve) -> None:
    server, other = serve(OK), serve(OK)
    caller = client(server.port)
    assert caller.request("GET", f"http://hooks.example:{server.port}/").status == 200
    for url in (f"http://hooks.example:{other.port}/", f"http://evil.example:{server.port}/"):
        with pytest.raises(AddressNotAllowed):
            caller.request("GET", url)
    assert other.received == []


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example/", "file:///etc/passwd", "javascript:alert(1)", "//a.example/", "a.example", "", "http://", "http:///x",
     "http://u:p@a.example/", "http://a.example@b.example/", "http://a.example:0/", "http://a.example:99999/", "http://a.example/\r\nX: 1",
     "http://a.example\\@b.example/", "http://a b.example/", "http://[::1", "http://[fe80::1%25eth0]/", "http://%31%32%37.1/",
     "http://" + "a" * 64 + ".example/", "gopher://a.example/"],
)  # fmt: skip
def test_what_is_no_plain_web_address(url: str) -> None:
    with pytest.raises(AddressNotAllowed):
        Client(resolve=to_loopback).request("GET", url)


def test_chinese_names_and_paths_are_written_as_the_net_wants_them() -> None:
    target = parse("https://例子.example/路径?问=好#顶")
    assert target.host == "xn--fsqu00a.example"
    assert target.path == "/%E8%B7%AF%E5%BE%84?%E9%97%AE=%E5%A5%BD"


def test_checking_an_address_for_a_form_sends_nothing(serve: Serve) -> None:
    server = serve(OK)
    client(server.port).check(f"http://hooks.example:{server.port}/")
    with pytest.raises(AddressNotAllowed):
        Client(resolve=to_loopback).check(f"http://hooks.example:{server.port}/")
    assert server.received == []
