"""Words that look like a name and are none, each in a text of its language."""

import pytest

from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder

CATALOGUE = Catalogue.load()
FINDER = Finder(CATALOGUE)


_IDS = """
Q423 Q884 Q159 Q212 Q148 Q30 Q17 Q183 Q142 Q145 Q668 Q843 Q794 Q801 Q43 Q851 Q79 Q858 Q865 Q36
Q155 Q96 Q252 Q114 Q258 Q7184 Q1065 Q458 Q7747 topic:military
"""
LOOKED_LIKE = frozenset(CATALOGUE.label(entity_id) for entity_id in _IDS.split())


def found(text: str, language: str) -> list[tuple[str, str]]:
    return [
        (CATALOGUE.label(mention.entity_id), text[mention.start : mention.end])
        for mention in FINDER.find(text, language)
    ]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Kurt Russell and Ross met Rusty, a Prussian Belarusian."),
        ("en", "Indianapolis is in Indiana, far from the Indian Ocean."),
        ("en", "Contact us, let us know; the turkey was on fine china."),
        ("en", "Use nail polish, a pole and french fries."),
        ("en", "Pole position for the driver from the North Pole."),
        ("en", "They linked arms; the alarm disarmed the harmless arm."),
        ("en", "The Salvation Army opened in Latin America and New Mexico."),
        ("en", "Nigeria and Niger, Guinea and Guyana."),
        ("de", "Polare Kälte, polieren und die Pole Position."),
        ("de", "Die Heilsarmee half in Weißrussland dem weißrussischen Rusticus."),
        ("fr", "La Prusse, la chinoiserie, il chine ; on arme un navire."),
        ("es", "Los diversos estados, unidos o no; una rusticidad."),
        ("it", "Nato a Roma, pieno di ira; usa la forza."),
        ("pt", "A ira dos deuses."),
        ("nl", "Wit-Rusland en de Wit-Russische rust."),
        ("pl", "Chinina i kreatyna, polskość."),
        ("ru", "Белоруссия, Россини и первая ракетка мира, ракетку сломал."),
        ("uk", "Білорусь, ранкова роса, на росі."),
        ("cs", "Bělorusko a Bělorusové."),
        ("sv", "Vitryssland och vitryska."),
        ("fi", "Valko-Venäjän valkovenäläiset, puola ja turkki."),
        ("tr", "Beyaz Rusya'dan bir cin, Russell."),
        ("ar", "مسابقة الفروسية، وفروسية في روسيا البيضاء، دروس."),
        ("fa", "عروس روسری خرید، روسیه سفید."),
        ("he", "בלארוס, הודיע"),
        ("hi", "बेलारूस, रूसो"),
        ("ja", "ロシアンルーレットとインドアとベラルーシ、インド洋"),
        ("ja", "毎日朝食を食べる。5日朝、今朝ロンドン"),
        ("ko", "러시아워 인도양 벨라루스"),
        ("zh", "白俄罗斯和俄亥俄州，印度洋，华北约有十人"),
        ("ja", "アラブ首長国連邦"),
        ("de", "wir wählen und zollen Respekt, Zoll"),
        ("pl", "półki w sklepie, pluton egzekucyjny"),
        ("ar", "التركيز على التركيب، بوروسيا دورتموند، ذرية"),
        ("he", "מטילים, בהשפעת, מסורים, קניה"),
        ("fi", "intiaanit ja intiaaneja"),
        ("tr", "taburcu oldu, hindistancevizi, mısır"),
        ("sv", "armen, polen"),
        ("cs", "prezidentský úřad"),
        ("ko", "범죄인 인도 조약"),
        ("ja", "アイランド、コロシアム、セシリア、ラスプーチン、蕁麻疹"),
        ("zh", "发展中国家，领军人物，来日方长，韩国瑜"),
        ("vi", "Cô Nga bị ngã, ngà voi; mỹ thuật, đức hạnh"),
    ],
)
def test_is_nothing(language: str, text: str) -> None:
    assert [name for name, _ in found(text, language) if name in LOOKED_LIKE] == []


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "The US said U.S. troops leave Türkiye.", ["US", "U.S.", "Türkiye"]),
        (
            "en",
            "Indians and Iranians in India, Iran's ally",
            ["Indians", "Iranians", "India", "Iran"],
        ),
        ("en", "CHINA and Turkey", ["CHINA", "Turkey"]),
        (
            "de",
            "Ukrainer in der Ukraine; der Ukrainekrieg",
            ["Ukrainer", "Ukraine", "Ukrainekrieg"],
        ),
        ("de", "in der Türkei, US-Präsident", ["Türkei", "US-"]),
        ("de", "Vereinten Nationen, Nato und EU", ["Vereinten Nationen", "Nato", "EU"]),
        ("es", "Estados Unidos, EE.UU. e Irán; IRAN", ["Estados Unidos", "EE.UU.", "Irán", "IRAN"]),
        ("pl", "polski rząd, Polacy w Chinach", ["polski", "Polacy", "Chinach"]),
        ("tr", "Çin, ÇİN ve İran'ın; Türk", ["Çin", "ÇİN", "İran", "Türk"]),
        ("ru", "южноамериканский, американский; США", ["американский", "США"]),
        ("ar", "للصين وبالصين وللهند", ["للصين", "وبالصين", "وللهند"]),
        ("ko", "NATO가 한미 훈련을", ["NATO", "한미", "한미"]),
        ("ja", "インドネシアとインド", ["インドネシア", "インド"]),
        ("zh", "印度尼西亚和印度，向NATO表示", ["印度尼西亚", "印度", "NATO"]),
        ("fi", "Yhdysvaltain ja Kiinan", ["Yhdysvaltain", "Kiinan"]),
        ("he", 'ארה"ב וארה״ב, צה״ל', ['ארה"ב', "וארה״ב", "צה״ל"]),
        ("hi", "रूस, भारतीय", ["रूस", "भारतीय"]),
    ],
)
def test_is_exactly_these_words(language: str, text: str, expected: list[str]) -> None:
    words = [word for name, word in found(text, language) if name in LOOKED_LIKE]
    assert words == expected


def test_longest_name_wins_over_the_one_inside_it() -> None:
    text = "Democratic People's Republic of Korea and the Republic of Korea"
    assert found(text, "en") == [
        ("North Korea", "Democratic People's Republic of Korea"),
        ("South Korea", "Republic of Korea"),
    ]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        (
            "Wladimir Putin trifft Kim Jong Un und Selenskyj",
            "de",
            ["Wladimir Putin", "Kim Jong Un", "Selenskyj"],
        ),
        ("Путину, Ким Чен Ыном и Зеленским", "ru", ["Путину", "Ким Чен Ыном", "Зеленским"]),
        ("Putin ja Kim Jong-unin, Zelenskyin", "fi", ["Putin", "Kim Jong-unin", "Zelenskyin"]),
        ("金正恩会见普京和泽连斯基", "zh", ["金正恩", "普京", "泽连斯基"]),
        ("путина началась", "ru", []),
    ],
)
def test_people(text: str, language: str, expected: list[str]) -> None:
    assert [word for _, word in found(text, language)] == expected
