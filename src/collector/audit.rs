//! The audit of a ledger: builds the tree anew from the database and holds it against the database's
//! own edge, every checkpoint that is remembered or shown by others, and the published tiles. Finds
//! deletion, alteration, insertion, reordering, roll-back and split view, and names the entries.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use data_encoding::HEXLOWER;

use super::Store;
use super::publish::{CHECKPOINT, FolderError, LogSettings, SIGNED, read_checkpoint, read_tile};
use crate::domain::TerminalId;
use crate::ledger::tiles::{Content, ENTRY_BYTES, Tile, TileNodes, entries_in, entry_of};
use crate::ledger::tree::{Frontier, TreeHash, root_of};
use crate::ledger::{Body, Kind, Ledger, OpenLedgerError, Stored, learn, open_with, read_back};
use crate::platform::telemetry::Chain;
use crate::record::note::{KeyKind, Policy, TreeHead, Vkey, VkeyError};
use crate::record::{CentreKeys, Keyring, Record, SealedEvidence, SealedFact};

/// Entries read at once.
const READ_ENTRIES: usize = 1_000;

/// Findings that are named; the rest is counted.
const NAMED_MAX: usize = 100;

type Digest = [u8; ENTRY_BYTES];

/// The audit itself was not possible.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The database cannot be opened at all.
    #[error("could not open the ledger to audit it")]
    Open(#[from] OpenLedgerError),
    /// A file of the log, or a checkpoint of others, cannot be read.
    #[error("could not read what the ledger is held against")]
    Folder(#[from] FolderError),
    /// A checkpoint that was given is not there.
    #[error("could not read {path}: there is no such file")]
    Missing {
        /// Which.
        path: PathBuf,
    },
    /// The origin cannot name a key.
    #[error("could not look for signatures under this origin")]
    Origin(#[from] VkeyError),
}

/// What an audit saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// Entries in the database.
    pub entries: u64,
    /// Root over them.
    pub root: TreeHash,
    /// Checkpoints that they were held against.
    pub checkpoints: usize,
    /// What does not fit.
    pub wrong: Vec<String>,
    /// What does not fit either, beyond those that are named.
    pub more: usize,
}

impl Audited {
    fn find(&mut self, what: String) {
        if self.wrong.len() < NAMED_MAX {
            self.wrong.push(what);
        } else {
            self.more += 1;
        }
    }
}

/// Audits the ledger in `store`; `others` are checkpoints that other people hold.
pub fn audit(
    store: &Store,
    origin: &str,
    keys: impl Into<CentreKeys>,
    settings: &LogSettings,
    others: &[PathBuf],
) -> Result<Audited, AuditError> {
    let mut keys = keys.into();
    let own = keys.all().iter().map(|key| Vkey::new(origin, KeyKind::Log, *key));
    let policy = Policy { logs: own.collect::<Result<_, _>>()?, ..Policy::default() };
    let mut audited =
        Audited { entries: 0, root: TreeHash::empty(), checkpoints: 0, wrong: Vec::new(), more: 0 };
    let mut heads = Vec::new();
    let remembered = [settings.data_dir.join(SIGNED), settings.folder.join(CHECKPOINT)];
    for (path, must) in
        remembered.iter().map(|p| (p, false)).chain(others.iter().map(|p| (p, true)))
    {
        let note = match read_checkpoint(path)? {
            Some(note) => note,
            None if must => return Err(AuditError::Missing { path: path.clone() }),
            None => continue,
        };
        match policy.signed_by_log(&note) {
            Ok(head) => heads.push((path.display().to_string(), head)),
            Err(why) => audited.find(format!("the checkpoint in {}: {why}", path.display())),
        }
    }
    audited.checkpoints = heads.len();

    let (ledger, contradiction) = store.audit_ledger()?;
    // What a collector that runs beside us commits meanwhile is for the next audit.
    let mut end = ledger.size();
    if let Some(detail) = contradiction {
        audited.find(format!("the database contradicts itself: {detail}"));
        end = u64::MAX;
    }
    let digests = read_entries(&*ledger, end, &mut keys, &heads, &mut audited);
    let signed = heads
        .iter()
        .filter(|(path, _)| remembered.iter().any(|r| r.display().to_string() == *path));
    if let Some((_, head)) = signed.max_by_key(|(_, head)| head.size) {
        match published(settings, head) {
            Ok(published) => {
                differences(&published, &digests).into_iter().for_each(|what| audited.find(what));
            }
            Err(what) => audited.find(what),
        }
    }
    Ok(audited)
}

/// Reads the database, entry by entry, holding each against its seal and the tree against `heads`.
fn read_entries(
    ledger: &dyn Ledger,
    end: u64,
    keys: &mut CentreKeys,
    heads: &[(String, TreeHead)],
    audited: &mut Audited,
) -> BTreeMap<u64, Digest> {
    let mut digests = BTreeMap::new();
    let mut frontier = Frontier::default();
    let mut terminals = BTreeMap::new();
    let mut roots: BTreeMap<u64, Option<TreeHash>> =
        heads.iter().map(|(_, head)| (head.size, None)).collect();
    if let Some(root) = roots.get_mut(&0) {
        *root = Some(frontier.root());
    }
    let mut next = 0;
    while next < end {
        let chunk = match ledger.stored_since(next, READ_ENTRIES) {
            Ok(chunk) => chunk,
            Err(error) => {
                audited.find(format!("after entry {next} nothing can be read: {}", Chain(&error)));
                break;
            }
        };
        let Some(last) = chunk.last() else { break };
        next = last.index + 1;
        for stored in chunk.iter().filter(|stored| stored.index < end) {
            if let Err(why) = sealed(stored, keys, &mut terminals) {
                audited.find(format!("entry {}: {why}", stored.index));
            }
            digests.insert(stored.index, entry_of(&stored.sealed));
            frontier.push(stored.leaf());
            roots.entry(frontier.size()).and_modify(|root| *root = Some(frontier.root()));
        }
    }
    audited.entries = frontier.size();
    audited.root = frontier.root();
    if frontier.size() == end && frontier.root() != ledger.root() {
        audited.find("the entries do not give the root that the database keeps".into());
    }
    for (path, head) in heads {
        match roots.get(&head.size).copied().flatten() {
            Some(root) if root == TreeHash(head.root) => {}
            Some(_) => audited.find(format!(
                "split view: {path} was signed for {} entries with another root than theirs here: two histories under one key",
                head.size
            )),
            None => audited.find(format!(
                "rolled back: {path} was signed for {} entries, and the database ends after {}: entries {} to {} are missing",
                head.size,
                frontier.size(),
                frontier.size(),
                head.size - 1
            )),
        }
    }
    digests
}

/// Whether an entry is what its seal says.
pub(super) fn sealed(
    stored: &Stored,
    keys: &mut CentreKeys,
    terminals: &mut BTreeMap<TerminalId, Keyring>,
) -> Result<(), String> {
    let said = |error: &dyn std::error::Error| Chain(error).to_string();
    match stored.kind {
        Kind::Refused => {
            keys.open_next::<SealedEvidence>(&stored.sealed).map_err(|e| said(&e))?;
        }
        Kind::Fact => {
            let fact: SealedFact = keys.open_next(&stored.sealed).map_err(|e| said(&e))?;
            learn(terminals, &fact.fact).map_err(|error| said(&error))?;
        }
        Kind::Record => {
            let (record, _) = Record::peek(&stored.sealed).map_err(|error| said(&error))?;
            let ring = terminals.get_mut(&record.terminal);
            let ring = ring.ok_or("its terminal was not registered before it")?;
            open_with(ring, &stored.sealed).map_err(|error| said(&error))?;
        }
    }
    let entry = read_back(stored).map_err(|error| said(&error))?;
    match (&entry.body, stored.kind) {
        (Body::Record { .. }, Kind::Record)
        | (Body::Refused { .. }, Kind::Refused)
        | (Body::Fact(_), Kind::Fact) => Ok(()),
        (Body::Record { .. } | Body::Refused { .. } | Body::Fact(_), _) => {
            Err("it is stored as another kind of entry than it is".into())
        }
    }
}

/// The entries that were published up to a checkpoint, proven against it; or what is wrong with the
/// files.
fn published(settings: &LogSettings, head: &TreeHead) -> Result<Vec<Digest>, String> {
    let read = |tile: &Tile| read_tile(&settings.folder, tile);
    let mut entries = Vec::new();
    let mut frontier = Frontier::default();
    for index in 0.. {
        let Some(bundle) = Tile::of(Content::Entries, index, head.size) else { break };
        let bytes = read(&bundle).map_err(|error| Chain(&error).to_string())?;
        let bytes = bytes.ok_or_else(|| format!("{bundle} is missing from the public log"))?;
        let found = entries_in(&bytes).filter(|found| found.len() == bundle.width);
        let found = found.ok_or_else(|| format!("{bundle} of the public log is damaged"))?;
        let hashes = Tile::of(Content::Hashes(0), index, head.size).unwrap_or(bundle);
        let leaves = read(&hashes).map_err(|error| Chain(&error).to_string())?;
        let leaves = leaves.ok_or_else(|| format!("{hashes} is missing from the public log"))?;
        for (entry, leaf) in found.iter().zip(leaves.chunks(32)) {
            if TreeHash::leaf(entry).0 != leaf {
                return Err(format!(
                    "entry {}: {bundle} and {hashes} of the public log differ",
                    entries.len()
                ));
            }
            frontier.push(TreeHash::leaf(entry));
            entries.push(*entry);
        }
    }
    if frontier.root() != TreeHash(head.root) {
        return Err(format!(
            "the public log's entries do not lead to the checkpoint of {} that was signed",
            head.size
        ));
    }
    let nodes = TileNodes {
        size: head.size,
        read: |tile: &Tile| Ok::<_, FolderError>(read(tile)?.unwrap_or_default()),
    };
    match root_of(&nodes, head.size) {
        Ok(root) if root == TreeHash(head.root) => Ok(entries),
        Ok(_) => Err("the public log's tiles do not lead to the checkpoint".into()),
        Err(error) => Err(format!("a tile of the public log is damaged: {}", Chain(&error))),
    }
}

/// What the database has otherwise than it was published, in words that name the entries.
fn differences(published: &[Digest], found: &BTreeMap<u64, Digest>) -> Vec<String> {
    let at = |index: usize| found.get(&(index as u64));
    let mut different = (0..published.len()).filter(|&i| at(i) != Some(&published[i])).peekable();
    let Some(&first) = different.peek() else { return Vec::new() };
    let left = published.len() - first;
    // One entry more or less moves all that follow: that is one thing, not thousands.
    let moved_up = (first..published.len() - 1).all(|i| at(i) == Some(&published[i + 1]));
    if moved_up && left > 1 {
        return vec![format!(
            "entry {first} was removed: what was published after it stands one place earlier"
        )];
    }
    let moved_down = (first..published.len()).all(|i| at(i + 1) == Some(&published[i]));
    if moved_down {
        return vec![format!(
            "entry {first} was inserted: what was published there and after it stands one place later"
        )];
    }
    let places: HashMap<_, _> = published.iter().zip(0_u64..).collect();
    let told = different.map(|index| match at(index) {
        None => {
            format!("entry {index} is missing: it was published as {}", short(&published[index]))
        }
        Some(digest) => match places.get(digest) {
            Some(place) => format!("entry {index} holds what was published as entry {place}"),
            None => format!(
                "entry {index} was altered: it was published as {}, and is {}",
                short(&published[index]),
                short(digest)
            ),
        },
    });
    told.collect()
}

fn short(digest: &Digest) -> String {
    HEXLOWER.encode(&digest[..8])
}
