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
