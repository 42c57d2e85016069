//! Evidence pictures at the centre, through the real program: the regulator's key is made once, and a
//! picture is opened only when the ledger knows it and has it on record that it is opened.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;

use rollcall::collector::Home;
use rollcall::domain::{Event, Fact, Notice, NoticeKind, Outcome};
use rollcall::ingest::{Intake, Limits, Step};
use rollcall::ledger::{Item, Staged};
use rollcall::platform::secret;
use rollcall::record::picture::{Cover, SealedPicture};
use rollcall::record::{Parcel, ReadingKey, SealedHash};
use rusqlite::Connection;

use crate::support::day::{Day, rollcall, verify, write};
use crate::support::fine;
use crate::support::pen::{MORNING, Pen};

const PICTURE: &[u8] = b"a picture";

/// A centre whose terminal t-1 keeps a picture of its first record, and the regulator's folder.
struct Case {
    day: Day,
    sealed: SealedPicture,
}

impl Case {
    fn new() -> Self {
        let day = Day::configured(1883);
        let out = day.folder.path().to_str().unwrap();
        fine(&rollcall(&["collector", "picture", "init", "--out", out]));
        let key = ReadingKey::from_secret(&secret::read(&day.file("picture.key")).unwrap());
        let mut pen = Pen::new("t-1", 1);
        let mut home = Home::create_in(&day.data(), day.store()).unwrap();
        home.state(vec![pen.registration()], MORNING).unwrap();
        drop(home);
        let (mut attempt, opening) = pen.draft();
        (attempt.event, attempt.outcome) = (Event::Attempt, Some(Outcome::LooksLikeOther));
        let attempt = pen.seal(&attempt, Some(opening));
        let sealed = sealed(&key, attempt.sealed.hash(), PICTURE);
        let notice = |pen: &mut Pen, kind, digest| {
            let (mut record, _) = pen.draft();
            (record.event, record.outcome) = (Event::Notice, None);
            (record.person, record.way) = (None, None);
            record.notice = Some(Notice { kind, digest: Some(digest) });
            pen.seal(&record, None)
        };
        let kept = notice(&mut pen, NoticeKind::PictureKept, sealed.digest());
        // Of a file that names another record than the first.
        let other = self::sealed(&key, SealedHash([9; 32]), b"another").digest();
        let other = notice(&mut pen, NoticeKind::PictureKept, other);
        commit(&day, &pen, [attempt, kept, other]);
        write(&day.file("t-1-1.picture"), sealed.bytes());
        Self { day, sealed }
    }

    fn open(&self, file: &str, key: &str, reason: &str) -> Output {
        let path = |name: &str| self.day.file(name).to_str().unwrap().to_owned();
        let (file, key, out) = (path(file), path(key), path("opened.jpg"));
        let config = self.day.config.to_str().unwrap();
        rollcall(&[
            "collector",
            "picture",
            "open",
            &file,
            "--config",
            config,
            "--key",
            &key,
            "--by",
            "the regulator",
            "--reason",
            reason,
            "--out",
            &out,
        ])
    }

    fn out(&self) -> PathBuf {
        self.day.file("opened.jpg")
    }

    /// Which openings stand in the ledger.
    fn stated(&self) -> Vec<Fact> {
        let home = Home::open_in(&self.day.data(), self.day.store()).unwrap();
        let facts = home.facts().unwrap().into_iter();
        facts.filter(|fact| matches!(fact, Fact::PictureOpened { .. })).collect()
    }

    /// It ends with this code and three lines, nothing is written, and nothing stated.
    #[track_caller]
    fn refuses(&self, out: &Output, code: i32, what: &str) {
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(code), "{said}");
        assert!(said.starts_with("rollcall collector: "), "{said}");
        assert!(said.contains(what), "{said}");
        assert!(said.contains("\n  because: ") && said.contains("\n  hint: "), "{said}");
        assert!(!self.out().exists(), "something was written");
        assert_eq!(self.stated(), []);
    }
}

fn sealed(key: &ReadingKey, record: SealedHash, picture: &[u8]) -> SealedPicture {
    let cover = Cover {
        terminal: "t-1".parse().unwrap(),
        seq: 1,
        record,
        taken: MORNING,
        expires: None,
        reader: key.public().0,
    };
    SealedPicture::seal(cover, picture, [2; 32]).unwrap()
}

fn commit(day: &Day, pen: &Pen, parcels: [Parcel; 3]) {
    let mut ledger = day.store().open_ledger().unwrap();
    let mut intake = Intake::new(Limits::default());
    intake.learn(&pen.registration());
    for parcel in parcels {
        let steps = intake.offer(&pen.terminal, parcel, &*ledger).unwrap();
        let items = steps.into_iter().map(|step| match step {
            Step::Commit(admitted) => Item::Record(admitted),
            Step::Keep { .. } | Step::Again(_) | Step::Want { .. } | Step::Count { .. } => {
                panic!("{step:?}")
            }
        });
        let log = day.log_key();
        let staged = Staged::seal(items, MORNING, ledger.last_committed_at(), &log).unwrap();
        ledger.commit(staged).unwrap();
        intake.committed();
    }
}

#[test]
fn the_regulators_key_is_made_once_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let said = fine(&rollcall(&["collector", "picture", "init", "--out", out]));
    let key = folder.path().join("picture.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let public = fs::read_to_string(folder.path().join("picture.pub")).unwrap();
    assert!(said.contains(&format!("key = \"{}\"", public.trim())), "{said}");
    let secret = secret::read(&key).unwrap();
    assert_eq!(ReadingKey::from_secret(&secret).public().to_string(), public.trim());
    let again = rollcall(&["collector", "picture", "init", "--out", out]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert_eq!(secret::read(&key).unwrap(), secret);
}

#[test]
fn a_picture_is_opened_and_that_stands_in_the_ledger() {
    let case = Case::new();
    fine(&case.open("t-1-1.picture", "picture.key", "case 7"));
    assert_eq!(fs::read(case.out()).unwrap(), PICTURE);
    assert_eq!(fs::metadata(case.out()).unwrap().permissions().mode() & 0o777, 0o600);
    let fact = Fact::PictureOpened {
        digest: case.sealed.digest(),
        terminal: "t-1".parse().unwrap(),
        seq: 1,
        by: "the regulator".into(),
        reason: "case 7".into(),
    };
    assert_eq!(case.stated(), std::slice::from_ref(&fact));
    // What was opened before is not written over.
    assert_eq!(case.open("t-1-1.picture", "picture.key", "case 8").status.code(), Some(2));
    fs::remove_file(case.out()).unwrap();
    fine(&case.open("t-1-1.picture", "picture.key", "case 7"));
    assert_eq!(case.stated(), [fact.clone(), fact], "each opening stands for itself");
    // Auditors find it in what concerns the terminal.
    let (bundle, trust) = case.day.exported(&["--terminal", "t-1"]);
    let (code, said) = verify(&trust, &bundle);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn what_cannot_be_opened_is_not_stated_and_what_is_wrong_is_told() {
    let case = Case::new();
    let other = case.day.file("other");
    fs::create_dir(&other).unwrap();
    fine(&rollcall(&["collector", "picture", "init", "--out", other.to_str().unwrap()]));
    let key = ReadingKey::from_secret(&secret::read(&case.day.file("picture.key")).unwrap());
    let hash = case.sealed.cover().record;
    write(&case.day.file("strange.picture"), sealed(&key, hash, b"strange").bytes());
    let another = sealed(&key, SealedHash([9; 32]), b"another");
    write(&case.day.file("another.picture"), another.bytes());
    write(&case.day.file("none.picture"), "no picture");
    let mut changed = case.sealed.bytes().to_vec();
    *changed.last_mut().unwrap() ^= 1;
    write(&case.day.file("changed.picture"), changed);
    for (file, key, reason, code, what) in [
        ("t-1-1.picture", "other/picture.key", "case 7", 2, "it is encrypted to x25519:"),
        ("strange.picture", "picture.key", "case 7", 1, "the ledger has no notice of terminal t-1"),
        ("changed.picture", "picture.key", "case 7", 1, "the ledger has no notice of terminal t-1"),
        ("another.picture", "picture.key", "case 7", 1, "is another one in the ledger"),
        ("none.picture", "picture.key", "case 7", 2, "it is no evidence picture"),
        ("nowhere.picture", "picture.key", "case 7", 2, "could not read the picture"),
        ("t-1-1.picture", "picture.key", " ", 2, "reason: it is empty"),
        (
            "t-1-1.picture",
            "picture.key",
            "of 11010519491231002X",
            2,
            "an identity number stands in it",
        ),
    ] {
        case.refuses(&case.open(file, key, reason), code, what);
    }
}

#[test]
fn nothing_is_opened_where_the_ledger_cannot_be_written() {
    let case = Case::new();
    let db = Connection::open(case.day.data().join("ledger.sqlite")).unwrap();
    // Whoever writes at the same time keeps everybody else from writing, and nobody from reading.
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let out = case.open("t-1-1.picture", "picture.key", "case 7");
    db.execute_batch("ROLLBACK").unwrap();
    drop(db);
    case.refuses(&out, 3, "could not state that the picture is opened");
}
