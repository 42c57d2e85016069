//! Evidence pictures through the real program: a terminal looks after them from its start on, lists
//! them, and hands out what is sealed.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rollcall::domain::{NoticeKind, Timestamp};
use rollcall::journal::{Bounds, Journal};
use rollcall::platform::secret;
use rollcall::record::picture::{Cover, SealedPicture, digest_of_picture};
use rollcall::record::{Record, SealedHash, SigningKey};
use tempfile::TempDir;

use crate::support::broker::{eventually, free_port};
use crate::support::day::write;
use crate::support::fine;
use crate::support::records::{receipt_verifying_key, terminal_id};
use crate::terminal_evidence::regulator;

/// A terminal that is set up, stands still and has heard that the first moment is over.
struct Still {
    folder: TempDir,
    config: PathBuf,
}

impl Still {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (config, at) = (folder.path().join("terminal.toml"), |name| folder.path().join(name));
        let key = receipt_verifying_key();
        let text = format!(
            "[terminal]\nid = \"terminal-1\"\nkey_file = {:?}\n[centre]\nreceipt_key = \"{key}\"\n\
             [journal]\ndir = {:?}\n[face]\ngallery_key_file = {:?}\n[evidence]\nkey = \"{}\"\n\
             dir = {:?}\n[uplink]\nbroker_port = {}\n",
            at("terminal.key"),
            at("journal"),
            at("gallery.key"),
            regulator().public(),
            at("evidence"),
            free_port(),
        );
        write(&config, text);
        let still = Self { folder, config };
        fine(&still.run(&["init"], &[]));
        still.journal().note_signed_time_durably(Timestamp::from_ms(2)).unwrap();
        fs::create_dir(still.folder.path().join("evidence")).unwrap();
        still
    }

    fn command(&self, command: &[&str], more: &[&str]) -> Command {
        let config = self.config.to_str().unwrap();
        let mut all = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        all.arg("terminal").args(command).args(["--config", config]).args(more);
        all
    }

    fn run(&self, command: &[&str], more: &[&str]) -> Output {
        self.command(command, more).output().unwrap()
    }

    fn journal(&self) -> Journal {
        let key = secret::read(&self.folder.path().join("terminal.key")).unwrap();
        let key = SigningKey::from_secret(&key).verifying_key().id();
        let dir = self.folder.path().join("journal");
        Journal::open(&dir, &terminal_id(), key, Bounds::default()).unwrap()
    }

    fn notices(&self) -> Vec<(NoticeKind, [u8; 32])> {
        let stored = self.journal().replay(1, 99).unwrap();
        let notice = |sealed: &[u8]| Record::peek(sealed).unwrap().0.notice;
        let notices = stored.iter().filter_map(|(_, parcel)| notice(parcel.sealed.bytes()));
        notices.map(|notice| (notice.kind, notice.digest.unwrap())).collect()
    }

    /// Puts a picture there; its digest.
    fn put(&self, name: &str, seq: u64, expires: i64) -> [u8; 32] {
        let cover = Cover {
            terminal: terminal_id(),
            seq,
            record: SealedHash([1; 32]),
            taken: Timestamp::from_ms(0),
            expires: Some(Timestamp::from_ms(expires)),
            reader: regulator().public().0,
        };
        let sealed = SealedPicture::seal(cover, b"a picture", [2; 32]).unwrap();
        write(&self.folder.path().join("evidence").join(name), sealed.bytes());
        sealed.digest()
    }
}

#[test]
fn a_terminal_without_a_camera_looks_after_its_pictures_from_its_start_on() {
    let still = Still::new();
    let (old, new) = (still.put("1.picture", 1, 1), still.put("2.new", 2, i64::MAX));
    let evidence = still.folder.path().join("evidence");
    let mut running = still.command(&["run"], &[]).stdout(Stdio::null()).spawn().unwrap();
    eventually("it has looked", || {
        !evidence.join("1.picture").exists() && evidence.join("2.picture").exists()
    });
    // Its pictures can be listed meanwhile, and not be handed over.
    let listed = fine(&still.run(&["evidence", "list"], &[]));
    assert!(listed.contains("record 2: taken 1970-01-01 08:00:00"), "{listed}");
    assert!(listed.contains("1 evidence pictures are kept"), "{listed}");
    let out = still.folder.path().to_str().unwrap();
    let refused = still.run(&["evidence", "export"], &["--out", out]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("another process uses it") && said.contains("\n  hint: "), "{said}");
    let pid = running.id().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
    assert!(running.wait().unwrap().success());
    let (kept, deleted) = (NoticeKind::PictureKept, NoticeKind::PictureDeleted);
    assert_eq!(still.notices(), [(deleted, old), (kept, new)]);
}

#[test]
fn an_export_copies_what_is_sealed_and_puts_it_on_record() {
    let still = Still::new();
    let (_, kept) = (still.put("1.picture", 1, 1), still.put("2.picture", 2, i64::MAX));
    let out = still.folder.path().join("out");
    let to = ["--out", out.to_str().unwrap()];
    let nowhere = still.run(&["evidence", "export"], &to);
    assert_eq!(nowhere.status.code(), Some(2), "{nowhere:?}");
    fs::create_dir(&out).unwrap();
    let said = fine(&still.run(&["evidence", "export"], &to));
    assert!(said.contains("handed over 1 evidence pictures"), "{said}");
    let copy = fs::read(out.join("terminal-1-2.picture")).unwrap();
    assert_eq!(digest_of_picture(&copy), kept);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1, "what has expired is not handed over");
    assert_eq!(still.notices()[1..], [(NoticeKind::PictureHandedOver, kept)]);
}
