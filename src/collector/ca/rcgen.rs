//! X.509 with rcgen: translates who a certificate is for into its fields (RFC 5280), and decides
//! nothing.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ED25519, PublicKeyData, SerialNumber,
    SignatureAlgorithm, date_time_ymd,
};

use super::{ALERTS_NAME, COLLECTOR_NAME, CaError, Role, platform_name};
use crate::domain::Timestamp;
use crate::platform::tls::pkcs8_of;
use crate::record::{SigningKey, VerifyingKey};

/// How far back a certificate begins, in milliseconds: the clock of whoever reads it may be late, and
/// X.509 days are days of UTC.
const BACK_MS: i64 = 2 * 86_400_000;

struct Subject([u8; 32]);

impl PublicKeyData for Subject {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

fn pair(secret: &[u8; 32]) -> KeyPair {
    KeyPair::try_from(pkcs8_of(secret)).expect("32 bytes are an Ed25519 key")
}

/// The fields of the authority itself. They follow from its key, so that its certificates name it
/// alike in every run.
fn authority_params(key: &VerifyingKey) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&format!("Rollcall centre {}", key.id()));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// A serial number is positive and random (RFC 5280, section 4.1.2.2).
fn serial(mut random: [u8; 16]) -> SerialNumber {
    random[0] = (random[0] & 0x3f) | 0x40;
    SerialNumber::from_slice(&random)
}

fn last(params: &mut CertificateParams, from: Timestamp, until: Timestamp) {
    let day = |at: Timestamp| {
        let date = at.shanghai().date();
        let [month, day] = [date.month(), date.day()].map(|n| n.unsigned_abs());
        // Years of four digits are all that X.509 can write.
        date_time_ymd(i32::from(date.year().clamp(1970, 9999)), month, day)
    };
    params.not_before = day(from.plus_ms(-BACK_MS));
    params.not_after = day(until);
}

/// A new authority's certificate, DER.
pub(super) fn authority(
    secret: &[u8; 32],
    now: Timestamp,
    years: i16,
    random: [u8; 16],
) -> Vec<u8> {
    let key = SigningKey::from_secret(secret).verifying_key();
    let mut params = authority_params(&key);
    params.serial_number = Some(serial(random));
    last(&mut params, now, now.plus_ms(i64::from(years) * 366 * 86_400_000));
    let signed = params.self_signed(&pair(secret)).expect("every field is one that X.509 takes");
    signed.der().to_vec()
}

/// A certificate for `key`, DER.
pub(super) fn certificate(
    secret: &[u8; 32],
    role: &Role,
    key: &VerifyingKey,
    (from, until): (Timestamp, Timestamp),
    random: [u8; 16],
) -> Result<Vec<u8>, CaError> {
    let wrong = |names: &[String]| CaError::Name { name: names.join(" ") };
    let client = |name: &str| (name.to_owned(), ExtendedKeyUsagePurpose::ClientAuth, &[][..]);
    let (name, usage, hosts): (String, _, &[String]) = match role {
        Role::Terminal(id) => client(id.as_str()),
        Role::Collector => client(COLLECTOR_NAME),
        Role::Alerts => client(ALERTS_NAME),
        Role::Platform(id) => client(&platform_name(id)),
        Role::Broker(hosts) | Role::Platforms(hosts) => {
            let first = hosts.first().ok_or_else(|| wrong(hosts))?;
            (first.clone(), ExtendedKeyUsagePurpose::ServerAuth, hosts)
        }
    };
    if hosts.iter().any(|host| host.is_empty() || host.len() > 253) {
        return Err(wrong(hosts));
    }
    let mut params = CertificateParams::new(hosts.to_vec()).map_err(|_| wrong(hosts))?;
    params.distinguished_name = named(&name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(serial(random));
    last(&mut params, from, until);
    let own = SigningKey::from_secret(secret).verifying_key();
    let issuer = Issuer::new(authority_params(&own), pair(secret));
    let signed = params.signed_by(&Subject(key.to_bytes()), &issuer).map_err(|_| wrong(hosts))?;
    Ok(signed.der().to_vec())
}
