"""Words that most articles of a language have, whatever they are about. Pure.

Written for this project. Of a language's running words each is at least one in 300, so four
articles in five have it that are as long as news articles are.
"""

from functools import cache

from wirewatch.text.fold import folded

_WORDS = {
    "Arabic": "في من على أن إلى التي الذي عن مع هذا",
    "Czech": "a se v na je že o s z do i to k ve pro za by ale si po jako jsou",
    "Danish": "og i at er en det til af på for der med den som de ikke har et han var fra",
    "Dutch": "de van het een en in is dat op te voor met zijn die niet aan er om ook als bij",
    "English": "the of and to in a is that for on was it with as be by at he are this have from "
    "not has an his but which they were said will their been",
    "Finnish": "ja on ei että se oli hän mutta ovat myös kun joka",
    "French": "de la le et les des en un une du à est que dans pour qui il au par sur ne pas ce "
    "plus se sont avec son été",
    "German": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als "
    "auch es an werden aus er hat dass sie nach bei um",
    "Greek": "και το της η του να ο τα των την για με από σε τον στο που στην οι δεν",
    "Hindi": "के में की है को का से और पर ने कि यह भी इस हैं",
    "Hungarian": "a az és hogy nem is egy ez meg de volt azt",
    "Indonesian": "yang dan di dari untuk pada dengan ini itu dalam tidak akan ke juga adalah",
    "Italian": "di e il la che in a per un è una del non con le da si i della sono ha al nel",
    "Norwegian": "og i det er på en til for som at av med de har den ikke et var han om fra",
    "Persian": "و در به از که این را با است آن برای",
    "Polish": "w i na z się do nie że to o jest za po od przez dla jak ale są",
    "Portuguese": "de a o que e do da em um para com uma os no se na por as dos não mais ao foi é",
    "Romanian": "de și în a la cu pe care o că din nu un pentru este mai au fost",
    "Russian": "и в не на с что по это как из за от для о он к у его но",
    "Spanish": "de la que el en y a los del se las por un para con una su no al lo es más como",
    "Swedish": "och i att det som en på är av för med den till inte har de om ett han var från",
    "Turkish": "ve bir bu da de için ile olarak çok daha ne olan",
    "Ukrainian": "в і на що не з у до за про як та для це від він",
}  # fmt: skip


@cache
def _languages() -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for language, words in _WORDS.items():
        for word in words.split():
            found.setdefault(folded(word), []).append(language)
    return {word: _listed(languages) for word, languages in found.items()}


def _listed(languages: list[str]) -> str:
    *others, last = dict.fromkeys(languages)
    return f"{', '.join(others)} and {last}" if others else last


def frequent_in(word: str) -> str:
    """Return the languages most articles of which have `word`, as words; "" for none known."""
    return _languages().get(folded(word), "")
