-- Headquarters' tables. Run by the owner's role; the application's role (regulars_app) is neither owner nor superuser.
--
-- A row of a tenant is seen only by a session that says whose it acts for and proves it: app.tenant holds '<uuid>.<proof>', the proof an
-- HMAC-SHA256 of the uuid under a key that the application's role cannot read here. Without it, current_tenant() is null and nothing is
-- seen. The nil uuid is the hub itself, acting for no tenant: it sees who the tenants are and who may sign in, and no tenant's rows.
-- Columns ending in _sealed hold AES-256-GCM under the tenant's key, bound to table, column and row. Times are timestamptz in UTC.

-- HMAC's two padded keys (RFC 2104), because Postgres has sha256() and no HMAC. Filled by the hub's migrate; nobody is granted anything.
CREATE TABLE tenant_proof (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), inner_pad bytea NOT NULL CHECK (length(inner_pad) = 64),
    outer_pad bytea NOT NULL CHECK (length(outer_pad) = 64));

-- pg_temp stands last and every name has its schema, or a temporary table of the caller's would be read instead of tenant_proof.
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    said text := nullif(pg_catalog.current_setting('app.tenant', true), '');
    pads record;
BEGIN
    IF said IS NULL OR said !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[0-9a-f]{64}$' THEN
        RETURN NULL;
    END IF;
    SELECT inner_pad, outer_pad INTO pads FROM public.tenant_proof;
    IF NOT FOUND OR encode(sha256(pads.outer_pad || sha256(pads.inner_pad || convert_to(left(said, 36), 'UTF8'))), 'hex') <> right(said, 64) THEN
        RETURN NULL;
    END IF;
    RETURN left(said, 36)::uuid;
END $$;
REVOKE ALL ON FUNCTION current_tenant() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION current_tenant() TO regulars_app;

-- Row security on a table of tenants, for this and every later migration. (SELECT …) makes it a plan's first step, run once a query.
CREATE FUNCTION own_rows_only(target regclass) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY own_rows ON %s USING (tenant_id = (SELECT public.current_tenant()))', target);
END $$;
REVOKE ALL ON FUNCTION own_rows_only(regclass) FROM PUBLIC;

-- Not a tenant's: the hub's own keys (sealed under the master key), and who runs it.
CREATE TABLE hub_keys (
    id text PRIMARY KEY, purpose text NOT NULL CHECK (purpose IN ('seal', 'sign')), public bytea NOT NULL, private_sealed bytea NOT NULL,
    made_at timestamptz NOT NULL, retired_at timestamptz);

CREATE TABLE tenants (
    tenant_id uuid PRIMARY KEY CHECK (tenant_id <> '00000000-0000-0000-0000-000000000000'), name text NOT NULL UNIQUE,
    key_sealed bytea NOT NULL, made_at timestamptz NOT NULL,
    -- Facts are numbered per tenant by counting this up in the transaction that writes them: numbers have no holes, and a reader that
    -- has seen n has seen everything before n.
    fact_sequence bigint NOT NULL DEFAULT 0,
    snapshots boolean NOT NULL DEFAULT false, also_at boolean NOT NULL DEFAULT false, guests boolean NOT NULL DEFAULT false,
    guests_max integer NOT NULL DEFAULT 2000 CHECK (guests_max >= 0), snapshot_days integer NOT NULL DEFAULT 30 CHECK (snapshot_days > 0));

CREATE TABLE sites (
    tenant_id uuid NOT NULL REFERENCES tenants, id uuid NOT NULL, name text NOT NULL, time_zone text NOT NULL DEFAULT 'UTC',
    made_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, name));

CREATE TABLE appliances (
    tenant_id uuid NOT NULL REFERENCES tenants, id uuid NOT NULL, site_id uuid NOT NULL, name text NOT NULL,
    seal_public bytea NOT NULL, sign_public bytea NOT NULL, keys_made_at timestamptz NOT NULL,
    -- The keys before the newest: a message signed by them is taken until the first one signed by the new.
    old_sign_public bytea, paired_at timestamptz NOT NULL, revoked_at timestamptz,
    line text NOT NULL DEFAULT '', applied bigint NOT NULL DEFAULT 0, cursor bigint NOT NULL DEFAULT 0,
    last_contact_at timestamptz, clock_skew_ms bigint, set_aside_count integer NOT NULL DEFAULT 0, offline_since timestamptz,
    status jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, id), FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, id));

-- Found by its open half alone: see the policy below. proof_key_sealed: the stretched secret half, under the master key.
CREATE TABLE pair_codes (
    code_id text PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants, site_id uuid NOT NULL, proof_key_sealed bytea NOT NULL,
    made_by text NOT NULL, made_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, attempts integer NOT NULL DEFAULT 0,
    used_at timestamptz, appliance_id uuid, answer bytea);

CREATE TABLE cameras (
    tenant_id uuid NOT NULL, id uuid NOT NULL, appliance_id uuid NOT NULL, name text NOT NULL, kind text NOT NULL, enabled boolean NOT NULL,
    PRIMARY KEY (tenant_id, id));

CREATE TABLE identities (
    tenant_id uuid NOT NULL REFERENCES tenants, id uuid NOT NULL, number bigint NOT NULL, name_sealed bytea,
    role text NOT NULL DEFAULT 'customer' CHECK (role IN ('customer', 'staff', 'opted_out')),
    vip boolean NOT NULL DEFAULT false, watchlist boolean NOT NULL DEFAULT false, made_at timestamptz NOT NULL,
    -- Set when another identity took this one's persons; a merge can be undone.
    merged_into uuid, merged_at timestamptz,
    PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, number));

CREATE TABLE persons (
    tenant_id uuid NOT NULL, id uuid NOT NULL, appliance_id uuid NOT NULL, site_id uuid NOT NULL, number bigint NOT NULL,
    role text NOT NULL CHECK (role IN ('customer', 'staff', 'opted_out')), name_sealed bytea, guest_of uuid,
    first_seen_at timestamptz, last_seen_at timestamptz, visit_count integer NOT NULL DEFAULT 0,
    identity_id uuid, linked_by text NOT NULL DEFAULT '' CHECK (linked_by IN ('', 'machine', 'person', 'guest')),
    similarity real, bar real, linked_at timestamptz,
    PRIMARY KEY (tenant_id, id));
CREATE INDEX persons_identity ON persons (tenant_id, identity_id);
CREATE INDEX persons_site ON persons (tenant_id, site_id);

CREATE TABLE templates (
    tenant_id uuid NOT NULL, id uuid NOT NULL, person_id uuid NOT NULL, model text NOT NULL, embedding_sealed bytea NOT NULL,
    quality real NOT NULL, origin text NOT NULL, made_at timestamptz NOT NULL,
    -- Whether the index is known to hold it; the index can be rebuilt from this table at any time.
    indexed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, id));
CREATE INDEX templates_person ON templates (tenant_id, person_id);
CREATE INDEX templates_to_index ON templates (tenant_id, person_id) WHERE NOT indexed;

-- month: the first of the month in which the visit's id (a UUIDv7) was made. It never changes, unlike first_seen_at, so that a visit told
-- anew always stands in the same partition.
CREATE TABLE visits (
    tenant_id uuid NOT NULL, id uuid NOT NULL, month date NOT NULL, appliance_id uuid NOT NULL, site_id uuid NOT NULL, person_id uuid,
    verdict text NOT NULL, settled boolean NOT NULL, first_seen_at timestamptz NOT NULL, last_seen_at timestamptz NOT NULL,
    visit_number integer NOT NULL, cameras uuid[] NOT NULL, model text NOT NULL, reason text NOT NULL, similarity real, bar real,
    snapshot text, snapshot_taken_at timestamptz,
    PRIMARY KEY (tenant_id, id, month)) PARTITION BY RANGE (month);
CREATE INDEX visits_seen ON visits (tenant_id, first_seen_at);
CREATE INDEX visits_person ON visits (tenant_id, person_id, first_seen_at);
CREATE TABLE visits_other PARTITION OF visits DEFAULT;

CREATE TABLE opted_out_counts (
    tenant_id uuid NOT NULL, appliance_id uuid NOT NULL, day date NOT NULL, visits integer NOT NULL, PRIMARY KEY (tenant_id, appliance_id, day));

-- Two persons of one store that the store, or somebody here, called different. person_a < person_b.
CREATE TABLE apart (
    tenant_id uuid NOT NULL, person_a uuid NOT NULL, person_b uuid NOT NULL, reason text NOT NULL, made_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, person_a, person_b), CHECK (person_a < person_b));
CREATE INDEX apart_b ON apart (tenant_id, person_b);

-- Persons whose identity is still to be found, or to be looked at anew because their templates changed.
CREATE TABLE resolve_queue (
    tenant_id uuid NOT NULL, person_id uuid NOT NULL, queued_at timestamptz NOT NULL, attempts integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL, trouble text NOT NULL DEFAULT '', PRIMARY KEY (tenant_id, person_id));
CREATE INDEX resolve_queue_due ON resolve_queue (tenant_id, not_before);

-- What the machine was unsure of ('link': a person and an identity), or thinks is double ('duplicate': two identities).
CREATE TABLE review (
    tenant_id uuid NOT NULL, id uuid NOT NULL, kind text NOT NULL CHECK (kind IN ('link', 'duplicate')), person_id uuid,
    identity_id uuid NOT NULL, other_identity_id uuid, similarity real NOT NULL, bar real NOT NULL, made_at timestamptz NOT NULL,
    decision text CHECK (decision IN ('same', 'different', 'gone')), decided_by text, decided_at timestamptz,
    PRIMARY KEY (tenant_id, id));
CREATE UNIQUE INDEX review_link ON review (tenant_id, person_id, identity_id) WHERE kind = 'link';
CREATE UNIQUE INDEX review_duplicate ON review (tenant_id, identity_id, other_identity_id) WHERE kind = 'duplicate';

-- Every link, unlink, merge and their undoing, with what was before, so that it can be undone and its reason shown.
CREATE TABLE identity_events (
    tenant_id uuid NOT NULL, id uuid NOT NULL, at timestamptz NOT NULL, kind text NOT NULL, made_by text NOT NULL, identity_id uuid,
    person_id uuid, before jsonb NOT NULL DEFAULT '{}', reason text NOT NULL DEFAULT '', undone_at timestamptz, PRIMARY KEY (tenant_id, id));
CREATE INDEX identity_events_identity ON identity_events (tenant_id, identity_id, at);

-- The hub's facts on their way down. appliance_id null: for every appliance of the tenant. The newest of (appliance, kind, subject) holds.
CREATE TABLE facts (
    tenant_id uuid NOT NULL, sequence bigint NOT NULL, appliance_id uuid, kind text NOT NULL, subject text NOT NULL, payload_sealed bytea NOT NULL,
    made_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, sequence));
CREATE UNIQUE INDEX facts_subject ON facts (tenant_id, appliance_id, kind, subject) NULLS NOT DISTINCT;

-- Records that could not be taken, kept until somebody has looked.
CREATE TABLE set_aside (
    tenant_id uuid NOT NULL, appliance_id uuid NOT NULL, line text NOT NULL, sequence bigint NOT NULL, kind text NOT NULL, reason text NOT NULL,
    payload_sealed bytea NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (tenant_id, appliance_id, line, sequence));

-- A request to be forgotten (erase) or never stored again (opt_out), and where it has been carried out.
CREATE TABLE erasures (
    tenant_id uuid NOT NULL, id uuid NOT NULL, kind text NOT NULL CHECK (kind IN ('erase', 'opt_out')), identity_id uuid NOT NULL,
    asked_at timestamptz NOT NULL, asked_by text NOT NULL, reason text NOT NULL DEFAULT '', ended_at timestamptz, PRIMARY KEY (tenant_id, id));
-- place: 'postgres', 'index', 'snapshots', or an appliance's id. done_at null: still outstanding.
CREATE TABLE erasure_receipts (
    tenant_id uuid NOT NULL, erasure_id uuid NOT NULL, place text NOT NULL, done_at timestamptz, persons integer NOT NULL DEFAULT 0,
    templates integer NOT NULL DEFAULT 0, snapshots integer NOT NULL DEFAULT 0, PRIMARY KEY (tenant_id, erasure_id, place));
-- Ids of persons that were erased or opted out: records about them that come later are not stored.
CREATE TABLE tombstones (
    tenant_id uuid NOT NULL, person_id uuid NOT NULL, erasure_id uuid NOT NULL, appliance_id uuid NOT NULL, at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, person_id));

-- Who may use the hub's page. tenant_id null: a system admin, who is not seen under any tenant.
CREATE TABLE users (
    id uuid PRIMARY KEY, tenant_id uuid REFERENCES tenants, name text NOT NULL UNIQUE, password_hash text NOT NULL,
    role text NOT NULL CHECK (role IN ('system_admin', 'tenant_admin', 'site_manager')), made_at timestamptz NOT NULL,
    failed integer NOT NULL DEFAULT 0, locked_until timestamptz, CHECK ((role = 'system_admin') = (tenant_id IS NULL)));
CREATE TABLE sessions (
    id_hash bytea PRIMARY KEY, user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE, made_at timestamptz NOT NULL, used_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL, agent text NOT NULL DEFAULT '');

CREATE TABLE audit (
    tenant_id uuid NOT NULL, id uuid NOT NULL, at timestamptz NOT NULL, who text NOT NULL, what text NOT NULL, subject text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, id));
CREATE INDEX audit_at ON audit (tenant_id, at);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tenants', 'sites', 'appliances', 'pair_codes', 'cameras', 'identities', 'persons', 'templates', 'visits', 'visits_other',
        'opted_out_counts', 'apart', 'resolve_queue', 'review', 'identity_events', 'facts', 'set_aside', 'erasures', 'erasure_receipts', 'tombstones',
        'users', 'audit'] LOOP
        PERFORM own_rows_only(format('public.%I', name)::regclass);
    END LOOP;
    -- What the hub itself may see, acting for no tenant.
    FOREACH name IN ARRAY ARRAY['tenants', 'users', 'sessions', 'hub_keys'] LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY the_hubs ON public.%I USING ((SELECT public.current_tenant()) = ''00000000-0000-0000-0000-000000000000'')', name);
    END LOOP;
END $$;

-- A pair code is found, and counted down, by the hub when somebody says its open half; the secret half is checked by the hub.
CREATE POLICY by_code ON pair_codes USING (
    code_id = nullif(current_setting('app.pair_code', true), '') AND (SELECT current_tenant()) = '00000000-0000-0000-0000-000000000000');

-- The partition of a month's visits. The application may call it and cannot otherwise make a table; what it makes is secured like the rest.
-- Visits of that month that came before it (a clock that was wrong) move over from visits_other. True: made now; false: it was there.
CREATE FUNCTION make_visits_partition(wanted date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    beginning date := date_trunc('month', wanted)::date;
    ending date := (date_trunc('month', wanted) + interval '1 month')::date;
    named text := 'visits_' || to_char(wanted, 'YYYY_MM');
BEGIN
    IF wanted IS NULL OR wanted < date '2020-01-01' OR wanted > current_date + 730 THEN
        RAISE EXCEPTION 'no partition is made for %', wanted USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('regulars.visits_partition', 0));
    IF to_regclass('public.' || named) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.visits INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', named);
    -- The owner moves rows of every tenant: for this moment the default partition's security does not bind it.
    ALTER TABLE public.visits_other NO FORCE ROW LEVEL SECURITY;
    EXECUTE format('WITH moved AS (DELETE FROM public.visits_other WHERE month >= %L AND month < %L RETURNING *) INSERT INTO public.%I SELECT * FROM moved',
        beginning, ending, named);
    ALTER TABLE public.visits_other FORCE ROW LEVEL SECURITY;
    EXECUTE format('ALTER TABLE public.visits ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', named, beginning, ending);
    PERFORM public.own_rows_only(format('public.%I', named)::regclass);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION make_visits_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_visits_partition(date) TO regulars_app;

-- Exactly what the application needs. Nothing on tenant_proof, nothing on a partition but through visits, no tenant and no audit removed.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO regulars_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON sites, appliances, pair_codes, cameras, identities, persons, templates, visits, opted_out_counts, apart,
    resolve_queue, review, identity_events, facts, set_aside, erasures, erasure_receipts, tombstones, users, sessions TO regulars_app;
GRANT SELECT, INSERT, UPDATE ON tenants, hub_keys TO regulars_app;
GRANT SELECT, INSERT ON audit TO regulars_app;
