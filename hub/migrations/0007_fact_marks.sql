-- What was told at once, by the number of its last fact: a random mark that each store gives back with its cursor. A database that was put back
-- to an earlier day and has told as much since knows other marks by the same numbers.
CREATE TABLE fact_marks (
    tenant_id uuid NOT NULL, through bigint NOT NULL, mark text NOT NULL DEFAULT gen_random_uuid()::text, made_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, through)
);
SELECT own_rows_only('fact_marks'::regclass);
GRANT SELECT, INSERT, DELETE ON fact_marks TO regulars_app;
