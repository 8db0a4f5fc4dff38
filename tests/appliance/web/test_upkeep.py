"""The pages Settings, Health, Backups and Log over a real data folder."""

from __future__ import annotations

import io
import socket
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from appliance import opening_hours, page_settings, users
from appliance.backup import list_backups
from appliance.config import Config, Data, Models, Site, Web
from appliance.errors import SettingError
from appliance.jobs import AGAIN
from appliance.long_work import LongWork, Step
from appliance.notices import notify
from appliance.opening_hours import Span
from appliance.starting_anew import Outside, StartingAnew
from appliance.upkeep import Upkeep
from appliance.web.app import create_app
from models.weights import weights_of
from tests.appliance.stages import free_port, until
from tests.appliance.web.shop import Shop, busy_shop
from tests.appliance.web.test_pages import words
from ui.words import gettext, speaking

OURS = "http://127.0.0.1:8080"
Client = TestClient[Litestar]
LINES = ["2026-11-22T07:00:00.000Z level=info from=a event=started", "2026-11-22T07:00:01.000Z level=error from=b event=backup_failed"]


@dataclass
class Page:
    client: Client
    shop: Shop
    upkeep: Upkeep
    anew: StartingAnew

    def text(self, address: str = "/settings") -> str:
        return words(self.client.get(address).text)

    def told(self, address: str, **data: object) -> str:
        return words(self.client.post(address, data=data, headers={"origin": OURS}).text)

    def finished(self) -> str:
        until(lambda: not self.upkeep.work.under_way, "the end of the work", 10)
        assert self.upkeep.work.progress is not None
        return self.upkeep.work.progress.words


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    shop, anew = busy_shop(tmp_path), StartingAnew()
    config = Config(site=Site(name="Ba Đình", time_zone="Asia/Ho_Chi_Minh"), data=Data(folder=tmp_path), web=Web(redirect_port=free_port()))
    outside = Outside(frozenset({"site.time_zone"}), anew, lambda: LINES)
    upkeep = Upkeep(shop.store, config, lambda: shop.clock_ms, LongWork(lambda: shop.clock_ms), outside, "starter_embedder")
    with TestClient(create_app(replace(shop.deps, upkeep=upkeep, config=config)), base_url=OURS) as client:
        yield Page(client, shop, upkeep, anew)
    upkeep.work.stop()
    shop.store.close()


def test_a_setting_is_kept_and_said_to_hold_from_the_next_start(page: Page) -> None:
    text = page.told("/settings", name="Bến Thành", language="")
    assert "Saved. It holds from the next start." in text and "Start anew now" in text
    assert page_settings.stored(page.shop.store.db.conn) == {"site.name": "Bến Thành"}
    assert 'value="Bến Thành"' in page.client.get("/settings").text
    assert page.shop.store.db.execute("SELECT what, subject_id FROM audit").fetchall() == [("setting", "site.name")]
    assert "changed a setting site.name" in page.text("/audit")
    assert "Nothing was changed" in page.told("/settings", name="Bến Thành", language="")


def test_what_the_file_says_is_shown_and_stays(page: Page) -> None:
    html = page.client.get("/settings").text
    assert "Said by the settings file or the environment" in html and "Start anew now" not in html
    page.told("/settings", name="Ba Đình", zone="Asia/Tokyo", language="")
    assert page_settings.stored(page.shop.store.db.conn) == {}


def test_a_setting_that_is_not_allowed_is_refused_at_its_field(page: Page) -> None:
    answer = page.client.post("/settings", data={"name": "", "language": ""}, headers={"origin": OURS})
    assert answer.status_code == 400 and "a name of 1 to 80 characters" in answer.text and 'id="name-fault"' in answer.text


def test_the_opening_hours_of_a_week_are_kept_and_shown(page: Page) -> None:
    hours = {f"opens-{day}": "09:00" for day in range(6)} | {f"closes-{day}": "00:00" for day in range(6)}
    assert "The opening hours are saved" in page.told("/settings/hours", **hours)
    week = opening_hours.read(page.shop.store.db.conn)
    assert week is not None and week.days == (Span(540, 1440),) * 6 + (None,)
    assert page.client.get("/settings").text.count('value="09:00"') == 6
    assert "Monday: A day's hours are two times" in page.told("/settings/hours", **{"opens-0": "09:00"}).replace("&#39;", "'")
    page.told("/settings/hours")
    assert opening_hours.read(page.shop.store.db.conn) is None


def test_a_new_start_is_asked_for(page: Page) -> None:
    assert "Regulars starts anew" in page.told("/settings/start-anew")
    assert page.anew.asked


def test_health_says_each_part_in_a_line_and_checks_the_database(page: Page) -> None:
    text = page.text("/settings/health")
    for said in ("free of", "was sound at the last start", "Back door silent since", "Front entrance 5 pictures", "there is none yet"):
        assert said in text, said
    page.told("/settings/health/check")
    assert page.finished() == "The database is sound."
    assert "found sound today 14:32" in page.text("/settings/health")


def test_a_damaged_database_is_found_and_said(page: Page) -> None:
    path = page.shop.store.folder / "regulars.db"
    page.shop.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = b"\xff" * 8192
    path.write_bytes(content)
    page.upkeep.check()
    assert "damaged" in page.finished() or "cannot" in page.finished() or "It failed" in page.finished()


def test_a_backup_is_made_listed_downloaded_and_asked_to_be_put_back_with_what_is_lost(page: Page) -> None:
    page.told("/settings/backups")
    assert "is made and was checked" in page.finished()
    (made,) = list_backups(page.shop.store.folder)
    assert made.name in page.client.get("/settings/backups").text
    file = page.client.get(f"/settings/backups/{made.name}/file")
    assert file.content == made.path.read_bytes() and b"SQLite" not in file.content
    page.shop.clock_ms += 3_600_000
    page.shop.db.execute("UPDATE visits SET first_seen_ms = ? WHERE id = 'v-bob'", (page.shop.clock_ms,))
    assert "1 visit, 0 people and 0 changes" in page.text(f"/settings/backups/{made.name}/restore")
    assert "Regulars starts anew" in page.told(f"/settings/backups/{made.name}/restore")
    assert page.anew.asked
    assert "restore" in [what for (what,) in page.shop.store.db.execute("SELECT what FROM audit").fetchall()]


@pytest.mark.parametrize("name", ["regulars-20200101T000000Z.db.sealed", "..%2Fdata.key", "data.key"])
def test_a_file_that_is_no_backup_is_not_given_out(page: Page, name: str) -> None:
    assert page.client.get(f"/settings/backups/{name}/file").status_code == 404
    assert page.client.post(f"/settings/backups/{name}/restore", headers={"origin": OURS}).status_code == 404


def test_a_job_that_failed_is_said_in_the_readers_language_and_where_only_to_whoever_helps(page: Page) -> None:
    notify(page.upkeep.store, "job:gallery", f"The hourly check of the known faces did not go well. {AGAIN}", 1, "KeyError at visits.py:7")
    vietnamese = {"accept-language": "vi"}
    today, health = (words(page.client.get(address, headers=vietnamese).text) for address in ("/", "/settings/health"))
    for text in (today, health):
        assert "Lần kiểm tra hằng giờ các khuôn mặt đã biết có vấn đề. Máy sẽ tự thử lại." in text
    assert "KeyError" not in today and "Chi tiết cho người hỗ trợ bạn KeyError at visits.py:7" in health


def test_a_notice_of_an_earlier_version_is_shown_as_it_was_left(page: Page) -> None:
    notify(page.upkeep.store, "job:gallery", "The check of the gallery failed. ValueError at stored_templates.py:50", 1)
    assert "The check of the gallery failed. ValueError at stored_templates.py:50" in page.text("/settings/health")


def test_the_terms_of_a_pack_are_said_in_vietnamese(page: Page) -> None:
    text = words(page.client.get("/settings/models", headers={"accept-language": "vi"}).text)
    assert "cần được chấp nhận điều khoản: Các mô hình huấn luyện sẵn của InsightFace chỉ dành cho nghiên cứu" in text
    assert "needs its terms" not in text


def test_the_diagnostics_are_a_file_to_download(page: Page) -> None:
    answer = page.client.get("/settings/diagnostics")
    assert "attachment" in answer.headers["content-disposition"]
    assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist() == ["facts.json", "log.txt", "read-me.txt"]


def test_the_log_is_shown_newest_first_and_filtered(page: Page) -> None:
    assert page.text("/settings/log").index("backup_failed") < page.text("/settings/log").index("event=started")
    assert "event=started" not in page.text("/settings/log?level=error")
    assert "backup_failed" in page.text("/settings/log?level=warning&find=BACKUP")
    assert "No such line" in page.text("/settings/log?find=nothing+like+it")


def test_long_work_is_one_at_a_time_and_can_be_stopped(page: Page) -> None:
    begun = threading.Event()

    def forever(step: Step) -> str:
        while True:
            step(1, 4)
            begun.set()
            begun.wait(0.001)

    page.upkeep.work.begin("backup", forever)
    begun.wait(5)
    assert 'value="25"' in page.client.get("/settings/work").text
    with pytest.raises(SettingError, match="under way"):
        page.upkeep.check()
    page.told("/settings/work/stop")
    assert page.finished() == "It was stopped."


def test_a_program_that_cannot_start_itself_says_so(page: Page) -> None:
    upkeep = replace(page.upkeep, outside=Outside())
    with pytest.raises(SettingError, match="cannot start itself again"):
        upkeep.start_anew()


def test_what_each_pack_is_for_is_said_in_vietnamese_too(tmp_path: Path) -> None:
    for pack in weights_of(tmp_path).manifest().packs:
        with speaking("vi"):
            assert gettext(pack.summary) != pack.summary, f"settings_models.SUMMARIES lacks {pack.name}'s"


def test_the_models_are_listed_with_what_is_missing_of_them(page: Page) -> None:
    text = page.text("/settings/models")
    assert "starter" in text and "in use" in text
    assert "no pack 'nowhere'" in page.text("/settings/models/nowhere").replace("&#39;", "'").replace("&#x27;", "'")


def test_a_pack_of_the_same_model_is_chosen_without_a_loss(page: Page) -> None:
    config = replace_pack(page.upkeep.config, "starter")
    upkeep = replace(page.upkeep, config=config)
    with TestClient(create_app(replace(page.shop.deps, upkeep=upkeep)), base_url=OURS) as client:
        assert "They recognise by the same model" in client.get("/settings/models/starter").text
        client.post("/settings/models/starter", headers={"origin": OURS})
        page.finished()
    assert page_settings.stored(page.shop.store.db.conn) == {"models.pack": "starter"}


def replace_pack(config: Config, pack: str) -> Config:
    return msgspec.structs.replace(config, models=Models(pack=pack))


def test_the_owner_opens_the_page_to_the_network_and_is_told_where_it_is_then(page: Page) -> None:
    assert "Open it to the shop's network" in page.text("/users")
    assert "cameras are not watched" in page.text("/users/network")
    assert "nobody can sign in yet" in page.told("/users/network", open="yes") and not page.anew.asked
    users.add(page.shop.store, "Alice", "owner", "a green bicycle", page.shop.clock_ms)
    second = socket.create_server(("0.0.0.0", page.upkeep.config.web.redirect_port))
    with second:
        assert "is taken" in page.told("/users/network", open="yes") and not page.anew.asked
    assert page_settings.stored(page.shop.store.db.conn) == {}
    said = page.told("/users/network", open="yes")
    assert "In some seconds the page is at: https://" in said and "SHA-256" in said
    assert page_settings.stored(page.shop.store.db.conn) == {"web.host": "0.0.0.0"} and page.anew.asked
    assert page_settings.applied(page.upkeep.config, frozenset(), {"web.host": "0.0.0.0"}).web.host == "0.0.0.0"
    assert "http://127.0.0.1:8477" in page.told("/users/network", open="no")
    assert page_settings.stored(page.shop.store.db.conn) == {"web.host": "127.0.0.1"}


def test_where_the_settings_file_says_how_open_the_page_is_the_page_does_not_decide_it(page: Page) -> None:
    object.__setattr__(page.upkeep, "outside", replace(page.upkeep.outside, said=frozenset({"web.host"})))
    assert 'host = "0.0.0.0"' in page.client.get("/users").text.replace("&#34;", '"')
    assert "change it there" in page.told("/users/network", open="yes") and not page.anew.asked
