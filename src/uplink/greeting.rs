//! The first words of MQTT 3.1.1 and the broker's answer, for whoever wants to know whether a broker
//! lets this terminal in without being it (OASIS MQTT 3.1.1, 3.1 and 3.2). Pure.

use crate::domain::TerminalId;

/// Bytes of a CONNACK.
pub const ANSWER_BYTES: usize = 4;

/// Says goodbye, so that no last will is published.
pub const GOODBYE: [u8; 2] = [0xe0, 0x00];

/// CONNECT with a clean session and without a last will.
pub fn hello(terminal: &TerminalId) -> Vec<u8> {
    const CLEAN_SESSION: u8 = 0x02;
    const KEEP_ALIVE_S: u8 = 10;
    let id = terminal.as_str().as_bytes();
    let id_bytes = u8::try_from(id.len()).expect("a name has at most 40 bytes");
    let mut packet = vec![0x10, 12 + id_bytes, 0, 4];
    packet.extend(b"MQTT");
    packet.extend([4, CLEAN_SESSION, 0, KEEP_ALIVE_S, 0, id_bytes]);
    packet.extend(id);
    packet
}

/// What the broker answers, or why it does not let the terminal in.
pub fn understood(answer: [u8; ANSWER_BYTES]) -> Result<(), &'static str> {
    match answer {
        [0x20, 2, _, 0] => Ok(()),
        [0x20, 2, _, 1] => Err("it does not speak MQTT 3.1.1"),
        [0x20, 2, _, 2] => Err("it does not take this terminal's name"),
        [0x20, 2, _, 3] => Err("it is not ready"),
        [0x20, 2, _, 4 | 5] => Err("it does not let this terminal in"),
        _ => Err("what answers is no MQTT broker"),
    }
}
