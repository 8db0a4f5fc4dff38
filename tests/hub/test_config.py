"""The hub's settings: read as a store's are, secrets never shown, and neither program takes the other's variables for its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import load as load_of_a_store
from hub.config import keys, load
from hub.errors import ConfigError

SETTINGS_PAGE = Path(__file__).parents[2] / "docs" / "hub-settings.md"


def written(folder: Path, text: str) -> Path:
    path = folder / "regulars-hub.toml"
    path.write_text(text)
    return path


def refusal(folder: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text), environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_empty_file_gives_a_hub_with_a_database_of_its_own(tmp_path: Path) -> None:
    config = load(written(tmp_path, ""), {})
    assert not config.database.url and config.web.host == "127.0.0.1" and config.data.folder.is_absolute()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "[web]\nport = 9000\n[database]\nconnections_max = 4\n")
    config = load(path, {"REGULARS_HUB_WEB__PORT": "9001", "REGULARS_HUB_KEYS__MASTER_FILE": "/run/secrets/master.key"})
    assert (config.web.port, config.database.connections_max) == (9001, 4)
    assert config.keys.master_file == Path("/run/secrets/master.key")
    assert load(None, {"REGULARS_HUB_CONFIG": str(path)}).web.port == 9000


def test_a_store_and_a_hub_on_one_machine_leave_each_others_variables_alone(tmp_path: Path) -> None:
    environ = {
        "REGULARS_HUB_WEB__PORT": "9001",
        "REGULARS_WEB__PORT": "9002",
        "REGULARS_DATA__FOLDER": "/a",
        "REGULARS_HUB_DATA__FOLDER": "/b",
    }
    (tmp_path / "regulars.toml").write_text("")
    store, hub = load_of_a_store(tmp_path / "regulars.toml", environ), load(written(tmp_path, ""), environ)
    assert (store.web.port, hub.web.port) == (9002, 9001)
    assert (store.data.folder, hub.data.folder) == (Path("/a"), Path("/b"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[database]\nconnections_max = 1\n", "line 2: database.connections_max is 1; it must be a whole number from 2 to 80."),
        ('[database]\nurl = "mysql://root:hunter2@db/x"\n', "line 2: database.url is not shown; it must be the URL of a database"),
        ('[keys]\nmaster = "hunter2"\n', "line 2: keys.master is not shown; it must be 64 hexadecimal digits."),
        ('[keys]\nmaster_file = "master.key"\n', 'keys.master_file is "master.key"; it must be the full path of a file'),
        ("[databse]\n", "there is no section [databse]; did you mean database?"),
        ('[log]\nform = "xml"\n', 'log.form is "xml"; it must be one of text, json.'),
    ],
)
def test_what_is_not_allowed_is_named_and_a_secret_is_not_shown(tmp_path: Path, text: str, sentence: str) -> None:
    said = refusal(tmp_path, text)
    assert sentence in said and "hunter2" not in said


def test_one_underscore_between_section_and_setting_is_refused_with_the_right_name(tmp_path: Path) -> None:
    assert refusal(tmp_path, "", REGULARS_HUB_WEB_PORT="9000").endswith("write REGULARS_HUB_WEB__PORT.")


def test_every_setting_is_documented_with_what_is_allowed() -> None:
    sections = SETTINGS_PAGE.read_text().split("\n## [")
    for name, words in keys().items():
        section, key = name.split(".")
        chapter = next((s for s in sections if s.startswith(f"{section}]")), "")
        assert f"| `{key}` |" in chapter, f"docs/hub-settings.md does not describe {name}"
        assert words.replace('"', "`") in chapter, f"docs/hub-settings.md does not say what {name} may be: {words}"
