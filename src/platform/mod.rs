//! The operating system, and nothing of our trade: clock, chance, durable files, locks, telemetry.

#[cfg(feature = "terminal")]
pub mod aead;
pub mod chance;
pub mod clock;
#[cfg(feature = "terminal")]
pub mod disk;
pub mod durable;
#[cfg(any(feature = "terminal", feature = "collector"))]
pub mod https;
pub mod lines;
pub mod lock;
#[cfg(any(feature = "terminal", feature = "collector"))]
pub mod mac;
#[cfg(feature = "collector")]
pub mod postgres;
pub mod process;
#[cfg(feature = "terminal")]
pub mod probe;
pub mod qr;
pub mod scratch;
#[cfg(feature = "terminal")]
pub mod sealed_file;
pub mod secret;
pub mod telemetry;
#[cfg(any(feature = "terminal", feature = "collector"))]
pub mod tls;
#[cfg(feature = "collector")]
pub mod tls_server;
