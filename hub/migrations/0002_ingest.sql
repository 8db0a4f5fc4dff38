-- What ingest and forgetting need beside the first tables.

-- Pictures whose rows are gone or were emptied, still to be deleted where they are stored. erasure_id: the request that waits for it.
CREATE TABLE doomed_snapshots (
    tenant_id uuid NOT NULL, key text NOT NULL, erasure_id uuid, doomed_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, key));
CREATE INDEX doomed_snapshots_erasure ON doomed_snapshots (tenant_id, erasure_id);
SELECT own_rows_only('doomed_snapshots'::regclass);
GRANT SELECT, INSERT, UPDATE, DELETE ON doomed_snapshots TO regulars_app;

-- The identity that was forgotten and those that had been merged into it: a person first recognised by what was lent of one is forgotten too.
ALTER TABLE erasures ADD COLUMN identity_ids uuid[] NOT NULL DEFAULT '{}';
CREATE INDEX tombstones_erasure ON tombstones (tenant_id, erasure_id);
CREATE INDEX visits_snapshot ON visits (tenant_id, snapshot_taken_at) WHERE snapshot IS NOT NULL;

-- Lives of an appliance's database that have ended, newest last: what is told of them comes late or again, and is not taken.
ALTER TABLE appliances ADD COLUMN past_lines text[] NOT NULL DEFAULT '{}';

-- SHA-256 of the last record that was applied: a disk that was put back gives its numbers out a second time, and is found by it.
ALTER TABLE appliances ADD COLUMN last_digest bytea NOT NULL DEFAULT '';

-- One row a pair: sealed to and signed with together, rotated together. Both public halves follow from the private ones.
ALTER TABLE hub_keys DROP COLUMN purpose, DROP COLUMN public;
