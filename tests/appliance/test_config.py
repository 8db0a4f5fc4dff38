"""Settings: what is accepted, and the sentence that is said of what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import keys, load
from appliance.errors import ConfigError

SETTINGS_PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def written(folder: Path, text: str) -> Path:
    path = folder / "regulars.toml"
    path.write_text(text)
    return path


def refusal(folder: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text), environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    config = load(written(tmp_path, ""), {})
    assert config.visits.gap_s == 600 and config.web.host == "127.0.0.1" and config.web.port == 8477
    assert config.site.zone.key == config.site.time_zone


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, '[web]\nport = 9000\n[site]\nname = "Cầu Giấy"\ntime_zone = "Asia/Ho_Chi_Minh"\n')
    config = load(path, {"REGULARS_WEB__PORT": "9001", "REGULARS_DATA__FOLDER": "~/somewhere", "REGULARS_MODELS": "/elsewhere"})
    assert config.web.port == 9001
    assert config.site.name == "Cầu Giấy"
    assert config.data.folder == Path.home() / "somewhere"


def test_the_file_is_found_through_its_variable(tmp_path: Path) -> None:
    assert load(None, {"REGULARS_CONFIG": str(written(tmp_path, "[backup]\nkeep = 3\n"))}).backup.keep == 3


def test_a_named_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no settings file .*nothing\.toml"):
        load(tmp_path / "nothing.toml", {})


@pytest.mark.parametrize(
    ("text", "key", "value", "line"),
    [
        ("[web]\n\nport = 99999\n", "web.port", "99999", 3),
        ('[web]\nport = "9000"\n', "web.port", '"9000"', 2),
        ("web.port = true\n", "web.port", "true", 1),
        ("[visits]\ngap_s = 0\n", "visits.gap_s", "0", 2),
        ("[visits]\ngap_s = nan\n", "visits.gap_s", "nan", 2),
        ("[visits]\ngap_s = []\n", "visits.gap_s", "[]", 2),
        ('[site]\nname = ""\n', "site.name", '""', 2),
        ("[site]\n# name\nname = 2026-01-01\n", "site.name", "2026-01-01", 3),
        ('[site]\ntime_zone = "../etc/passwd"\n', "site.time_zone", '"../etc/passwd"', 2),
        ('[data]\nfolder = "relative/folder"\n', "data.folder", '"relative/folder"', 2),
        ('[log]\nlevel = "loud"\n', "log.level", '"loud"', 2),
        ("[recognition]\nshots_min = 1\n", "recognition.shots_min", "1", 2),
        ("[recognition]\nfalse_match_per_search = 0\n", "recognition.false_match_per_search", "0", 2),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_its_line(tmp_path: Path, text: str, key: str, value: str, line: int) -> None:
    said = refusal(tmp_path, text)
    assert f"regulars.toml, line {line}: {key} is {value}; it must be {keys()[key]}." in said


def test_a_wrong_value_in_the_environment_names_the_variable(tmp_path: Path) -> None:
    assert refusal(tmp_path, "", REGULARS_WEB__PORT="web").startswith('environment variable REGULARS_WEB__PORT: web.port is "web"')


def test_one_underscore_between_section_and_setting_is_refused_with_the_right_name(tmp_path: Path) -> None:
    assert refusal(tmp_path, "", REGULARS_WEB_PORT="9000").endswith("write REGULARS_WEB__PORT.")
    assert "REGULARS_VISITS__GAP_S" in refusal(tmp_path, "", REGULARS_VISITS_GAP_S="60")


def test_other_variables_of_the_same_beginning_are_left_alone(tmp_path: Path) -> None:
    load(written(tmp_path, ""), {"REGULARS_MODELS": "/elsewhere", "REGULARS_DEBUG": "1", "REGULARS_SHARED": "/x", "REGULARS_WEBCAM_X": "1"})


@pytest.mark.parametrize("host", ["store.example", "", "192.168.1.500", "10.0.0.0/8"])
def test_what_is_no_address_of_a_computer_is_refused_as_the_pages_host(tmp_path: Path, host: str) -> None:
    assert "an address of this computer" in refusal(tmp_path, f'[web]\nhost = "{host}"\n')


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "localhost"])
def test_the_page_may_be_opened_to_the_network(tmp_path: Path, host: str) -> None:
    """Whether somebody can sign in is looked at when the page is opened."""
    assert load(written(tmp_path, f'[web]\nhost = "{host}"\n'), {}).web.host == host


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[visits]\ngap_sec = 3\n", "line 2: there is no setting visits.gap_sec; did you mean gap_s?"),
        ("[recognitoin]\n", "line 1: there is no section [recognitoin]; did you mean recognition?"),
        ("[zzz]\n", "there is no section [zzz]."),
        ("port = 1\n", "line 1: port is a key without a section; put it under [web]."),
        ("folder = 1\n", "folder is a key without a section; put it under [data] or [models] or [backup]."),
        ("zzz = 1\n", "zzz is a key without a section, and no section has such a key."),
        ("web = 3\n", "line 1: web is a section"),
        ("[web\n", "is not valid TOML"),
    ],
)
def test_an_unknown_name_is_refused_with_a_suggestion(tmp_path: Path, text: str, sentence: str) -> None:
    said = refusal(tmp_path, text)
    assert sentence in said and "?." not in said


def test_a_time_zone_with_a_slip_gets_a_suggestion(tmp_path: Path) -> None:
    assert "; did you mean Asia/Ho_Chi_Minh?" in refusal(tmp_path, '[site]\ntime_zone = "Asia/Ho_Chi_Min"\n')


def test_a_picture_given_as_settings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "regulars.toml"
    path.write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(path, {})


def test_every_setting_is_documented() -> None:
    page = SETTINGS_PAGE.read_text()
    sections = page.split("\n## [")
    for name, words in keys().items():
        section, key = name.split(".")
        chapter = next((s for s in sections if s.startswith(f"{section}]")), "")
        assert f"| `{key}` |" in chapter, f"docs/settings.md does not describe {name}"
        assert words.replace('"', "`") in chapter, f"docs/settings.md does not say what {name} may be: {words}"
