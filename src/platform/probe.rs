//! Knocks at a server: is it reached, does its certificate fit, until when do certificates last.
//! Nothing of a protocol above TLS; whoever asked goes on with the stream.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, ClientConnection, StreamOwned};

use super::tls::{Identity, ProvenTime, unix};
use crate::domain::Timestamp;

/// A certificate that ends sooner is told of: time enough for a letter and a visit.
const AHEAD_MS: i64 = 30 * 86_400_000;

/// Longest wait for each answer of the server.
const WAIT: Duration = Duration::from_secs(5);

/// How a certificate's dates fit a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// They fit, for another month at least.
    Fit,
    /// They fit, and end at this time, within a month.
    EndSoon(Timestamp),
    /// They ended.
    Ended(Timestamp),
    /// They have not begun.
    NotBegun(Timestamp),
}

/// The server was not reached.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// Its name leads nowhere.
    #[error("could not find the address of {host}")]
    Resolve {
        /// Its name.
        host: String,
        /// What the system said.
        #[source]
        io: io::Error,
    },
    /// Nobody answers.
    #[error("could not connect to {host}:{port}")]
    Connect {
        /// Its name.
        host: String,
        /// Its port.
        port: u16,
        /// What the system said.
        #[source]
        io: io::Error,
    },
    /// It answers, but not as it should over TLS.
    #[error("could not agree on TLS with {host}:{port}")]
    Handshake {
        /// Its name.
        host: String,
        /// Its port.
        port: u16,
        /// What was wrong.
        #[source]
        io: io::Error,
    },
}

/// A server that was reached.
pub struct Reached {
    stream: Stream,
    /// How the dates of its certificate fit; `None` without TLS.
    pub dates: Option<Result<Dates, String>>,
}

enum Stream {
    Plain(TcpStream),
    Secure(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Reached {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.read(bytes),
            Stream::Secure(stream) => stream.read(bytes),
        }
    }
}

impl Write for Reached {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write(bytes),
            Stream::Secure(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.flush(),
            Stream::Secure(stream) => stream.flush(),
        }
    }
}

/// The machine's word for the time, and no proof of it: dates are told, not refused.
#[derive(Debug)]
struct Unproven(Timestamp);

impl ProvenTime for Unproven {
    fn proven(&self) -> Option<Timestamp> {
        None
    }

    fn wall(&self) -> Timestamp {
        self.0
    }
}

/// Connects, and with an identity agrees on TLS. No read or write of the stream waits longer than
/// some seconds.
pub fn reach(
    host: &str,
    port: u16,
    own: Option<&Identity>,
    now: Timestamp,
) -> Result<Reached, ReachError> {
    let failed = |io| ReachError::Connect { host: host.to_owned(), port, io };
    let broken = |io| ReachError::Handshake { host: host.to_owned(), port, io };
    let mut tcp = connect(host, port)?;
    tcp.set_read_timeout(Some(WAIT)).map_err(failed)?;
    tcp.set_write_timeout(Some(WAIT)).map_err(failed)?;
    let Some(own) = own else { return Ok(Reached { stream: Stream::Plain(tcp), dates: None }) };
    let name = ServerName::try_from(host.to_owned()).map_err(|e| broken(io::Error::other(e)))?;
    let config = own.client(Some(Arc::new(Unproven(now)))).config();
    let mut tls = ClientConnection::new(config, name.clone())
        .map_err(|error| broken(io::Error::other(error)))?;
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp).map_err(broken)?;
    }
    let dates = own.dates_of(tls.peer_certificates().unwrap_or_default(), &name, now);
    let stream = Stream::Secure(Box::new(StreamOwned::new(tls, tcp)));
    Ok(Reached { stream, dates: Some(dates) })
}

/// The first of the host's addresses that answers.
fn connect(host: &str, port: u16) -> Result<TcpStream, ReachError> {
    let unknown = |io| ReachError::Resolve { host: host.to_owned(), io };
    let mut last = None;
    for address in (host, port).to_socket_addrs().map_err(unknown)? {
        match TcpStream::connect_timeout(&address, WAIT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(io) => Err(ReachError::Connect { host: host.to_owned(), port, io }),
        None => Err(unknown(io::Error::other("it has no address"))),
    }
}

impl Identity {
    /// How the dates of one's own certificate fit, or what else is wrong with it: the authority
    /// that is believed has not issued it.
    pub fn own_dates(&self, now: Timestamp) -> Result<Dates, String> {
        let provider = Arc::new(ring::default_provider());
        let roots = Arc::clone(&self.roots);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
        let verifier = verifier.map_err(|error| error.to_string())?;
        dates(&self.own.cert, now, |leaf, rest, at| {
            verifier.verify_client_cert(leaf, rest, at).map(drop)
        })
    }

    fn dates_of(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: Timestamp,
    ) -> Result<Dates, String> {
        let provider = Arc::new(ring::default_provider());
        let roots = Arc::clone(&self.roots);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
        let verifier = verifier.map_err(|error| error.to_string())?;
        dates(chain, now, |leaf, rest, at| {
            verifier.verify_server_cert(leaf, rest, name, &[], at).map(drop)
        })
    }
}

/// A verifier says only whether a certificate fits one moment, and names the end when it is over: it
/// is asked for now and for a month later.
fn dates(
    chain: &[CertificateDer<'_>],
    now: Timestamp,
    verify: impl Fn(&CertificateDer<'_>, &[CertificateDer<'_>], UnixTime) -> Result<(), rustls::Error>,
) -> Result<Dates, String> {
    let Some((leaf, rest)) = chain.split_first() else { return Err("it is missing".into()) };
    let verify = |at: Timestamp| match verify(leaf, rest, unix(at)) {
        Ok(()) => Ok(Dates::Fit),
        Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
            not_after,
            ..
        })) => Ok(Dates::Ended(timestamp(not_after))),
        Err(rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext {
            not_before,
            ..
        })) => Ok(Dates::NotBegun(timestamp(not_before))),
        Err(error) => Err(error.to_string()),
    };
    match verify(now)? {
        Dates::Fit => match verify(now.plus_ms(AHEAD_MS))? {
            Dates::Ended(at) => Ok(Dates::EndSoon(at)),
            Dates::Fit | Dates::EndSoon(_) | Dates::NotBegun(_) => Ok(Dates::Fit),
        },
        other @ (Dates::EndSoon(_) | Dates::Ended(_) | Dates::NotBegun(_)) => Ok(other),
    }
}

fn timestamp(at: UnixTime) -> Timestamp {
    let s = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_ms(s.saturating_mul(1_000))
}
