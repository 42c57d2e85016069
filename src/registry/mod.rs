//! What the centre knows of institutions, sites, terminals, classes and lessons: a pure projection
//! of the ledger's facts, in the ledger's order. Nothing else feeds it, so nobody can backdate a
//! class: a lesson is known since the entry that registered it was committed, whatever its own
//! times say.
//!
//! A fact that comes again replaces the one before. Of lessons each announced time is kept,
//! because whoever came at the announced time did nothing wrong when the lesson was moved later.
//! The size follows from the facts that the centre itself stated; terminals cannot make it grow.

mod centre;
mod claims;
mod distance;
mod policies;
mod projects;
mod roll_calls;
mod roster;
mod status;
mod timetable;

use std::collections::{BTreeMap, HashMap};

pub use claims::Filed;
pub use policies::Policies;
pub use roll_calls::Ordered;
pub use roster::Membership;
pub use status::Stated;
pub use timetable::Announced;

use crate::domain::{
    Bilingual, ClassId, ClassPlan, Fact, GeoPoint, Held, HeldId, InstitutionDetails, InstitutionId,
    LessonDetails, LessonId, Platform, PlatformId, SiteId, Teacher, TeacherId, TerminalId,
    Timestamp,
};
use crate::ledger::{Body, Entry};
use claims::Claims;
use projects::Projects;
use roll_calls::RollCalls;
use roster::Rosters;
use status::Statuses;
use timetable::Timetable;

/// A training institution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Institution {
    /// Its name.
    pub name: Bilingual,
}

/// A teaching site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Whose site.
    pub institution: InstitutionId,
    /// Its name.
    pub name: Bilingual,
    /// The town it lies in.
    pub town: Bilingual,
    /// Where it lies.
    pub place: GeoPoint,
}

/// A terminal that was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Where it stands.
    pub site: SiteId,
    /// Its Ed25519 verification key.
    pub key: [u8; 32],
}

/// A class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Whose class.
    pub institution: InstitutionId,
    /// Its name.
    pub name: Bilingual,
    /// How many persons the roster has.
    pub persons: u32,
    /// The centre's time when it was first registered.
    pub registered_at: Timestamp,
}

/// The projection. Feed it every entry in order; ask it between two.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    institutions: BTreeMap<InstitutionId, Institution>,
    sites: BTreeMap<SiteId, Site>,
    terminals: BTreeMap<TerminalId, Terminal>,
    /// The same once more: asked for at every record.
    site_of: HashMap<TerminalId, SiteId>,
    classes: BTreeMap<ClassId, Class>,
    timetable: Timetable,
    institution_details: BTreeMap<InstitutionId, InstitutionDetails>,
    class_plans: BTreeMap<ClassId, ClassPlan>,
    lesson_details: BTreeMap<LessonId, LessonDetails>,
    teachers: BTreeMap<TeacherId, (Teacher, Timestamp)>,
    rosters: Rosters,
    statuses: Statuses,
    claims: Claims,
    held: BTreeMap<HeldId, Held>,
    platforms: BTreeMap<PlatformId, Platform>,
    projects: Projects,
    roll_calls: RollCalls,
    policies: Policies,
}

impl Registry {
    /// Takes in one entry; only facts change anything.
    pub fn apply(&mut self, entry: &Entry) {
        match &entry.body {
            Body::Record { .. } | Body::Refused { .. } => {}
            Body::Fact(fact) => self.state(fact, entry.committed_at),
        }
    }

    fn state(&mut self, fact: &Fact, at: Timestamp) {
        match fact {
            Fact::Institution { id, name } => {
                self.institutions.insert(id.clone(), Institution { name: name.clone() });
            }
            Fact::Site { id, institution, name, town, place } => {
                let site = Site {
                    institution: institution.clone(),
                    name: name.clone(),
                    town: town.clone(),
                    place: *place,
                };
                self.sites.insert(id.clone(), site);
            }
            Fact::Terminal { id, site, key } => {
                self.terminals.insert(id.clone(), Terminal { site: site.clone(), key: *key });
                self.site_of.insert(id.clone(), site.clone());
            }
            Fact::Class { id, institution, name, persons, roster: _ } => {
                // A class that is registered again is as old as before.
                let registered_at = self.classes.get(id).map_or(at, |class| class.registered_at);
                let class = Class {
                    institution: institution.clone(),
                    name: name.clone(),
                    persons: *persons,
                    registered_at,
                };
                self.classes.insert(id.clone(), class);
            }
            Fact::Lesson(lesson) => self.timetable.announce(lesson.clone(), at),
            Fact::Policy { profile, digest } => self.policies.put_in_force(profile, digest),
            Fact::Trial(candidate) => self.policies.state(candidate),
            Fact::InstitutionDetails(details) => {
                self.institution_details.insert(details.institution.clone(), details.clone());
            }
            Fact::ClassPlan(plan) => {
                self.class_plans.insert(plan.class.clone(), plan.clone());
            }
            Fact::LessonDetails(details) => {
                self.lesson_details.insert(details.lesson.clone(), details.clone());
            }
            Fact::Teacher(teacher) => {
                self.teachers.insert(teacher.id.clone(), (teacher.clone(), at));
            }
            Fact::Joined(joined) => self.rosters.join(joined, at),
            Fact::Left(left) => self.rosters.leave(left, at),
            Fact::Status(status) => self.statuses.state(status.clone(), at),
            Fact::Claim(claim) => self.claims.file(claim.clone(), at),
            Fact::ClaimLine(line) => self.claims.line(line.clone()),
            Fact::Platform(platform) => {
                self.platforms.insert(platform.id.clone(), platform.clone());
            }
            Fact::Project(project) => self.projects.publish(project.clone()),
            Fact::Held(held) => {
                self.held.insert(held.id.clone(), held.clone());
            }
            Fact::RollOrdered(order) => self.roll_calls.order(order.clone(), at),
            Fact::TerminalKey { id, key, .. } => {
                if let Some(terminal) = self.terminals.get_mut(id) {
                    terminal.key = *key;
                }
            }
            // Old records of such a terminal stay what they are; who looked at a picture, what is said of a case,
            // or what is objected changes nothing, and sessions are records of a kind.
            Fact::Revocation { .. }
            | Fact::Objected(_)
            | Fact::Activity(_)
            | Fact::Replacement { .. }
            | Fact::PictureOpened { .. }
            | Fact::CaseStep(_)
            | Fact::Tick => {}
        }
    }

    /// An institution by its id.
    pub fn institution(&self, id: &InstitutionId) -> Option<&Institution> {
        self.institutions.get(id)
    }

    /// All institutions, by id.
    pub fn institutions(&self) -> impl Iterator<Item = (&InstitutionId, &Institution)> {
        self.institutions.iter()
    }

    /// All sites, by id.
    pub fn sites(&self) -> impl Iterator<Item = (&SiteId, &Site)> {
        self.sites.iter()
    }

    /// All classes, by id.
    pub fn classes(&self) -> impl Iterator<Item = (&ClassId, &Class)> {
        self.classes.iter()
    }

    /// All lessons as they were announced last, by id.
    pub fn lessons(&self) -> Vec<&Announced> {
        self.timetable.all()
    }

    /// A site by its id.
    pub fn site(&self, id: &SiteId) -> Option<&Site> {
        self.sites.get(id)
    }

    /// A terminal by its id.
    pub fn terminal(&self, id: &TerminalId) -> Option<&Terminal> {
        self.terminals.get(id)
    }

    /// All terminals, by name.
    pub fn terminals(&self) -> impl Iterator<Item = (&TerminalId, &Terminal)> {
        self.terminals.iter()
    }

    /// A class by its id.
    pub fn class(&self, id: &ClassId) -> Option<&Class> {
        self.classes.get(id)
    }

    /// Where a terminal stands.
    pub fn site_of(&self, terminal: &TerminalId) -> Option<&SiteId> {
        self.site_of.get(terminal)
    }

    /// Whose terminal it is.
    pub fn institution_of(&self, terminal: &TerminalId) -> Option<&InstitutionId> {
        let site = self.sites.get(self.site_of(terminal)?)?;
        Some(&site.institution)
    }

    /// A lesson as it was announced last.
    pub fn lesson(&self, id: &LessonId) -> Option<&Announced> {
        self.timetable.latest(id)
    }

    /// The latest end that was ever announced for a lesson.
    pub fn latest_end_of(&self, id: &LessonId) -> Option<Timestamp> {
        self.timetable.latest_end(id)
    }

    /// Every announced time of a lesson at `site` that touches `from..=to`, by its start.
    pub fn lessons_between<'r>(
        &'r self,
        site: &SiteId,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = &'r Announced> + use<'r> {
        self.timetable.between(site, from, to)
    }

    /// Straight distance between two sites over the earth's surface, in metres; `None` while one
    /// of them is unknown.
    pub fn distance_m(&self, one: &SiteId, other: &SiteId) -> Option<u32> {
        if one == other {
            return Some(0);
        }
        Some(distance::metres(self.sites.get(one)?.place, self.sites.get(other)?.place))
    }

    /// The policy profile that the centre last put into force, with its digest.
    pub fn policy(&self) -> Option<(&str, &[u8; 32])> {
        self.policies.in_force()
    }

    /// What the ledger says of policy profiles beyond the one in force.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }
}

#[cfg(test)]
mod tests;
