-- What the index and the identities across stores need beside the first tables.

-- Templates that went, or were said to be of another model, and may still be in the index. A number each, so that what is noted while an
-- earlier note is worked off is a note of its own.
CREATE TABLE index_leftovers (
    tenant_id uuid NOT NULL, number bigint GENERATED ALWAYS AS IDENTITY, template_id uuid NOT NULL, model text NOT NULL,
    PRIMARY KEY (tenant_id, number));
SELECT own_rows_only('index_leftovers'::regclass);
GRANT SELECT, INSERT, DELETE ON index_leftovers TO regulars_app;

-- By trigger, so that whoever deletes templates for whatever reason cannot forget it.
CREATE FUNCTION note_index_leftover() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.model <> NEW.model THEN
        INSERT INTO public.index_leftovers (tenant_id, template_id, model) VALUES (OLD.tenant_id, OLD.id, OLD.model);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER templates_leave_the_index AFTER DELETE OR UPDATE OF model ON templates FOR EACH ROW EXECUTE FUNCTION note_index_leftover();

CREATE INDEX templates_unindexed ON templates (tenant_id, model) WHERE NOT indexed;
CREATE INDEX persons_appliance ON persons (tenant_id, appliance_id);
CREATE INDEX review_open ON review (tenant_id, made_at) WHERE decision IS NULL;
CREATE INDEX review_other ON review (tenant_id, other_identity_id);
CREATE INDEX identity_events_person ON identity_events (tenant_id, person_id);

-- Whom each appliance was lent, and by which templates: so that a pass tells only what changed.
CREATE TABLE lent_guests (
    tenant_id uuid NOT NULL, appliance_id uuid NOT NULL, identity_id uuid NOT NULL, template_ids uuid[] NOT NULL, digest bytea NOT NULL,
    told_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, appliance_id, identity_id));
SELECT own_rows_only('lent_guests'::regclass);
GRANT SELECT, INSERT, UPDATE, DELETE ON lent_guests TO regulars_app;
