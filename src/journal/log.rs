//! The journal's storage: an append-only log in segments, in two copies (docs/spec/journal-v1.md,
//! docs/decisions/0013). Keys and places of their values are kept in memory; values are read from
//! the disk. Each segment begins with all small values, so that a segment whose records are all
//! forgotten can go.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard};

use super::disk::Disk;
use super::frame::{self, Link, PAYLOAD_AT, PAYLOAD_BYTES_MAX};
use super::salvage::Pairs;
use super::storage::{self, Storage, StorageError, Visit, Write};
use super::survey::{self, SEGMENT_BYTES, Survey, read_frame, segment_name};

/// The log on two disks.
pub struct Log {
    disks: [Box<dyn Disk>; 2],
    segment_bytes: u64,
    /// Held for moments only: whoever replays does not wait for a slow disk's sync.
    index: Mutex<Index>,
    /// Held while a write goes to the disks.
    writer: Mutex<Writer>,
}

type Index = BTreeMap<Vec<u8>, Place>;

/// Where a value lies, in both copies.
#[derive(Debug, Clone, Copy)]
struct Place {
    segment: u64,
    at: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Writer {
    /// Number of the next frame.
    next: u64,
    link: Link,
    oldest: u64,
    /// The segment that is written to, and how long it is. None in an empty log.
    current: Option<(u64, u64)>,
    /// Set by the first write that failed: what the disk holds is not known until it is read again.
    failed: bool,
}

impl Log {
    /// Opens what is there; on two empty folders an empty log. One copy makes good what the other
    /// one lacks; what neither holds is an error that says where.
    pub fn open(disks: [Box<dyn Disk>; 2]) -> Result<Self, StorageError> {
        Self::open_with(disks, SEGMENT_BYTES)
    }

    /// The same, with segments of another length, so that tests see many of them.
    pub fn open_with(disks: [Box<dyn Disk>; 2], segment_bytes: u64) -> Result<Self, StorageError> {
        let survey = survey::survey(&disks).map_err(StorageError::Io)?;
        if let Some(loss) = survey.losses.first() {
            return Err(StorageError::Lost(loss.clone()));
        }
        for flaw in survey.flaws.iter().filter(|flaw| !flaw.normal) {
            tracing::warn!(%flaw, "A copy of the journal is damaged; the other one makes it good.");
        }
        mend(&disks, &survey).map_err(StorageError::Io)?;
        let (index, writer) = replay(&disks, &survey)?;
        let (index, writer) = (Mutex::new(index), Mutex::new(writer));
        Ok(Self { disks, segment_bytes, index, writer })
    }

    /// Whether nothing was ever written.
    pub(super) fn is_empty(&self) -> bool {
        self.index().is_empty()
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().expect("no code under this lock panics")
    }

    /// From the first copy; what cannot be read there, from the second.
    fn value(&self, place: Place) -> io::Result<Vec<u8>> {
        let name = segment_name(place.segment);
        let read = |disk: &dyn Disk| disk.read(&name, place.at, place.bytes);
        read(self.disks[0].as_ref()).or_else(|_| read(self.disks[1].as_ref()))
    }

    /// The small values, as writes that repeat them.
    fn carried(&self) -> io::Result<Vec<Write>> {
        let index = self.index();
        let small = index.iter().filter(|(key, _)| storage::is_carried(key));
        small
            .map(|(key, place)| Ok(Write { key: key.clone(), value: Some(self.value(*place)?) }))
            .collect()
    }

    /// What segment `next` begins with, and where the log begins once it is there.
    fn turn(&self, next: u64, writes: &[Write]) -> io::Result<(u64, Vec<u8>)> {
        let mut all = self.carried()?;
        all.extend_from_slice(writes);
        let removed: BTreeSet<&[u8]> = writes
            .iter()
            .filter(|write| write.value.is_none())
            .map(|write| write.key.as_slice())
            .collect();
        let index = self.index();
        let kept = index
            .iter()
            .filter(|(key, _)| !storage::is_carried(key) && !removed.contains(key.as_slice()));
        let oldest = kept.map(|(_, place)| place.segment).min().unwrap_or(next);
        Ok((oldest, frame::encode_payload(oldest, &all)))
    }
}

/// Makes each copy what stands. A crash anywhere here leaves copies that can be mended again: a file
/// is replaced in one step, and only by frames that stand in one of the copies.
fn mend(disks: &[Box<dyn Disk>; 2], survey: &Survey) -> io::Result<()> {
    for (copy, disk) in disks.iter().enumerate() {
        for segment in survey.segments() {
            if survey.intact(copy, segment) {
                continue;
            }
            let mut bytes = Vec::new();
            for standing in survey.frames.values().filter(|s| s.found.segment == segment) {
                bytes.extend(read_frame(disks[standing.copy].as_ref(), &standing.found)?);
            }
            disk.replace_durably(&segment_name(segment), &bytes)?;
        }
        for segment in survey.superfluous(copy) {
            disk.remove(&segment_name(segment))?;
        }
        // A torn file that a power cut brought back would be told as a loss next time.
        disk.sync_names()?;
    }
    Ok(())
}

/// All pairs that stand, whatever is lost between them; nothing is changed on the disk.
pub(super) fn survivors(disks: &[Box<dyn Disk>; 2], survey: &Survey) -> io::Result<Pairs> {
    let mut pairs = Pairs::new();
    for (number, standing) in &survey.frames {
        let bytes = read_frame(disks[standing.copy].as_ref(), &standing.found)?;
        let payload = frame::read(&bytes).and_then(|frame| frame::decode_payload(frame.payload));
        for frame::Change { key, value } in payload.into_iter().flat_map(|p| p.changes) {
            match value {
                Some((_, value)) => {
                    pairs.insert(key.to_vec(), (*number, value.to_vec()));
                }
                None => {
                    pairs.remove(key);
                }
            }
        }
    }
    Ok(pairs)
}

fn replay(disks: &[Box<dyn Disk>; 2], survey: &Survey) -> Result<(Index, Writer), StorageError> {
    let mut index = Index::new();
    let mut writer =
        Writer { next: 1, link: Link::default(), oldest: 1, current: None, failed: false };
    let mut at = 0;
    for (number, standing) in &survey.frames {
        let found = &standing.found;
        let bytes = read_frame(disks[standing.copy].as_ref(), found).map_err(StorageError::Io)?;
        let changed = || StorageError::Io(io::Error::other("the file changed while it was read"));
        let frame = frame::read(&bytes).ok_or_else(changed)?;
        let payload =
            frame::decode_payload(frame.payload).ok_or(StorageError::Unknown { write: *number })?;
        // Mending has brought the frames together: places are those of a segment without flaws.
        at = match writer.current {
            Some((segment, _)) if segment == found.segment => at,
            Some(_) | None => 0,
        };
        apply(&mut index, found.segment, at, &payload);
        at += bytes.len() as u64;
        writer.next = number + 1;
        writer.link = frame.name;
        writer.oldest = payload.oldest;
        writer.current = Some((found.segment, at));
    }
    Ok((index, writer))
}

fn apply(index: &mut Index, segment: u64, at: u64, payload: &frame::Payload<'_>) {
    for frame::Change { key, value } in &payload.changes {
        match value {
            Some((offset, value)) => {
                let at = at + (PAYLOAD_AT + offset) as u64;
                index.insert(key.to_vec(), Place { segment, at, bytes: value.len() });
            }
            None => {
                index.remove(*key);
            }
        }
    }
}

impl Storage for Log {
    fn scan(&self, from: &[u8], visit: &mut Visit<'_>) -> Result<(), StorageError> {
        let mut from = from.to_vec();
        loop {
            // Values are read without the lock: nobody waits for who replays.
            let page: Vec<(Vec<u8>, Place)> = {
                let index = self.index();
                let pairs = index.range(from.clone()..).take(64);
                pairs.map(|(key, place)| (key.clone(), *place)).collect()
            };
            let Some((last, _)) = page.last() else { return Ok(()) };
            from = [last.as_slice(), &[0]].concat();
            for (key, place) in page {
                let value = match self.value(place) {
                    Ok(value) => value,
                    // Forgotten meanwhile, with its segment.
                    Err(_) if !self.index().contains_key(&key) => continue,
                    Err(error) => return Err(StorageError::Io(error)),
                };
                if let ControlFlow::Break(()) = visit(&key, &value) {
                    return Ok(());
                }
            }
        }
    }

    fn write_durably(&self, writes: &[Write]) -> Result<(), StorageError> {
        let mut writer = self.writer.lock().expect("no code under this lock panics");
        if writer.failed {
            return Err(StorageError::Io(io::Error::other("an earlier write failed")));
        }
        let stays = writer.current.filter(|(_, length)| *length < self.segment_bytes);
        let turned = match stays {
            Some(_) => None,
            None => Some(self.turn(writer.next, writes).map_err(StorageError::Io)?),
        };
        // Small values that are too many to be repeated wait until they are fewer.
        let turned = turned.filter(|(_, payload)| payload.len() <= PAYLOAD_BYTES_MAX);
        let (segment, at, oldest, payload) = match (turned, writer.current) {
            (None, Some((segment, length))) => {
                (segment, length, writer.oldest, frame::encode_payload(writer.oldest, writes))
            }
            (Some((oldest, payload)), _) => (writer.next, 0, oldest, payload),
            (None, None) => {
                (writer.next, 0, writer.next, frame::encode_payload(writer.next, writes))
            }
        };
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(StorageError::Io(io::ErrorKind::FileTooLarge.into()));
        }
        let bytes = frame::encode(writer.next, writer.link, &payload);
        let name = segment_name(segment);
        for disk in &self.disks {
            // A crash in the first copy leaves a torn end there, or a whole frame that was never
            // acknowledged; in the second one a frame that the first one makes good.
            let done = disk.write(&name, at, &bytes).and_then(|()| disk.sync(&name));
            let done = done.and_then(|()| if at == 0 { disk.sync_names() } else { Ok(()) });
            if let Err(error) = done {
                writer.failed = true;
                return Err(StorageError::Io(error));
            }
        }
        let read = frame::decode_payload(&payload).expect("it was just encoded");
        apply(&mut self.index(), segment, at, &read);
        writer.next += 1;
        writer.link = frame::name_of(&bytes);
        writer.current = Some((segment, at + bytes.len() as u64));
        if oldest > writer.oldest {
            writer.oldest = oldest;
            self.forget_before(oldest);
        }
        Ok(())
    }
}

impl Log {
    /// Removes the segments that count no more. What cannot be removed goes at the next start.
    fn forget_before(&self, oldest: u64) {
        for disk in &self.disks {
            let names = disk.names().unwrap_or_default();
            let old = |name: &&String| survey::segment_of(name).is_some_and(|first| first < oldest);
            for name in names.iter().filter(old) {
                if let Err(error) = disk.remove(name) {
                    tracing::debug!(name, %error, "An old segment could not be removed yet.");
                }
            }
        }
    }
}
