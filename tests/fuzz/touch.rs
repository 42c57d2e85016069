//! Genuine bytes, touched some times.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::Index;

/// One touch. Places are chosen anew for each length, so that a failing input can be made smaller.
#[derive(Debug, Clone)]
enum Touch {
    Flip(Index, u8),
    Put(Index, u8),
    Cut(Index),
    Remove(Index, u8),
    Insert(Index, Vec<u8>),
    /// A length or count somewhere becomes a huge one: CBOR's heads, and the largest number of each width.
    Huge(Index, u8),
    /// A piece of another genuine input takes the place of what is here.
    Splice(Index, Index, Index, u8),
}

fn touch() -> impl Strategy<Value = Touch> {
    let place = any::<Index>;
    prop_oneof![
        4 => (place(), 0_u8..8).prop_map(|(at, bit)| Touch::Flip(at, bit)),
        4 => (place(), any::<u8>()).prop_map(|(at, byte)| Touch::Put(at, byte)),
        1 => place().prop_map(Touch::Cut),
        2 => (place(), 1_u8..20).prop_map(|(at, bytes)| Touch::Remove(at, bytes)),
        2 => (place(), proptest::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(at, bytes)| Touch::Insert(at, bytes)),
        2 => (place(), any::<u8>()).prop_map(|(at, major)| Touch::Huge(at, major)),
        2 => (place(), place(), place(), any::<u8>())
            .prop_map(|(at, other, from, bytes)| Touch::Splice(at, other, from, bytes)),
    ]
}

impl Touch {
    fn apply(&self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let place = |at: &Index, length: usize| if length == 0 { 0 } else { at.index(length) };
        let length = bytes.len();
        match self {
            Touch::Flip(at, bit) if length > 0 => bytes[at.index(length)] ^= 1 << bit,
            Touch::Put(at, byte) if length > 0 => bytes[at.index(length)] = *byte,
            Touch::Flip(..) | Touch::Put(..) => {}
            Touch::Cut(at) => bytes.truncate(place(at, length)),
            Touch::Remove(at, n) => {
                let from = place(at, length);
                bytes.drain(from..length.min(from + usize::from(*n)));
            }
            Touch::Insert(at, new) => {
                let at = place(at, length);
                bytes.splice(at..at, new.iter().copied());
            }
            Touch::Huge(at, major) => {
                let width = 24 + major % 4;
                let head = [(major & 0xe0) | width].into_iter();
                let number = std::iter::repeat_n(0xff, 1 << (width - 24));
                let at = place(at, length);
                bytes.splice(at..length.min(at + 1), head.chain(number));
            }
            Touch::Splice(at, other, from, n) => {
                let other = &corpus[other.index(corpus.len())];
                let from = place(from, other.len());
                let piece = &other[from..other.len().min(from + usize::from(*n))];
                let at = place(at, length);
                bytes.splice(at..length.min(at + piece.len()), piece.iter().copied());
            }
        }
    }
}

/// An input, printed short.
#[derive(Clone)]
pub(crate) struct Input(pub(crate) Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(2_000)];
        write!(f, "{} bytes b\"{}\"", self.0.len(), shown.escape_ascii())
    }
}

/// Inputs made of `corpus`: one in some is genuine, the others are touched up to eight times.
pub(crate) fn touched(corpus: &[Vec<u8>]) -> impl Strategy<Value = Input> + use<> {
    let corpus = corpus.to_vec();
    (any::<Index>(), proptest::collection::vec(touch(), 0..8)).prop_map(move |(seed, touches)| {
        let mut bytes = corpus[seed.index(corpus.len())].clone();
        for touch in touches {
            touch.apply(&mut bytes, &corpus);
        }
        Input(bytes)
    })
}
