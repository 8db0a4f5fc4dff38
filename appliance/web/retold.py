"""What was said in English where nobody reads, said again in the reader's language: by a camera's process, a job, the line,
the models, the disk.

Each such sentence stands once more in one of the lists below, with a name for what is put into it, and is found again by that; what is put
into it may be such a sentence too. One that stands nowhere is shown as it is, and a test finds it.
"""

from __future__ import annotations

import re
from functools import cache

from appliance.web import box_words, camera_words, line_words, model_words, notice_words, store_words
from ui.words import ENGLISH, language
from ui.words import gettext as _

LISTS = (
    box_words.SENTENCES, camera_words.SENTENCES, line_words.SENTENCES, model_words.SENTENCES, notice_words.SENTENCES, store_words.SENTENCES,
)  # fmt: skip
NESTED_MAX = 4
"""A notice of a job quotes why a file cannot be used, which quotes what the system says."""
CHARACTERS_MAX = 2_000
"""No sentence is longer; a longer text is not looked at, for each pattern reads it from end to end."""
PLACE = re.compile(r"%\((\w+)\)s")
NUMBERS = ("n", "hours", "minutes", "seconds")
"""What is put in under these names is digits alone: "%(n)s days" is a length of time, and a camera called "Happy days" is none."""


def said(english: str) -> str:
    """As it was said, in the language that is spoken here. What is in that language already comes back as it is."""
    if not english or language() == ENGLISH or len(english) > CHARACTERS_MAX:
        return english
    return _again(english, NESTED_MAX)


def _again(english: str, deeper: int) -> str:
    for pattern, sentence in patterns():
        if found := pattern.fullmatch(english):
            filled = found.groupdict()
            return _(sentence) % ({name: _again(value, deeper - 1) for name, value in filled.items()} if deeper else filled)
    return english


@cache
def patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The one with the longest beginning of its own first: what is put into a sentence may be half of another one. Then the one with the
    most words of its own: a general one fits what a special one says."""
    sentences = sorted(
        {sentence for one in LISTS for sentence in one},
        key=lambda sentence: (-len(PLACE.split(sentence)[0]), -len(PLACE.sub("", sentence)), sentence),
    )
    return tuple((_pattern(sentence), sentence) for sentence in sentences)


def _pattern(sentence: str) -> re.Pattern[str]:
    pieces = PLACE.split(sentence.replace("%%", "%"))
    return re.compile("".join(_place(piece) if odd % 2 else re.escape(piece) for odd, piece in enumerate(pieces)), re.DOTALL)


def _place(name: str) -> str:
    return rf"(?P<{name}>\d[\d.,]*)" if name in NUMBERS else f"(?P<{name}>.+)"
