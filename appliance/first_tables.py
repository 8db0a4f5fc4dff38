"""What the first three of `appliance/migrations.py` make, and like every migration never another."""

from __future__ import annotations

FIRST_LIGHT = (
    "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """CREATE TABLE cameras (
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL CHECK (kind IN ('rtsp', 'usb', 'file', 'folder')),
        source_sealed BLOB NOT NULL, source_shown TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1,
        analysed_fps REAL NOT NULL DEFAULT 5, detector_side_px INTEGER NOT NULL DEFAULT 640, motion_gate INTEGER NOT NULL DEFAULT 1,
        loop INTEGER NOT NULL DEFAULT 0, pace TEXT NOT NULL DEFAULT 'own', created_ms INTEGER NOT NULL) STRICT""",
    # number: the visitor's number on pages ("Visitor 1204"), never reused.
    """CREATE TABLE persons (
        id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, role TEXT NOT NULL CHECK (role IN ('customer', 'staff', 'opted_out')),
        name_sealed BLOB, first_seen_ms INTEGER, last_seen_ms INTEGER, visit_count INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL) STRICT""",
    "CREATE INDEX persons_seen ON persons (role, last_seen_ms)",
    """CREATE TABLE templates (
        id TEXT PRIMARY KEY, person_id TEXT NOT NULL REFERENCES persons (id) ON DELETE CASCADE, model TEXT NOT NULL,
        embedding_sealed BLOB NOT NULL, quality REAL NOT NULL, origin TEXT NOT NULL CHECK (origin IN ('enrolled', 'visit')),
        visit_id TEXT, created_ms INTEGER NOT NULL, set_aside INTEGER NOT NULL DEFAULT 0) STRICT""",
    "CREATE INDEX templates_person ON templates (person_id)",
    # state: 'deciding' until the first of its sightings is decided, then 'settled'.
    # verdict: new, returning, unsure (counted, not named), staff. nearest_person_id and similarity say why.
    """CREATE TABLE visits (
        id TEXT PRIMARY KEY, person_id TEXT REFERENCES persons (id) ON DELETE SET NULL,
        verdict TEXT NOT NULL CHECK (verdict IN ('new', 'returning', 'unsure', 'staff')),
        state TEXT NOT NULL CHECK (state IN ('deciding', 'settled')), first_seen_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL,
        visit_number INTEGER NOT NULL DEFAULT 0, snapshot TEXT, snapshot_width_px REAL NOT NULL DEFAULT 0) STRICT""",
    "CREATE INDEX visits_time ON visits (first_seen_ms)",
    "CREATE INDEX visits_person ON visits (person_id, last_seen_ms)",
    # One row for each sighting of a visit, with the reason of its decision. embedding_sealed is kept for unsure ones only, for review.
    """CREATE TABLE sightings (
        id TEXT PRIMARY KEY, visit_id TEXT NOT NULL REFERENCES visits (id) ON DELETE CASCADE, camera_id TEXT NOT NULL,
        began_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, shots INTEGER NOT NULL, face_width_px REAL NOT NULL,
        model TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL, nearest_person_id TEXT, similarity REAL, bar REAL,
        logged_after_ms INTEGER, embedding_sealed BLOB) STRICT""",
    "CREATE INDEX sightings_visit ON sightings (visit_id)",
    # All that is kept of a visit by somebody who opted out. day: the store's own date, YYYY-MM-DD.
    "CREATE TABLE opted_out_counts (day TEXT PRIMARY KEY, visits INTEGER NOT NULL) STRICT",
    # Two persons that somebody called different, or that stood in one frame: never matched, never proposed. person_a < person_b.
    """CREATE TABLE apart (person_a TEXT NOT NULL, person_b TEXT NOT NULL, reason TEXT NOT NULL, created_ms INTEGER NOT NULL,
        PRIMARY KEY (person_a, person_b)) STRICT""",
    # What the page has to tell the manager until it is dismissed, e.g. that a backup was restored.
    """CREATE TABLE notices (id INTEGER PRIMARY KEY, created_ms INTEGER NOT NULL, kind TEXT NOT NULL, words TEXT NOT NULL,
        dismissed_ms INTEGER) STRICT""",
    # AUTOINCREMENT: a sequence number is never used twice, even after acknowledged records are dropped.
    """CREATE TABLE outbox (sequence INTEGER PRIMARY KEY AUTOINCREMENT, made_ms INTEGER NOT NULL, kind TEXT NOT NULL,
        payload_sealed BLOB NOT NULL) STRICT""",
)

SETTLED_SIGHTINGS = (
    # A visit is settled when each of its sightings is.
    "ALTER TABLE sightings ADD COLUMN settled INTEGER NOT NULL DEFAULT 1",
    "UPDATE sightings SET settled = 0 WHERE visit_id IN (SELECT id FROM visits WHERE state = 'deciding')",
    # Staff come thousands of times: counting a person's visits must not fetch each of them.
    "DROP INDEX visits_person",
    "CREATE INDEX visits_person ON visits (person_id, last_seen_ms, first_seen_ms)",
    "CREATE INDEX sightings_kept ON sightings (model, began_ms) WHERE embedding_sealed IS NOT NULL",
    "CREATE INDEX sightings_open ON sightings (visit_id) WHERE NOT settled",
)

LINE_TO_HEADQUARTERS = (
    # The identity by whose lent templates the person was first recognised.
    "ALTER TABLE persons ADD COLUMN guest_of TEXT",
    # The name of the picture that headquarters has taken; another picture is sent again.
    "ALTER TABLE visits ADD COLUMN snapshot_sent TEXT",
    # The line to headquarters: no row until the appliance is paired. own_keys_sealed: the private keys; next_keys_sealed: those that
    # replace them once the hub has taken them. line: the run of sequence numbers that was told last. retell: how far everything is told
    # anew, empty when it need not be.
    """CREATE TABLE link (
        id INTEGER PRIMARY KEY CHECK (id = 1), hub_url TEXT NOT NULL, tenant_id TEXT NOT NULL, tenant_name TEXT NOT NULL,
        site_id TEXT NOT NULL, site_name TEXT NOT NULL, appliance_id TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('paired', 'revoked')),
        own_keys_sealed BLOB NOT NULL, next_keys_sealed BLOB, hub_seal BLOB NOT NULL, hub_sign BLOB NOT NULL, line TEXT NOT NULL,
        abandoned_through INTEGER NOT NULL DEFAULT 0, retell TEXT NOT NULL DEFAULT '',
        cursor INTEGER NOT NULL DEFAULT 0, snapshots INTEGER NOT NULL DEFAULT 0, also_at INTEGER NOT NULL DEFAULT 0,
        paired_ms INTEGER NOT NULL, tried_ms INTEGER, contact_ms INTEGER, error TEXT NOT NULL DEFAULT '', skew_ms INTEGER,
        bytes_per_s REAL, facts_passed_over INTEGER NOT NULL DEFAULT 0, set_aside INTEGER NOT NULL DEFAULT 0) STRICT""",
    # Whom the chain knows and this store had not met: frequent visitors of other stores, staff of the chain, and who opted out anywhere.
    # person_id: the person of this store that a guest turned out to be.
    """CREATE TABLE guests (
        identity_id TEXT PRIMARY KEY, role TEXT NOT NULL CHECK (role IN ('customer', 'staff', 'opted_out')), name_sealed BLOB,
        vip INTEGER NOT NULL DEFAULT 0, watchlist INTEGER NOT NULL DEFAULT 0, also_at_sealed BLOB,
        person_id TEXT REFERENCES persons (id) ON DELETE SET NULL) STRICT""",
    "CREATE INDEX guests_person ON guests (person_id) WHERE person_id IS NOT NULL",
    """CREATE TABLE guest_templates (
        identity_id TEXT NOT NULL REFERENCES guests (identity_id) ON DELETE CASCADE, id TEXT NOT NULL, model TEXT NOT NULL,
        embedding_sealed BLOB NOT NULL, PRIMARY KEY (identity_id, id)) STRICT""",
    # What the chain knows of this store's own people. It is the hub's to change.
    """CREATE TABLE chain (
        person_id TEXT PRIMARY KEY REFERENCES persons (id) ON DELETE CASCADE, identity_id TEXT NOT NULL, name_sealed BLOB,
        vip INTEGER NOT NULL DEFAULT 0, watchlist INTEGER NOT NULL DEFAULT 0, also_at_sealed BLOB,
        chain_visits INTEGER NOT NULL DEFAULT 0) STRICT""",
    "CREATE INDEX chain_identity ON chain (identity_id)",
    # People who are no longer there. merged_into: who took their place. erased: never to be taken back from anywhere; 1 this store did it,
    # 2 headquarters had it done, 3 likewise, and they were not here.
    """CREATE TABLE gone_persons (
        id TEXT PRIMARY KEY, merged_into TEXT, erased INTEGER NOT NULL DEFAULT 0, gone_ms INTEGER NOT NULL) STRICT""",
    # What went, newest last, to be told again where the word of it may be lost. kind: visit, template, camera, person.
    """CREATE TABLE gone_rows (
        number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, person_id TEXT NOT NULL) STRICT""",
    "CREATE INDEX gone_rows_id ON gone_rows (id)",
    # What headquarters asked to be forgotten and is gone here: told again where the word of it may be lost.
    """CREATE TABLE receipts (
        erasure_id TEXT PRIMARY KEY, done_ms INTEGER NOT NULL, persons INTEGER NOT NULL, templates INTEGER NOT NULL,
        snapshots INTEGER NOT NULL) STRICT""",
    # What a command asks of the appliance that runs, and its answer. subjects: ids, as JSON; never a name.
    """CREATE TABLE asked (
        id INTEGER PRIMARY KEY AUTOINCREMENT, made_ms INTEGER NOT NULL, kind TEXT NOT NULL, subjects TEXT NOT NULL, answered_ms INTEGER,
        failed INTEGER NOT NULL DEFAULT 0, answer TEXT NOT NULL DEFAULT '') STRICT""",
)
