//! All chance of a made province, in whole numbers only, so that the same seed gives the same world on
//! every machine (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
//! OOPSLA 2014). Each institution has streams of its own, named by what they decide: a world of 300
//! institutions begins with the very same 200 that a world of 200 has. Good dice, and no secret.

use sha2::{Digest, Sha256};

/// Chances are counted in hundred thousandths.
pub(super) const SURE: u32 = 100_000;

/// See the file's head.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// The stream of this name in the world of this seed.
    pub(super) fn of(seed: u64, stream: &str) -> Self {
        let digest: [u8; 32] = named(seed, "dice", stream);
        let mut start = [0; 8];
        start.copy_from_slice(&digest[..8]);
        Self(u64::from_be_bytes(start))
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An index into so many things.
    pub(super) fn index(&mut self, things: usize) -> usize {
        let below = self.throw().checked_rem(things as u64).unwrap_or(0);
        usize::try_from(below).expect("below the number of things")
    }

    /// Both ends included; the least where the most is less.
    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        let sides = most.saturating_sub(least).saturating_add(1).max(1);
        least + i64::try_from(self.throw() % sides.unsigned_abs()).unwrap_or(0)
    }

    pub(super) fn pick<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.index(things.len())]
    }

    /// So many different numbers below `of`, ascending; all of them where there are no more.
    pub(super) fn some_of(&mut self, of: usize, many: usize) -> Vec<usize> {
        let mut left: Vec<usize> = (0..of).collect();
        let mut some: Vec<usize> =
            (0..many.min(of)).map(|_| left.swap_remove(self.index(left.len()))).collect();
        some.sort_unstable();
        some
    }

    /// True so many times in a hundred thousand.
    pub(super) fn happens(&mut self, per_100k: u32) -> bool {
        self.throw() % u64::from(SURE) < u64::from(per_100k)
    }

    /// Spread like a bell around `mean`: twelve equal throws summed, whose spread is 1. Beyond six
    /// times `spread` there is nothing.
    pub(super) fn around(&mut self, mean: i64, spread: i64) -> i64 {
        let mut sum = 0_i64;
        for _ in 0..3 {
            let mut throw = self.throw();
            for _ in 0..4 {
                sum += i64::try_from(throw & 0xffff).unwrap_or(0);
                throw >>= 16;
            }
        }
        mean + (sum - 6 * 0xffff) * spread / 0x1_0000
    }

    /// Mostly short, seldom long: halves again and again, with this mean.
    pub(super) fn tail(&mut self, mean: i64) -> i64 {
        let throw = self.throw();
        let halvings = i64::from(throw.leading_zeros());
        let part = i64::try_from(throw & 0xffff).unwrap_or(0);
        (halvings * 0x1_0000 + part) * mean / 0x1_0000 * 2 / 3
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            let throw = self.throw().to_be_bytes();
            chunk.copy_from_slice(&throw[..chunk.len()]);
        }
        bytes
    }
}

/// 32 bytes that follow from the seed and a name: keys and ids of the made world, and no secret.
pub(super) fn named(seed: u64, what: &str, name: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update("rollcall made province");
    for part in [&seed.to_be_bytes()[..], what.as_bytes(), name.as_bytes()] {
        hash.update([0]);
        hash.update(part);
    }
    hash.finalize().into()
}
