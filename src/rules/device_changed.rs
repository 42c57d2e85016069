//! A terminal that is no longer what it was (设备变更). Page: docs/rules/device_changed.md.
//!
//! ## What it sees
//! A terminal that says its camera is another one than the pinned one; one whose face models are others than
//! in its record before, and which no other terminal uses; one whose firmware is older than in its record
//! before.
//!
//! ## Why it matters
//! Who exchanges the camera can feed pictures; who exchanges the models decides who looks like whom
//! (Hebei 七: 人脸识别; Sichuan 九: 人员身份识别).
//!
//! ## Example
//! At 07:10 the terminal states that its camera is another one; on the day before the pinned one had worked.
//!
//! ## What it cannot know
//! Whether a technician exchanged a broken camera and forgot to pin the new one. An update that all terminals
//! get is nobody's anomaly once a second one has it.
//!
//! ## What to do
//! Ask who was at the kiosk; `rollcall terminal doctor` shows camera, models and firmware.

use std::collections::BTreeMap;

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, NoticeKind, Severity};
use crate::ledger::{Body, Entry};
use crate::record::Record;
use crate::rules::names::Numbered;
use crate::rules::{Ground, Rule, moment, words};

/// Remembers what each terminal was, and how many use which models.
#[derive(Default)]
pub(super) struct DeviceChanged {
    terminals: Numbered<Device>,
    packs: BTreeMap<[u8; 32], usize>,
}

#[derive(Debug, Default)]
struct Device {
    pack: Option<[u8; 32]>,
    firmware: String,
}

/// What is no longer as it was.
enum Change {
    Camera,
    Models,
    OlderFirmware { before: String },
}

/// `0.10.2` as numbers; what is no number counts as 0.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

impl DeviceChanged {
    fn change(&mut self, record: &Record, terminal: u32) -> Option<Change> {
        let device = self.terminals.of(terminal);
        let mut change = None;
        if device.firmware != record.firmware {
            let before = std::mem::replace(&mut device.firmware, record.firmware.clone());
            if numbers(&before) > numbers(&record.firmware) {
                change = Some(Change::OlderFirmware { before });
            }
        }
        if let Some(pack) = record.pack.filter(|pack| device.pack != Some(*pack)) {
            let before = device.pack.replace(pack);
            if let Some(left) = before.and_then(|before| self.packs.get_mut(&before)) {
                *left -= 1;
            }
            let others = self.packs.entry(pack).or_default();
            if before.is_some() && *others == 0 {
                change = Some(Change::Models);
            }
            *others += 1;
        }
        if record.notice.is_some_and(|notice| notice.kind == NoticeKind::CameraChanged) {
            change = Some(Change::Camera);
        }
        change
    }
}

impl Rule for DeviceChanged {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::DeviceChanged
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &["clock_tolerance_s", "holding_clock_uncertainty_s", "time_bound_hours_max"]
    }

    fn judge(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let Body::Record { record, .. } = &entry.body else { return Vec::new() };
        let numbers = ground.numbers;
        let change = numbers.and_then(|numbers| self.change(record, numbers.terminal));
        let Some(change) = change else { return Vec::new() };
        let (at, when) = moment::told(record, entry.committed_at, policy);
        let terminal = &record.terminal;
        let place = words::place(registry, terminal);
        let (zh, en) = match change {
            Change::Camera => (
                "摄像头已不是绑定的那一个".to_owned(),
                "its camera is no longer the pinned one".to_owned(),
            ),
            Change::Models => (
                "人脸模型已更换，且没有其他终端使用".to_owned(),
                "its face models were exchanged for some that no other terminal uses".to_owned(),
            ),
            Change::OlderFirmware { before } => (
                format!("固件由 {before} 降为 {}", record.firmware),
                format!("its firmware went back from {before} to {}", record.firmware),
            ),
        };
        vec![Finding {
            id: AnomalyId::of(self.kind(), &[entry.index]),
            kind: self.kind(),
            severity: Severity::Warning,
            at,
            who: Vec::new(),
            terminals: vec![terminal.clone()],
            site: registry.site_of(terminal).cloned(),
            why: Bilingual::new(
                format!(
                    "{}，{}，终端 {terminal}：{zh}。可能设备被调换或改动；维修后忘记重新绑定也会如此。",
                    when.zh, place.zh
                ),
                format!(
                    "{}, {}, terminal {terminal}: {en}. It may have been exchanged or tampered with; a repair after \
                     which nobody pinned it anew looks the same.",
                    when.en, place.en
                ),
            ),
            evidence: vec![entry.index],
        }]
    }
}
