"""`regulars evaluate` on the first half minute of a recorded scenario: the real camera process, log and all."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from appliance.errors import ScenarioError
from appliance.evaluation import Report, evaluate
from appliance.identity import Policy
from tests import needs
from tests.models.packs import pack

SECONDS = 24.0


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first visits of store_a, with the truth of just those."""
    whole = needs.shared_data("data", "scenario", "store_a")
    folder: Path = tmp_path_factory.mktemp("scenario")
    (folder / "enrol").symlink_to(whole / "enrol")
    source = cv2.VideoCapture(str(whole / "entrance.mp4"))
    fps = source.get(cv2.CAP_PROP_FPS)
    size = (int(source.get(cv2.CAP_PROP_FRAME_WIDTH)), int(source.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    target = cv2.VideoWriter(str(folder / "entrance.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
    for _ in range(int(SECONDS * fps)):
        target.write(source.read()[1])
    target.release()
    truth = json.loads((whole / "truth.json").read_text())
    truth["visits"] = [v for v in truth["visits"] if v["start_s"] < SECONDS]
    truth["duration_s"] = SECONDS
    (folder / "truth.json").write_text(json.dumps(truth))
    return folder


def run(scenario: Path, tmp_path: Path, pace: str, *, ceiling: bool = False) -> Report:
    chosen = pack("open", tmp_path / "models")
    return evaluate(
        scenario,
        chosen,
        [str(tmp_path)],
        pace=pace,
        policy=Policy(),
        analysed_fps=5,
        min_face_px=40,
        ceiling=ceiling,
    )


def test_a_scenario_tells_the_same_story_at_full_and_at_real_pace(scenario: Path, tmp_path: Path) -> None:
    full, real = run(scenario, tmp_path, "full", ceiling=True), run(scenario, tmp_path, "own")

    assert full.frames_dropped == 0
    assert full.figures.visits_found >= full.figures.visits_true - 2
    assert full.figures.staff_counted_as_customers == 0
    assert full.figures.poster_people == 0
    assert full.ceiling is not None and full.ceiling.visits_found >= full.figures.visits_found - 1
    if real.frames_dropped == 0:
        assert real.figures == full.figures
    else:
        # A busy machine drops frames at real pace: then the visits are still the same, give or take a glimpse.
        assert abs(real.figures.visits_found - full.figures.visits_found) <= 1


def test_a_folder_that_is_no_scenario_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"truth\.json"):
        run(tmp_path, tmp_path, "full")


def test_a_truth_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text('{"visits": 3}')
    with pytest.raises(ScenarioError, match="is not the truth of a scenario"):
        run(tmp_path, tmp_path, "full")
