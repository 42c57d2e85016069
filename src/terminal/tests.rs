//! The configuration that ships is the one that the code means.

use std::path::Path;

use super::RawConfig;

const SHIPPED: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/firmware-config/terminal.toml"));

fn parse(text: &str) -> Result<RawConfig, super::ConfigError> {
    RawConfig::parse(text, Path::new("terminal.toml"))
}

#[test]
fn the_shipped_configuration_is_the_default() {
    assert_eq!(parse(SHIPPED).unwrap(), RawConfig::default());
}

#[test]
fn the_shipped_configuration_names_every_field_and_no_other() {
    // With the required fields filled in, what is parsed and written again has every field.
    let filled = SHIPPED.replace("#: ", "");
    let config = parse(&filled).unwrap();
    let written: toml::Table = toml::Table::try_from(&config).unwrap();
    let shipped: toml::Table = filled.parse().unwrap();
    assert_eq!(written, shipped);
}

#[test]
fn required_fields_are_asked_for_and_wrong_values_are_named() {
    let receipt_key = crate::record::SigningKey::from_secret(&[1; 32]).verifying_key().to_string();
    let whole = SHIPPED.replace("#: ", "").replace("ed25519:…", &receipt_key);
    parse(&whole).unwrap().check().unwrap();
    let cases = [
        ("id = \"shenzhen-hall-2\"", "", "terminal.id is missing"),
        ("id = \"shenzhen-hall-2\"", "id = \"No Name\"", "terminal.id is no name"),
        (receipt_key.as_str(), "ed25519:abc", "centre.receipt_key is no key"),
        ("records_max = 20000", "records_max = 0", "[journal]"),
        ("retry_ms_min = 500", "retry_ms_min = 0", "[uplink]"),
        ("answer_ms_max = 300000", "answer_ms_max = 1", "[uplink]"),
        ("unanswered_batches_max = 8", "unanswered_batches_max = 99", "[uplink]"),
        ("broker_port = 1883", "broker_port = 0", "[uplink]"),
        ("tolerance_ms = 120000", "tolerance_ms = -1", "[clock]"),
        ("policy = \"default@1\"", "policy = \"\"", "[terminal]"),
    ];
    for (right, wrong, told) in cases {
        assert!(whole.contains(right), "{right}");
        let error = parse(&whole.replace(right, wrong)).unwrap().check().unwrap_err();
        assert!(error.to_string().contains(told), "{wrong:?}: {error}");
    }
    let error = parse("[journal]\nrecord_max = 5\n").unwrap_err();
    let told = std::error::Error::source(&error).unwrap().to_string();
    assert!(told.contains("unknown field `record_max`"), "{told}");
}
