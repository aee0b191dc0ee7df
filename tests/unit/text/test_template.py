"""A stranger's template makes texts, and does nothing else, however it is written."""

from typing import Any

import pytest

from wirewatch.text.template import (
    MAX_OUTPUT_BYTES,
    TemplateError,
    check_template,
    render_template,
)

NAMES: dict[str, Any] = {
    "version": 1,
    "type": "alert.created",
    "timestamp": "2026-11-23T09:00:00Z",
    "webhook_id": "msg_1",
    "data": {
        "subscription": {"name": "Panzer & Co", "tags": ["de", "at"]},
        "article": {"title": '北朝鮮 "x" <b>', "url": "https://news.example/?a=1&b=2"},
        "proofs": [{"text": f"word {number}", "leaf": None} for number in range(64)],
        "long": "雪" * 60_000,
        "count": 3,
        "yes": True,
        "nothing": None,
    },
}


def render(source: str, **options: Any) -> str:
    return render_template(source, NAMES, **options)


EACH_TAG = (
    "{% for tag in data.subscription.tags %}{{ loop.index }}{{ tag }}"
    "{% if not loop.last %},{% endif %}{% endfor %}"
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain", "plain"),
        ("{{ type }} {{ version }}", "alert.created 1"),
        ("{{ data.article.title }}", '北朝鮮 "x" <b>'),
        ("{{ data['article']['title'] }}", '北朝鮮 "x" <b>'),
        ("{{ data.article.title|tojson }}", '"北朝鮮 \\"x\\" \\u003cb\\u003e"'),
        ("{{ data.subscription|tojson }}", '{"name":"Panzer \\u0026 Co","tags":["de","at"]}'),
        ("{{ {'a': [data.count, 'b']}|tojson }}", '{"a":[3,"b"]}'),
        ("{{ data.proofs[0].text }}{{ data.proofs[-1].text }}", "word 0word 63"),
        ("{{ data.proofs[64].text }}{{ data.nope.at.all }}{{ data.nothing }}", ""),
        ("{{ data.nope|default('x') }}{{ ''|default('y', true) }}", "xy"),
        ("{{ data.subscription.tags|join(', ') }}", "de, at"),
        ("{{ data.proofs|map(attribute='text')|first }}", "word 0"),
        ("{{ ['a', 'b', 'a']|unique|join }}", "ab"),
        ("{{ data.subscription.tags|length }}", "2"),
        ("{{ 'abc'|upper }}{{ 'ABC'|lower }}{{ ' x '|trim }}{{ 'ab'|capitalize }}", "ABCabcxAb"),
        ("{{ 'abcdef'|truncate(4) }}", "abc…"),
        ("{{ 'a-b'|replace('-', '+') }}", "a+b"),
        ("{{ 'a b&ü'|urlencode }}", "a%20b%26%C3%BC"),
        ("{{ '<&>'|e }}", "&lt;&amp;&gt;"),
        (
            "{{ data.count + 1 }} {{ 7 // 2 }} {{ 7 % 4 }} {{ 6 / 4 }} {{ -data.count }}",
            "4 3 3 1.5 -3",
        ),
        ("{{ '12x'|int(5) }} {{ '12'|int }} {{ 2.345|round(1) }}", "5 12 2.3"),
        ("{{ 'a' ~ 1 ~ data.nope }} {{ 'a' + 'b' }}", "a1 ab"),
        ("{% if data.count > 2 and 'de' in data.subscription.tags %}yes{% endif %}", "yes"),
        ("{% if type == 'x' %}a{% elif data.yes %}b{% else %}c{% endif %}", "b"),
        ("{{ 'a' if data.nope is defined else 'b' }}{{ data.count is number }}", "bTrue"),
        ("{% set name = data.subscription.name %}{{ name }}", "Panzer & Co"),
        (EACH_TAG, "1de,2at"),
        ("{% for x in data.nope %}x{% else %}none{% endfor %}", "none"),
        ("{% for p in data.proofs if p.text == 'word 3' %}{{ p.text }}{% endfor %}", "word 3"),
        ("{# a remark #}{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ],
)
def test_what_a_template_can_say(source: str, expected: str) -> None:
    check_template(source)

    assert render(source) == expected


def test_for_markup_values_are_escaped_and_what_is_written_is_not() -> None:
    source = (
        '<a href="{{ data.article.url }}">{{ data.article.title ~ "!" }}</a>'
        "{{ data.subscription.tags|join('<br>') }}{{ data.article.title|e }}"
        "<script>{{ data.article.title|tojson }}</script>"
    )

    assert render(source, autoescape=True) == (
        '<a href="https://news.example/?a=1&amp;b=2">北朝鮮 &#34;x&#34; &lt;b&gt;!</a>'
        "de&lt;br&gt;at北朝鮮 &#34;x&#34; &lt;b&gt;"
        '<script>"北朝鮮 \\"x\\" \\u003cb\\u003e"</script>'
    )


LOOP = "{% for a in data.proofs %}"
END = "{% endfor %}"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ ''.__class__.__mro__ }}", None),
        ("{{ data['__class__'] }}{{ data.items }}{{ data.keys }}{{ type.upper }}", None),
        (LOOP + "{{ loop.__class__ }}{{ loop._iterator }}{{ loop.cycle }}" + END, None),
        ("{{ data.proofs|map(attribute='__class__')|join }}", None),
        ("{{ ''.upper() }}", "nothing can be called"),
        ("{{ '{0.__class__}'.format(data) }}", "nothing can be called"),
        ("{{ range(10) }}", "nothing can be called"),
        ("{% set ns = namespace(x=1) %}", "nothing can be called"),
        ("{{ self }}", "there is no 'self'"),
        ("{{ __builtins__ }}", "there is no '__builtins__'"),
        ("{{ _budget }}", "there is no '_budget'"),
        ("{{ artcle.title }}", "there is no 'artcle': data, timestamp, type, version, webhook_id"),
        ("{{ data|attr('x') }}", "there is no filter 'attr'"),
        ("{{ data|_weighed }}", "there is no filter '_weighed'"),
        ("{{ data is callable }}", "there is no test 'callable'"),
        ("{{ 'a'|replace(*data.proofs) }}", "plain arguments"),
        ("{{ 'abc'[1:] }}", "slices are not allowed"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "called"),
        ("{% macro f() %}{% endmacro %}", "macros are not allowed"),
        ("{% include 'x' %}", "cannot be included"),
        ("{% import 'x' as x %}", "cannot be imported"),
        ("{% extends 'x' %}", "cannot be extended"),
        ("{% block a %}{{ self.a() }}{% endblock %}", "Block is not allowed"),
        ("{% filter upper %}x{% endfilter %}", "FilterBlock is not allowed"),
        ("{% set x %}a{% endset %}", "AssignBlock is not allowed"),
        ("{% set a, b = data.proofs %}", "only a name can be set"),
        ("{% for x in data.proofs recursive %}{% endfor %}", "recursive loops are not allowed"),
        ("{% autoescape false %}{% endautoescape %}", "not allowed"),
        ("{% do x %}", "unknown tag 'do'"),
        ("{{ data.proofs }}", "a list or an object cannot be printed"),
        ("{{ 'a' ~ data }}", "a list or an object is no text"),
        ("{{ 'a' * 1000000000 }}", "* is for numbers"),
        ("{{ [1] * 1000000000 }}", "* is for numbers"),
        ("{{ '%1000000000d' % 1 }}", "% is for numbers"),
        ("{{ 10 ** 1000000000 }}", "powers are not allowed"),
        ("{{ 999999999 * 999999999 * 999999999 }}", "a number is too large"),
        ("{{ 99999999999999999 }}", "the number is too large"),
        ("{{ " + "9" * 16_000 + " }}", "cannot be compiled"),
        ("{{ 'a'|center(1000000000) }}", "there is no filter 'center'"),
        ("{{ 'a'|indent(1000000000) }}", "there is no filter 'indent'"),
        ("{{ '%1000000000d'|format(1) }}", "there is no filter 'format'"),
        ("{{ data.long|replace('雪', data.long) }}", "a text would have more than 65536"),
        ("{{ 'a'|replace('', 'b') }}", "replace needs something"),
        ("{{ data.proofs|map(attribute='text')|join(data.long) }}", "a text would have more than"),
        ("{{ data.long ~ data.long }}", "a text would have more than 65536"),
        ("{{ data.long + data.long }}", "a text would have more than 65536"),
        ("{{ data.long }}", f"the result is larger than {MAX_OUTPUT_BYTES} bytes"),
        ("{% set a = 'xy' %}" + "{% set a = a ~ a %}" * 100, "a text would have more than 65536"),
        ("{% set a = [1] %}" + "{% set a = [a, a] %}" * 100, "too many steps"),
        (
            "{% set a = [1] %}{% set b = [1] %}"
            + "{% set a = [a, a] %}{% set b = [b, b] %}" * 30
            + "{{ a == b }}",
            "too many steps",
        ),
        (LOOP * 4 + "x" + END * 4, "too many steps"),
        (LOOP * 3 + END * 3, "too many steps"),
        (LOOP * 6 + "x" + END * 6, "more than 5 loops stand in one another"),
        (LOOP * 2 + "y" * 15_000 + END * 2, "too many steps"),
        (LOOP * 2 + "{% if data.long in data.long %}{% endif %}" + END * 2, "too many steps"),
        (LOOP * 2 + "{% if (data|tojson)|length %}{% endif %}" + END * 2, "too many steps"),
        (LOOP * 2 + "{% if data.long|upper %}{% endif %}" + END * 2, "too many steps"),
        (LOOP * 2 + "{% set x = data.long %}" + END * 2, "too many steps"),
        ("{{ " + "(" * 8_000 + "1" + ")" * 8_000 + " }}", "nested too deeply"),
        ("{{ " + "not " * 3_000 + "1 }}", "nested too deeply"),
        ("{{ " + "- " * 3_000 + "1 }}", "nested too deeply"),
        ("{{ " + " and ".join(["data"] * 1_500) + " }}", "nested too deeply"),
        ("{{ data" + ".a" * 5_000 + " }}", "nested too deeply"),
        ("{{ " + "[" * 900 + "]" * 900 + "|tojson }}", "nested too deeply"),
        ("{% if data %}" * 500 + "{% endif %}" * 500, "nested too deeply"),
        ("{{ data.a }}" * 1_300, "it has more than 1000 parts"),
        ("{{" * 8_000, ""),
        ("{%-" * 5_000, ""),
        ("{% raw %}" * 1_800, ""),
        ("x" * 16_385, "the template has 16385 characters, at most 16384 are allowed"),
        ("x" * 1_000_000, "the template has 1000000 characters"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ data.nope + 1 }}", "+ is for numbers"),
        ("{{ data.count|truncate(data) }}", ""),
        ("{{ 'x'|truncate(1e999) }}", ""),
        ("{{ {data: 1}|tojson }}", "unhashable"),
        ("{{ '\ud800' }}", "surrogates not allowed"),
    ],
)
def test_what_it_cannot(source: str, says: str | None) -> None:
    if says is None:
        assert render(source) == ""
        return
    with pytest.raises(TemplateError) as caught:
        render(source)

    assert says in str(caught.value)
    assert len(str(caught.value)) < 350


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("a\n\n{{ x", 3, "unexpected end of template"),
        ("a\n{{ data }}\n{{ nope }}", 3, "there is no 'nope'"),
        ("a\n{% macro m() %}{% endmacro %}", 2, "macros are not allowed"),
        ("{{ data|nope }}", 1, "there is no filter 'nope'"),
    ],
)
def test_a_check_says_what_is_wrong_and_in_which_line(source: str, line: int, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        check_template(source)

    assert caught.value.line == line
    assert reason in caught.value.reason
    assert str(caught.value).startswith(f"line {line}: ")


def test_what_goes_wrong_while_rendering_is_told_with_its_line() -> None:
    with pytest.raises(TemplateError, match="line 3: a list or an object cannot be printed"):
        render("{{ type }}\n{{ type }}\n{{ data.proofs }}")


def test_the_same_template_does_the_same_each_time_and_pays_anew() -> None:
    source = LOOP + "{{ a.text }}" + END

    assert len({render(source) for _ in range(200)}) == 1


def test_values_are_not_changed() -> None:
    render("{% set data = 1 %}{{ data }}")

    assert NAMES["data"]["count"] == 3
