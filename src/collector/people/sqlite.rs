//! People in a SQLite file of their own beside the ledger, so that erasing here never touches what
//! was committed. Mode 0600; what is deleted is overwritten (`secure_delete`).

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::{Change, Tag};
use crate::domain::{Committed, PersonId, masked_name};
use crate::platform::chance::random_bytes;
use crate::platform::durable::sync_folder_of;
use crate::platform::secret::{self, SecretError};
use crate::record::Opening;

const FILE: &str = "people.sqlite";
const KEY: &str = "identity.key";
/// `RolP` in ASCII.
const APPLICATION_ID: i32 = 0x526f_6c50;

const SCHEMA: &str = "
BEGIN;
CREATE TABLE person (
    id   BLOB PRIMARY KEY,
    tag  BLOB NOT NULL UNIQUE,  -- HMAC of the identification number
    name TEXT NOT NULL,
    card TEXT                   -- the number on her card
) STRICT;
CREATE TABLE opening (
    scope      TEXT NOT NULL,   -- class/ID, teacher/ID or held/ID
    person     BLOB NOT NULL,
    salt       BLOB NOT NULL,
    commitment BLOB NOT NULL UNIQUE,
    PRIMARY KEY (scope, person)
) STRICT;
CREATE INDEX opening_by_person ON opening (person);
PRAGMA application_id = 1383033936;
PRAGMA user_version = 2;
COMMIT;
";

/// Version 1 knew no cards.
const FROM_VERSION_1: &str = "
BEGIN;
ALTER TABLE person ADD COLUMN card TEXT;
PRAGMA user_version = 2;
COMMIT;
";

/// The people could not be used.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// There are none.
    #[error("could not open the people in {path}: there is no such file")]
    Missing {
        /// Where they should be.
        path: PathBuf,
    },
    /// They are there already.
    #[error("could not make {path}: it is there already")]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("could not open the people in {path}: it is no such file of version 1 or 2")]
    Foreign {
        /// Where.
        path: PathBuf,
    },
    /// The key could not be used.
    #[error("could not use the key of identification numbers")]
    Key(#[from] SecretError),
    /// The file could not be made.
    #[error("could not make {path}")]
    Make {
        /// Where.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },
    /// SQLite could not.
    #[error("could not use the people beside the ledger")]
    Storage(#[from] rusqlite::Error),
}

/// See the head of this file.
#[derive(Debug)]
pub struct People {
    db: Connection,
    key: [u8; 32],
}

impl People {
    /// Whether there are people in `folder`.
    pub fn are_in(folder: &Path) -> bool {
        folder.join(FILE).exists() || folder.join(KEY).exists()
    }

    /// Makes the key and the empty file, once.
    pub fn create(folder: &Path) -> Result<Self, PeopleError> {
        let path = folder.join(FILE);
        if path.exists() {
            return Err(PeopleError::Exists { path });
        }
        let failed = |cause| PeopleError::Make { path: path.clone(), cause };
        let key = random_bytes();
        secret::write_new(&folder.join(KEY), &key)?;
        // A crash in here leaves a key and no whole file: `open` refuses it by name, nothing is
        // lost, and whoever removes both begins anew.
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        let db = Connection::open(&path)?;
        prepare(&db)?;
        debug_assert!(SCHEMA.contains(&APPLICATION_ID.to_string()), "the schema has our mark");
        db.execute_batch(SCHEMA)?;
        sync_folder_of(&path).map_err(failed)?;
        Ok(Self { db, key })
    }

    /// Opens what `create` made.
    pub fn open(folder: &Path) -> Result<Self, PeopleError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Err(PeopleError::Missing { path });
        }
        let key = secret::read(&folder.join(KEY))?;
        let mode = std::fs::metadata(&path).map(|it| it.permissions().mode() & 0o777);
        let mode = mode.map_err(|cause| PeopleError::Make { path: path.clone(), cause })?;
        if mode & 0o077 != 0 {
            return Err(SecretError::Open { path, mode }.into());
        }
        let db = Connection::open(&path)?;
        let mark = |name| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let version = mark("user_version")?;
        if mark("application_id")? != APPLICATION_ID || !(1..=2).contains(&version) {
            return Err(PeopleError::Foreign { path });
        }
        prepare(&db)?;
        if version == 1 {
            db.execute_batch(FROM_VERSION_1)?;
        }
        Ok(Self { db, key })
    }

    /// Another number than before means that somebody else has changed the file since; what was changed
    /// here does not count.
    pub fn changes(&self) -> Result<i64, PeopleError> {
        Ok(self.db.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// The key of identification numbers.
    pub fn key(&self) -> [u8; 32] {
        self.key
    }

    /// Her name; `None` for whom nobody knows, or who was erased.
    pub fn name(&self, person: PersonId) -> Result<Option<String>, PeopleError> {
        let mut find = self.db.prepare_cached("SELECT name FROM person WHERE id = ?1")?;
        Ok(find.query_row([&person.0], |row| row.get(0)).optional()?)
    }

    /// What a person is called before others: masked, where her name is known; else by the beginning of her id.
    pub fn called(people: Option<&Self>, person: &PersonId) -> String {
        let known = people.and_then(|people| people.name(*person).ok().flatten());
        known.map_or_else(
            || format!("№ {}", person.to_string().chars().take(6).collect::<String>()),
            |name| masked_name(&name),
        )
    }

    /// The number on her card, where it is known.
    pub fn card(&self, person: PersonId) -> Result<Option<String>, PeopleError> {
        let mut find = self.db.prepare_cached("SELECT card FROM person WHERE id = ?1")?;
        Ok(find.query_row([&person.0], |row| row.get(0)).optional()?.flatten())
    }

    /// Who has a number, and her name.
    pub fn by_tag(&self, tag: &Tag) -> Result<Option<(PersonId, String)>, PeopleError> {
        let mut find = self.db.prepare_cached("SELECT id, name FROM person WHERE tag = ?1")?;
        let found = find.query_row([&tag.0], |row| Ok((PersonId(row.get(0)?), row.get(1)?)));
        Ok(found.optional()?)
    }

    /// What opens her commitment in one scope.
    pub fn opening(&self, scope: &str, person: PersonId) -> Result<Option<Opening>, PeopleError> {
        let sql = "SELECT salt FROM opening WHERE scope = ?1 AND person = ?2";
        let mut find = self.db.prepare_cached(sql)?;
        let found = find.query_row(params![scope, &person.0], |row| row.get(0)).optional()?;
        Ok(found.map(|salt| Opening { salt, person }))
    }

    /// Whom a commitment stands for; `None` once she is erased.
    pub fn behind(&self, commitment: &Committed) -> Result<Option<Opening>, PeopleError> {
        let sql = "SELECT salt, person FROM opening WHERE commitment = ?1";
        let mut find = self.db.prepare_cached(sql)?;
        let found = find.query_row([commitment], |row| {
            Ok(Opening { salt: row.get(0)?, person: PersonId(row.get(1)?) })
        });
        Ok(found.optional()?)
    }

    /// Who is behind every commitment that can still be opened.
    pub fn everybody(&self) -> Result<HashMap<Committed, PersonId>, PeopleError> {
        let mut all = self.db.prepare_cached("SELECT commitment, person FROM opening")?;
        let rows = all.query_map([], |row| Ok((row.get(0)?, PersonId(row.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps all changes or none of them.
    pub fn keep(&mut self, changes: &[Change]) -> Result<(), PeopleError> {
        let transaction = self.db.transaction()?;
        for change in changes {
            match change {
                Change::Person { id, name, tag } => transaction.execute(
                    "INSERT INTO person (id, tag, name) VALUES (?1, ?2, ?3)
                     ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                    params![&id.0, &tag.0, name],
                )?,
                Change::Card { person, card } => transaction.execute(
                    "UPDATE person SET card = ?2 WHERE id = ?1",
                    params![&person.0, card],
                )?,
                Change::Opening { scope, opening } => transaction.execute(
                    "INSERT INTO opening (scope, person, salt, commitment) VALUES (?1, ?2, ?3, ?4)",
                    params![scope, &opening.person.0, &opening.salt, &opening.commitment().0],
                )?,
            };
        }
        Ok(transaction.commit()?)
    }

    /// Erases a person: name, number, and what opens her commitments. How many rows there were.
    pub fn erase(&mut self, person: PersonId) -> Result<usize, PeopleError> {
        let transaction = self.db.transaction()?;
        let known = transaction.execute("DELETE FROM person WHERE id = ?1", [&person.0])?;
        let opened = transaction.execute("DELETE FROM opening WHERE person = ?1", [&person.0])?;
        transaction.commit()?;
        Ok(known + opened)
    }
}

fn prepare(db: &Connection) -> Result<(), rusqlite::Error> {
    // A rollback journal and not a WAL: what was erased must not live on in a second file.
    db.pragma_update(None, "journal_mode", "DELETE")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "secure_delete", "ON")?;
    db.busy_timeout(std::time::Duration::from_secs(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(n: u8, card: &str) -> Change {
        Change::Card { person: PersonId([n; 16]), card: card.into() }
    }

    fn person(n: u8) -> Change {
        Change::Person { id: PersonId([n; 16]), name: "李娜".into(), tag: Tag([n; 32]) }
    }

    #[test]
    fn people_of_an_earlier_build_are_opened_and_may_have_cards_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut people = People::create(folder.path()).unwrap();
        people.keep(&[person(1)]).unwrap();
        let before = "ALTER TABLE person DROP COLUMN card; PRAGMA user_version = 1;";
        people.db.execute_batch(before).unwrap();
        drop(people);
        let mut people = People::open(folder.path()).unwrap();
        let id = PersonId([1; 16]);
        assert_eq!(
            (people.name(id).unwrap().as_deref(), people.card(id).unwrap()),
            (Some("李娜"), None)
        );
        people.keep(&[card(1, "20260001")]).unwrap();
        drop(people);
        let mut people = People::open(folder.path()).unwrap();
        assert_eq!(people.card(id).unwrap().as_deref(), Some("20260001"));
        // A row that names her without her card says nothing about it.
        people.keep(&[person(1)]).unwrap();
        assert_eq!(people.card(id).unwrap().as_deref(), Some("20260001"));
        people.erase(id).unwrap();
        assert_eq!(people.card(id).unwrap(), None);
    }

    #[test]
    fn what_another_process_changes_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut writes = People::create(folder.path()).unwrap();
        let reads = People::open(folder.path()).unwrap();
        let before = reads.changes().unwrap();
        assert_eq!(reads.changes().unwrap(), before);
        writes.keep(&[person(1)]).unwrap();
        assert_ne!(reads.changes().unwrap(), before);
    }
}
