"""The language of a text, and whether it can be the one that was said."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.documents.language import detect, plausible

ARTICLES = Path(__file__).parents[3] / "services/wirewatch/starter/data/articles"
SAMPLES = [
    (article["language"], article["title"], article["summary"])
    for path in sorted(ARTICLES.glob("*.json"))
    for article in json.loads(path.read_text("utf-8"))
]
RUSSIAN = "Военная делегация посетила оружейный завод"
JAPANESE = "北日本で強い地震、津波の心配なし"
CHINESE = "朝鲜军事代表团参观俄罗斯兵工厂"
ENGLISH = "Strong earthquake off northern Japan, no tsunami warning"


@pytest.mark.parametrize(("language", "title", "lead"), SAMPLES)
def test_the_language_of_a_headline_is_found(language: str, title: str, lead: str) -> None:
    assert detect(title) == language
    assert detect(lead) == language
    assert plausible(language, f"{title} {lead}")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("삼성전자 신제품 공개", "ko"),
        ("iPhone 17 新製品をレビュー", "ja"),
        ("東京都知事選挙", "zh"),
        ("Ο πρωθυπουργός στη Θεσσαλονίκη", "el"),
        ("ราคาทองวันนี้", "th"),
        ("החדשות של היום", "he"),
        ("இன்றைய செய்திகள்", "ta"),
        ("აქციები თბილისში", "ka"),
    ],
)
def test_a_script_that_one_language_has_tells_it(text: str, language: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "12.03.2026",
        "Live",
        "日",
        "OK",
        "😀 😀",
        "Trump",
        "Да",
        "Donald Trump Putin Zelensky",
    ],
)
def test_what_is_too_short_or_in_all_languages_is_in_none(text: str) -> None:
    assert detect(text) == ""


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", RUSSIAN),
        ("en-GB", CHINESE),
        ("EN", JAPANESE),
        ("de", "الأخبار العاجلة من القاهرة"),
        ("ru", ENGLISH),
        ("ru", CHINESE),
        ("ja", ENGLISH),
        ("zh", JAPANESE),
        ("zh-Hant", "서울에서 열린 회의에 참석했다"),
        ("ko", CHINESE),
        ("ja", CHINESE * 4),
        ("hi", "বাংলাদেশের খবর আজকের"),
    ],
)
def test_a_text_in_another_script_is_not_in_the_language(language: str, text: str) -> None:
    assert not plausible(language, text)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", ENGLISH),
        ("de", ENGLISH),
        ("en", f"{ENGLISH} ({JAPANESE[:5]})"),
        ("ja", "iPhone 17 Pro Max 新製品レビュー"),
        ("ja", CHINESE),
        ("ru", "Apple iPhone 17 Pro Max: обзор"),
        ("zh-CN", CHINESE),
        ("sr", RUSSIAN),
        ("sr-Latn", ENGLISH),
        ("uz", RUSSIAN),
        ("uz", ENGLISH),
        ("xx", CHINESE),
        ("", CHINESE),
        ("en", "Да"),
        ("en", ""),
    ],
)
def test_other_texts_may_be_in_the_language(language: str, text: str) -> None:
    assert plausible(language, text)


@given(st.text())
def test_whatever_the_text_is_there_is_an_answer(text: str) -> None:
    assert detect(text).isalpha() or detect(text) == ""
    assert plausible("", text)
