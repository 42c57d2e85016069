//! Takes an address and serves the page on it.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{Site, router};

/// Loopback: who shall reach the page from elsewhere is decided by whoever puts a server with
/// TLS and accounts before it.
pub const DEFAULT_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// How long open answers may take to end once the program is told to.
const FAREWELL: Duration = Duration::from_secs(3);

/// What to do when another program has the wanted port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenTaken {
    /// Say so and give up: somebody configured this address and will look for the page there.
    Fail,
    /// Take a free port of the same host: for the demo, where the address is printed.
    TakeAnother,
}

/// The address could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens there.
    #[error(
        "could not serve the page at {address}: the port is taken by another program; end that program or choose another port (0 takes any free one)"
    )]
    Taken {
        /// Where.
        address: SocketAddr,
    },
    /// Anything else: no permission, no such address on this machine.
    #[error("could not serve the page at {address}")]
    Io {
        /// Where.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

/// Serving ended by itself.
#[derive(Debug, thiserror::Error)]
#[error("could not go on serving the page")]
pub struct ServeError(#[source] io::Error);

/// A taken address, not yet served.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    /// Where the page will be.
    pub address: SocketAddr,
    /// The address that was wanted but taken; to be told to whoever wanted it.
    pub instead_of: Option<SocketAddr>,
}

impl Listening {
    /// Takes `wanted`.
    pub async fn bind(wanted: SocketAddr, when_taken: WhenTaken) -> Result<Self, BindError> {
        let failed = |address| move |source| BindError::Io { address, source };
        let (listener, instead_of) = match TcpListener::bind(wanted).await {
            Ok(listener) => (listener, None),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => match when_taken {
                WhenTaken::Fail => return Err(BindError::Taken { address: wanted }),
                WhenTaken::TakeAnother => {
                    let any = SocketAddr::new(wanted.ip(), 0);
                    (TcpListener::bind(any).await.map_err(failed(any))?, Some(wanted))
                }
            },
            Err(error) => return Err(failed(wanted)(error)),
        };
        let address = listener.local_addr().map_err(failed(wanted))?;
        Ok(Self { listener, address, instead_of })
    }

    /// The page's address as people type it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until `end` is ready; then closes the feed, so that the streams end, and lets open
    /// answers finish for a moment.
    pub async fn serve(
        self,
        site: Site,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let feed = site.feed.clone();
        let (ending, ended) = oneshot::channel::<()>();
        let serving = axum::serve(self.listener, router(site)).with_graceful_shutdown(async move {
            end.await;
            feed.close();
            // Fails only when serving has ended already and nobody waits.
            ending.send(()).ok();
        });
        let farewell = async {
            // An error means that serving ended first.
            if ended.await.is_ok() {
                tokio::time::sleep(FAREWELL).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            served = serving.into_future() => served.map_err(ServeError),
            () = farewell => Ok(()),
        }
    }
}
