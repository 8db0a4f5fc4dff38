-- The life of a tenant's rows here, told to its stores: a database that was put back to an earlier day begins another, because the stores
-- heard of what it does not know any more, and its facts count anew.
ALTER TABLE tenants ADD COLUMN life text NOT NULL DEFAULT gen_random_uuid()::text;
