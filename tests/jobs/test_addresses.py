"""What a person may write for the address of a head."""

import pytest

from vaesearch.errors import InputError
from vaesearch.jobs.addresses import address_of, is_loopback, parse_address


@pytest.mark.parametrize(
    ("text", "url", "port"),
    [
        ("http://head:8265", "http://head:8265", 8265),
        (" http://head:8265/ ", "http://head:8265", 8265),
        ("head:8265", "http://head:8265", 8265),
        ("https://gate.example/ray/", "https://gate.example/ray", 443),
        ("http://[::1]:8265", "http://[::1]:8265", 8265),
    ],
)
def test_forms(text, url, port):
    found = parse_address(text)
    assert (found.url, found.port) == (url, port)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ray://head:10001", "http://head:8265"),
        ("head:6379", "http://head:8265"),
        ("http://10.0.0.5:6379", "http://10.0.0.5:8265"),
        ("auto", "http://HOST:8265"),
        ("head", "http://HOST:8265"),
        ("ftp://head", "http://HOST:8265"),
        ("http://a b:8265", "http://HOST:8265"),
        ("http://head:port", "http://HOST:8265"),
        ("http://me:pw@head:8265", "without user"),
        ("http://:pw@head:8265", "without user"),
        ("", "http://HOST:8265"),
    ],
)
def test_mistakes_are_said_with_the_form_that_is_right(text, said):
    with pytest.raises(InputError) as caught:
        parse_address(text)
    assert said in str(caught.value)
    assert str(caught.value).count("\n") == 1


def test_the_environment_counts_where_nothing_is_given():
    both = {"RAY_API_SERVER_ADDRESS": "http://a:1", "RAY_ADDRESS": "http://b:2"}
    assert address_of(None, both).url == "http://a:1"
    assert address_of("http://c:3", both).url == "http://c:3"
    assert address_of(None, {"RAY_ADDRESS": "http://b:2"}).url == "http://b:2"
    with pytest.raises(InputError, match="Give --address"):
        address_of(None, {"RAY_ADDRESS": "10.0.0.1:6379"})
    with pytest.raises(InputError, match="RAY_API_SERVER_ADDRESS ray://x"):
        address_of(None, {"RAY_API_SERVER_ADDRESS": "ray://x:10001"})


def test_loopback_is_found_by_number_not_by_name(monkeypatch):
    numbers = {"tunnel": ["127.0.0.1"], "both": ["127.0.0.1", "10.0.0.1"], "gone": None}

    def resolve(host, port, **more):
        if numbers[host] is None:
            raise OSError
        return [(0, 0, 0, "", (number, 0)) for number in numbers[host]]

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    assert [is_loopback(host) for host in numbers] == [True, False, False]
