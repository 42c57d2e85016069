//! The steps of a record's life at the terminal, made visible so that a test can end the process
//! between any two of them. It stands in the lowest stage that passes such steps.

/// A step that has just been completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The answer is decided; nothing is written yet.
    Decided,
    /// The record is sealed, in memory only.
    Sealed,
    /// The record is on stable storage.
    Appended,
    /// The screen has shown green.
    Shown,
    /// A message with it was handed to the MQTT client.
    Offered,
    /// A receipt for it has come and opened.
    ReceiptReceived,
    /// The journal has released it durably.
    Released,
}

impl Step {
    /// All steps, in their order.
    pub const ALL: [Self; 7] = [
        Step::Decided,
        Step::Sealed,
        Step::Appended,
        Step::Shown,
        Step::Offered,
        Step::ReceiptReceived,
        Step::Released,
    ];

    /// The step's name on a command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Decided => "decided",
            Step::Sealed => "sealed",
            Step::Appended => "appended",
            Step::Shown => "shown",
            Step::Offered => "offered",
            Step::ReceiptReceived => "receipt-received",
            Step::Released => "released",
        }
    }
}

/// Watches the steps.
pub trait Waypoints: Send + Sync {
    /// Called right after `step`.
    fn reached(&self, step: Step);
}

/// Nobody watches: production.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoWaypoints;

impl Waypoints for NoWaypoints {
    fn reached(&self, _: Step) {}
}
