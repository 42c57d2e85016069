//! The demo's day as a script: who stands before which terminal when, and which frauds happen
//! among the honest attendances. It knows what *ought* to come out and nothing of how it comes out.

use std::collections::BTreeSet;

use super::world::{at, who::*};
use crate::domain::{AnomalyKind, Timestamp};

/// A terminal of the demo, by place in `world::TERMINALS`.
pub(super) type TerminalNo = usize;
const CD1: TerminalNo = 0;
const CD2: TerminalNo = 1;
const MY1: TerminalNo = 2;

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// `face` stands before `terminal` and may say a name.
    Stand { terminal: TerminalNo, face: usize, claim: Option<usize> },
    /// The terminal loses its network.
    GoOffline(TerminalNo),
    /// The terminal's network is back.
    GoOnline(TerminalNo),
    /// The network delivers a message of this terminal once more, exactly.
    Redeliver(TerminalNo),
    /// Somebody makes up a record in this terminal's name, with a key of his own.
    Forge(TerminalNo),
    /// Somebody changes a genuine record of this terminal.
    Alter(TerminalNo),
    /// Somebody sends a genuine record of `from` under the name of `to`.
    Replay { from: TerminalNo, to: TerminalNo },
    /// A terminal that nobody registered sends a record.
    SendUnregistered,
}

/// An act with its time and what the demo says about it.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) at: Timestamp,
    pub(super) act: Act,
    /// For acts that need a word of explanation.
    pub(super) note: Option<&'static str>,
}

/// A fraud that happens, and what ought to be said of it.
#[derive(Debug, Clone)]
pub(super) struct Plant {
    pub(super) kind: AnomalyKind,
    pub(super) who: BTreeSet<usize>,
}

fn stand(time: &str, terminal: TerminalNo, face: usize) -> Scene {
    claim(time, terminal, face, face)
}

fn claim(time: &str, terminal: TerminalNo, face: usize, name: usize) -> Scene {
    let act = Act::Stand { terminal, face, claim: Some(name) };
    Scene { at: at(time), act, note: None }
}

fn unclaimed(time: &str, terminal: TerminalNo, face: usize) -> Scene {
    Scene { at: at(time), act: Act::Stand { terminal, face, claim: None }, note: None }
}

fn act(time: &str, act: Act) -> Scene {
    Scene { at: at(time), act, note: None }
}

impl Scene {
    fn noted(mut self, note: &'static str) -> Self {
        self.note = Some(note);
        self
    }
}

/// The day, in the order of time.
pub(super) fn scenes() -> Vec<Scene> {
    vec![
        stand("03:12", CD1, ZHOU_KAI)
            .noted("FRAUD: hours in the middle of the night / 凌晨三点产生学时"),
        stand("08:12", CD1, LI_TING).noted("Morning lessons / 上午课"),
        unclaimed("08:14", CD2, WANG_QIANG).noted("Nobody claimed: searched on the roster / 1:N"),
        stand("08:16", CD1, ZHANG_MIN),
        unclaimed("08:18", CD1, LIU_YANG),
        stand("08:20", CD2, CHEN_JING),
        stand("08:21", CD1, ZHAO_LEI),
        claim("08:24", CD2, WANG_QIANG, HUANG_LI)
            .noted("FRAUD: Wang Qiang stands in for Huang Li / 王强替黄丽签到"),
        claim("08:27", CD1, ZHAO_LEI, WU_FANG)
            .noted("FRAUD: one face under a second name, Wu Fang / 一张脸用两个名字"),
        act("08:40", Act::GoOffline(MY1)).noted("Mianyang loses its network / 绵阳断网"),
        stand("08:45", MY1, XU_HONG),
        stand("08:47", MY1, SUN_WEI),
        stand("08:49", MY1, MA_JUN),
        stand("08:52", MY1, ZHU_LAN),
        unclaimed("08:54", MY1, HU_BIN),
        stand("08:56", CD2, YANG_FAN).noted("A late comer / 迟到"),
        stand("11:25", MY1, XU_HONG),
        stand("11:26", MY1, SUN_WEI),
        stand("11:27", MY1, MA_JUN),
        stand("11:28", MY1, ZHU_LAN),
        stand("11:29", MY1, HU_BIN),
        stand("11:30", CD1, LI_TING).noted("Chen Jing forgets to check out / 陈静忘记签退"),
        unclaimed("11:31", CD2, WANG_QIANG),
        stand("11:32", CD1, ZHANG_MIN),
        stand("11:33", CD1, LIU_YANG),
        stand("11:34", CD1, ZHAO_LEI),
        stand("11:35", CD2, YANG_FAN),
        act("12:30", Act::GoOnline(MY1)).noted("Mianyang's network is back / 绵阳恢复联网"),
        stand("13:48", CD1, LI_TING).noted("Afternoon lessons / 下午课"),
        stand("13:50", CD1, ZHANG_MIN),
        stand("13:52", CD1, LIU_YANG),
        stand("13:53", CD2, WANG_QIANG),
        stand("13:54", CD2, CHEN_JING),
        stand("13:55", MY1, XU_HONG),
        stand("13:56", MY1, SUN_WEI),
        stand("13:57", MY1, MA_JUN),
        stand("14:12", MY1, LIU_YANG)
            .noted("FRAUD: Liu Yang in Mianyang, 20 minutes after Chengdu / 刘洋二十分钟后在绵阳"),
        stand("17:00", CD1, LI_TING),
        stand("17:01", CD1, LIU_YANG),
        stand("17:02", CD2, WANG_QIANG),
        stand("17:03", CD2, CHEN_JING),
        stand("17:04", MY1, XU_HONG),
        stand("17:05", MY1, SUN_WEI),
        stand("17:06", MY1, MA_JUN),
        act("17:10", Act::Redeliver(CD1))
            .noted("The network delivers a message twice: innocent / 网络重复投递：无害"),
        stand("18:48", CD1, LI_TING).noted("The evening class, on the timetable / 夜校"),
        stand("18:50", CD1, ZHOU_KAI),
        stand("18:52", CD2, YANG_FAN),
        stand("21:00", CD1, LI_TING),
        stand("21:01", CD1, ZHOU_KAI),
        stand("21:02", CD2, YANG_FAN),
        stand("22:40", CD1, ZHANG_MIN).noted(
            "FRAUD: checks out of the afternoon lesson hours after its end / 下课数小时后才签退",
        ),
        act("23:00", Act::Forge(CD1)).noted("FRAUD: a made-up record / 伪造记录"),
        act("23:01", Act::Alter(MY1)).noted("FRAUD: a genuine record, altered / 篡改记录"),
        act("23:02", Act::Replay { from: CD1, to: MY1 })
            .noted("FRAUD: a genuine record, sent as another terminal's / 冒用终端重放"),
        act("23:03", Act::SendUnregistered)
            .noted("FRAUD: a terminal that nobody registered / 未登记终端"),
    ]
}

/// What ought to be found: each fraud of the script, and nothing else.
pub(super) fn plants() -> Vec<Plant> {
    let plant = |kind, who: &[usize]| Plant { kind, who: who.iter().copied().collect() };
    vec![
        plant(AnomalyKind::ProxyStandIn, &[WANG_QIANG, HUANG_LI]),
        plant(AnomalyKind::ProxySharedFace, &[ZHAO_LEI, WU_FANG]),
        plant(AnomalyKind::MultiDevice, &[LIU_YANG]),
        plant(AnomalyKind::OffTimetable, &[ZHOU_KAI]),
        plant(AnomalyKind::ExcessHours, &[ZHANG_MIN]),
        plant(AnomalyKind::Forged, &[]),
        plant(AnomalyKind::Altered, &[]),
        plant(AnomalyKind::Replayed, &[]),
        plant(AnomalyKind::UnregisteredTerminal, &[]),
    ]
}
