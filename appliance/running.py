"""One store's appliance, put together and brought to an end: data folder, recognition, cameras, jobs, page.

    cameras' processes → roster's threads → reception (one thread: decides, writes) → live page

Whatever is told to the page has been committed before. `stop` ends everything within seconds, with the last sightings in the log.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from appliance import asked, backup, honouring, notices, requests, snapshots, visits
from appliance.alerts.desk import AlertDesk
from appliance.alerts.telling import Site, Telling
from appliance.camera.life import Limits
from appliance.camera.messages import Boxes, CameraSettings, FromCamera, Heartbeat, Seen
from appliance.camera.supervisor import Supervisor
from appliance.camera_desk import CameraDesk
from appliance.camera_trials import Trials
from appliance.config import Config
from appliance.data_key import KeyKeeper
from appliance.database import Store, open_store
from appliance.database_file import path_in
from appliance.doorway import OpenPage, follow, made_door, open_page, renew
from appliance.errors import RegularsError, SnapshotError
from appliance.gallery import UNSURE_KEY, Gallery
from appliance.identity import Policy, Verdict
from appliance.jobs import MINUTE_S, Job, Jobs, Stopping, standard_jobs
from appliance.line import guests, standing
from appliance.line.agent import Agent, Surroundings
from appliance.line.status import status
from appliance.live import FiguresChanged, Live, NoticesChanged, VisitChanged
from appliance.long_work import LongWork
from appliance.people_desk import Desk
from appliance.photo_eye import Eye
from appliance.pointing import Pointing
from appliance.ready_pack import Ready, ready_pack
from appliance.reception import Received, Reception
from appliance.recognition import Recognition
from appliance.review_desk import ReviewDesk
from appliance.roster import Roster, choice_of
from appliance.starting_anew import Outside, notice_of_failure
from appliance.studio import Studio
from appliance.upkeep import Upkeep
from appliance.web.access import Asker
from appliance.web.app import create_app
from appliance.web.door import Door
from appliance.web.pages import PersonRow, WebDeps
from appliance.web.readers import readers
from appliance.web.words import visitor
from ui import formats

log = logging.getLogger(__name__)

CAMERAS_STOP = Limits(stopping=2.0)
"""A camera closes its sightings in a tenth of this; one that hangs is killed."""
RECEPTION_STOP_S = 1.5
REFRESH_S = 5.0
ASKED_S = 1.0
REVIEW_S = 60.0
CERTIFICATE_S = 86_400.0
WEAK_PACK = "starter"

Told = Callable[[Received], None]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the page shows of things that nobody tells it."""

    day: date
    notices: list[notices.Notice]
    line: tuple[object, ...]


class Appliance:
    """Made by `open_appliance`. `told`: called on the reception's thread after each sighting is in the log."""

    def __init__(
        self, config: Config, store: Store, pack: Ready, now: Callable[[], int], told: Told, door: Door, outside: Outside
    ) -> None:
        self.config, self.store, self.pack, self.door = config, store, pack, door
        self._now, self._told_too = now, told
        self.gallery = Gallery(pack.model, pack.size)
        policy = Policy(config.recognition.false_match_per_search, config.recognition.shots_min)
        gap_ms = round(config.visits.gap_s * 1000)
        self._recognition = Recognition(store, self.gallery, pack.bars, policy, gap_ms, config.site.zone, failed=self._snapshot_failed)
        self._live = Live(secrets.token_hex(4))
        self._reception = Reception(self._recognition, now, told=self._told, trouble_changed=lambda: self._live.publish(NoticesChanged()))
        busy, changed = lambda: self._reception.waiting > 0, lambda: self._live.publish(FiguresChanged())
        self._review = ReviewDesk(store, self._recognition, self._reception.ask, busy, now, changed)
        self._supervisor = Supervisor(self._hear, CAMERAS_STOP)
        choice = choice_of(config, pack.name)
        self._roster = Roster(store, self._supervisor, self._live, choice, now, trouble=lambda: self._reception.trouble)
        self._eye = Eye(pack.name, choice.model_folders)
        self._pointing = Pointing(self._recognition.standing_of, self.name_of, self._also_at, self._roster.counts_only)
        self._camera_desk = CameraDesk(store, Trials(choice.pack, choice.model_folders), now, pack.liveness, choice.analysed_fps)
        self._jobs = Jobs(store, self._all_jobs(), now)
        self._line = Agent(store, self._surroundings())
        site = Site(config.site.name, config.site.zone)
        self._telling = Telling(store, self._roster.lines, self._live, site, self.name_of, now)
        self._upkeep = Upkeep(store, config, now, LongWork(now), outside, pack.model)
        notice_of_failure(store, outside, now())
        self._server: OpenPage | None = None
        self._began: dict[str, int] = {}
        """Camera to the process that watches it."""
        self._page = self._page_now()

    @property
    def address(self) -> str:
        return self._server.address if self._server else ""

    def load(self) -> None:
        """What the database holds, before the first sighting comes."""
        honouring.honour(self.store, self.config.backup.folder or self.store.folder / backup.FOLDER, self._now())
        left_over = visits.settle_left_over(self.store, self._now())
        self._recognition.load()
        log.info("event=loaded templates=%d visits_left_over=%d", len(self.gallery), left_over)

    def start(self, ports: Sequence[int]) -> None:
        """`ports`: the first that is free becomes the page's. Raises CannotServe."""
        self._server = self._serve(ports)
        self._reception.start()
        self._jobs.start()
        self._roster.start()
        self._line.start()
        self._telling.start()
        log.info("event=started address=%s pack=%s cameras=%d", self.address, self.pack.name, len(self._roster.lines()))

    def end_cameras(self) -> int:
        """They close their sightings, and those are written. How many could not be. The log can still be read."""
        self._roster.stop()
        return self._reception.stop(RECEPTION_STOP_S)

    def stop(self) -> int:
        """Everything: cameras, and meanwhile page and jobs, then the data folder. How many sightings could not be written."""
        beside = threading.Thread(target=self._stop_page_and_jobs, name="stop", daemon=True)
        beside.start()
        lost = self.end_cameras()
        beside.join(RECEPTION_STOP_S)
        self.store.close()
        log.info("event=stopped sightings_lost=%d", lost)
        return lost

    def process_ids(self) -> list[int]:
        """Of the cameras' processes."""
        return [found for line in self._roster.lines() if (found := self._supervisor.state(line.id).process_id)]

    def _stop_page_and_jobs(self) -> None:
        if self._server:
            self._server.stop()
        self._line.stop()
        self._eye.close()
        self._telling.stop()
        self._upkeep.work.stop()
        self._jobs.stop()

    def _hear(self, camera_id: str, message: FromCamera) -> None:
        """On the camera's own thread, which may wait here."""
        match message:
            case Seen(sighting):
                settings = self._roster.settings(camera_id)
                self._reception.receive(sighting, sighting.sent_ms if settings and _has_own_time(settings) else self._now())
            case Boxes(jpeg=jpeg) if jpeg:
                # A picture is as old as its way here: the clock of a file that is played is not the wall's.
                self._live.show(camera_id, self._now(), jpeg, self._pointing.boxes(camera_id, message))
            case Boxes():
                return
            case _:
                if isinstance(message, Heartbeat) and message.state == "starting":
                    self._settle_after(camera_id)
                self._roster.heard(camera_id)

    def _settle_after(self, camera_id: str) -> None:
        """A camera's process begins: what the one before it left open, because it died, nobody will close any more."""
        process_id = self._supervisor.state(camera_id).process_id
        if self._began.get(camera_id) == process_id:
            return
        first, self._began[camera_id] = camera_id not in self._began, process_id
        if first:
            return
        try:
            self._reception.ask(lambda: self._settle(camera_id))
        except (TimeoutError, RegularsError) as error:
            log.warning("event=left_over_not_settled camera=%s why=%s", camera_id, type(error).__name__)

    def _settle(self, camera_id: str) -> None:
        left = visits.settle_left_over(self.store, self._now(), camera_id)
        if left:
            log.info("event=left_over_settled camera=%s visits=%d", camera_id, left)
            self._live.publish(FiguresChanged())

    def _also_at(self, person_id: str) -> list[str]:
        return guests.words_of(self.store, "chain", person_id)[1]

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            now=self._now,
            on_reception=self._reception.ask,
            renew=self._recognition.renew,
            renew_guests=self._recognition.renew_guests,
            busy=lambda: self._reception.waiting > 0,
            people_changed=lambda: self._live.publish(FiguresChanged()),
            status=lambda: status(
                self.store.folder, self.pack.model, self.config.site.zone, self._roster.lines(), self._reception.trouble
            ),
            ca_file=self.config.headquarters.ca_file,
        )

    def _answer(self, _stopping: Stopping) -> None:
        asked.answer_all(self.store, self._asked, self._now())

    def _asked(self, kind: str, subjects: list[str]) -> str:
        """What a command beside the appliance asks for. Raises RegularsError, TimeoutError."""
        if kind == asked.SYNC_NOW:
            self._line.try_now()
            return "Tried at once."
        said: list[str] = []

        def do() -> None:
            gap_ms = round(self.config.visits.gap_s * 1000)
            words, keys = requests.carry_out(self.store, kind, subjects, gap_ms, self._now())
            self._recognition.renew(keys)
            said.append(words)

        self._reception.ask(do)
        self._live.publish(FiguresChanged())
        return said[0]

    def name_of(self, person_id: str) -> str:
        row = self.store.db.execute("SELECT id, number, role, name_sealed FROM persons WHERE id = ?", [person_id]).fetchone()
        return self._name(PersonRow(*row)) if row else ""

    def _name(self, row: PersonRow) -> str:
        if row.name_sealed is None:
            return guests.words_of(self.store, "chain", row.id)[0] or visitor(row.number)
        return self.store.vault.unseal(row.name_sealed, table="persons", column="name", row=row.id).decode()

    def _told(self, received: Received) -> None:
        outcome = received.outcome
        for visit_id in (received.moved_from, outcome.visit_id, *outcome.named):
            if visit_id:
                self._live.publish(VisitChanged(visit_id))
        if outcome.decision.verdict is Verdict.AGREED and outcome.settled:
            self._live.publish(VisitChanged((outcome.decision.person_id or "").removeprefix(UNSURE_KEY)))
        if outcome.visit_id is None:
            self._live.publish(FiguresChanged())
        if outcome.settled:
            log.info(
                "event=sighting_decided visit=%s verdict=%s log_latency_ms=%d",
                outcome.visit_id or "none",
                outcome.verdict,
                outcome.log_latency_ms,
            )
        self._told_too(received)

    def _snapshot_failed(self, error: Exception) -> None:
        log.error("event=snapshot_not_kept error=%s", type(error).__name__)

    def _all_jobs(self) -> list[Job]:
        def forgotten(person_ids: list[str]) -> None:
            self._reception.ask(lambda: self._recognition.forget_persons(person_ids))

        jobs = standard_jobs(
            self.store,
            self.config,
            self._now,
            gallery_check=lambda: self._reception.ask(self._recognition.check),
            forgotten=forgotten,
        )
        return [
            *jobs,
            Job("page", "The page could not be kept up to date: load it again to see what is new.", REFRESH_S, REFRESH_S, self._refresh),
            Job("review", "People who are stored twice could not be looked for.", REVIEW_S, REVIEW_S, self._review.look_through),
            Job("certificate", "The page's certificate could not be looked after.", CERTIFICATE_S, REFRESH_S, self._renew_certificate),
            Job("addresses", "Whether this computer has another address could not be found out.", MINUTE_S, MINUTE_S, self._follow),
            Job("asked", "What a command asked could not be done.", ASKED_S, ASKED_S, self._answer),
        ]

    def _refresh(self, _stopping: Stopping) -> None:
        """What nobody tells the page: a new day has begun, a job or a command left a notice."""
        before, self._page = self._page, self._page_now()
        if self._page.notices != before.notices:
            self._live.publish(NoticesChanged())
        elif self._page != before:
            self._live.publish(FiguresChanged())

    def _renew_certificate(self, _stopping: Stopping) -> None:
        if self._server:
            renew(self.store, self.config.web, self.door, self._server, self._now())

    def _follow(self, _stopping: Stopping) -> None:
        if self._server:
            follow(self.store, self.config.web, self.door, self._server, self._now())

    def _page_now(self) -> _Shown:
        stands = standing.read(self.store.db.conn)
        line = (stands.paired, stands.revoked, stands.error, (stands.contact_ms or 0) // 60_000, stands.retelling)
        return _Shown(formats.day_of(self._now(), self.config.site.zone), notices.open_notices(self.store), line)

    def _serve(self, ports: Sequence[int]) -> OpenPage:
        app = create_app(
            WebDeps(
                query=readers(path_in(self.store.folder)),
                names=self._name,
                dismiss_notice=lambda notice_id: void(notices.dismiss(self.store, notice_id, self._now())),
                snapshot=self._snapshot,
                desk=Desk(
                    self.store, self._recognition, self._reception.ask, self._now, changed=lambda: self._live.publish(FiguresChanged())
                ),
                loyalty=self.config.loyalty.weights,
                live=self._live,
                cameras=self._roster.lines,
                look=self._supervisor.look,
                time_zone=self.config.site.zone,
                language=lambda: self.config.site.language or None,
                site_name=self.config.site.name,
                pack_name=self.pack.name,
                weak_pack=self.pack.name == WEAK_PACK,
                now=self._now,
                trouble=lambda: self._reception.trouble,
                also_at=self._also_at,
                decide=self._review.decide,
                undo=self._review.undo,
                door=self.door,
                studio=Studio(self._eye.look),
                config=self.config,
                camera_desk=self._camera_desk,
                alerts=AlertDesk(self._telling),
                upkeep=self._upkeep,
            )
        )
        return open_page(app, self.config.web, ports, self._live.close, self.door)

    def _snapshot(self, visit_id: str) -> bytes | None:
        row = self.store.db.execute("SELECT snapshot FROM visits WHERE id = ?", [visit_id]).fetchone()
        if not row or not row[0]:
            return None
        try:
            return snapshots.load(self.store, row[0])
        except SnapshotError:
            return None


def open_appliance(
    config: Config,
    now: Callable[[], int],
    *,
    keeper: KeyKeeper | None = None,
    told: Told = lambda _received: None,
    everybody: Asker | None = None,
    outside: Outside | None = None,
) -> Appliance:
    """Everything that can be wrong before the first camera is opened is found here: settings, models, data folder.

    `now`: UTC milliseconds. `keeper`: see `open_store`; `everybody`: see `Door`. Raises RegularsError and models' errors.
    """
    pack = ready_pack(config)
    store = open_store(config.data.folder, now(), checkpoint=True, backups=config.backup.folder, keeper=keeper)
    try:
        appliance = Appliance(config, store, pack, now, told, made_door(store, config.web, now(), everybody), outside or Outside())
        appliance.load()
    except BaseException:
        store.close()
        raise
    return appliance


def void(_answer: object) -> None:
    """For a callback whose answer nobody wants."""


def _has_own_time(settings: CameraSettings) -> bool:
    """A file that is played faster than it was taken, or with a date of its own: its sightings happen when it says."""
    return settings.pace == "full" or settings.start_ms > 0
