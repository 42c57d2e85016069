//! What stands on the disk: reads both copies of the log whole, believes nothing unchecked, and tells
//! a torn end, which every power cut may leave, from damage.
//!
//! A frame is written to copy `a` and synced, then written to copy `b` and synced, and only then
//! acknowledged. So for an acknowledged frame there are two places on the disk, never written at
//! the same time; and what is unreadable behind the last frame was never acknowledged if it is in
//! `a` and `b` ends cleanly, or if it is in `b` and `a` has that frame.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use super::disk::Disk;
use super::frame::{self, Link, PAYLOAD_BYTES_MAX, Stretch};

/// A segment is finished by the first write that finds it this long, in bytes. Few files, and what
/// is mended at once stays small.
pub(super) const SEGMENT_BYTES: u64 = 1024 * 1024;

/// Longest file that is read: a segment just below its bound, and the largest frame.
const FILE_BYTES_MAX: usize = 2 * PAYLOAD_BYTES_MAX;

const COPIES: [&str; 2] = ["a", "b"];

/// Where a frame lies in one copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Number of the first frame of its segment.
    pub(super) segment: u64,
    pub(super) at: u64,
    /// Of the whole frame.
    pub(super) bytes: usize,
    pub(super) link: Link,
    pub(super) name: Link,
}

/// A frame that stands, and in which copy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) copy: usize,
    pub(super) found: Found,
}

#[derive(Debug, Clone, Copy)]
enum Piece {
    Frame(u64),
    Unreadable(u64, u64),
}

/// One copy.
#[derive(Debug, Default)]
pub(super) struct Copy {
    segments: BTreeMap<u64, Vec<Piece>>,
    frames: BTreeMap<u64, Found>,
}

/// Something that one copy has not as it should be, and the other one makes good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The file: copy and segment.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
    /// Whether a power cut may leave it, with all parts of the disk in order.
    pub normal: bool,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.what)
    }
}

/// Writes of the log that neither copy holds any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The first one that is lost, counted over the journal's whole life.
    pub first: u64,
    /// The last one; `None` where the end of the log is lost and nobody knows how much it was.
    pub last: Option<u64>,
    /// The unreadable places, for a person.
    pub places: String,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            Some(last) if last == self.first => write!(f, "write {last}")?,
            Some(last) => write!(f, "writes {} to {last}", self.first)?,
            None => write!(f, "write {} and perhaps later ones", self.first)?,
        }
        write!(f, " can be read from neither copy ({})", self.places)
    }
}

/// What stands.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) copies: [Copy; 2],
    /// The frames that count, by number.
    pub(super) frames: BTreeMap<u64, Standing>,
    pub(super) flaws: Vec<Flaw>,
    pub(super) losses: Vec<Loss>,
    /// Bytes behind the last frame that stands, in the copy with more of them.
    pub(super) tail_bytes: u64,
}

pub(super) fn segment_name(first: u64) -> String {
    format!("{first:020}.log")
}

pub(super) fn segment_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    let first = digits.parse().ok()?;
    (segment_name(first) == name).then_some(first)
}

fn read_copy(disk: &dyn Disk) -> io::Result<Copy> {
    let mut copy = Copy::default();
    let mut segments: Vec<u64> = disk.names()?.iter().filter_map(|n| segment_of(n)).collect();
    segments.sort_unstable();
    for segment in segments {
        let bytes = disk.read(&segment_name(segment), 0, FILE_BYTES_MAX)?;
        let mut pieces = Vec::new();
        for stretch in frame::stretches(&bytes) {
            pieces.push(match stretch {
                Stretch::Unreadable(from, to) => Piece::Unreadable(from as u64, to as u64),
                Stretch::Frame(at, frame) => {
                    let found = Found {
                        segment,
                        at: at as u64,
                        bytes: frame.bytes(),
                        link: frame.link,
                        name: frame.name,
                    };
                    copy.frames.entry(frame.number).or_insert(found);
                    Piece::Frame(frame.number)
                }
            });
        }
        copy.segments.insert(segment, pieces);
    }
    Ok(copy)
}

/// Reads both copies.
pub(super) fn survey(disks: &[Box<dyn Disk>; 2]) -> io::Result<Survey> {
    let copies = [read_copy(disks[0].as_ref())?, read_copy(disks[1].as_ref())?];
    let newest = copies.iter().filter_map(|copy| copy.frames.keys().next_back()).max().copied();
    let mut survey = Survey { copies, ..Survey::default() };
    let Some(newest) = newest else {
        survey.judge_end(0);
        return Ok(survey);
    };
    let oldest = survey.oldest(disks, newest)?;
    survey.choose(oldest, newest);
    survey.find_flaws();
    survey.judge_end(newest);
    Ok(survey)
}

impl Survey {
    /// Where the log begins that counts, as the newest readable frame says.
    fn oldest(&self, disks: &[Box<dyn Disk>; 2], newest: u64) -> io::Result<u64> {
        for (copy, disk) in self.copies.iter().zip(disks) {
            if let Some(found) = copy.frames.get(&newest) {
                let bytes = read_frame(disk.as_ref(), found)?;
                let payload = frame::read(&bytes).and_then(|f| frame::decode_payload(f.payload));
                if let Some(payload) = payload {
                    return Ok(payload.oldest.clamp(1, newest));
                }
            }
        }
        Ok(1)
    }

    fn choose(&mut self, oldest: u64, newest: u64) {
        let mut lost: Option<(u64, u64)> = None;
        let mut before: Option<Link> = (oldest == 1).then_some(Link::default());
        let numbers: Vec<u64> = numbers_in(&self.copies, oldest, newest);
        let mut expected = oldest;
        for number in numbers {
            if number > expected {
                lost = Some((lost.map_or(expected, |(first, _)| first), number - 1));
                before = None;
            }
            expected = number + 1;
            match self.pick(number, before) {
                Some(standing) => {
                    if let Some((first, last)) = lost.take() {
                        self.lose(first, Some(last));
                    }
                    before = Some(standing.found.name);
                    self.frames.insert(number, standing);
                }
                None => {
                    lost = Some((lost.map_or(number, |(first, _)| first), number));
                    before = None;
                }
            }
        }
        if let Some((first, last)) = lost {
            self.lose(first, Some(last));
        }
    }

    /// The frame of this number that follows the one before it. Both copies may be whole and differ
    /// only where somebody changed one of them: then the frame behind decides, or nobody does.
    fn pick(&self, number: u64, before: Option<Link>) -> Option<Standing> {
        let fits = |found: &&Found| before.is_none_or(|before| found.link == before);
        let mut fitting: Vec<Standing> = (0..2)
            .filter_map(|copy| {
                let found = self.copies[copy].frames.get(&number).filter(fits)?;
                Some(Standing { copy, found: *found })
            })
            .collect();
        let one =
            |fitting: &[Standing]| fitting.windows(2).all(|w| w[0].found.name == w[1].found.name);
        if !one(&fitting) {
            let named: Vec<Link> = self
                .copies
                .iter()
                .filter_map(|copy| Some(copy.frames.get(&(number + 1))?.link))
                .collect();
            fitting.retain(|standing| named.contains(&standing.found.name));
        }
        if one(&fitting) { fitting.first().copied() } else { None }
    }

    fn lose(&mut self, first: u64, last: Option<u64>) {
        let places: Vec<String> = (0..2).flat_map(|copy| self.unreadable(copy)).take(6).collect();
        let places = if places.is_empty() { "missing files".to_owned() } else { places.join(", ") };
        self.losses.push(Loss { first, last, places });
    }

    fn unreadable(&self, copy: usize) -> Vec<String> {
        let mut places = Vec::new();
        for (segment, pieces) in &self.copies[copy].segments {
            for piece in pieces {
                if let Piece::Unreadable(from, to) = piece {
                    places.push(format!("{} bytes {from} to {to}", file(copy, *segment)));
                }
            }
        }
        places
    }

    /// Whether a copy holds exactly what stands of one segment.
    pub(super) fn intact(&self, copy: usize, segment: u64) -> bool {
        let expected: Vec<u64> = self.numbers_of(segment);
        let Some(pieces) = self.copies[copy].segments.get(&segment) else { return false };
        pieces.len() == expected.len()
            && pieces.iter().zip(&expected).all(|(piece, number)| match piece {
                Piece::Frame(found) => found == number && self.agrees(copy, *number),
                Piece::Unreadable(..) => false,
            })
    }

    fn agrees(&self, copy: usize, number: u64) -> bool {
        let mine = self.copies[copy].frames.get(&number);
        mine.zip(self.frames.get(&number)).is_some_and(|(mine, standing)| {
            mine.name == standing.found.name && mine.segment == standing.found.segment
        })
    }

    fn numbers_of(&self, segment: u64) -> Vec<u64> {
        self.frames
            .range(segment..)
            .take_while(|(_, standing)| standing.found.segment <= segment)
            .map(|(number, _)| *number)
            .collect()
    }

    /// The segments that count.
    pub(super) fn segments(&self) -> Vec<u64> {
        let mut segments: Vec<u64> =
            self.frames.values().map(|standing| standing.found.segment).collect();
        segments.dedup();
        segments
    }

    /// Segments that a copy has and that count no more, or never did.
    pub(super) fn superfluous(&self, copy: usize) -> Vec<u64> {
        let counts = self.segments();
        self.copies[copy].segments.keys().filter(|s| !counts.contains(s)).copied().collect()
    }

    fn find_flaws(&mut self) {
        let newest = self.frames.keys().next_back().copied().unwrap_or(0);
        let mut flaws = Vec::new();
        for copy in 0..2 {
            let last_own = self.copies[copy].frames.keys().next_back().copied().unwrap_or(0);
            for segment in self.segments() {
                let name = file(copy, segment);
                let Some(pieces) = self.copies[copy].segments.get(&segment) else {
                    // The cut may have come before the first frame of a new segment.
                    let normal = copy == 1 && segment == newest;
                    flaws.push(Flaw { file: name, what: "missing".into(), normal });
                    continue;
                };
                let missing: Vec<u64> = self
                    .numbers_of(segment)
                    .into_iter()
                    .filter(|number| !self.agrees(copy, *number))
                    .collect();
                if let (Some(first), Some(last)) = (missing.first(), missing.last()) {
                    let normal = copy == 1 && *first == newest;
                    let what = format!("lacks writes {first} to {last}");
                    flaws.push(Flaw { file: name.clone(), what, normal });
                }
                for (n, piece) in pieces.iter().enumerate() {
                    let Piece::Unreadable(from, to) = piece else { continue };
                    let what = format!("bytes {from} to {to} cannot be read");
                    let at_end = n + 1 == pieces.len() && last_own >= newest.saturating_sub(1);
                    let normal = at_end && Some(&segment) == self.segments().last();
                    flaws.push(Flaw { file: name.clone(), what, normal });
                }
            }
        }
        self.flaws = flaws;
    }

    /// Whether more was acknowledged than what stands: see the page above.
    fn judge_end(&mut self, newest: u64) {
        let [a, b] = [0, 1].map(|copy| {
            let own = self.copies[copy].frames.keys().next_back().copied().unwrap_or(0);
            (own, self.copies[copy].tail())
        });
        // What the other copy makes good is no loss.
        let beyond = |(own, tail): (u64, u64)| {
            let good: usize = self.frames.range(own + 1..).map(|(_, s)| s.found.bytes).sum();
            tail.saturating_sub(good as u64)
        };
        let (excess_a, excess_b) = (beyond(a), beyond(b));
        let in_the_making = b == (newest, 0);
        self.tail_bytes = excess_a.max(excess_b);
        if excess_b > 0 || (excess_a > 0 && !in_the_making) {
            self.lose(newest + 1, None);
        }
    }
}

impl Copy {
    /// Unreadable bytes behind the last frame.
    fn tail(&self) -> u64 {
        let mut tail = 0;
        for piece in self.segments.values().flatten() {
            match piece {
                Piece::Frame(_) => tail = 0,
                Piece::Unreadable(from, to) => tail += to - from,
            }
        }
        tail
    }
}

/// All numbers from `oldest` to `newest` that a copy has.
fn numbers_in(copies: &[Copy; 2], oldest: u64, newest: u64) -> Vec<u64> {
    let mut numbers: Vec<u64> = copies
        .iter()
        .flat_map(|copy| copy.frames.range(oldest..=newest).map(|(number, _)| *number))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn file(copy: usize, segment: u64) -> String {
    format!("{}/{}", COPIES[copy], segment_name(segment))
}

/// The bytes of a frame that was found.
pub(super) fn read_frame(disk: &dyn Disk, found: &Found) -> io::Result<Vec<u8>> {
    disk.read(&segment_name(found.segment), found.at, found.bytes)
}
