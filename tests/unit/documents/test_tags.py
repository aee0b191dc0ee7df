"""The tags of HTML as they are written."""

import pytest

from wirewatch.documents.tags import attributes, decoded


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("", {}),
        (
            " rel=alternate HREF = '/a?b&amp;c' title=\"it's\" hidden/",
            {"rel": "alternate", "href": "/a?b&c", "title": "it's", "hidden": ""},
        ),
        (" href=/first href=/second", {"href": "/first"}),
        (' href="" title="x">', {"href": "", "title": "x"}),
        (" href=/a/b/", {"href": "/a/b/"}),
    ],
)
def test_attributes_are_read_as_browsers_do(written: str, found: dict[str, str]) -> None:
    assert attributes(written) == found


def test_references_are_decoded_once() -> None:
    assert decoded("&amp;lt; &#65;&#x42; AT&T &#99999999999;") == "&lt; AB AT&T \ufffd"
