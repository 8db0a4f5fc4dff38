"""The pages about staff: enrolled by photos that are judged at once, tested, found among the customers, removed; and search by photo."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from appliance import persons
from appliance.web.app import create_app
from tests.appliance.visitors import ALICE, BOB, CHARLIE, DORA, EMIL, MODEL, face, like
from tests.appliance.web.photos import BROKEN, DARK, NOBODY, photo, with_studio
from tests.appliance.web.shop import JPEG, NOW, Shop, busy_shop, ms
from tests.appliance.web.test_pages import OURS, words

Client = TestClient[Litestar]
SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Alice is staff, known by two views; Bob is a customer, known by two; Charlie has opted out."""
    made = with_studio(busy_shop(tmp_path))
    with made.store.transaction():
        for person, role, who in (("alice", "staff", ALICE), ("bob", "customer", BOB), ("charlie", "opted_out", CHARLIE)):
            for view in (face(who), like(who, 0.8)):
                persons.learn(made.store, person, role, MODEL, view, 0.7, "visit", None, ms(NOW))
    made.deps.desk.recognition.load()
    return made


@pytest.fixture
def client(shop: Shop) -> Iterator[Client]:
    with TestClient(create_app(shop.deps), base_url=OURS) as client:
        yield client


def sent(client: Client, address: str, *photos: bytes, **form: str) -> str:
    """Where it leads."""
    files = [("photos", ("a.png", content, "image/png")) for content in photos]
    answer = client.post(address, data=form, files=files or None, headers=SAME, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return words(answer.text)


NONE_CHOSEN = [("photos", ("", b"", "application/octet-stream"))]
"""What a browser sends where no file was chosen."""


def begun(client: Client, *photos: bytes, name: str = "Emil") -> str:
    if photos:
        return sent(client, "/staff/add", *photos, name=name, title="Barista")
    answer = client.post("/staff/add", data={"name": name}, files=NONE_CHOSEN, headers=SAME, follow_redirects=False)
    return answer.headers["location"]


def test_each_photo_says_at_once_what_it_is_good_for(client: Client) -> None:
    page = shown(client, begun(client, photo(EMIL), photo(EMIL), photo(NOBODY), photo(DARK), photo(BROKEN), b"no picture"))
    assert "Photos of Emil Barista" in page and "1 of 6 are good" in page
    assert "Accepted." in page and "Adds nothing: another photo shows the same view" in page
    assert "No face found" in page and "too dark. Turn it to the light" in page
    assert "died over this one" in page and "no photo that can be read here" in page


def test_a_photo_says_whom_it_looks_like_and_of_who_opted_out_nothing(client: Client) -> None:
    page = shown(client, begun(client, photo(ALICE, 1), name="Emil"))
    assert "Looks like Alice, who is staff already" in page
    assert "Looks like the customer Bob" in shown(client, begun(client, photo(BOB, 2, faces=3)))
    assert "3 faces are in the photo" in shown(client, begun(client, photo(BOB, 2, faces=3)))
    page = shown(client, begun(client, photo(CHARLIE, 2)))
    assert "Accepted." in page and "Looks like" not in page and "Might be" not in page


def test_who_is_enrolled_is_known_at_the_door_and_not_counted(client: Client, shop: Shop) -> None:
    draft = begun(client, photo(EMIL), photo(NOBODY))
    assert sent(client, draft + "/photos", photo(EMIL, 1)) == draft
    at = sent(client, draft + "/enrol")
    assert at.endswith("?said=enrolled") and "Enrolled." in shown(client, at)
    id_ = at.split("/")[2].partition("?")[0]
    recognition = shop.deps.desk.recognition
    assert recognition.gallery.role_of(id_) == "staff" and len(recognition.gallery.of(id_)) == 2
    recognition.check()
    assert "Barista" in shown(client, "/staff") and sent(client, draft + "/enrol") == f"/staff/{id_}", "twice is once"
    assert shop.db.execute("SELECT count(*) FROM audit WHERE what = 'enrol' AND subject_id = ?", (id_,)).fetchone()[0] == 1
    assert b"Barista" not in b"".join(row[0] for row in shop.db.execute("SELECT title_sealed FROM staff WHERE title_sealed NOT NULL"))


def test_who_goes_back_to_a_finished_enrolment_is_led_to_whom_it_made(client: Client, shop: Shop) -> None:
    draft = begun(client, photo(EMIL))
    id_ = sent(client, draft + "/enrol").split("/")[2].partition("?")[0]
    page = client.get(draft)
    assert page.status_code == 200 and "The enrolment is finished" in page.text and f'href="/staff/{id_}"' in page.text
    answer = client.post(draft + "/drop", data={"photo": "x"}, headers=SAME)
    assert answer.status_code == 409 and "Emil was enrolled with these photos" in words(answer.text)
    sent(client, f"/staff/{id_}/remove")
    assert "is no longer staff" in shown(client, draft)
    gone = begun(client, photo(EMIL))
    sent(client, gone + "/cancel")
    assert client.get(gone).status_code == 404 and client.get(draft + "/x").status_code == 200
    shop.clock_ms += 13 * 3_600_000
    assert client.get(draft).status_code == 404


def test_nobody_is_enrolled_from_bad_photos_or_from_two_people(client: Client, shop: Shop) -> None:
    for photos, said in (((photo(DARK),), "None of the photos can be used yet"), ((photo(EMIL), photo(DORA)), "show different people")):
        draft = begun(client, *photos)
        answer = client.post(draft + "/enrol", headers=SAME)
        assert answer.status_code == 409 and said in words(answer.text)
    page = shown(client, begun(client, photo(EMIL), photo(DORA)))
    assert page.count("somebody else than the other photos") == 2
    assert shop.db.execute("SELECT count(*) FROM persons WHERE role = 'staff'").fetchone()[0] == 1


def test_a_photo_is_taken_out_again(client: Client) -> None:
    draft = begun(client, photo(EMIL), photo(DARK))
    page = client.get(draft).text
    dark = [part.split('"')[0] for part in page.split('name="photo" value="')[1:]][1]
    assert client.get(f"{draft}/{dark}").headers["content-type"] == "image/jpeg"
    sent(client, draft + "/drop", photo=dark)
    assert "1 of 1 are good" in shown(client, draft) and client.get(f"{draft}/{dark}").status_code == 404
    sent(client, draft + "/cancel")
    assert client.get(draft).status_code == 404


def test_photos_that_nobody_used_are_gone_after_half_an_hour(client: Client, shop: Shop) -> None:
    draft = begun(client, photo(EMIL))
    shop.clock_ms += 31 * 60_000
    assert client.get(draft).status_code == 404


def test_a_camera_takes_a_picture_now_or_says_that_none_comes(client: Client, shop: Shop) -> None:
    draft = begun(client)
    shop.live.show("front", ms(NOW), photo(DORA), ())
    answer = client.post(draft + "/camera", data={"camera": "front"}, headers=SAME)
    assert answer.status_code == 409 and "sent no picture" in words(answer.text) and shop.looks[-1][0] == "front"
    assert client.post(draft + "/camera", data={"camera": "none"}, headers=SAME).status_code == 404


def test_an_enrolled_customers_visits_become_staffs_after_asking_and_come_back(client: Client, shop: Shop) -> None:
    shop.visit("v-bob-2", "returning", NOW - timedelta(days=2), "bob", 5)
    at = sent(client, begun(client, photo(BOB, 1), name="Bob the new one") + "/enrol")
    id_ = at.split("/")[2]
    assert at == f"/staff/{id_}/alike?said=enrolled"
    page = client.get(at).text
    assert 'name="customer-bob"' in page and 'value="yes" checked' in page and "Tick who is" in page
    assert sent(client, f"/staff/{id_}/alike", **{"customer-bob": "yes"}) == f"/staff/{id_}?said=taken"
    theirs = "SELECT verdict, count(*) FROM visits WHERE person_id = ? GROUP BY verdict"
    assert shop.db.execute(theirs, (id_,)).fetchall() == [("staff", 3)]
    (merge_id,) = shop.db.execute("SELECT id FROM merges").fetchone()
    shop.deps.desk.undo_merge(id_, merge_id)
    assert shop.db.execute(theirs, (id_,)).fetchall() == []
    back = shop.db.execute("SELECT id, role FROM persons WHERE number = 2").fetchone()
    assert back[1] == "customer" and sorted(v for v, _ in shop.db.execute(theirs, (back[0],))) == ["new", "returning"]
    assert 'name="customer-' not in client.get(f"/staff/{id_}/alike").text, "who was taken apart again is not asked about"
    shop.deps.desk.recognition.check()


def test_none_of_them_is_remembered(client: Client, shop: Shop) -> None:
    id_ = sent(client, begun(client, photo(BOB, 1), name="Bob the new one") + "/enrol").split("/")[2]
    page = client.get(f"/staff/{id_}/alike").text
    assert 'name="shown-bob"' in page and "None of them" in page
    assert sent(client, f"/staff/{id_}/alike", **{"shown-bob": "yes", "customer-bob": "yes", "none": "yes"}) == f"/staff/{id_}?said=none"
    assert shop.db.execute("SELECT count(*) FROM merges").fetchone()[0] == 0, "the tick that was set for them says nothing then"
    assert 'name="shown-bob"' not in client.get(f"/staff/{id_}/alike").text
    assert shop.db.execute("SELECT subject_id, other_id FROM audit WHERE what = 'told_apart'").fetchall() == [(id_, "bob")]
    shop.deps.desk.recognition.check()


def test_no_answer_changes_nothing(client: Client, shop: Shop) -> None:
    assert sent(client, "/staff/alice/alike") == "/staff/alice"
    assert shop.db.execute("SELECT count(*) FROM merges").fetchone()[0] == 0


def test_a_customer_is_made_staff_and_a_customer_again(client: Client, shop: Shop) -> None:
    assert "Their 5 visits so far become staff's" in shown(client, "/people/bob/works-here")
    assert sent(client, "/people/bob/works-here", title="Cook") == "/staff/bob?said=employed"
    verdicts = "SELECT DISTINCT verdict FROM visits WHERE person_id = 'bob' ORDER BY 1"
    assert shop.db.execute(verdicts).fetchall() == [("staff",)]
    assert shop.deps.desk.recognition.gallery.role_of("bob") == "staff" and "Cook" in shown(client, "/staff/bob")
    assert client.post("/people/bob/works-here", headers=SAME).status_code in (404, 409)
    assert "count as a customer's from now on" in shown(client, "/staff/bob/remove")
    assert sent(client, "/staff/bob/remove") == "/people/bob?said=customer"
    assert shop.db.execute(verdicts).fetchall() == [("new",), ("returning",)]
    assert shop.deps.desk.recognition.gallery.role_of("bob") == "customer" and client.get("/staff/bob").status_code == 404


def test_the_test_says_how_well_each_is_told_apart(client: Client, shop: Shop) -> None:
    with shop.store.transaction():
        persons.learn(shop.store, "p92", "customer", MODEL, like(ALICE, 0.85, 1), 0.7, "visit", None, ms(NOW))
    shop.deps.desk.recognition.renew(["p92"])
    assert "not tested yet" in shown(client, "/staff")
    assert sent(client, "/staff/test") == "/staff?said=tested"
    assert "hard to tell from Visitor 92" in shown(client, "/staff")
    page = shown(client, "/staff/alice")
    assert ".80" in page and "Nearest somebody else Visitor 92" in page and "At the last 2 sightings" in page


def test_one_view_cannot_be_tested(client: Client, shop: Shop) -> None:
    at = sent(client, begun(client, photo(EMIL)) + "/enrol")
    assert "one view only: add another photo" in shown(client, at)
    more = sent(client, at.partition("?")[0] + "/photos")
    sent(client, more + "/photos", photo(EMIL, 1))
    assert sent(client, more + "/enrol").endswith("?said=photos")
    assert "well told from everybody else" in shown(client, at)
    assert shop.db.execute("SELECT count(*) FROM persons WHERE role = 'staff'").fetchone()[0] == 2


def test_a_title_is_changed_and_too_long_a_one_is_refused(client: Client) -> None:
    assert sent(client, "/staff/alice/title", title="  Shift   lead ") == "/staff/alice?said=title"
    assert "Shift lead" in shown(client, "/staff/alice")
    answer = client.post("/staff/alice/title", data={"title": "x" * 41}, headers=SAME)
    assert answer.status_code == 409 and "at most 40 characters" in words(answer.text)


def test_who_is_no_staff_has_no_staff_page_and_cannot_be_changed(client: Client) -> None:
    for who in ("bob", "charlie", "nobody"):
        assert client.get(f"/staff/{who}").status_code == 404
        assert client.post(f"/staff/{who}/remove", headers=SAME).status_code == 404
        assert client.post(f"/staff/{who}/photos", headers=SAME).status_code == 404


def test_a_name_is_needed_and_a_title_fits(client: Client) -> None:
    for form in ({"name": " "}, {"name": "x" * 81}, {"name": "Emil", "title": "x" * 41}):
        answer = client.post("/staff/add", data=form, files=NONE_CHOSEN, headers=SAME)
        assert answer.status_code == 400 and 'role="alert"' in answer.text


def test_a_photo_finds_who_looks_like_it_with_the_bar_in_words(client: Client, shop: Shop) -> None:
    def asked(content: bytes) -> str:
        answer = client.post("/people/by-photo", files=[("photo", ("a.png", content, "image/png"))], headers=SAME)
        return f"{answer.status_code} {words(answer.text)}"

    found = asked(photo(BOB, 3, faces=2))
    assert "1 person looks like it" in found and "very like" in found and "the same person from" in found and "2 faces" in found
    assert "Nobody looks like it" in asked(photo(CHARLIE)), "who opted out is not found"
    assert asked(photo(DARK)).startswith("422") and "too dark" in asked(photo(DARK))
    assert "The photo is empty" in asked(b"")
    assert shop.db.execute("SELECT count(*) FROM audit WHERE what = 'search_by_photo'").fetchone()[0] == 2
    assert shop.db.execute("SELECT count(*) FROM templates").fetchone()[0] == 6 and JPEG


def test_erased_staff_leave_no_title(shop: Shop, client: Client) -> None:
    sent(client, "/staff/alice/title", title="Cook")
    shop.deps.desk.erase("alice")
    assert shop.db.execute("SELECT count(*) FROM staff").fetchone()[0] == 0
