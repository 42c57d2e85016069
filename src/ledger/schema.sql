-- Version 2 of the ledger's database. Entries are only ever inserted.

CREATE TABLE entry (
    idx      INTEGER PRIMARY KEY,  -- from 0, without a hole
    at_ms    INTEGER NOT NULL,     -- time of commit, never falling
    kind     INTEGER NOT NULL,     -- 1 record, 2 refused, 3 fact
    terminal TEXT,                 -- under whose name it came; NULL for facts
    seq      INTEGER,              -- the place it takes in that terminal's chain, if any
    link     BLOB,                 -- the hash that the next record of the chain names
    sealed   BLOB NOT NULL,        -- the complete signed statement; its SHA-256 is the leaf
    UNIQUE (terminal, seq)
) STRICT;

-- Refused bytes, or their beginning.
CREATE TABLE evidence (
    idx      INTEGER PRIMARY KEY REFERENCES entry (idx),
    terminal TEXT NOT NULL,
    hash     BLOB NOT NULL,        -- of the complete bytes
    code     TEXT NOT NULL,        -- why they were refused
    bytes    BLOB NOT NULL
) STRICT;
CREATE INDEX evidence_by_hash ON evidence (terminal, hash);

-- What names persons. The only rows that are ever removed.
CREATE TABLE opening (
    idx    INTEGER NOT NULL REFERENCES entry (idx),
    role   INTEGER NOT NULL,       -- 1 the record's person, 2 its other
    salt   BLOB NOT NULL,
    person BLOB NOT NULL,
    PRIMARY KEY (idx, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX opening_by_person ON opening (person);

-- The right edge of the Merkle tree, held against the entries at each start.
CREATE TABLE frontier (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    size  INTEGER NOT NULL,
    peaks BLOB NOT NULL
) STRICT;
INSERT INTO frontier VALUES (1, 0, x'');
