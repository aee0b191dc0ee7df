"""The words of times: months in many languages, time zones. Pure data."""

from datetime import timedelta

_MONTHS = """
1 jan january janvier januar jänner januari janeiro enero ene gennaio gen января янв январь
1 січня січ
1 януари яну ledna led stycznia sty styczeń ocak oca ianuarie ian ιαν ιανουαρίου januára január
1 tammikuu tammikuuta siječnja januarja sausio jaan jaanuar janvāris ינואר يناير जनवरी มกราคม ม.ค.
2 feb february février fév févr fevrier februar feber februari fevereiro fev febrero febbraio
2 febbr
2 февраля фев февраль февр лютого лют февруари února úno lutego lut luty şubat şub februarie φεβ
2 φεβρουαρίου februára február helmikuu helmikuuta veljače februarja veebr veebruar פברואר فبراير
2 फ़रवरी กุมภาพันธ์ ก.พ.
3 mar march mars märz mär mrz maerz maart mrt março marzo марта мар март березня бер března bře
3 marca marzec mart martie μαρ μάρ μάρτιος μαρτίου március márc maaliskuu maaliskuuta ožujka kovo
3 märts מרץ مارس मार्च มีนาคม มี.ค. marts
4 apr april avril avr abril abr aprile апреля апр апрель квітня кві април dubna dub kwietnia kwi
4 kwiecień nisan nis aprilie απρ απριλίου április ápr apríla huhtikuu huhtikuuta travnja aprill
4 אפריל أبريل अप्रैल เมษายน เม.ย.
5 may mai mei maio mayo maggio mag мая май травня тра května kvě maja maj mayıs mayis μαι μάι μαϊ
5 μαΐου május máj mája toukokuu toukokuuta svibnja maijs מאי مايو मई พฤษภาคม พ.ค.
6 jun june juin juni junho junio giugno giu июня июн июнь червня чер юни června čvn czerwca cze
6 czerwiec haziran haz iunie iun ιουν ιούν ιον ιουνίου június júna kesäkuu kesäkuuta lipnja
6 junija juuni
6 יוני يونيو जून มิถุนายน มิ.ย.
7 jul july juillet juil juli julho julio luglio lug июля июл июль липня лип юли července čvc lipca
7 lip lipiec temmuz tem iulie iul ιουλ ιούλ ιολ ιουλίου július júla heinäkuu heinäkuuta srpnja
7 julija
7 juuli יולי يوليو जुलाई กรกฎาคม ก.ค.
8 aug august août aou aout augustus agosto ago avgust avg августа авг август серпня сер srpna srp
8 sierpnia sie sierpień ağustos ağu αυγ αύγ αυγούστου augusztus augusta elokuu elokuuta kolovoza
8 אוגוסט أغسطس अगस्त สิงหาคม ส.ค.
9 sep sept september septembre setembro set septiembre settembre сентября сен сентябрь сент
9 вересня
9 вер септември сеп září zář września wrz wrzesień eylül eyl septembrie σεπ σεπτεμβρίου szeptember
9 szept septembra syyskuu syyskuuta rujna ספטמבר سبتمبر सितंबर กันยายน ก.ย.
10 oct october octobre oktober okt outubro out octubre ottobre ott октября окт октябрь жовтня жов
10 октомври října říj października paź październik ekim eki octombrie οκτ οκτωβρίου október
10 októbra
10 lokakuu lokakuuta listopada oktobra oktoober אוקטובר أكتوبر अक्टूबर ตุลาคม ต.ค.
11 nov november novembre novembro noviembre ноября ноя ноябрь нояб листопада лис ноември листопад
11 listopadu listopad lis kasım kas noiembrie noi νοε νοέ νοεμβρίου novembra marraskuu
11 marraskuuta studenoga
11 נובמבר نوفمبر नवंबर พฤศจิกายน พ.ย.
12 dec december décembre déc decembre dezember dez dezembro diciembre dic dicembre декабря дек
12 декабрь
12 грудня гру декември prosince pro grudnia gru grudzień aralık ara decembrie δεκ δεκεμβρίου
12 decembra joulukuu joulukuuta prosinca detsember דצמבר ديسمبر दिसंबर ธันวาคม ธ.ค. des desember
"""


def _months() -> dict[str, int]:
    months: dict[str, int] = {}
    for line in _MONTHS.split("\n"):
        number, *names = line.split() or ("0",)
        for name in names:
            months.setdefault(name, int(number))
    return months


MONTHS = _months()
"""Names and short forms in lower case without a full stop at the end. 1 is January."""

_HOURS = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "a": -1, "n": 1, "m": -12, "y": 12,
    "adt": -3, "ast": -4, "at": -4, "edt": -4, "est": -5, "et": -5, "cdt": -5, "cst": -6, "ct": -6,
    "mdt": -6, "mst": -7, "mt": -7, "pdt": -7, "pst": -8, "pt": -8, "akdt": -8, "akst": -9,
    "hst": -10, "ndt": -2.5, "nst": -3.5, "brt": -3, "brst": -2, "art": -3, "clt": -4, "clst": -3,
    "west": 1, "bst": 1, "met": 1, "cet": 1, "mez": 1, "mest": 2, "cest": 2, "mesz": 2, "eet": 2,
    "sast": 2, "cat": 2, "eest": 3, "msk": 3, "trt": 3, "eat": 3, "msd": 4, "pkt": 5, "ist": 5.5,
    "npt": 5.75, "ict": 7, "wib": 7, "hkt": 8, "sgt": 8, "awst": 8, "pht": 8, "jst": 9, "kst": 9,
    "acst": 9.5, "acdt": 10.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
}  # fmt: skip

ZONES = {name: timedelta(hours=hours) for name, hours in _HOURS.items()}
"""Named zones in lower case; letters as RFC 822 had them. CST and IST have other meanings too."""

AFTERNOON = frozenset({"pm", "p.m.", "p.m", "오후", "下午", "μμ", "μ.μ."})
MORNING = frozenset({"am", "a.m.", "a.m", "오전", "上午", "πμ", "π.μ."})
