//! The figures: precision, recall by care, false alarms, delay; overall and for each detector.

use crate::domain::{AnomalyKind, Timestamp};
use crate::province::{Care, Kind, Label};

use super::aims::aims;
use crate::domain::{Share, float};

const HOUR_MS: f64 = 3_600_000.0;

/// One anomaly, as far as figures need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// Which detector.
    pub kind: AnomalyKind,
    /// When the centre could know: the commit of the entry that raised it.
    pub seen: Timestamp,
    /// The incidents that it matches; none: a false alarm.
    pub incidents: Vec<usize>,
}

/// How good a detector, or all of them together, is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    /// Alarms that match an incident, of all alarms.
    pub precision: Share,
    /// Incidents found, of those planted, by care: clumsy, middling, careful.
    pub recall: [Share; 3],
    /// Alarms that match nothing, of the days of honest trainees.
    pub false_alarms: Share,
    /// From the begin of an incident to the first alarm, in hours, ascending.
    pub delays_h: Vec<f64>,
}

/// How often one kind, planted with one level of care, was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The kind.
    pub kind: Kind,
    /// The care.
    pub care: Care,
    /// Found by any detector, of those planted.
    pub found: Share,
    /// Found by a detector that aims at the kind.
    pub aimed: Share,
}

impl Figures {
    /// Of the alarms of some detectors, against the incidents of some kinds.
    pub(super) fn of<'r>(
        raised: impl Iterator<Item = &'r Raised>,
        labels: &[Label],
        counts: impl Fn(&Label) -> bool,
        honest_days: u64,
    ) -> Self {
        let mut figures =
            Self { false_alarms: Share { hits: 0, of: honest_days }, ..Self::default() };
        let mut first: Vec<Option<Timestamp>> = vec![None; labels.len()];
        for alarm in raised {
            let hit = !alarm.incidents.is_empty();
            figures.precision.count(hit);
            figures.false_alarms.hits += u64::from(!hit);
            for &n in &alarm.incidents {
                first[n] = Some(first[n].map_or(alarm.seen, |first| first.min(alarm.seen)));
            }
        }
        for (label, first) in labels.iter().zip(first).filter(|(label, _)| counts(label)) {
            figures.recall[place(label.care)].count(first.is_some());
            figures.delays_h.extend(first.map(|first| {
                let ms = first.ms_since(label.from).max(0);
                float(ms.unsigned_abs()) / HOUR_MS
            }));
        }
        figures.delays_h.sort_by(f64::total_cmp);
        figures
    }

    /// The middle one of the delays.
    pub fn delay_median_h(&self) -> Option<f64> {
        self.delays_h.get(self.delays_h.len() / 2).copied()
    }

    /// Recall at one level of care.
    pub fn recall_of(&self, care: Care) -> Share {
        self.recall[place(care)]
    }

    /// False alarms on 1,000 days of honest trainees.
    pub fn false_alarms_per_1000_days(&self) -> Option<f64> {
        self.false_alarms.rate().map(|rate| rate * 1_000.0)
    }
}

/// The place of a care in a list of three.
pub(super) fn place(care: Care) -> usize {
    match care {
        Care::Clumsy => 0,
        Care::Middling => 1,
        Care::Careful => 2,
    }
}

/// How each kind and care was found; kinds that were not planted are left out.
pub(super) fn cells(raised: &[Raised], labels: &[Label]) -> Vec<Cell> {
    let (mut found, mut aimed) = (vec![false; labels.len()], vec![false; labels.len()]);
    for alarm in raised {
        for &n in &alarm.incidents {
            found[n] = true;
            aimed[n] |= aims(alarm.kind).contains(&labels[n].kind);
        }
    }
    let mut cells = Vec::new();
    for &kind in Kind::ALL {
        for care in Care::ALL {
            let mut cell = Cell { kind, care, found: Share::default(), aimed: Share::default() };
            for (n, label) in labels.iter().enumerate() {
                if (label.kind, label.care) == (kind, care) {
                    cell.found.count(found[n]);
                    cell.aimed.count(aimed[n]);
                }
            }
            if cell.found.of > 0 {
                cells.push(cell);
            }
        }
    }
    cells
}

/// Recall by care over all cells, counting only what a detector found that aims at the kind.
pub(super) fn by_aim(cells: &[Cell]) -> [Share; 3] {
    Care::ALL.map(|care| {
        let own = cells.iter().filter(|cell| cell.care == care);
        own.fold(Share::default(), |sum, cell| Share {
            hits: sum.hits + cell.aimed.hits,
            of: sum.of + cell.aimed.of,
        })
    })
}
