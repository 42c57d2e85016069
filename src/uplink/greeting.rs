//! The first words of MQTT 3.1.1 and the broker's answer, for whoever wants to know whether a broker
//! lets this terminal in without being it (OASIS MQTT 3.1.1, 3.1 to 3.9). Pure.

use crate::domain::TerminalId;
use crate::record::topic::Channel;

/// Bytes of a CONNACK.
pub const ANSWER_BYTES: usize = 4;

/// Bytes of a SUBACK for one topic.
pub const ACCESS_BYTES: usize = 5;

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

/// SUBSCRIBE to the centre's answers: a broker lets in whom its list no longer names, and gives
/// nothing.
pub fn ask_for_answers(terminal: &TerminalId) -> Vec<u8> {
    const QOS: u8 = 1;
    let topic = Channel::Answers.of(terminal);
    let bytes = u8::try_from(topic.len()).expect("a name has at most 40 bytes");
    let mut packet = vec![0x82, 5 + bytes, 0, 1, 0, bytes];
    packet.extend(topic.as_bytes());
    packet.push(QOS);
    packet
}

/// Whether the answers may be read, or why not.
pub fn may_read(answer: [u8; ACCESS_BYTES]) -> Result<(), &'static str> {
    match answer {
        [0x90, 3, 0, 1, 0..=2] => Ok(()),
        [0x90, 3, 0, 1, _] => Err("it does not let this terminal read the centre's answers"),
        _ => Err("what answers is no MQTT broker"),
    }
}
