use super::*;
use crate::platform::tls::{Files, TlsError};

const NOW: Timestamp = Timestamp::from_ms(1_772_000_000_000);

#[test]
fn an_authority_is_made_once_and_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let made = Ca::create(folder.path(), NOW).unwrap();
    assert_eq!(Ca::open(folder.path()).unwrap().der(), made.der());
    assert!(matches!(Ca::create(folder.path(), NOW), Err(CaError::Exists { .. })));
}

#[test]
fn what_it_certifies_makes_an_identity_and_another_key_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let ca = Ca::create(&folder.path().join("ca"), NOW).unwrap();
    let out = folder.path().join("out");
    equip(&ca, &Role::Collector, (&out, "one", KeyForm::Hex), NOW, 10).unwrap();
    equip(&ca, &Role::Collector, (&out, "two", KeyForm::Hex), NOW, 10).unwrap();
    let files = |cert: &str, key: &str| Files {
        ca: out.join("ca.pem"),
        cert: out.join(cert),
        key: out.join(key),
    };
    files("one.pem", "one.key").read().unwrap();
    let error = files("one.pem", "two.key").read().unwrap_err();
    assert!(matches!(error, TlsError::Foreign { .. }), "{error}");
}

#[test]
fn a_broker_without_a_usable_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ca = Ca::create(folder.path(), NOW).unwrap();
    let key = SigningKey::from_secret(&[1; 32]).verifying_key();
    for hosts in [vec![], vec![String::new()], vec!["中心".to_owned()]] {
        let issued = ca.issue(&Role::Broker(hosts), &key, NOW, 10);
        assert!(matches!(issued, Err(CaError::Name { .. })), "{issued:?}");
    }
}

#[test]
fn nobody_can_be_called_what_the_collector_is_called() {
    assert!(COLLECTOR_NAME.parse::<TerminalId>().is_err());
}

/// Copies the named files of one folder into another, under other names.
fn copied(from: &Path, to: &Path, names: &[(&str, &str)]) {
    for (name, as_name) in names {
        let bytes = std::fs::read(from.join(name)).unwrap();
        let access = if name.contains("key") { Access::Owner } else { Access::Everyone };
        durable::write(&to.join(as_name), &bytes, access).unwrap();
    }
}

/// The key that certifies is the one whose certificate is shown.
fn holds_its_key(folder: &Path) -> bool {
    let key = SigningKey::from_secret(&secret::read(&folder.join(CA_KEY)).unwrap());
    let public = key.verifying_key().to_bytes();
    certificate_in(folder).unwrap().windows(32).any(|bytes| bytes == public)
}

#[test]
fn an_exchange_that_was_cut_off_anywhere_goes_on_and_certifies_nothing_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let (old, done) = (folder.path().join("old"), folder.path().join("done"));
    let first = Ca::create(&old, NOW).unwrap();
    copied_folder(&old, &done);
    let (next, before) = Ca::renew(&done, NOW).unwrap();
    assert_eq!(next.trusted(), [next.der().to_vec(), first.der().to_vec()]);
    assert_eq!(next.known().collect::<Vec<_>>(), [next.der(), first.der()]);
    assert_eq!(std::fs::read(before.unwrap()).unwrap(), std::fs::read(old.join(CA_KEY)).unwrap());
    assert!(holds_its_key(&done) && !done.join(NEXT_KEY).exists() && !done.join(NEXT_PEM).exists());

    // What each step leaves behind, in their order.
    let steps: [(&str, &str); 6] = [
        (CA_KEY, NEXT_KEY),
        (CA_PEM, NEXT_PEM),
        ("ca.pem.1", "ca.pem.1"),
        (TRUSTED, TRUSTED),
        (CA_PEM, CA_PEM),
        ("ca.key.1", "ca.key.1"),
    ];
    for cut in 1..=steps.len() {
        let here = folder.path().join(format!("cut-{cut}"));
        copied_folder(&old, &here);
        copied(&done, &here, &steps[..cut]);
        if cut == steps.len() {
            std::fs::remove_file(here.join(CA_KEY)).unwrap();
        }
        let error = Ca::open(&here).unwrap_err();
        assert!(matches!(error, CaError::Unfinished { .. }), "{cut}: {error}");
        let (ca, _) = Ca::renew(&here, NOW).unwrap();
        assert_eq!(ca.trusted()[1], first.der(), "{cut}");
        assert_eq!(ca.known().count(), 2, "{cut}");
        assert!(holds_its_key(&here) && ca.ready().is_ok(), "{cut}");
    }
}

fn copied_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    copied(from, to, &[(CA_KEY, CA_KEY), (CA_PEM, CA_PEM)]);
}

#[test]
fn an_authority_is_exchanged_again_only_when_the_one_before_is_retired() {
    let folder = tempfile::tempdir().unwrap();
    let first = Ca::create(folder.path(), NOW).unwrap();
    assert!(matches!(Ca::retire(folder.path()), Err(CaError::Alone { .. })));
    let (second, _) = Ca::renew(folder.path(), NOW).unwrap();
    assert!(matches!(Ca::renew(folder.path(), NOW), Err(CaError::Overlap { .. })));
    assert_eq!(Ca::retire(folder.path()).unwrap().trusted(), [second.der().to_vec()]);
    // The key lies in a safe.
    std::fs::remove_file(folder.path().join(CA_KEY)).unwrap();
    let (third, before) = Ca::renew(folder.path(), NOW).unwrap();
    assert_eq!((before, third.trusted().len()), (None, 2));
    let known: Vec<_> = third.known().collect();
    assert_eq!(known, [third.der(), first.der(), second.der()]);
    assert!(holds_its_key(folder.path()));
}
