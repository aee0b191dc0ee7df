"""Hosts as they are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.web.hosts import comparable_host, parents_of


@pytest.mark.parametrize(
    ("host", "comparable"),
    [
        ("News.Example", "news.example"),
        ("www.news.example.", "news.example"),
        (" news.example ", "news.example"),
        ("XN--BCHER-KVA.example", "bücher.example"),
        ("BÜCHER.example", "bücher.example"),
        ("xn--strae-oqa.example", "straße.example"),
        ("strasse.example", "strasse.example"),
        ("ｎｅｗｓ。example", "news.example"),
        ("xn--e1afmkfd.xn--p1ai", "пример.рф"),
        ("xn--\ud800.example", "xn--\ud800.example"),
        ("xn--zzzzzzzzzzz99999.example", "xn--zzzzzzzzzzz99999.example"),
        ("", ""),
    ],
)
def test_one_host_has_one_form(host, comparable):
    assert comparable_host(host) == comparable


@given(st.text())
def test_any_text_has_a_form(text):
    assert isinstance(comparable_host(text), str)


def test_a_host_has_those_above_it():
    assert parents_of("a.b.example") == ["a.b.example", "b.example", "example"]
