-- One schema for SQLite and PostgreSQL. Ids are 16 lower-case hexadecimal digits, so that their
-- order as text is their order as numbers; times are nanoseconds since 1970.

CREATE TABLE organizations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    operator BOOLEAN NOT NULL,
    password_hash TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- API tokens have a token_hash, 1.x credentials a username. The owner may be deleted while the
-- authorization stays, so user_id refers to nothing.
CREATE TABLE authorizations (
    id TEXT NOT NULL PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organizations (id),
    user_id TEXT NOT NULL,
    status TEXT NOT NULL,
    description TEXT NOT NULL,
    permissions TEXT NOT NULL,
    token_hash TEXT UNIQUE,
    username TEXT UNIQUE,
    password_hash TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK ((token_hash IS NULL) <> (username IS NULL))
);

CREATE TABLE buckets (
    id TEXT NOT NULL PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organizations (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    retention_policy TEXT,
    retention_seconds BIGINT NOT NULL,
    shard_group_seconds BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (org_id, name)
);

CREATE TABLE mappings (
    id TEXT NOT NULL PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organizations (id),
    bucket_id TEXT NOT NULL REFERENCES buckets (id),
    database_name TEXT NOT NULL,
    retention_policy TEXT NOT NULL,
    is_default BOOLEAN NOT NULL,
    UNIQUE (org_id, database_name, retention_policy)
);

-- Storage's records outlive their bucket until storage has dropped its files, so they refer to
-- nothing either.
CREATE TABLE files (
    id TEXT NOT NULL PRIMARY KEY,
    bucket_id TEXT NOT NULL,
    measurement TEXT NOT NULL,
    partition_start BIGINT NOT NULL,
    partition_end BIGINT NOT NULL,
    path TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    byte_count BIGINT NOT NULL,
    min_time BIGINT NOT NULL,
    max_time BIGINT NOT NULL,
    min_sequence BIGINT NOT NULL,
    max_sequence BIGINT NOT NULL,
    level BIGINT NOT NULL
);

CREATE INDEX files_by_bucket ON files (bucket_id);

CREATE TABLE schema_columns (
    bucket_id TEXT NOT NULL,
    measurement TEXT NOT NULL,
    partition_start BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- tag or field
    role TEXT NOT NULL,
    -- empty for tags
    field_type TEXT NOT NULL,
    PRIMARY KEY (bucket_id, measurement, partition_start, name, role)
);

CREATE TABLE tombstones (
    sequence BIGINT NOT NULL PRIMARY KEY,
    bucket_id TEXT NOT NULL,
    measurement TEXT,
    predicate TEXT,
    min_time BIGINT NOT NULL,
    max_time BIGINT NOT NULL
);

CREATE INDEX tombstones_by_bucket ON tombstones (bucket_id);
