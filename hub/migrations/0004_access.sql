-- Programs that ask the hub through its API. A token is found by its hash before anybody knows whose it is: by the hub itself.
CREATE TABLE api_tokens (
    tenant_id uuid NOT NULL REFERENCES tenants, id uuid NOT NULL, name text NOT NULL, scope text NOT NULL CHECK (scope IN ('read', 'admin')),
    hash bytea NOT NULL UNIQUE, made_by text NOT NULL, made_at timestamptz NOT NULL, used_at timestamptz, revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id));
SELECT own_rows_only('api_tokens'::regclass);
CREATE POLICY the_hubs ON api_tokens USING ((SELECT current_tenant()) = '00000000-0000-0000-0000-000000000000');
GRANT SELECT, INSERT, UPDATE ON api_tokens TO regulars_app;
CREATE UNIQUE INDEX api_tokens_name ON api_tokens (tenant_id, name) WHERE revoked_at IS NULL;

-- Nobody can be mistaken for somebody else by a capital letter.
CREATE UNIQUE INDEX users_name ON users (lower(name));
