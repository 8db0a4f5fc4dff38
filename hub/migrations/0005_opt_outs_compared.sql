-- Up to which fact the people who opted out were compared with everybody who is known: whoever looks like one of them is forgotten as well.
CREATE TABLE opt_outs_compared (tenant_id uuid NOT NULL PRIMARY KEY, sequence bigint NOT NULL);
SELECT own_rows_only('opt_outs_compared'::regclass);
GRANT SELECT, INSERT, UPDATE ON opt_outs_compared TO regulars_app;

-- Random ids instead of a sequence, which lies beside the tables, is all tenants' and tells each how much the others delete.
ALTER TABLE index_leftovers DROP COLUMN number;
ALTER TABLE index_leftovers ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE index_leftovers ADD PRIMARY KEY (tenant_id, id);

-- A trigger calls it; nobody else need.
REVOKE ALL ON FUNCTION note_index_leftover() FROM PUBLIC;
