"""`regulars models` as a person or a script calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.main import cli
from tests.models.test_evaluate import photos


def regulars(data: Path, *words: str, **environ: str) -> Result:
    return CliRunner().invoke(cli, ["models", *words], env={"REGULARS_DATA__FOLDER": str(data), "REGULARS_MODELS": "", **environ})


def test_list_says_of_every_pack_whether_it_is_here(tmp_path: Path) -> None:
    result = regulars(tmp_path, "list", "--json")
    packs = {row["pack"]: row for row in json.loads(result.stdout)}
    assert result.exit_code == 0 and list(packs) == ["starter", "open", "accurate", "buffalo_l"]
    assert packs["starter"]["state"] == "ready" and packs["buffalo_l"]["state"] == "missing"
    assert packs["open"]["commercial_use"] is True and packs["accurate"]["commercial_use"] is False
    shown = regulars(tmp_path, "list").stdout
    assert "starter" in shown and shown.startswith("Pack ")


def test_verify_says_of_a_missing_file_how_to_get_it_in_few_words(tmp_path: Path) -> None:
    lines = {line.split()[0]: line for line in regulars(tmp_path, "verify").stdout.splitlines()}
    assert lines["det_10g.onnx"].split(maxsplit=2)[1:] == ["missing", "regulars models pull buffalo_l"]


def test_pull_of_a_pack_that_is_here_needs_no_network(tmp_path: Path) -> None:
    result = regulars(tmp_path, "pull", "starter")
    assert result.exit_code == 0 and "The pack starter is complete." in result.stdout
    assert not list(tmp_path.rglob("*.part"))


def test_pull_of_a_non_commercial_pack_asks_for_its_acceptance_by_name(tmp_path: Path) -> None:
    result = regulars(tmp_path, "pull", "buffalo_l")
    assert result.exit_code == 1 and "--accept buffalo_l" in result.stderr and "Traceback" not in result.output
    assert regulars(tmp_path, "pull", "buffalo_l", "--accept", "yes").exit_code == 1
    assert not (tmp_path / "models" / "accepted.json").exists()


def test_verify_finds_a_damaged_file_and_fails(tmp_path: Path) -> None:
    assert regulars(tmp_path, "verify").exit_code == 0
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "det_10g.onnx").write_bytes(b"half a download")
    result = regulars(tmp_path, "verify", "--json")
    states = {row["file"]: row["state"] for row in json.loads(result.stdout)}
    assert result.exit_code == 1 and states["det_10g.onnx"] == "wrong" and states["starter_detector.onnx"] == "ok"


def test_evaluate_prints_exactly_the_promised_keys(tmp_path: Path) -> None:
    result = regulars(tmp_path / "data", "evaluate", str(photos(tmp_path)), "--pack", "starter", "--json")
    keys = ["pack", "accuracy", "tar_at_far_1e3", "tar_at_far_1e4", "tpir_at_fpir_1e2", "tpir_at_fpir_1e3", "bars"]
    assert result.exit_code == 0 and list(json.loads(result.stdout)) == keys
    words = regulars(tmp_path / "data", "evaluate", str(tmp_path), "--pack", "starter").stdout
    assert "5 photos of 3 people, 5 without a face" in words and "[[bars]]" not in words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "{tmp}", "--pack", "starter"], "has no folder `images`"),
        (["evaluate", "{tmp}", "--pack", "nothing"], "there is no pack 'nothing'"),
        (["pull", "nothing"], "there is no pack 'nothing': the packs are starter, open, accurate, buffalo_l"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path: Path, words: list[str], said: str) -> None:
    result = regulars(tmp_path, *[word.format(tmp=tmp_path) for word in words])
    assert result.exit_code == 1 and said in result.stderr and "Traceback" not in result.output


def test_a_wrong_manifest_of_the_users_own_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "models.toml").write_text("colour = 1\n")
    result = regulars(tmp_path, "list")
    assert result.exit_code == 1 and "unknown field `colour`" in result.stderr


def test_a_variable_that_names_no_folder_is_one_sentence(tmp_path: Path) -> None:
    result = regulars(tmp_path, "list", REGULARS_MODELS=str(tmp_path / "typo"))
    assert result.exit_code == 1 and "which is not a folder" in result.stderr
