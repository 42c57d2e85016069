//! Takes an address and lets platforms in: so many connections at once, each for so long, over TLS where there is a
//! certificate. Who comes when all places are taken waits in the operating system's queue; whoever holds one is cut off
//! when his time is over, whatever he does or leaves undone. So neither can memory grow, nor a place be kept.

use std::io;
use std::net::{SocketAddr, TcpListener as Taken};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};

use crate::platform::telemetry::Chain;
use crate::platform::tls_server::Server;

/// How long it is waited when the operating system gives no connection: it has run out of files, and needs some back.
const PAUSE: Duration = Duration::from_millis(500);

/// What those who call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once, with one request each. Of a head at most 400 KiB are read and of a report 80 KiB are kept, so
    /// 64 hold 30 MiB at worst; a hundred platforms that send one in a second need fewer.
    pub connections: usize,
    /// How long a handshake may take.
    pub handshake: Duration,
    /// How long a body may take: a line of 64 kbit/s brings the longest in ten seconds.
    pub body: Duration,
    /// How long the core may take to commit.
    pub answer: Duration,
    /// How long a connection lasts at most, from its handshake on.
    pub whole: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 64,
            handshake: Duration::from_secs(10),
            body: Duration::from_secs(15),
            answer: Duration::from_secs(20),
            whole: Duration::from_secs(45),
        }
    }
}

/// The address could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("could not take reports of platforms at {address}")]
pub struct BindError {
    /// Where.
    pub address: SocketAddr,
    /// What the operating system said.
    #[source]
    pub io: io::Error,
}

/// A taken address, not yet served.
#[derive(Debug)]
pub struct Listening {
    taken: Taken,
    tls: Option<Server>,
    /// Where.
    pub address: SocketAddr,
}

impl Listening {
    /// Takes the address. Without a certificate everything travels readable: the configuration allows that on this
    /// machine alone.
    pub fn bind(wanted: SocketAddr, tls: Option<Server>) -> Result<Self, BindError> {
        let failed = |io| BindError { address: wanted, io };
        let taken = Taken::bind(wanted).map_err(failed)?;
        taken.set_nonblocking(true).map_err(failed)?;
        let address = taken.local_addr().map_err(failed)?;
        Ok(Self { taken, tls, address })
    }

    /// Where platforms report, as they write it.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Begins to let people in. Inside a runtime.
    pub(super) fn open(self, bounds: Bounds) -> io::Result<Gate> {
        let Self { taken, tls, .. } = self;
        let listener = TcpListener::from_std(taken)?;
        let places = Arc::new(Semaphore::new(bounds.connections));
        Ok(Gate { listener, tls, bounds, places, arriving: JoinSet::new() })
    }
}

/// Lets connections in, those first that are ready first.
pub(super) struct Gate {
    listener: TcpListener,
    tls: Option<Server>,
    bounds: Bounds,
    places: Arc<Semaphore>,
    /// Handshakes under way: each holds a place already.
    arriving: JoinSet<Option<(Caller, SocketAddr)>>,
}

impl Gate {
    async fn next(
        listener: &TcpListener,
        places: &Arc<Semaphore>,
    ) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
        let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, from) = listener.accept().await?;
        Ok((place, stream, from))
    }

    fn arrive(&mut self, place: OwnedSemaphorePermit, stream: TcpStream, from: SocketAddr) {
        let (tls, bounds) = (self.tls.clone(), self.bounds);
        self.arriving.spawn(async move {
            let wire: Pin<Box<dyn Wire>> = match tls {
                None => Box::pin(stream),
                // Somebody who is not here for TLS, or hangs: there is nobody to tell.
                Some(tls) => {
                    Box::pin(timeout(bounds.handshake, tls.accept(stream)).await.ok()?.ok()?)
                }
            };
            Some((Caller { wire, end: Box::pin(sleep(bounds.whole)), _place: place }, from))
        });
    }
}

impl Listener for Gate {
    type Io = Caller;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Caller, SocketAddr) {
        loop {
            tokio::select! {
                Some(arrived) = self.arriving.join_next() => if let Ok(Some(arrived)) = arrived {
                    return arrived;
                },
                came = Self::next(&self.listener, &self.places) => match came {
                    Ok((place, stream, from)) => self.arrive(place, stream, from),
                    Err(error) => {
                        tracing::warn!("Could not let a platform in: {}.", Chain(&error));
                        sleep(PAUSE).await;
                    }
                },
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// What bytes come and go on.
trait Wire: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Wire for T {}

/// A connection that holds its place until its time is over.
pub(super) struct Caller {
    wire: Pin<Box<dyn Wire>>,
    end: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Caller {
    fn in_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.end.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Caller {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.in_time(cx)?;
        self.wire.as_mut().poll_read(cx, buf)
    }
}

impl AsyncWrite for Caller {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.in_time(cx)?;
        self.wire.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx)?;
        self.wire.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx)?;
        self.wire.as_mut().poll_shutdown(cx)
    }
}
