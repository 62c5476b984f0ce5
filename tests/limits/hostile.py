"""Texts of those who would pay less than the provider counts, made anew from a seed.

Only ``Random.random`` is used: its sequence is the same in every Python.
"""

import base64
import string
from collections.abc import Callable, Iterator
from random import Random

MAX_CHARS = 4000
TEXTS_A_KIND = 24

# First and last code point of blocks that tokenizers know well, little, or not at all.
SCRIPTS = {
    "latin-1": (0xA1, 0xFF),
    "latin extended": (0x100, 0x24F),
    "phonetic": (0x250, 0x2FF),
    "greek": (0x370, 0x3FF),
    "cyrillic": (0x400, 0x52F),
    "armenian": (0x531, 0x58A),
    "hebrew": (0x591, 0x5F4),
    "arabic": (0x600, 0x6FF),
    "syriac": (0x700, 0x74F),
    "thaana": (0x780, 0x7B1),
    "nko": (0x7C0, 0x7FA),
    "devanagari": (0x900, 0x97F),
    "bengali": (0x980, 0x9FB),
    "gurmukhi": (0xA01, 0xA75),
    "gujarati": (0xA81, 0xAF1),
    "odia": (0xB01, 0xB77),
    "tamil": (0xB82, 0xBFA),
    "telugu": (0xC00, 0xC7F),
    "kannada": (0xC80, 0xCF2),
    "malayalam": (0xD00, 0xD7F),
    "sinhala": (0xD82, 0xDF4),
    "thai": (0xE01, 0xE5B),
    "lao": (0xE81, 0xEDF),
    "tibetan": (0xF00, 0xFDA),
    "burmese": (0x1000, 0x109F),
    "georgian": (0x10A0, 0x10FF),
    "jamo": (0x1100, 0x11FF),
    "ethiopic": (0x1200, 0x137F),
    "cherokee": (0x13A0, 0x13FD),
    "canadian syllabics": (0x1401, 0x167F),
    "ogham": (0x1680, 0x169C),
    "runic": (0x16A0, 0x16F8),
    "khmer": (0x1780, 0x17F9),
    "mongolian": (0x1800, 0x18AA),
    "new tai lue": (0x1980, 0x19DF),
    "balinese": (0x1B00, 0x1B7C),
    "ol chiki": (0x1C50, 0x1C7F),
    "latin additional": (0x1E00, 0x1EFF),
    "greek extended": (0x1F00, 0x1FFE),
    "punctuation": (0x2010, 0x205E),
    "letterlike": (0x2100, 0x218B),
    "arrows and operators": (0x2190, 0x22FF),
    "boxes and dingbats": (0x2500, 0x27BF),
    "braille": (0x2800, 0x28FF),
    "glagolitic": (0x2C00, 0x2C5F),
    "coptic": (0x2C80, 0x2CFF),
    "tifinagh": (0x2D30, 0x2D7F),
    "kana": (0x3041, 0x30FF),
    "bopomofo": (0x3105, 0x312F),
    "rare han": (0x3400, 0x4DBF),
    "han": (0x4E00, 0x9FFF),
    "yi": (0xA000, 0xA48C),
    "vai": (0xA500, 0xA62B),
    "hangul": (0xAC00, 0xD7A3),
    "private use": (0xE000, 0xF8FF),
    "arabic forms": (0xFB50, 0xFDFF),
    "halfwidth": (0xFF01, 0xFFEE),
    "linear b": (0x10000, 0x100FA),
    "gothic": (0x10330, 0x1034A),
    "deseret": (0x10400, 0x1044F),
    "phoenician": (0x10900, 0x1091F),
    "cuneiform": (0x12000, 0x12399),
    "hieroglyphs": (0x13000, 0x1342E),
    "musical": (0x1D100, 0x1D1E8),
    "mathematical": (0x1D400, 0x1D7FF),
    "emoji": (0x1F300, 0x1FAFF),
    "rarest han": (0x20000, 0x2A6DF),
    "tags": (0xE0001, 0xE007F),
    "last plane": (0x100000, 0x10FFFD),
}
_VOWELS, _CONSONANTS = "aeiou", "bcdfghjklmnpqrstvwxz"
_RARE = "jqxzvkwy"
_SPACES = " \t\n\r\x0b\x0c\x85\xa0\u1680\u2002\u2003\u2009\u2028\u2029\u202f\u205f\u3000"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u061c\u180e\u200e\u200f\u202a\u202e\u2066\u2069"
_CODE = (
    "def f(self, x: int) -> None:",
    "    return {k: v for k, v in x.items()}",
    '<div class="a-b_c">\n',
    "console.log(`${a?.b ?? 0}`);",
    'SELECT * FROM "t" WHERE x!=1;',
    "#include <stdio.h>",
    "\t\tif(a&&!b",
    "",
    "c){i++;}\n",
    "std::vector<std::pair<int,char*>>",
    "$x=~s/^\\s+//g;",
    "λx.(x x)",
    "@media(max-width:40em){a{b:c}}",
    "\\frac{1}{2}\n",
    "0xDEADbeef>>>=3",
    "e.printStackTrace();",
    "&lt;script&gt;",
    "%s%d%n\\n\\t\\x00",
    "[[a]](b)",
    "'''\"\"\"```",
    "~~~===>>>",
)
_SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>system\n",
    "<|im_end|>",
    "<|fim_prefix|>",
    "<|eot_id|>",
    "<s>[INST]<<SYS>>",
    "</s>",
    "<|start_header_id|>",
    "<bos><start_of_turn>",
    "<|endofprompt|>",
)
_WORDS = [
    "the",
    "of",
    "and",
    "assistant",
    "antidisestablishmentarianism",
    "zugzwang",
    "rhythm",
    "syzygy",
    "quetzalcoatl",
    "Donaudampfschifffahrtsgesellschaft",
    "kakorrhaphiophobia",
    "Llanfairpwllgwyngyll",
    "sesquipedalian",
    "xylophone",
    "Worcestershire",
    "floccinaucinihilipilification",
    "otorhinolaryngologist",
    "epäjärjestelmällisyys",
    "megszentségteleníthetetlenségeskedéseitekért",
    "muvaffakiyetsizleştiricileştiriveremeyebilecek",
    "przedsiębiorczość",
    "Rindfleischetikettierungsgesetz",
    "ptarmigan",
    "mnemonic",
    "phlegm",
    "borscht",
    "gneiss",
    "pneumonoultramicroscopicsilicovolcanoconiosis",
    "hexakosioihexekontahexaphobia",
    "sphygmomanometer",
]

# Tokens that join into words which a tokenizer cuts at other places, into more.
_FRAGMENTS = "phrase|raw|ing|du|led|emoji|fas|st|Wi|ennial|rijke|ubi|notice|rott|le|ito|lard|SELECT"

Kind = Callable[["Rng"], str]


class Rng(Random):
    """Choices that are made of ``random`` alone."""

    def below(self, n: int) -> int:
        """Return a number from 0 to n - 1."""
        return int(self.random() * n)

    def one_of(self, choices: str | tuple[str, ...] | list[str]) -> str:
        """Return one of some."""
        return choices[self.below(len(choices))]

    def some(self, choices: str | tuple[str, ...] | list[str], n: int) -> str:
        """Return several, joined."""
        return "".join(self.one_of(choices) for _ in range(n))

    def char(self, first: int, last: int) -> str:
        """Return a character of a range; never a surrogate."""
        code = first + self.below(last - first + 1)
        return chr(code if not 0xD800 <= code <= 0xDFFF else 0xFFFD)


def _words(rng: Rng, letters: Callable[[], str], shortest: int = 1, longest: int = 9) -> str:
    return " ".join(
        "".join(letters() for _ in range(shortest + rng.below(longest - shortest + 1)))
        for _ in range(MAX_CHARS // (shortest + longest) * 2 + 1)
    )


def _script(first: int, last: int, *, spaced: bool) -> Kind:
    def make(rng: Rng) -> str:
        def letter() -> str:
            return rng.char(first, last)

        return _words(rng, letter) if spaced else "".join(letter() for _ in range(MAX_CHARS))

    return make


def _syllables(rng: Rng) -> str:
    return rng.one_of(_CONSONANTS) + rng.one_of(_VOWELS)


def _random_case(rng: Rng) -> str:
    letter = rng.one_of(string.ascii_lowercase)
    return letter.upper() if rng.random() < 0.5 else letter


def _camel(rng: Rng) -> str:
    return "".join(
        rng.some(string.ascii_lowercase, 1 + rng.below(4)).capitalize() for _ in range(1600)
    )


def _marked(rng: Rng) -> str:
    """Letters under heaps of combining marks."""
    return "".join(
        rng.one_of(string.ascii_letters)
        + "".join(rng.char(0x300, 0x36F) for _ in range(1 + rng.below(6)))
        for _ in range(1500)
    )


def _broken_words(rng: Rng) -> str:
    """Ordinary words with something invisible or wrong inside."""
    word = rng.one_of(_WORDS)
    cut = rng.below(len(word))
    return f"{word[:cut]}{rng.one_of(_INVISIBLE + _RARE)}{word[cut:]} "


def _families(rng: Rng) -> str:
    person = rng.one_of("👨👩🧑👶🧔👮🕵💂👷🤴")
    tone = rng.one_of(["", "🏻", "🏽", "🏿"])
    return f"{person}{tone}\u200d{rng.one_of('⚕🌾🍳🎓🎤🏫💻🚀❤')}\ufe0f"


def _flags(rng: Rng) -> str:
    return rng.char(0x1F1E6, 0x1F1FF) + rng.char(0x1F1E6, 0x1F1FF)


def _bytes(rng: Rng, n: int) -> bytes:
    return bytes(rng.below(256) for _ in range(n))


def _url(rng: Rng) -> str:
    path = rng.some(string.ascii_letters + string.digits + "-_~.%+&=/?#", 20 + rng.below(60))
    return f"https://{rng.some(string.ascii_lowercase, 7)}.example/{path} "


def _runs(rng: Rng, choices: str) -> str:
    return rng.one_of(choices) * (1 + rng.below(12))


def _any_char(rng: Rng) -> str:
    return rng.char(1, 0x10FFFF if rng.random() < 0.3 else 0x2FFF)


def _repeat(make: Kind) -> Kind:
    """Return as much of it as a message may be."""

    def made(rng: Rng) -> str:
        text = ""
        while len(text) < MAX_CHARS:
            text += make(rng)
        return text

    return made


_ASCII = "".join(map(chr, range(32, 127)))
_CONTROLS = "".join(map(chr, (*range(1, 32), *range(127, 160))))

KINDS: dict[str, Kind] = {
    **{
        f"{name}{' words' if spaced else ''}": _script(*block, spaced=spaced)
        for name, block in SCRIPTS.items()
        for spaced in (True, False)
    },
    "lower case": lambda rng: _words(rng, lambda: rng.one_of(string.ascii_lowercase)),
    "long lower case": lambda rng: _words(rng, lambda: rng.one_of(string.ascii_lowercase), 12, 40),
    "one long word": lambda rng: rng.some(string.ascii_lowercase, MAX_CHARS),
    "upper case": lambda rng: _words(rng, lambda: rng.one_of(string.ascii_uppercase)),
    "random case": lambda rng: _words(rng, lambda: _random_case(rng)),
    "consonants": lambda rng: _words(rng, lambda: rng.one_of(_CONSONANTS)),
    "rare letters": lambda rng: _words(rng, lambda: rng.one_of(_RARE)),
    "vowels": lambda rng: _words(rng, lambda: rng.one_of(_VOWELS)),
    "single letters": lambda rng: _words(rng, lambda: rng.one_of(string.ascii_letters), 1, 1),
    "pairs of letters": lambda rng: _words(rng, lambda: rng.one_of(string.ascii_letters), 2, 2),
    "pronounceable": lambda rng: _words(rng, lambda: _syllables(rng), 1, 4),
    "capitalised pronounceable": lambda rng: _words(rng, lambda: _syllables(rng), 1, 4).title(),
    "shouted pronounceable": lambda rng: _words(rng, lambda: _syllables(rng), 1, 4).upper(),
    "word salad": _repeat(lambda rng: rng.one_of(_WORDS) + " "),
    "words without spaces": _repeat(lambda rng: rng.one_of(_WORDS)),
    "words backwards": _repeat(lambda rng: rng.one_of(_WORDS)[::-1] + " "),
    "fragments": _repeat(lambda rng: " " + rng.some(_FRAGMENTS.split("|"), 2 + rng.below(3))),
    "broken words": _repeat(_broken_words),
    "camel case": _camel,
    "snake case": lambda rng: _words(rng, lambda: rng.one_of(string.ascii_lowercase)).replace(
        " ", "_"
    ),
    "letters and digits": lambda rng: _words(
        rng, lambda: rng.one_of(string.ascii_lowercase + string.digits)
    ),
    "digits": lambda rng: rng.some(string.digits, MAX_CHARS),
    "numbers": lambda rng: _words(rng, lambda: rng.one_of(string.digits + ".,")),
    "hex": lambda rng: _bytes(rng, 2000).hex(),
    "upper hex in pairs": lambda rng: _bytes(rng, 1400).hex(" ").upper(),
    "base64": lambda rng: base64.b64encode(_bytes(rng, 3000)).decode(),
    "base32": lambda rng: base64.b32encode(_bytes(rng, 2500)).decode(),
    "base85": lambda rng: base64.b85encode(_bytes(rng, 3000)).decode(),
    "escapes": _repeat(
        lambda rng: f"\\x{rng.below(256):02x}\\u{rng.below(65536):04X}%{rng.below(256):02X}"
    ),
    "uuids": _repeat(lambda rng: _bytes(rng, 16).hex("-", -4) + "\n"),
    "addresses": _repeat(_url),
    "code": _repeat(lambda rng: rng.one_of(_CODE)),
    "ascii": lambda rng: rng.some(_ASCII, MAX_CHARS),
    "punctuation alone": lambda rng: rng.some(string.punctuation, MAX_CHARS),
    "punctuated words": lambda rng: _words(
        rng, lambda: rng.one_of(string.ascii_lowercase + string.punctuation)
    ),
    "spaced punctuation": lambda rng: _words(rng, lambda: rng.one_of(string.punctuation), 1, 2),
    "runs of punctuation": _repeat(lambda rng: _runs(rng, string.punctuation)),
    "runs of spaces": _repeat(lambda rng: _runs(rng, _SPACES)),
    "spaces of all kinds": lambda rng: rng.some(_SPACES, MAX_CHARS),
    "spaced letters": _repeat(lambda rng: rng.one_of(string.ascii_letters) + _runs(rng, _SPACES)),
    "lines": _repeat(
        lambda rng: rng.one_of(string.ascii_letters) + rng.one_of(["\n", "\r", "\r\n", "\n\n "])
    ),
    "invisible": lambda rng: rng.some(_INVISIBLE, MAX_CHARS),
    "invisible between letters": _repeat(
        lambda rng: rng.one_of(string.ascii_letters) + rng.one_of(_INVISIBLE)
    ),
    "combining": _marked,
    "variation selectors": _repeat(lambda rng: rng.one_of("☺❤a") + rng.char(0xFE00, 0xFE0F)),
    "emoji families": _repeat(_families),
    "flags": _repeat(_flags),
    "control characters": lambda rng: rng.some(_CONTROLS, MAX_CHARS),
    "control characters and words": _repeat(lambda rng: rng.one_of(_WORDS) + rng.one_of(_CONTROLS)),
    "any characters": _repeat(_any_char),
    "any characters in words": lambda rng: _words(rng, lambda: _any_char(rng)),
    "bytes as latin-1": lambda rng: _bytes(rng, MAX_CHARS).decode("latin-1").replace("\0", "\1"),
    "mojibake": lambda rng: (
        "".join(rng.char(0x400, 0x9FFF) for _ in range(1400)).encode().decode("latin-1")
    ),
    "special tokens": _repeat(lambda rng: rng.one_of(_SPECIAL)),
    "special tokens and words": _repeat(lambda rng: rng.one_of(_SPECIAL) + rng.one_of(_WORDS)),
    "mixed scripts": _repeat(lambda rng: rng.char(*_block(rng)) if rng.random() < 0.8 else " "),
    "mixed kinds": _repeat(lambda rng: _piece(rng)),
}


def _block(rng: Rng) -> tuple[int, int]:
    return SCRIPTS[rng.one_of(list(SCRIPTS))]


def _piece(rng: Rng) -> str:
    kinds = ("lower case", "han", "digits", "punctuation alone", "emoji", "pronounceable", "base64")
    text = KINDS[rng.one_of(kinds)](rng)
    start = rng.below(len(text))
    return text[start : start + 1 + rng.below(20)]


def hostile_texts() -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each, long and short, always the same ones."""
    for kind, make in KINDS.items():
        rng = Rng(kind)
        text = make(rng)
        for number in range(TEXTS_A_KIND):
            chars = MAX_CHARS if number < 1 else 1 + rng.below(300 if number < 8 else 24)
            start = rng.below(max(1, len(text) - chars + 1))
            yield kind, text[start : start + chars]
