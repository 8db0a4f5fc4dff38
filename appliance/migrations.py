"""The store's tables. Columns that end in `_sealed` hold AES-256-GCM under the data key, bound to table, column and row id."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from appliance.first_tables import FIRST_LIGHT, LINE_TO_HEADQUARTERS, SETTLED_SIGHTINGS

migrations = Migrations("appliance")


@migrations()
def m001_first_light(db: Database) -> None:
    for statement in FIRST_LIGHT:
        db.execute(statement)


@migrations()
def m002_settled_sightings(db: Database) -> None:
    for statement in SETTLED_SIGHTINGS:
        db.execute(statement)


@migrations()
def m003_line_to_headquarters(db: Database) -> None:
    for statement in LINE_TO_HEADQUARTERS:
        db.execute(statement)


@migrations()
def m004_people(db: Database) -> None:
    for statement in PEOPLE:
        db.execute(statement)


PEOPLE = (
    # What somebody entered about a person. words_sealed: gender, birth date, phone, e-mail, notes; the keys find an equal one.
    """CREATE TABLE details (
        person_id TEXT PRIMARY KEY REFERENCES persons (id) ON DELETE CASCADE, words_sealed BLOB NOT NULL, phone_key BLOB, email_key BLOB,
        vip INTEGER NOT NULL DEFAULT 0, watchlist INTEGER NOT NULL DEFAULT 0, changed_ms INTEGER NOT NULL) STRICT""",
    "CREATE INDEX details_phone ON details (phone_key) WHERE phone_key IS NOT NULL",
    "CREATE INDEX details_email ON details (email_key) WHERE email_key IS NOT NULL",
    # What it takes to undo a merge. holder_id: the person in whom both are now, later merges included; it goes when they are forgotten.
    """CREATE TABLE merges (
        id TEXT PRIMARY KEY, holder_id TEXT NOT NULL REFERENCES persons (id) ON DELETE CASCADE, kept_id TEXT NOT NULL,
        taken_id TEXT NOT NULL, before_sealed BLOB NOT NULL, made_ms INTEGER NOT NULL) STRICT""",
    "CREATE INDEX merges_holder ON merges (holder_id)",
    # Looks that somebody said are not this person: what resembles one of them more than the person is never matched to that person.
    """CREATE TABLE rejected_looks (
        id TEXT PRIMARY KEY, person_id TEXT NOT NULL REFERENCES persons (id) ON DELETE CASCADE, visit_id TEXT NOT NULL, model TEXT NOT NULL,
        embedding_sealed BLOB NOT NULL, created_ms INTEGER NOT NULL) STRICT""",
    "CREATE INDEX rejected_looks_person ON rejected_looks (person_id)",
    "CREATE INDEX rejected_looks_visit ON rejected_looks (visit_id)",
    # Who changed what. Ids alone, which say nothing of somebody who is gone.
    """CREATE TABLE audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, subject_id TEXT NOT NULL,
        other_id TEXT NOT NULL DEFAULT '') STRICT""",
    "CREATE INDEX audit_subject ON audit (subject_id)",
    # The page's list of people in each of its orders: sorting 50,000 takes 0.2 s.
    "CREATE INDEX persons_visits ON persons (visit_count, last_seen_ms, number, role)",
    "CREATE INDEX persons_first ON persons (first_seen_ms, number, role)",
    "CREATE INDEX persons_last ON persons (last_seen_ms, number, role)",
    "CREATE INDEX persons_named ON persons (last_seen_ms) WHERE name_sealed IS NOT NULL",
)


@migrations()
def m005_review(db: Database) -> None:
    """SQLite cannot change a CHECK: `templates` is made anew out of its own words, with every column it has by then."""
    (table,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'templates'").fetchone()
    indexes = db.execute("SELECT sql FROM sqlite_schema WHERE tbl_name = 'templates' AND type = 'index' AND sql IS NOT NULL").fetchall()
    former = "'enrolled', 'visit'"
    assert former in table
    body = table.partition("(")[2].replace(former, "'enrolled', 'visit', 'reviewed'")
    db.execute(f"CREATE TABLE templates_anew ({body}")
    db.execute("INSERT INTO templates_anew SELECT * FROM templates")
    db.execute("DROP TABLE templates")
    db.execute("ALTER TABLE templates_anew RENAME TO templates")
    for statement in (*(index for (index,) in indexes), *REVIEW):
        db.execute(statement)


REVIEW = (
    # What the machine asks, and what was answered. subject: the visit, the other person or the template. low, bar: the bars as they stood.
    # turn: the order of the answers. undo: what takes the answer back, ids and sealed looks, of the last answers only.
    """CREATE TABLE review (
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL CHECK (kind IN ('visit', 'duplicate', 'template')),
        subject TEXT NOT NULL, person_id TEXT NOT NULL, similarity REAL NOT NULL, low REAL NOT NULL, bar REAL NOT NULL,
        made_ms INTEGER NOT NULL, decision TEXT CHECK (decision IN ('same', 'different', 'ignored')), decided_ms INTEGER, turn INTEGER,
        undo TEXT, UNIQUE (kind, subject, person_id)) STRICT""",
    "CREATE INDEX review_open ON review (kind) WHERE decision IS NULL",
    "CREATE INDEX review_turn ON review (turn) WHERE turn IS NOT NULL",
    "CREATE INDEX review_person ON review (person_id)",
    "CREATE INDEX review_subject ON review (subject)",
    "CREATE INDEX templates_visit ON templates (visit_id) WHERE visit_id IS NOT NULL",
    # What earlier versions were unsure of. The bar for a new person was not kept: a tenth below stands for it.
    """INSERT OR IGNORE INTO review (kind, subject, person_id, similarity, low, bar, made_ms)
        SELECT 'visit', s.visit_id, s.nearest_person_id, s.similarity, s.bar - 0.1, s.bar, s.ended_ms FROM sightings s
        JOIN visits v ON v.id = s.visit_id JOIN persons p ON p.id = s.nearest_person_id
        WHERE v.person_id IS NULL AND s.embedding_sealed IS NOT NULL AND s.similarity >= s.bar - 0.1 AND s.similarity < s.bar""",
)

@migrations()
def m013_staff(db: Database) -> None:
    for statement in STAFF:
        db.execute(statement)


STAFF = (
    # What members of staff do, and what the last test of them said: own is how much their views resemble one another, other how much the
    # nearest somebody else (other_id) resembles them, bar what it takes to be known as staff. NULL: not tested.
    """CREATE TABLE staff (
        person_id TEXT PRIMARY KEY REFERENCES persons (id) ON DELETE CASCADE, title_sealed BLOB, since_ms INTEGER NOT NULL,
        tested_ms INTEGER, own REAL, other REAL, other_id TEXT, bar REAL) STRICT""",
    "INSERT INTO staff (person_id, since_ms) SELECT id, created_ms FROM persons WHERE role = 'staff'",
    # Estimates. Of a sighting: means over so many shots (estimated), male a probability. Of a visit: of all its shots; gender is female,
    # male, or NULL where it is not clear, gender_share how sure the likelier one is.
    "ALTER TABLE sightings ADD COLUMN age REAL",
    "ALTER TABLE sightings ADD COLUMN age_spread REAL",
    "ALTER TABLE sightings ADD COLUMN male REAL",
    "ALTER TABLE sightings ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE visits ADD COLUMN age REAL",
    "ALTER TABLE visits ADD COLUMN age_spread REAL",
    "ALTER TABLE visits ADD COLUMN gender TEXT CHECK (gender IN ('female', 'male'))",
    "ALTER TABLE visits ADD COLUMN gender_share REAL",
)


@migrations()
def m014_privacy(db: Database) -> None:
    for statement in PRIVACY:
        db.execute(statement)


PRIVACY = (
    # What must not come back out of a backup: keyed hashes of ids, of which nobody can tell whose they are or which belong together.
    "CREATE TABLE forgotten (mark BLOB PRIMARY KEY) STRICT, WITHOUT ROWID",
    # What went of people who were erased or opted out here, until headquarters' receipt tells of it.
    """CREATE TABLE forgotten_here (
        person_id TEXT PRIMARY KEY, templates INTEGER NOT NULL, snapshots INTEGER NOT NULL) STRICT""",
    # Who asked for what, and what came of it: numbers and ids, never a name. cleared_ms: when nothing was left in log, free pages and
    # backups either; copies: backups that were written anew for it.
    """CREATE TABLE privacy_requests (
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL CHECK (kind IN ('access', 'erase', 'opt_out')),
        person_id TEXT NOT NULL, person_number INTEGER NOT NULL, made_ms INTEGER NOT NULL, made_by TEXT NOT NULL, due_ms INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('open', 'done', 'refused')), reason TEXT NOT NULL DEFAULT '', done_ms INTEGER, done_by TEXT,
        persons INTEGER NOT NULL DEFAULT 0, templates INTEGER NOT NULL DEFAULT 0, looks INTEGER NOT NULL DEFAULT 0,
        snapshots INTEGER NOT NULL DEFAULT 0, visits INTEGER NOT NULL DEFAULT 0, cleared_ms INTEGER, copies INTEGER NOT NULL DEFAULT 0)
        STRICT""",
    "CREATE INDEX privacy_requests_person ON privacy_requests (person_id)",
    "CREATE INDEX privacy_requests_open ON privacy_requests (due_ms) WHERE state = 'open'",
    # Whoever is forgotten or merged takes with them what resembled them: without an index that reads every sighting there ever was.
    "CREATE INDEX sightings_nearest ON sightings (nearest_person_id) WHERE nearest_person_id IS NOT NULL",
    # How much is stored, since when, and what is too old: without reading every visit and every template.
    "CREATE INDEX visits_pictured ON visits (last_seen_ms) WHERE snapshot IS NOT NULL",
    "CREATE INDEX templates_learned ON templates (created_ms)",
)


@migrations()
def m010_door(db: Database) -> None:
    for statement in DOOR:
        db.execute(statement)


DOOR = (
    # Who may use the page. name_key: the name as it is compared. code_sealed: the secret of one-time codes; code_step: the last one used.
    """CREATE TABLE users (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL CHECK (role IN ('viewer', 'manager', 'owner')), password_hash TEXT NOT NULL, code_sealed BLOB,
        code_step INTEGER NOT NULL DEFAULT 0, made_ms INTEGER NOT NULL) STRICT""",
    # Each holds once, for when the telephone with the one-time codes is lost.
    """CREATE TABLE recovery_codes (
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, code_hash BLOB NOT NULL, PRIMARY KEY (user_id, code_hash)) STRICT""",
    # A browser that is signed in. id_hash: of its token, which is kept nowhere.
    """CREATE TABLE sessions (
        id_hash BLOB PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, made_ms INTEGER NOT NULL,
        used_ms INTEGER NOT NULL, ends_ms INTEGER NOT NULL, agent TEXT NOT NULL) STRICT""",
    "CREATE INDEX sessions_user ON sessions (user_id)",
    # The audit's own page, by what and by whom.
    "CREATE INDEX audit_what ON audit (what, id)",
    "CREATE INDEX audit_who ON audit (who, id)",
)


@migrations()
def m012_reports(db: Database) -> None:
    for statement in REPORTS:
        db.execute(statement)


REPORTS = (
    # What each of the store's days was, counted, so that a report need not read a million visits. camera_id empty: the whole store.
    """CREATE TABLE day_tallies (
        day TEXT NOT NULL, camera_id TEXT NOT NULL, counts TEXT NOT NULL, PRIMARY KEY (day, camera_id)) STRICT, WITHOUT ROWID""",
    # Quarters of an hour (UTC) whose visits changed since their day was counted: whoever changes a visit need not know of the reports.
    "CREATE TABLE tally_changes (quarter INTEGER PRIMARY KEY) STRICT",
    "INSERT INTO tally_changes SELECT DISTINCT first_seen_ms / 900000 FROM visits",
    # Without OR IGNORE: a trigger takes over what the statement that fired it says of conflicts, also one that a foreign key fired.
    """CREATE TRIGGER tally_visit_new AFTER INSERT ON visits BEGIN
        INSERT INTO tally_changes SELECT NEW.first_seen_ms / 900000
            WHERE NEW.first_seen_ms / 900000 NOT IN (SELECT quarter FROM tally_changes); END""",
    """CREATE TRIGGER tally_visit_changed AFTER UPDATE ON visits BEGIN
        INSERT INTO tally_changes
            SELECT q FROM (SELECT OLD.first_seen_ms / 900000 AS q UNION SELECT NEW.first_seen_ms / 900000)
            WHERE q NOT IN (SELECT quarter FROM tally_changes); END""",
    """CREATE TRIGGER tally_visit_gone AFTER DELETE ON visits BEGIN
        INSERT INTO tally_changes SELECT OLD.first_seen_ms / 900000
            WHERE OLD.first_seen_ms / 900000 NOT IN (SELECT quarter FROM tally_changes); END""",
    # Who of the marked ones came today, without reading everybody's details.
    "CREATE INDEX details_marked ON details (person_id) WHERE vip OR watchlist",
    # A person's newest picture, of those who came a thousand times and of whom there is none any more.
    "CREATE INDEX visits_face ON visits (person_id, last_seen_ms) WHERE snapshot IS NOT NULL",
    "CREATE INDEX chain_marked ON chain (person_id) WHERE vip OR watchlist",
)


@migrations()
def m011_cameras(db: Database) -> None:
    for statement in CAMERAS:
        db.execute(statement)


CAMERAS = (
    "ALTER TABLE cameras ADD COLUMN liveness INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE cameras ADD COLUMN counting_only INTEGER NOT NULL DEFAULT 0",
    # Polygons as JSON, corners as fractions of the picture; empty: none.
    "ALTER TABLE cameras ADD COLUMN ignored TEXT NOT NULL DEFAULT ''",
    # A new password changes nothing that is shown, but its process must be started again.
    "ALTER TABLE cameras ADD COLUMN changed_ms INTEGER NOT NULL DEFAULT 0",
)


@migrations()
def m015_alerts(db: Database) -> None:
    for statement in ALERTS:
        db.execute(statement)


ALERTS = (
    # Where alerts go. address_sealed: what it takes to reach it, passwords included; address_shown: as much as may be seen.
    """CREATE TABLE alert_targets (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('email', 'webhook', 'slack', 'telegram')),
        address_sealed BLOB NOT NULL, address_shown TEXT NOT NULL, with_names INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL) STRICT""",
    # What somebody chose of a rule; the others are as the program has them. targets: ids, as JSON.
    """CREATE TABLE alert_rules (
        kind TEXT PRIMARY KEY, enabled INTEGER NOT NULL, number INTEGER NOT NULL, pause_min INTEGER NOT NULL, always INTEGER NOT NULL,
        targets TEXT NOT NULL, changed_ms INTEGER NOT NULL) STRICT""",
    # What happened. subject: a person's or a camera's id, or nothing. number: how long or how often. by: who answered.
    """CREATE TABLE alerts (
        id INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT NOT NULL, at_ms INTEGER NOT NULL, subject TEXT NOT NULL DEFAULT '',
        visit_id TEXT NOT NULL DEFAULT '', number INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'seen', 'yes', 'no', 'over')),
        answered_ms INTEGER, answered_by TEXT NOT NULL DEFAULT '', over_ms INTEGER) STRICT""",
    "CREATE INDEX alerts_open ON alerts (at_ms) WHERE state = 'open'",
    "CREATE INDEX alerts_subject ON alerts (rule, subject, at_ms)",
    "CREATE INDEX alerts_visit ON alerts (visit_id) WHERE visit_id != ''",
    # What is to be sent of it, and what was. A row waits until it is known to have arrived.
    """CREATE TABLE alert_messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT, alert_id INTEGER NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
        target_id TEXT NOT NULL, target_name TEXT NOT NULL, what TEXT NOT NULL CHECK (what IN ('raised', 'confirmed', 'over')),
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'dropped')),
        tries INTEGER NOT NULL DEFAULT 0, due_ms INTEGER NOT NULL, why TEXT NOT NULL DEFAULT '', made_ms INTEGER NOT NULL,
        done_ms INTEGER) STRICT""",
    "CREATE INDEX alert_messages_waiting ON alert_messages (due_ms) WHERE state = 'waiting'",
    "CREATE INDEX alert_messages_alert ON alert_messages (alert_id)",
    # Who is known by which model: asked before other models are chosen.
    "CREATE INDEX templates_model ON templates (model, person_id)",
)


@migrations()
def m016_headquarters_put_back(db: Database) -> None:
    for statement in HEADQUARTERS_PUT_BACK:
        db.execute(statement)


HEADQUARTERS_PUT_BACK = (
    # The life of headquarters' database, in which cursor counts; empty until it was heard.
    "ALTER TABLE link ADD COLUMN hub_life TEXT NOT NULL DEFAULT ''",
    # The last record of the line that headquarters said to have committed.
    "ALTER TABLE link ADD COLUMN acknowledged INTEGER NOT NULL DEFAULT 0",
    # Whom headquarters had forgotten, one row a fact: told back to it, which may lose that. person_ids: with blanks between.
    """CREATE TABLE had_forgotten (
        key TEXT PRIMARY KEY, erasure_id TEXT NOT NULL, identity_id TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('erase', 'opt_out')), person_ids TEXT NOT NULL) STRICT""",
)


@migrations()
def m017_headquarters_mark(db: Database) -> None:
    db.execute("ALTER TABLE link ADD COLUMN hub_mark TEXT NOT NULL DEFAULT ''")


@migrations()
def m018_details_of_notices(db: Database) -> None:
    # Where in the program it happened, for whoever helps. Before, it stood in the words.
    db.execute("ALTER TABLE notices ADD COLUMN details TEXT NOT NULL DEFAULT ''")
