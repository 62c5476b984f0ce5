"""What a text is looked up by: terms of its words, and pieces of them.

A word of a script with spaces becomes its Snowball stem without accents, an identifier
(``max_connections``, ``v2.1``, ``camelCase``) itself and its parts; a run of Chinese,
Japanese, Korean or Thai becomes its overlapping pairs. Stopwords are left out. The second
list, of four letters in a row, is for languages that inflect and compound, and for typos.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

import snowballstemmer

MAX_LANGUAGES = 3
GRAM_CHARS = 4
_MAX_TERM_CHARS = 40
_MAX_KEPT_WORDS = 60_000
_STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german",
    "el": "greek", "en": "english", "es": "spanish", "et": "estonian", "eu": "basque",
    "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian",
    "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_CHINESE = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
# Thai, Lao, Burmese, Khmer: no spaces either.
_SOUTH_EAST = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
# Vowel signs of Indic scripts are no letters to `re`; accents may stand alone.
_LETTER = rf"\w\u0300-\u036f\u0900-\u0dff{_SOUTH_EAST}"
_TOKEN = re.compile(rf"[{_LETTER}]+(?:[.\-:/@+][{_LETTER}]+)*\+*#?")
_UNSPACED = re.compile(rf"([{_CHINESE}]+)|([{_HANGUL}]+)|([{_SOUTH_EAST}]+)")
_JOINTS = re.compile(r"[^\w\u0300-\u036f\u0900-\u0dff]+|_+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_DIGIT = re.compile(r"\d")
# Accents, and the vowel points of Hebrew and Arabic.
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670]")


class Words:
    """Terms of texts in some languages; what a word came to is remembered.

    Belongs to one thread at a time.
    """

    def __init__(self, languages: Sequence[str]) -> None:
        self.languages = tuple(languages)
        self._stemmers = [
            snowballstemmer.stemmer(_STEMMERS[each]) for each in languages if each in _STEMMERS
        ]
        self._stopwords = frozenset().union(*(stopwords(each) for each in languages))
        self._cut = _cutter(self._stopwords)
        self._terms: dict[str, tuple[str, ...]] = {}
        self._grams: dict[str, tuple[str, ...]] = {}

    def terms(self, text: str) -> list[str]:
        """Return the terms of a text in their order, with repetitions."""
        return self._look_up(text, self._terms, self._terms_of)

    def grams(self, text: str) -> list[str]:
        """Return the four letters in a row of a text's longer words, with repetitions."""
        return self._look_up(text, self._grams, self._grams_of)

    def _look_up(
        self,
        text: str,
        kept: dict[str, tuple[str, ...]],
        make: Callable[[str], Iterable[str]],
    ) -> list[str]:
        found: list[str] = []
        for token in split_text(text):
            made = kept.get(token)
            if made is None:
                if len(kept) >= _MAX_KEPT_WORDS:
                    kept.clear()
                made = kept[token] = tuple(make(token))
            found += made
        return found

    def _terms_of(self, token: str) -> Iterable[str]:
        for unspaced, piece in _by_script(token):
            if unspaced:
                yield from self._pairs(piece)
                continue
            parts = _parts(piece)
            if len(parts) > 1:
                yield "_".join(plain(part) for part in parts)[:_MAX_TERM_CHARS]
            for part in parts:
                yield from self._stems(part)

    def _stems(self, word: str) -> Iterable[str]:
        if word in self._stopwords:
            return ()
        if not self._stemmers or _DIGIT.search(word):
            return (plain(word)[:_MAX_TERM_CHARS],)
        stems = (plain(each.stemWord(word)) for each in self._stemmers)
        return dict.fromkeys(stem[:_MAX_TERM_CHARS] for stem in stems if stem)

    def _pairs(self, run: str) -> Iterable[str]:
        if _HANGUL_RUN.match(run):
            if run in self._stopwords:
                return
            if len(run) > 2:
                yield run[:_MAX_TERM_CHARS]
            pieces: Sequence[str] = (run,)
        else:
            pieces = self._cut(run)
        for piece in pieces:
            if len(piece) == 1:
                yield piece
            for at in range(len(piece) - 1):
                yield piece[at : at + 2]

    def _grams_of(self, token: str) -> Iterable[str]:
        for unspaced, piece in _by_script(token):
            if unspaced:
                continue
            for part in _parts(piece):
                if part in self._stopwords:
                    continue
                word = plain(part)[:_MAX_TERM_CHARS]
                if len(word) <= GRAM_CHARS or not word.isalpha():
                    continue
                for at in range(len(word) - GRAM_CHARS + 1):
                    yield word[at : at + GRAM_CHARS]


_HANGUL_RUN = re.compile(f"[{_HANGUL}]")


def plain(word: str) -> str:
    """Return a word without its accents."""
    if word.isascii():
        return word
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", word)))


def _parts(token: str) -> list[str]:
    """Return an identifier's parts, casefolded; of a plain word itself."""
    if token.isalpha() and (token.islower() or token.istitle()):
        return [token.casefold()]
    pieces = [piece for part in _JOINTS.split(token) for piece in _CAMEL.split(part)]
    return [piece.casefold() for piece in pieces if piece]


def _by_script(token: str) -> Iterable[tuple[bool, str]]:
    """Cut a token where its script changes to or from one without spaces."""
    if token.isascii():
        return ((False, token),)
    pieces = []
    end = 0
    for found in _UNSPACED.finditer(token):
        if found.start() > end:
            pieces.append((False, token[end : found.start()]))
        pieces.append((True, found.group()))
        end = found.end()
    if end < len(token):
        pieces.append((False, token[end:]))
    return pieces


def split_text(text: str) -> list[str]:
    """Return the words of a text as they stand, identifiers whole."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text))


def question_key(question: str) -> str:
    """Return what questions share that differ in case, accents, punctuation and order alone.

    No stopword is left out: "when do you open" is not "where do you open".
    """
    return " ".join(sorted({plain(token.casefold()) for token in split_text(question)}))


def guess_language(text: str) -> str | None:
    """Return the language whose stopwords are the most frequent in a text, if any are."""
    unspaced = _UNSPACED.findall(text)
    if sum(map(len, (run for runs in unspaced for run in runs))) * 5 > len(text):
        kinds = [len("".join(runs)) for runs in zip(*unspaced, strict=True)]
        if kinds[0] == max(kinds):
            return "ja" if re.search("[\u3040-\u30ff]", text) else "zh"
        return "ko" if kinds[1] == max(kinds) else None
    tokens = [token.casefold() for token in split_text(text)]
    counts = {
        each: sum(token in stopwords(each) for token in tokens)
        for each in read_list("stopwords.txt")
    }
    best = max(counts, key=lambda each: counts[each])
    return best if counts[best] * 10 > len(tokens) else None


@cache
def _cutter(words: frozenset[str]) -> Callable[[str], Sequence[str]]:
    """Return what cuts a run without spaces at its stopwords, the longest first."""
    unspaced = (word for word in words if re.fullmatch(f"[{_CHINESE}]+", word))
    pieces = sorted(unspaced, key=lambda word: (-len(word), word))
    if not pieces:
        return lambda run: (run,)
    pattern = re.compile("|".join(map(re.escape, pieces)))
    return lambda run: [piece for piece in pattern.split(run) if piece]


@cache
def stopwords(language: str) -> frozenset[str]:
    """Return what is left out of texts of a language: nothing for one that we do not know."""
    return frozenset(read_list("stopwords.txt").get(language, "").split())


@cache
def read_list(name: str) -> dict[str, str]:
    """Return the words of each language, casefolded, from a file beside this one."""
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    lists = (line.partition(":") for line in lines if not line.startswith("#"))
    return {language: words.casefold() for language, _, words in lists}
