use proptest::prelude::*;
use tempfile::TempDir;

use super::{person, unit};
use crate::domain::Score;
use crate::face::gallery::Gallery;
use crate::face::gallery_file::{GalleryFileError, from_plaintext, load, store};
use crate::platform::durable::{self, Access};

const KEY: [u8; 32] = [3; 32];
const MODEL: [u8; 32] = [7; 32];

fn stored() -> (TempDir, std::path::PathBuf, Gallery) {
    let mut gallery = Gallery::new(MODEL);
    gallery.enrol(person(1), &[unit(&[1.0, 0.5])], Score::default()).unwrap();
    gallery.enrol(person(2), &[unit(&[-0.3, 0.5])], Score::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gallery");
    store(&gallery, &path, &KEY).unwrap();
    (folder, path, gallery)
}

#[test]
fn gallery_comes_back_exactly_as_it_was_stored() {
    let (_folder, path, gallery) = stored();
    assert!(load(&path, &KEY, &MODEL).unwrap() == gallery);
    store(&Gallery::new(MODEL), &path, &KEY).unwrap();
    assert!(load(&path, &KEY, &MODEL).unwrap().is_empty());
}

#[test]
fn neither_a_person_nor_a_template_can_be_read_in_the_file() {
    let (_folder, path, _) = stored();
    let bytes = std::fs::read(&path).unwrap();
    let float = unit(&[1.0, 0.5]).as_slice()[0].to_le_bytes();
    assert!(!bytes.windows(16).any(|window| window == [1; 16]));
    assert!(!bytes.windows(4).any(|window| window == float));
}

#[test]
fn every_changed_byte_and_every_cut_is_refused() {
    let (_folder, path, _) = stored();
    let bytes = std::fs::read(&path).unwrap();
    let refused = |bytes: &[u8]| {
        durable::write(&path, bytes, Access::Owner).unwrap();
        load(&path, &KEY, &MODEL).is_err()
    };
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(refused(&changed), "byte {at}");
        assert!(refused(&bytes[..at]), "cut at {at}");
    }
}

#[test]
fn wrong_key_other_model_other_file_and_no_file_are_told_apart() {
    let (folder, path, _) = stored();
    assert!(matches!(load(&path, &[4; 32], &MODEL), Err(GalleryFileError::Sealed { .. })));
    assert!(matches!(load(&path, &KEY, &[8; 32]), Err(GalleryFileError::OtherModel { .. })));
    let none = folder.path().join("none");
    assert!(matches!(load(&none, &KEY, &MODEL), Err(GalleryFileError::Read { .. })));
    durable::write(&path, b"something else", Access::Owner).unwrap();
    assert!(matches!(load(&path, &KEY, &MODEL), Err(GalleryFileError::Format { .. })));
}

proptest! {
    #[test]
    fn whatever_was_encrypted_never_panics(plain in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(from_plaintext(&plain));
    }

    #[test]
    fn counts_that_do_not_fit_the_length_are_refused(floats: u32, people: u32, rest in 0_usize..64) {
        let mut plain = vec![0; 32];
        plain.extend(floats.to_le_bytes());
        plain.extend(people.to_le_bytes());
        plain.resize(40 + rest, 1);
        // Vectors of ones have no length 1, so only an empty gallery can pass.
        prop_assert!(from_plaintext(&plain).map_or(true, |gallery| gallery.is_empty() && rest == 0));
    }
}
