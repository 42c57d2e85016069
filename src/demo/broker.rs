//! An MQTT broker inside the process, for the demo and the benches: nothing to install. It
//! forgets everything at its end, so it is not for production: there a Mosquitto with
//! firmware-config/mosquitto.conf serves.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

use crate::record::BATCH_BYTES_MAX;

/// Starts the broker on a free port of the loopback interface. It lives until the process ends.
pub fn start() -> io::Result<SocketAddr> {
    // The port is free now; the broker binds it a moment later. A process that takes it in
    // between makes the broker's thread end and the clients' connections fail, visibly.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let server = ServerSettings {
        name: "demo".into(),
        listen: address,
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: 10_000,
            max_payload_size: 2 * BATCH_BYTES_MAX,
            max_inflight_count: 100,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    };
    let config = Config {
        id: 0,
        router: RouterConfig {
            max_connections: 64,
            max_outgoing_packet_count: 200,
            // 16 segments of 1 MiB for each topic: more than a day of the demo.
            max_segment_size: 1 << 20,
            max_segment_count: 16,
            ..RouterConfig::default()
        },
        v4: Some(HashMap::from([("demo".into(), server)])),
        ..Config::default()
    };
    thread::Builder::new().name("broker".into()).spawn(move || {
        if let Err(error) = Broker::new(config).start() {
            tracing::error!("The demo's MQTT broker ended: {error}.");
        }
    })?;
    Ok(address)
}
