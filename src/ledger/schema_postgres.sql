-- Version 1 of the ledger in PostgreSQL. Entries are only ever inserted. What a column means stands in
-- schema.sql, the same ledger in SQLite.

CREATE TABLE ledger.entry (
    idx      int8 PRIMARY KEY,
    at_ms    int8 NOT NULL,
    kind     int2 NOT NULL,
    terminal text COLLATE "C",
    seq      int8,
    link     bytea,
    sealed   bytea NOT NULL,
    UNIQUE (terminal, seq)
);

CREATE TABLE ledger.evidence (
    idx      int8 PRIMARY KEY REFERENCES ledger.entry (idx),
    terminal text COLLATE "C" NOT NULL,
    hash     bytea NOT NULL,
    code     text NOT NULL,
    bytes    bytea NOT NULL
);
CREATE INDEX evidence_by_hash ON ledger.evidence (terminal, hash);

CREATE TABLE ledger.opening (
    idx    int8 NOT NULL REFERENCES ledger.entry (idx),
    role   int2 NOT NULL,
    salt   bytea NOT NULL,
    person bytea NOT NULL,
    PRIMARY KEY (idx, role)
);
CREATE INDEX opening_by_person ON ledger.opening (person);

CREATE TABLE ledger.frontier (
    one   int2 PRIMARY KEY CHECK (one = 1),
    size  int8 NOT NULL,
    peaks bytea NOT NULL
);
INSERT INTO ledger.frontier VALUES (1, 0, '');
