"""Words in two languages: who is spoken to in which, and that nothing is left without a translation or with a broken one."""

from __future__ import annotations

import re
from datetime import date
from threading import Thread

import pytest
from babel.messages.pofile import read_po

from tools.words import found, translated
from ui import formats, words
from ui.language import chosen, cookie

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%")
NOVEMBER = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("vi-VN,vi;q=0.9,en;q=0.8", "vi"), ("en;q=0.5, vi", "vi"), ("fr, de;q=0.7", None), ("vi;q=0", None), ("", None), ("vi;q=x, en", "en")],
)
def test_a_browser_is_answered_in_the_first_of_its_languages_that_there_is(asked: str, spoken: str | None) -> None:
    assert words.preferred(asked) == spoken


def test_what_was_chosen_on_the_page_is_known_again() -> None:
    assert chosen("a=b; " + cookie("vi", secure=False).partition(";")[0]) == "vi"
    assert chosen("regulars_language=xx") is None and chosen("") is None and chosen("regulars_language=vi" + " " * 9_000) is None


def test_dates_and_numbers_are_written_as_the_language_does() -> None:
    assert formats.long_day(NOVEMBER, NOVEMBER) == "Sunday, 22 November" and formats.number(1204) == "1\u202f204"
    assert formats.ordinal(2) == "2nd" and formats.similarity(0.41) == ".41"
    with words.speaking("vi"):
        assert formats.long_day(NOVEMBER, NOVEMBER) == "Chủ Nhật, 22 tháng 11" and formats.number(1204) == "1.204"
        assert formats.ordinal(2) == "2" and formats.similarity(0.41) == "0,41" and formats.weekday(0) == "Thứ Hai"
        assert formats.brief(4.8) == "4,8" and formats.brief(5.0) == "5"
    assert words.language() == "en"


def test_one_request_does_not_hear_what_another_speaks() -> None:
    heard = []
    with words.speaking("vi"):
        other = Thread(target=lambda: heard.append(words.language()))
        other.start()
        other.join()
        assert words.language() == "vi"
    assert heard == ["en"]


@pytest.mark.parametrize("code", [code for code in words.LANGUAGES if code != words.ENGLISH])
def test_every_word_of_the_pages_is_translated_with_all_that_is_put_into_it(code: str) -> None:
    with (words.FOLDER / f"{code}.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    missing, wrong = [], []
    for message in found():
        if not message.id:
            continue
        one, *many = message.id if isinstance(message.id, tuple) else (message.id,)
        entry = catalogue.get(one)
        if entry is None or not translated(entry.string):
            missing.append(one)
            continue
        for said in entry.string if isinstance(entry.string, tuple | list) else [entry.string]:
            if set(PLACEHOLDER.findall(said)) - {""} != set(PLACEHOLDER.findall((many or [one])[-1])) - {""}:
                wrong.append(one)
    assert not wrong, f"placeholders differ: {wrong[:10]}"
    assert not missing, f"run `make words` and translate: {missing[:10]} … ({len(missing)})"
