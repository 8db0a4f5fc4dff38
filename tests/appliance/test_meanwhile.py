"""What is to stand when two save one form, as a table."""

from __future__ import annotations

import pytest

from appliance.meanwhile import Made, Met, settled

WAS = {"name": "Bob", "phone": "1", "notes": ""}


@pytest.mark.parametrize(
    ("now", "mine", "stands"),
    [
        ({}, {}, {}),
        ({}, {"phone": "2"}, {"phone": "2"}),
        ({"phone": "2"}, {}, {"phone": "2"}),
        ({"phone": "2"}, {"notes": "tea"}, {"phone": "2", "notes": "tea"}),
        ({"phone": "2"}, {"phone": "2", "name": "Rob"}, {"phone": "2", "name": "Rob"}),
        ({"phone": ""}, {"notes": "tea"}, {"phone": "", "notes": "tea"}),
    ],
)
def test_what_only_one_of_two_changed_is_taken_from_whoever_did(now: dict[str, str], mine: dict[str, str], stands: dict[str, str]) -> None:
    assert settled(Made(0, WAS), WAS | now, WAS | mine) == WAS | stands


def test_what_both_changed_is_nobodys_to_overwrite() -> None:
    with pytest.raises(Met) as met:
        settled(Made(0, WAS), WAS | {"phone": "2", "name": "Rob"}, WAS | {"phone": "3", "notes": "tea"})
    assert (met.value.both, met.value.theirs) == (["phone"], ["name"])
    assert met.value.values == {"name": "Rob", "phone": "3", "notes": "tea"} and met.value.now["phone"] == "2"


def test_who_does_not_say_what_the_form_was_made_from_means_all_of_it() -> None:
    assert settled(None, WAS | {"phone": "2"}, WAS) == WAS
