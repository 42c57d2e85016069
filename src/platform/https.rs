//! TLS for the program's HTTP clients: rustls with ring, and the machine's own certificates
//! (docs/decisions/0011).

use std::sync::Arc;

use ureq::tls::{RootCerts, TlsConfig};

/// For the configuration of an `ureq::Agent`.
pub fn tls() -> TlsConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(provider)
        .build()
}
