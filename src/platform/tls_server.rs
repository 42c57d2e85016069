//! The other end of TLS: this program is called, and shows a certificate. rustls with ring, TLS 1.2 and 1.3, and nobody
//! is asked for a certificate of his own: who calls proves himself by what he has signed.
//!
//! Certificate and key come from any authority, so the key is PEM in whatever form that authority gives. Both are read
//! once, at the start.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::SingleCertAndKey;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::secret::{self, SecretError};
use super::tls::{TlsError, certified};

/// Largest file of a private key that is read: RSA with 16,384 bits has 13 KiB.
const KEY_BYTES_MAX: u64 = 32 * 1024;

/// A certificate and its key, ready to be shown.
#[derive(Clone)]
pub struct Server(Arc<ServerConfig>);

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}

impl Server {
    /// Reads a chain of certificates, one's own first, and its private key.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let own = certified(cert, key, private_key(key)?)?;
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has the suites of TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// Shakes hands on a connection.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(Arc::clone(&self.0)).accept(stream).await
    }
}

/// A private key in PEM, kept from the other users of this machine.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let failed = |io: io::Error| match io.kind() == io::ErrorKind::NotFound {
        true => SecretError::Missing { path: path.to_owned() },
        false => SecretError::Read { path: path.to_owned(), io },
    };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    let why = |why: String| TlsError::Pem { path: path.to_owned(), why };
    if length > KEY_BYTES_MAX {
        return Err(why(format!("it is larger than {KEY_BYTES_MAX} bytes")));
    }
    if secret::is_everybodys(path) {
        return Err(TlsError::OpenKey { path: path.to_owned() });
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| why(error.to_string()))
}
