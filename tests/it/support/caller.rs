//! A terminal's end of the line, with nothing of the terminal's own code in it.

use std::time::Duration;

use rollcall::domain::TerminalId;
use rollcall::record::topic::Channel;
use rollcall::record::{Batch, Parcel, Receipt, VerifyingKey};
use rumqttc::{Client, Connection, Event, Incoming, MqttOptions, QoS};

use super::broker::eventually;

/// One MQTT client that offers records as a terminal and hears the answers.
pub(crate) struct Caller {
    terminal: TerminalId,
    client: Client,
    connection: Connection,
    pub(crate) heard: Vec<Vec<u8>>,
}

impl Caller {
    /// Connects, and listens for answers.
    pub(crate) fn connect(port: u16, terminal: &TerminalId) -> Self {
        Self::listening(port, terminal, &Channel::Answers.of(terminal))
    }

    /// Connects under this name, and listens to a topic.
    pub(crate) fn listening(port: u16, terminal: &TerminalId, topic: &str) -> Self {
        let name = format!("caller-{terminal}-{}", std::process::id());
        let mut options = MqttOptions::new(name, "127.0.0.1", port);
        options.set_max_packet_size(8 * 1024 * 1024, 8 * 1024 * 1024);
        let (client, connection) = Client::new(options, 10_000);
        client.subscribe(topic, QoS::AtLeastOnce).unwrap();
        let mut caller = Self { terminal: terminal.clone(), client, connection, heard: Vec::new() };
        let mut ready = false;
        eventually("the broker takes the subscription", || {
            ready |= matches!(caller.step(), Some(Event::Incoming(Incoming::SubAck(_))));
            ready
        });
        caller
    }

    /// Sends anything on one of the terminal's channels.
    pub(crate) fn send(&self, channel: Channel, qos: QoS, payload: Vec<u8>) {
        self.client.publish(channel.of(&self.terminal), qos, false, payload).unwrap();
    }

    /// Sends anything anywhere.
    pub(crate) fn shout(&self, topic: &str, payload: Vec<u8>) {
        self.client.publish(topic, QoS::AtLeastOnce, false, payload).unwrap();
    }

    /// Offers records in one message.
    pub(crate) fn offer(&self, parcels: &[Parcel]) {
        self.send(Channel::Records, QoS::AtLeastOnce, Batch(parcels.to_vec()).encode());
    }

    /// Moves the connection on; what it hears is kept.
    pub(crate) fn step(&mut self) -> Option<Event> {
        let event = self.connection.recv_timeout(Duration::from_millis(20)).ok()?.ok()?;
        if let Event::Incoming(Incoming::Publish(publish)) = &event {
            self.heard.push(publish.payload.to_vec());
        }
        Some(event)
    }

    /// Moves on until what was heard is enough.
    pub(crate) fn until(&mut self, what: &str, mut enough: impl FnMut(&[Vec<u8>]) -> bool) {
        eventually(what, || {
            self.step();
            enough(&self.heard)
        });
    }

    /// The receipts heard so far.
    pub(crate) fn receipts(&self, key: &VerifyingKey) -> Vec<Receipt> {
        receipts(&self.heard, key)
    }
}

/// Those of the answers that are receipts.
pub(crate) fn receipts(heard: &[Vec<u8>], key: &VerifyingKey) -> Vec<Receipt> {
    heard.iter().filter_map(|sealed| Receipt::open(sealed, key).ok()).collect()
}
