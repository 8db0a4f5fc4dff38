"""Settings that the page chose: over the defaults, below what the file or the environment says."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance import page_settings
from appliance.config import load_said
from appliance.errors import SettingError
from tests.appliance.stores import a_store


def test_what_the_page_chose_holds_where_file_and_environment_say_nothing(tmp_path: Path) -> None:
    file = tmp_path / "regulars.toml"
    file.write_text('[site]\nname = "From the file"\n')
    config, said = load_said(file, {"REGULARS_MODELS__PACK": "starter"})
    assert said == {"site.name", "models.pack"}
    chosen = {"site.name": "From the page", "site.time_zone": "Asia/Tokyo", "models.pack": "open"}
    applied = page_settings.applied(config, said, chosen)
    assert (applied.site.name, applied.site.time_zone, applied.models.pack) == ("From the file", "Asia/Tokyo", "starter")


def test_they_are_found_before_the_database_is_opened_for_good(tmp_path: Path) -> None:
    assert page_settings.peek(tmp_path) == {}
    store = a_store(tmp_path)
    page_settings.save(store, "site.name", "Bến Thành")
    assert page_settings.peek(tmp_path) == {"site.name": "Bến Thành"}
    store.close()
    assert page_settings.peek(tmp_path) == {"site.name": "Bến Thành"}


def test_a_broken_database_chooses_nothing_and_is_left_to_the_start(tmp_path: Path) -> None:
    (tmp_path / "regulars.db").write_bytes(b"no database " * 500)
    assert page_settings.peek(tmp_path) == {}


def test_a_choice_that_is_not_allowed_any_more_is_passed_over() -> None:
    config, said = load_said(None, {"REGULARS_CONFIG": ""})
    assert page_settings.applied(config, said, {"site.time_zone": "Mars/Olympus"}) == config


@pytest.mark.parametrize(
    ("key", "written"), [("site.name", ""), ("site.name", "x" * 81), ("site.time_zone", "Hanoi"), ("site.language", "fr")]
)
def test_what_is_not_allowed_is_refused_with_what_is(key: str, written: str) -> None:
    with pytest.raises(SettingError, match="it must be"):
        page_settings.judged(key, written)


def test_a_name_keeps_its_accents_and_loses_its_edges() -> None:
    assert page_settings.judged("site.name", "  Bến   Thành ") == "Bến Thành"
