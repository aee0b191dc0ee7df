"""The trio of the project's example in every language: North Korea, Russia, the military."""

import pytest

from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder

NORTH_KOREA, SOUTH_KOREA, RUSSIA = "Q423", "Q884", "Q159"
MILITARY = "topic:military"
FINDER = Finder(Catalogue.load())


def found(text: str, language: str, *wanted: str) -> dict[str, list[str]]:
    """The words that name each of the wanted entities, as they stand in the text."""
    words: dict[str, list[str]] = {entity_id: [] for entity_id in wanted}
    for mention in FINDER.find(text, language):
        if mention.entity_id in words:
            words[mention.entity_id].append(text[mention.start : mention.end])
    return words


# language, sentence, words of North Korea, of Russia, of the military
TRIO = [
    (
        "en",
        "North Korean troops are fighting beside the Russian army, and Russia's navy got missiles.",
        ["North Korean"],
        ["Russian", "Russia"],
        ["troops", "army", "navy", "missiles"],
    ),
    (
        "de",
        (
            "Nordkoreanische Soldaten kämpfen an der Seite der russischen Streitkräfte, "
            "melden militärische Kreise in Nordkorea."
        ),
        ["Nordkoreanische", "Nordkorea"],
        ["russischen"],
        ["Soldaten", "Streitkräfte", "militärische"],
    ),
    (
        "fr",
        (
            "La Corée du Nord a livré des missiles à l’armée russe ; les soldats nord-coréens "
            "arrivent en Russie."
        ),
        ["Corée du Nord", "nord-coréens"],
        ["russe", "Russie"],
        ["missiles", "armée russe", "soldats"],
    ),
    (
        "es",
        "Soldados norcoreanos combaten junto al ejército ruso; Corea del Norte da misiles a Rusia.",
        ["norcoreanos", "Corea del Norte"],
        ["ruso", "Rusia"],
        ["Soldados", "ejército", "misiles"],
    ),
    (
        "pt",
        (
            "Tropas norte-coreanas lutam com o exército russo; a Coreia do Norte envia mísseis "
            "para a Rússia."
        ),
        ["norte-coreanas", "Coreia do Norte"],
        ["russo", "Rússia"],
        ["Tropas", "exército", "mísseis"],
    ),
    (
        "it",
        "Soldati nordcoreani accanto all'esercito russo: la Corea del Nord dà missili alla Russia.",
        ["nordcoreani", "Corea del Nord"],
        ["russo", "Russia"],
        ["Soldati", "esercito", "missili"],
    ),
    (
        "nl",
        (
            "Noord-Koreaanse soldaten vechten met het Russische leger, Noord-Korea stuurt raketten "
            "naar Rusland."
        ),
        ["Noord-Koreaanse", "Noord-Korea"],
        ["Russische", "Rusland"],
        ["soldaten", "leger", "raketten"],
    ),
    (
        "pl",
        (
            "Północnokoreańscy żołnierze walczą u boku rosyjskiej armii, a Korea Północna wysyła "
            "rakiety do Rosji."
        ),
        ["Północnokoreańscy", "Korea Północna"],
        ["rosyjskiej", "Rosji"],
        ["żołnierze", "armii", "rakiety"],
    ),
    (
        "ru",
        (
            "Северокорейские военные едут в Россию: армия КНДР передала Северной Кореей обещанные "
            "ракеты российским войскам."
        ),
        ["Северокорейские", "КНДР", "Северной Кореей"],
        ["Россию", "российским"],
        ["военные", "армия", "ракеты", "войскам"],
    ),
    (
        "uk",
        (
            "Північнокорейські солдати на боці російської армії, Північна Корея передає Росії "
            "ракети."
        ),
        ["Північнокорейські", "Північна Корея"],
        ["російської", "Росії"],
        ["солдати", "армії", "ракети"],
    ),
    (
        "cs",
        "Severokorejští vojáci bojují po boku ruské armády, Severní Korea posílá rakety Rusku.",
        ["Severokorejští", "Severní Korea"],
        ["ruské", "Rusku"],
        ["vojáci", "armády", "rakety"],
    ),
    (
        "sv",
        (
            "Nordkoreanska soldater strider på den ryska arméns sida, Nordkorea ger robotsystem "
            "till Ryssland."
        ),
        ["Nordkoreanska", "Nordkorea"],
        ["ryska", "Ryssland"],
        ["soldater", "arméns", "robotsystem"],
    ),
    (
        "fi",
        (
            "Pohjoiskorealaisia sotilaita on Venäjän armeijassa; Pohjois-Koreasta on ohjuksia "
            "venäläisille."
        ),
        ["Pohjoiskorealaisia", "Pohjois-Koreasta"],
        ["Venäjän", "venäläisille"],
        ["sotilaita", "armeijassa", "ohjuksia"],
    ),
    (
        "tr",
        "Kuzey Koreli askerler Rus ordusunun yanında; Kuzey Kore'den Rusya'ya füzeler gidiyor.",
        ["Kuzey Koreli", "Kuzey Kore"],
        ["Rus", "Rusya"],
        ["askerler", "ordusunun", "füzeler"],
    ),
    (
        "ar",
        "أرسلت كوريا الشمالية جنودا إلى روسيا، وقال الجيش الروسي إن صواريخ كورية شمالية وصلت.",
        ["كوريا الشمالية", "كورية شمالية"],
        ["روسيا", "الروسي"],
        ["جنودا", "الجيش", "صواريخ"],
    ),
    (
        "fa",
        "کره شمالی سربازان خود را به روسیه فرستاد و ارتش روسی موشک‌های کره‌شمالی را دریافت کرد.",
        ["کره شمالی", "کره‌شمالی"],
        ["روسیه", "روسی"],
        ["سربازان", "ارتش", "موشک‌های"],
    ),
    (
        "he",
        "חיילים צפון קוריאנים נלחמים לצד הצבא הרוסי; צפון קוריאה שלחה טילים לרוסיה.",
        ["צפון קוריאנים", "צפון קוריאה"],
        ["הרוסי", "לרוסיה"],
        ["חיילים", "הצבא", "טילים"],
    ),
    (
        "hi",
        "उत्तर कोरिया के सैनिक रूसी सेना के साथ लड़ रहे हैं, रूस को उत्तर कोरियाई मिसाइलें मिलीं।",
        ["उत्तर कोरिया", "उत्तर कोरियाई"],
        ["रूसी", "रूस"],
        ["सैनिक", "सेना", "मिसाइलें"],
    ),
    (
        "ja",
        "北朝鮮の兵士がロシア軍とともに戦い、ロシアにミサイルが送られた。",
        ["北朝鮮"],
        ["ロシア", "ロシア"],
        ["兵士", "ロシア軍", "ミサイル"],
    ),
    (
        "ko",
        "북한은 러시아에 군대를 보냈고, 북한의 미사일이 러시아군에 전달됐다.",
        ["북한은", "북한의"],
        ["러시아에", "러시아군에"],
        ["군대를", "미사일이", "러시아군에"],
    ),
    (
        "zh",
        "朝鲜士兵与俄罗斯军队并肩作战，朝鲜向俄方提供导弹。",
        ["朝鲜", "朝鲜"],
        ["俄罗斯", "俄方"],
        ["士兵", "军队", "导弹"],
    ),
    (
        "zh-Hant-TW",
        "北韓士兵與俄羅斯軍隊並肩作戰，並提供飛彈。",
        ["北韓"],
        ["俄羅斯"],
        ["士兵", "軍隊", "飛彈"],
    ),
    (
        "id",
        "Tentara Korea Utara bertempur bersama militer Rusia; Korut mengirim rudal.",
        ["Korea Utara", "Korut"],
        ["Rusia"],
        ["Tentara", "militer", "rudal"],
    ),
    (
        "vi",
        "Binh sĩ Triều Tiên chiến đấu cùng quân đội Nga, tên lửa được chuyển cho Nga.",
        ["Triều Tiên"],
        ["Nga", "Nga"],
        ["Binh sĩ", "quân đội", "tên lửa"],
    ),
    (
        "sw",
        ("Wanajeshi wa Korea Kaskazini wanapigana na jeshi la Urusi dhidi ya makombora ya Warusi."),
        ["Korea Kaskazini"],
        ["Urusi", "Warusi"],
        ["Wanajeshi", "jeshi", "makombora"],
    ),
]


@pytest.mark.parametrize(
    ("language", "text", "north_korea", "russia", "military"), TRIO, ids=[case[0] for case in TRIO]
)
def test_finds_the_trio_word_for_word(
    language: str, text: str, north_korea: list[str], russia: list[str], military: list[str]
) -> None:
    words = found(text, language, NORTH_KOREA, RUSSIA, MILITARY, SOUTH_KOREA)
    assert words[SOUTH_KOREA] == []
    expected = {NORTH_KOREA: north_korea, RUSSIA: russia, MILITARY: military}
    for entity_id, each in expected.items():
        # A longer name around a word is right too: the Russian army.
        assert len(words[entity_id]) >= len(each)
        assert all(any(word in longer for longer in words[entity_id]) for word in each)


@pytest.mark.parametrize(
    ("language", "text", "south_korea"),
    [
        ("en", "South Korea beat Brazil; the South Korean striker scored.", 2),
        ("de", "Südkorea gewinnt das Länderspiel, die südkoreanische Elf jubelt in Korea.", 3),
        ("fr", "L'équipe de Corée du Sud bat le Brésil, la joie des Sud-Coréens.", 2),
        ("es", "Corea del Sur ganó el partido de fútbol a los brasileños.", 1),
        ("it", "La Corea del Sud vince la partita di calcio.", 1),
        ("pl", "Korea Południowa wygrała mecz, południowokoreańscy piłkarze świętują.", 2),
        ("ru", "Сборная Южной Кореи по футболу победила, южнокорейский тренер доволен.", 2),
        ("uk", "Збірна Південної Кореї з футболу перемогла.", 1),
        ("fi", "Etelä-Korean jalkapallomaajoukkue voitti ottelun.", 1),
        ("tr", "Güney Kore millî takımı maçı kazandı.", 1),
        ("ar", "فاز منتخب كوريا الجنوبية لكرة القدم على البرازيل.", 1),
        ("fa", "تیم فوتبال کره جنوبی برزیل را شکست داد.", 1),
        ("he", "נבחרת דרום קוריאה בכדורגל ניצחה את ברזיל.", 1),
        ("hi", "दक्षिण कोरिया की फुटबॉल टीम ने मैच जीता।", 1),
        ("ja", "サッカー韓国代表がブラジルに勝った。", 1),
        ("ko", "한국 축구 대표팀이 브라질을 꺾었다.", 1),
        ("zh", "韩国足球队击败巴西队。", 1),
        ("id", "Timnas sepak bola Korea Selatan mengalahkan Brasil.", 1),
        ("vi", "Đội tuyển bóng đá Hàn Quốc thắng Brazil.", 1),
        ("sw", "Timu ya kandanda ya Korea Kusini ilishinda.", 1),
    ],
)
def test_football_of_the_south_is_neither_the_north_nor_military(
    language: str, text: str, south_korea: int
) -> None:
    words = found(text, language, NORTH_KOREA, RUSSIA, MILITARY, SOUTH_KOREA)
    assert len(words.pop(SOUTH_KOREA)) == south_korea
    assert words == {NORTH_KOREA: [], RUSSIA: [], MILITARY: []}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Korea is a peninsula, and Korean food is popular."),
        ("de", "Korea ist eine Halbinsel."),
        ("ru", "Корейский полуостров, Корея."),
        ("ja", "朝鮮半島の歴史"),
        ("ko", "한국전쟁의 역사"),
        ("zh", "朝鲜半岛的历史和朝鲜战争"),
        ("vi", "bán đảo Triều Tiên và Chiến tranh Triều Tiên"),
        ("ar", "شبه الجزيرة الكورية"),
    ],
)
def test_korea_alone_is_neither(language: str, text: str) -> None:
    words = found(text, language, NORTH_KOREA, SOUTH_KOREA)
    assert words == {NORTH_KOREA: [], SOUTH_KOREA: []}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Both Koreas agreed."),
        ("en", "North and South Korea agreed."),
        ("ja", "南北朝鮮の対話"),
        ("ko", "남북한이 합의했다"),
        ("ru", "Президенты обеих Корей"),
    ],
)
def test_both_koreas_are_both(language: str, text: str) -> None:
    words = found(text, language, NORTH_KOREA, SOUTH_KOREA)
    assert words[NORTH_KOREA] == words[SOUTH_KOREA]
    assert len(words[NORTH_KOREA]) == 1
