use std::error::Error;
use std::path::Path;

use super::super::local_manifest::{FILE_NAME, LocalError, merged, set_use, write_pack};
use super::super::manifest::{Manifest, Threshold, Thresholds};
use super::super::open_search::{Tail, TailPoint};
use crate::domain::Score;
use crate::platform::durable::{self, Access};

fn store(folder: &Path, text: &str) {
    durable::write(&folder.join(FILE_NAME), text.as_bytes(), Access::Everyone).unwrap();
}

fn stored(folder: &Path) -> String {
    std::fs::read_to_string(folder.join(FILE_NAME)).unwrap()
}

/// What is wrong with the local manifest, with its cause.
fn refused(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path(), text);
    let error = merged(&Manifest::shipped(), folder.path()).expect_err(text);
    assert!(error.to_string().contains(FILE_NAME), "names the file: {error}");
    error.source().unwrap().to_string()
}

/// A pack of one's own on the first shipped pack's models.
fn own(name: &str, cosine_e4: i32) -> super::super::Pack {
    let shipped = Manifest::shipped();
    let threshold = |cosine_e4, far| Threshold {
        cosine: Score::from_e4(cosine_e4),
        far,
        data: "our \"first\" year: 12 people".to_owned(),
    };
    let thresholds = Thresholds {
        matching: threshold(cosine_e4, 1e-4),
        confident: threshold(cosine_e4 + 1000, 1e-6),
        tail: Tail::new(vec![
            TailPoint { far: 1e-3, cosine: Score::from_e4(cosine_e4 - 600) },
            TailPoint { far: 1e-5, cosine: Score::from_e4(cosine_e4 + 500) },
        ])
        .unwrap(),
    };
    let pack = shipped.packs()[0].clone();
    super::super::Pack { name: name.to_owned(), thresholds: Some(thresholds), ..pack }
}

#[test]
fn without_a_local_manifest_the_shipped_one_is_all() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Manifest::shipped();
    assert_eq!(merged(&shipped, folder.path()).unwrap(), shipped);
    assert_eq!(merged(&shipped, &folder.path().join("nowhere")).unwrap(), shipped);
}

#[test]
fn pack_written_by_the_program_is_read_back_as_it_was() {
    let (folder, shipped) = (tempfile::tempdir().unwrap(), Manifest::shipped());
    let folder = folder.path().join("not/yet/there");
    let pack = own("school", 4123);
    let path = write_pack(&shipped, &folder, &pack).unwrap();
    assert_eq!(path, folder.join(FILE_NAME));
    let all = merged(&shipped, &folder).unwrap();
    assert_eq!(all.pack(Some("school")).unwrap(), &pack);
    assert_eq!(all.pack(None).unwrap(), &shipped.packs()[0], "nothing is used unasked");
    // As short as it was written, not as a float of twice the width spells it.
    let line = format!("detector_confidence = {:?}\n", pack.detector_confidence);
    assert!(stored(&folder).contains(&line), "{}", stored(&folder));

    let stricter = own("school", 5000);
    write_pack(&shipped, &folder, &stricter).unwrap();
    let all = merged(&shipped, &folder).unwrap();
    assert_eq!(all.pack(Some("school")).unwrap(), &stricter);
    assert_eq!(all.packs().len(), shipped.packs().len() + 1, "replaced, not added");
}

#[test]
fn changes_keep_comments_other_entries_and_the_pack_in_use() {
    let (folder, shipped) = (tempfile::tempdir().unwrap(), Manifest::shipped());
    write_pack(&shipped, folder.path(), &own("first", 4000)).unwrap();
    let commented = stored(folder.path()).replace("[[pack]]", "# the head's own words\n[[pack]]");
    store(folder.path(), &commented);
    set_use(&shipped, folder.path(), "first").unwrap();
    write_pack(&shipped, folder.path(), &own("second", 4500)).unwrap();
    assert!(stored(folder.path()).contains("# the head's own words\n[[pack]]"));
    let all = merged(&shipped, folder.path()).unwrap();
    assert_eq!(all.pack(None).unwrap(), &own("first", 4000));
    assert_eq!(all.used(), Some("first"));
    assert_eq!(all.pack(Some("second")).unwrap(), &own("second", 4500));
    set_use(&shipped, folder.path(), &shipped.packs()[0].name).unwrap();
    assert_eq!(merged(&shipped, folder.path()).unwrap().pack(None).unwrap(), &shipped.packs()[0]);
}

#[test]
fn shipped_names_cannot_be_taken() {
    let (folder, shipped) = (tempfile::tempdir().unwrap(), Manifest::shipped());
    let taken = own(&shipped.packs()[0].name, 1000);
    let error = write_pack(&shipped, folder.path(), &taken).unwrap_err();
    assert!(matches!(&error, LocalError::Change { .. }), "{error}");
    assert!(error.source().unwrap().to_string().contains("ships an entry of this name"));
    assert!(!folder.path().join(FILE_NAME).exists(), "nothing was written");

    write_pack(&shipped, folder.path(), &own("school", 4000)).unwrap();
    let by_hand = stored(folder.path()).replace("\"school\"", &format!("{:?}", taken.name));
    assert!(refused(&by_hand).contains(&taken.name));
}

#[test]
fn what_is_wrong_is_told_with_file_and_place_and_stays_as_it_is() {
    assert!(refused("version = 1\n\nspeed = 3\n").starts_with("line 3 of"));
    assert!(refused("version = 2\n").contains("version 2"));
    assert!(refused("version = 1\nuse = \"nobody\"\n").contains("no pack named \"nobody\""));
    assert!(refused("version = 1\npack = 3\n").contains("line 2"));

    let (folder, shipped) = (tempfile::tempdir().unwrap(), Manifest::shipped());
    let wrong = "version = 1\nspeed = 3\n";
    store(folder.path(), wrong);
    let error = write_pack(&shipped, folder.path(), &own("school", 4000)).unwrap_err();
    assert!(matches!(&error, LocalError::Content { .. }), "{error}");
    assert_eq!(stored(folder.path()), wrong);
    store(folder.path(), &format!("version = 1\n# {}\n", "x".repeat(300_000)));
    let error = merged(&shipped, folder.path()).unwrap_err();
    assert!(matches!(&error, LocalError::Read { .. }), "{error}");
    let error = set_use(&shipped, tempfile::tempdir().unwrap().path(), "nobody").unwrap_err();
    assert!(error.source().unwrap().to_string().contains("nobody"));
}

#[test]
fn tables_written_inside_a_line_are_understood() {
    // TOML allows `pack = [{ … }]` where the program writes `[[pack]]`.
    let (folder, shipped) = (tempfile::tempdir().unwrap(), Manifest::shipped());
    let (detector, embedding) = (&shipped.packs()[0].detector, &shipped.packs()[0].embedding);
    let inline = format!(
        "version = 1\npack = [{{ name = \"mine\", detector = {:?}, embedding = {:?}, \
         detector_confidence = 0.5, detector_nms = 0.3 }}]\n",
        detector.name, embedding.name
    );
    store(folder.path(), &inline);
    assert!(merged(&shipped, folder.path()).unwrap().has_pack("mine"));
    write_pack(&shipped, folder.path(), &own("school", 4000)).unwrap();
    let all = merged(&shipped, folder.path()).unwrap();
    assert!(all.has_pack("mine") && all.has_pack("school"), "{}", stored(folder.path()));
}

#[test]
fn pack_without_thresholds_judges_nobody() {
    let (folder, shipped) = (tempfile::tempdir().unwrap(), Manifest::shipped());
    let bare = super::super::Pack { thresholds: None, ..own("bare", 4000) };
    write_pack(&shipped, folder.path(), &bare).unwrap();
    let all = merged(&shipped, folder.path()).unwrap();
    let error = all.pack(Some("bare")).unwrap().calibrated().unwrap_err();
    assert!(error.to_string().contains("bare is not calibrated"), "{error}");
    assert!(error.hint().contains("rollcall models calibrate"));
    assert_ne!(bare.digest(), own("bare", 4000).digest());
    let half = stored(folder.path()) + "match = { cosine = 0.4, far = 1e-4, data = \"\" }\n";
    assert!(refused(&half).contains("belong together"));
}
