//! An institution at work: each day's lessons are held, each fraud of the day is done, and what comes of it
//! goes to the centre.

use std::collections::VecDeque;

use jiff::civil::Date;

use super::act::{Act, through_doors};
use super::calendar::{DAY_MS, MINUTE_MS, at};
use super::coming::Coming;
use super::device::{Device, Frame};
use super::dice::Dice;
use super::incident::{self, Incident};
use super::kind::{Care, Kind};
use super::label::Label;
use super::mix::Mix;
use super::school::{Planned, School};
use super::visit::{Room, acts};
use super::{customs, facts, fraud, hostile, life};
use crate::domain::{Policy, TerminalId, Timestamp};

/// See the file's head.
pub(super) struct Running {
    seed: u64,
    policy: Policy,
    school: School,
    incidents: Vec<Incident>,
    devices: Vec<Device>,
    facts: VecDeque<Coming>,
}

impl Running {
    /// The institution of this number, with what is planted there.
    pub(super) fn new(seed: u64, no: u32, days: &[Date], mix: &Mix, policy: &Policy) -> Self {
        let mut school = School::new(seed, no, days);
        let incidents = incident::plan(seed, &mut school, days, mix);
        let frame = Frame {
            policy: policy.profile(),
            pack: super::dice::named(0, "model pack", "a made one"),
        };
        let mut devices: Vec<Device> =
            school.boxes.iter().map(|it| Device::new(seed, &it.id, days, frame.clone())).collect();
        for it in incidents.iter().filter(|it| it.label.kind == Kind::SilentTerminal) {
            let until = match it.label.care {
                Care::Clumsy => it.label.until.plus_ms(1_000 * DAY_MS),
                Care::Middling | Care::Careful => it.label.until,
            };
            devices[it.terminal].cut_off(it.label.from, until);
        }
        let sets_back =
            |it: &&Incident| (it.label.kind, it.label.care) == (Kind::ClockSetBack, Care::Careful);
        for it in incidents.iter().filter(sets_back) {
            for day in &it.days {
                let lessons = school.classes[it.class].lessons.iter();
                let ends = lessons.filter(|planned| planned.day == *day).map(|it| it.lesson.ends);
                if let Some(ends) = ends.max() {
                    let (from, until) = fraud::off_the_network(*day, ends);
                    devices[it.terminal].cut_off(from, until);
                }
            }
        }
        let facts = facts::all(seed, &school, days[0]).into();
        Self { seed, policy: policy.clone(), school, incidents, devices, facts }
    }

    /// What is planted here.
    pub(super) fn labels(&self) -> impl Iterator<Item = Label> {
        self.incidents.iter().map(|incident| incident.label.clone())
    }

    /// All that comes of one day, in no order; it may arrive much later.
    pub(super) fn day(&mut self, day: Date) -> Vec<Coming> {
        let mut comings = self.facts_before(at(day, 24 * 60));
        let dice = &mut Dice::of(self.seed, &format!("day {} {day}", self.school.no));
        let mut happens = Vec::new();
        for class in 0..self.school.classes.len() {
            happens.extend(self.lessons(class, day, dice));
        }
        for incident in self.incidents.iter().filter(|incident| incident.is_on(day)) {
            let (class, on_day) = (&self.school.classes[incident.class], days_on(incident, day));
            happens.extend(fraud::beside(incident, class, day, on_day, dice));
            if incident.label.kind == Kind::MovedTerminal && on_day == 0 {
                self.devices[incident.terminal].carried_away();
            }
        }
        let happens = through_doors(happens, self.devices.len(), dice);
        let mut sent: Vec<Vec<Coming>> = Vec::new();
        for (n, device) in self.devices.iter_mut().enumerate() {
            let own: Vec<Act> = happens.iter().filter(|act| act.terminal == n).cloned().collect();
            sent.push(device.work(day, &own));
        }
        for incident in self.incidents.iter().filter(|incident| incident.is_on(day)) {
            if hostile::is_on_the_wire(incident.label.kind, incident.label.care) {
                let (topic, elsewhere) = self.topics(incident.terminal);
                let sent = (&sent[incident.terminal][..], at(day, 23 * 60));
                comings
                    .extend(hostile::messages(self.seed, incident, sent, topic, elsewhere, dice));
            }
        }
        comings.extend(sent.into_iter().flatten());
        comings
    }

    fn facts_before(&mut self, until: Timestamp) -> Vec<Coming> {
        let mut due = Vec::new();
        while let Some(fact) = self.facts.pop_front_if(|fact| fact.at < until) {
            due.push(fact);
        }
        due
    }

    /// A terminal, and another one of the institution.
    fn topics(&self, terminal: usize) -> (&TerminalId, &TerminalId) {
        let other = if terminal == 0 { 1 } else { 0 };
        (self.devices[terminal].id(), self.devices[other].id())
    }

    /// The lessons of one class on one day.
    fn lessons(&self, class_no: usize, day: Date, dice: &mut Dice) -> Vec<Act> {
        let class = &self.school.classes[class_no];
        let mut today: Vec<&Planned> = class.lessons.iter().filter(|it| it.day == day).collect();
        today.sort_by_key(|it| it.lesson.starts);
        let Some(first) = today.first() else { return Vec::new() };
        let mut happens = Vec::new();
        if day == class.first && !class.made_up {
            happens.extend(life::enrolment(
                class,
                first.lesson.starts.plus_ms(-75 * MINUTE_MS),
                dice,
            ));
        }
        let rooms = self.rooms(class.terminal, dice.happens(customs::OTHER_ROOM));
        let present = life::present(class, day, dice);
        for (n, planned) in today.iter().enumerate() {
            let is_last = n + 1 == today.len();
            happens.extend(self.lesson(class_no, planned, &present, rooms, (n > 0, is_last), dice));
        }
        happens
    }

    /// The class's terminal and the other one of its site, or the two exchanged.
    fn rooms(&self, usual: usize, exchanged: bool) -> (usize, usize) {
        let site = self.school.boxes[usual].site;
        let mut others = (0..self.school.boxes.len())
            .filter(|n| *n != usual && self.school.boxes[*n].site == site);
        let other = others.next().unwrap_or(usual);
        if exchanged { (other, usual) } else { (usual, other) }
    }

    fn lesson(
        &self,
        class_no: usize,
        planned: &Planned,
        present: &[usize],
        rooms: (usize, usize),
        (later, is_last): (bool, bool),
        dice: &mut Dice,
    ) -> Vec<Act> {
        let class = &self.school.classes[class_no];
        let day = planned.day;
        // A fraud that is about the terminal keeps the class in its room.
        let active: Vec<&Incident> = self
            .incidents
            .iter()
            .filter(|incident| incident.class == class_no && incident.is_on(day))
            .collect();
        let rooms = if active.is_empty() { rooms } else { self.rooms(class.terminal, false) };
        let mut visits = life::visits(class, planned, present, rooms, later, dice);
        for incident in &active {
            let on_day = days_on(incident, day);
            fraud::bend(&mut visits, incident, class, planned, rooms, on_day, dice);
        }
        let room = Room { class, planned, policy: &self.policy, staff: self.school.staff };
        let mut happens = Vec::new();
        let mut inside = Vec::new();
        for visit in visits {
            let (did, came) = acts(&visit, &room, dice);
            happens.extend(did);
            inside.extend(came.map(|came| (visit, came)));
        }
        let minutes = i64::from(self.policy.roll_call_minutes());
        happens.extend(life::roll_call(class, planned, rooms.0, &inside, minutes, dice));
        let set_back = active.iter().find(|incident| incident.label.kind == Kind::ClockSetBack);
        match set_back.filter(|_| is_last) {
            Some(incident) => {
                let happens = through_doors(happens, self.devices.len(), dice);
                let (care, terminal) = (incident.label.care, incident.terminal);
                fraud::made_in_the_evening(happens, care, planned.lesson.ends, terminal)
            }
            None => happens,
        }
    }
}

/// How many days an incident has gone on before this one.
fn days_on(incident: &Incident, day: Date) -> usize {
    incident.days.iter().filter(|other| **other < day).count()
}
