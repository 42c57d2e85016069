//! Motion JPEG: one JPEG after the other, as webcams send them and `ffmpeg -f mjpeg` or
//! `v4l2-ctl --stream-to` write them. [`Splitter`] finds where each begins and ends.
//!
//! A JPEG is followed by its markers (ITU-T T.81, B.1): segments tell their length and are passed over,
//! coded data runs to the next marker that is neither stuffing nor a restart. So an end marker inside of
//! a segment, as in a thumbnail, is not taken for the end of the picture.

use std::collections::VecDeque;

/// Largest single picture. A frame of 1920 × 1080 in best quality has about 2 MB.
pub const PICTURE_BYTES_MAX: usize = 8 << 20;

const START: [u8; 2] = [0xff, 0xd8];
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;

/// Takes bytes as they come and gives whole pictures; what lies between two pictures is passed over.
#[derive(Debug, Default)]
pub struct Splitter {
    bytes: VecDeque<u8>,
    /// Up to here the picture at the front was looked through.
    looked: usize,
    /// Inside of coded data.
    coded: bool,
}

/// A picture that was given up: longer than [`PICTURE_BYTES_MAX`], or its markers are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is damaged, or has more than {PICTURE_BYTES_MAX} bytes")]
pub struct GivenUp;

impl Splitter {
    /// Takes more bytes. Ask [`Splitter::picture`] until it has none before giving more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// The next whole picture; `None`: more bytes are needed.
    pub fn picture(&mut self) -> Option<Result<Vec<u8>, GivenUp>> {
        if self.looked == 0 && !self.find_start() {
            return None;
        }
        match self.find_end() {
            Some(Ok(end)) => {
                let picture = self.bytes.drain(..end).collect();
                self.begin();
                Some(Ok(picture))
            }
            Some(Err(GivenUp)) => Some(Err(self.give_up())),
            None if self.bytes.len() > PICTURE_BYTES_MAX => Some(Err(self.give_up())),
            None => None,
        }
    }

    /// Whether a picture has begun and not ended: at the end of a file it is cut off.
    pub fn is_cut(&self) -> bool {
        self.looked > 0
    }

    fn begin(&mut self) {
        (self.looked, self.coded) = (0, false);
    }

    /// Goes on behind the start of the damaged picture.
    fn give_up(&mut self) -> GivenUp {
        self.bytes.drain(..START.len().min(self.bytes.len()));
        self.begin();
        GivenUp
    }

    /// Drops what is before the next start; whether there is one.
    fn find_start(&mut self) -> bool {
        loop {
            match (self.bytes.front(), self.bytes.get(1)) {
                (Some(&first), Some(&second)) if [first, second] == START => {
                    self.looked = START.len();
                    return true;
                }
                (Some(_), Some(_)) => drop(self.bytes.pop_front()),
                (Some(_) | None, None) | (None, Some(_)) => return false,
            }
        }
    }

    /// The place behind the end marker; `None` while it has not come.
    fn find_end(&mut self) -> Option<Result<usize, GivenUp>> {
        loop {
            if self.coded {
                let escaped = (self.looked..self.bytes.len()).find(|at| self.bytes[*at] == 0xff);
                self.looked = escaped.unwrap_or(self.bytes.len());
            }
            let (first, marker) =
                (*self.bytes.get(self.looked)?, *self.bytes.get(self.looked + 1)?);
            match (first, marker) {
                (0xff, END) => return Some(Ok(self.looked + 2)),
                // Fill bytes may stand before any marker.
                (0xff, 0xff) => self.looked += 1,
                // Stuffing and restarts belong to coded data.
                (0xff, 0x00 | 0xd0..=0xd7) if self.coded => self.looked += 2,
                (0xff, 0x01) => self.looked += 2,
                (0xff, 0x02..=0xbf | 0xd8 | 0x00 | 0xd0..=0xd7) => return Some(Err(GivenUp)),
                (0xff, _) => {
                    let high = *self.bytes.get(self.looked + 2)?;
                    let low = *self.bytes.get(self.looked + 3)?;
                    let length = usize::from(u16::from_be_bytes([high, low]));
                    if length < 2 {
                        return Some(Err(GivenUp));
                    }
                    self.looked += 2 + length;
                    self.coded = marker == SCAN;
                }
                (_, _) => return Some(Err(GivenUp)),
            }
        }
    }
}
