//! The counter: what trainees and staff do at the kiosk by hand. A trainee says who she is, or comes
//! by card and PIN; the staff confirms, enrols, withdraws a consent, calls the roll and sees who is in.
//!
//! ```text
//! what was said ─► Counter ─► Act (for `looking.rs` to carry out)
//!                     └─────► Dialog (for the screen to show)
//! ```
//!
//! Pure: what is known of people, the time and chance come as arguments.

mod words;
#[cfg(test)]
mod tests;

use super::register::Register;
use super::{Claim, ConsentText, SitePlan, panel};
use crate::checkin::pin::{Pin, Pins, Verifier, may_be_pin};
use crate::checkin::{Standing, Unseen};
use crate::domain::{Bilingual, PersonId};
use crate::kiosk::{Dialog, Said};

/// A trainee who does not type for so long has gone, in milliseconds.
const TRAINEE_MS: u64 = 20_000;

/// The staff has gone after so long without a word, in milliseconds: nobody else shall enrol.
const STAFF_MS: u64 = 120_000;

/// Keys of the staff's menu.
mod menu {
    pub(super) const CONFIRM: u32 = 1;
    pub(super) const ENROL: u32 = 2;
    pub(super) const PIN: u32 = 3;
    pub(super) const WITHDRAW: u32 = 4;
    pub(super) const ROLL: u32 = 5;
    pub(super) const ROOM: u32 = 6;
}

/// Key of the choice that agrees.
const YES: u32 = 1;
/// Key of the choice that declines: card and PIN instead.
const DECLINE: u32 = 2;

/// What is known of people now.
pub(super) struct Known<'k> {
    /// The people of the site.
    pub(super) site: &'k SitePlan,
    /// PINs, consents, the staff.
    pub(super) register: &'k Register,
    /// Whether somebody has a template.
    pub(super) has_template: &'k dyn Fn(&PersonId) -> bool,
    /// What is read before a face is compared.
    pub(super) consent: &'k ConsentText,
    /// How long evidence pictures are kept, if they are.
    pub(super) evidence_days: Option<u32>,
    /// The lesson that is under way: who is in.
    pub(super) room: &'k [(PersonId, Standing)],
    /// Minutes that are left of the roll call that is on.
    pub(super) roll_minutes: Option<i64>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Nothing more than to show the next dialog.
    Nothing,
    /// Somebody is to be told.
    Tell(Bilingual),
    /// Decide about somebody who comes without a face.
    Decide(Unseen),
    /// She agreed: put it on record, and begin to look at her face.
    Enrol(PersonId),
    /// Keep her PIN.
    SetPin(PersonId, Verifier),
    /// Delete her template and note that she takes her consent back.
    Withdraw(PersonId),
    /// Call the roll now.
    CallRoll,
    /// What was begun is given up.
    GiveUp,
}

/// What the staff wants to do with somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    Confirm,
    Enrol,
    Pin,
    Withdraw,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// No dialog.
    Closed,
    /// The next number comes without a face.
    UnseenNumber,
    /// A trainee types her PIN.
    UnseenPin(PersonId),
    StaffNumber,
    StaffPin(PersonId),
    Menu(PersonId),
    /// For whom.
    Choose(PersonId, Errand),
    Consent(PersonId, PersonId),
    /// The camera looks at her; the screen shows what to do.
    Collecting(PersonId),
    /// A new PIN, and once more.
    NewPin(PersonId, PersonId, Option<String>),
    Withdraw(PersonId, PersonId),
    Room(PersonId),
}

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Counter {
    state: State,
    until_ms: u64,
    pins: Pins,
    /// What came of the last word, for the dialog that is open.
    told: Option<Bilingual>,
    /// Who the person before the camera says to be.
    pub(super) claim: Claim,
}

impl Default for Counter {
    fn default() -> Self {
        Self {
            state: State::Closed,
            until_ms: 0,
            pins: Pins::default(),
            told: None,
            claim: Claim::default(),
        }
    }
}

impl Counter {
    /// What comes of what was said. `salt` is fresh and random.
    pub(super) fn hear(
        &mut self,
        said: &Said,
        known: &Known<'_>,
        at_ms: u64,
        salt: [u8; 16],
    ) -> Act {
        self.tick(at_ms);
        let (state, act) = self.next(said, known, at_ms, salt);
        self.told = match &act {
            Act::Tell(text) => Some(text.clone()),
            Act::Nothing
            | Act::Decide(_)
            | Act::Enrol(_)
            | Act::SetPin(..)
            | Act::Withdraw(_)
            | Act::CallRoll
            | Act::GiveUp => None,
        };
        self.go(state, at_ms);
        act
    }

    /// Time passes: who does not type any more has gone. Whether something was given up by it.
    pub(super) fn tick(&mut self, at_ms: u64) -> bool {
        let over = self.state != State::Closed && at_ms >= self.until_ms;
        let collecting = matches!(self.state, State::Collecting(_));
        if over {
            self.state = State::Closed;
        }
        over && collecting
    }

    /// Whether a dialog stands between the camera and the people.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.state, State::Closed | State::Collecting(_))
    }

    /// An enrolment has ended, well or not: the staff may go on.
    pub(super) fn collected(&mut self, at_ms: u64) {
        if let State::Collecting(staff) = self.state {
            self.go(State::Menu(staff), at_ms);
        }
    }

    /// What to show.
    pub(super) fn dialog(&self, known: &Known<'_>) -> Option<Dialog> {
        let dialog = words::dialog(&self.state, known)?;
        Some(Dialog { note: self.told.clone(), ..dialog })
    }

    /// What came of an act, for the dialog that is open.
    pub(super) fn tell(&mut self, text: Bilingual) {
        self.told = Some(text);
    }

    fn go(&mut self, state: State, at_ms: u64) {
        let patience_ms = match state {
            State::Closed | State::UnseenNumber | State::UnseenPin(_) => TRAINEE_MS,
            State::StaffNumber
            | State::StaffPin(_)
            | State::Menu(_)
            | State::Choose(..)
            | State::Consent(..)
            | State::Collecting(_)
            | State::NewPin(..)
            | State::Withdraw(..)
            | State::Room(_) => STAFF_MS,
        };
        self.until_ms = at_ms.saturating_add(patience_ms);
        self.state = state;
    }

    fn next(&mut self, said: &Said, known: &Known<'_>, at_ms: u64, salt: [u8; 16]) -> (State, Act) {
        // A card that is read while a number is wanted is that number.
        let typed = match said {
            Said::Typed(text) | Said::Number(text) => Some(text.trim()),
            Said::Listed(_) | Said::Chose(_) | Said::WithoutFace | Said::Staff | Said::Nothing => {
                None
            }
        };
        let chose = match said {
            Said::Chose(key) => Some(*key),
            Said::Typed(_)
            | Said::Number(_)
            | Said::Listed(_)
            | Said::WithoutFace
            | Said::Staff
            | Said::Nothing => None,
        };
        let state = self.state.clone();
        match (&state, said) {
            (_, Said::WithoutFace) if state == State::Closed => {
                return (State::UnseenNumber, Act::Nothing);
            }
            (_, Said::Staff) if state == State::Closed => {
                return (State::StaffNumber, Act::Nothing);
            }
            (_, Said::Nothing) => return self.back(state),
            _ => {}
        }
        match (state, typed, chose) {
            (State::Closed, ..) => self.claims(said, known, at_ms),
            (State::UnseenNumber, Some(number), _) => match known.site.holder(number) {
                Some(person) => self.unseen(person, known),
                None => (State::Closed, Act::Tell(words::no_such_number())),
            },
            (State::UnseenPin(person), Some(pin), _) => self.types_pin(person, pin, known, at_ms),
            (State::StaffNumber, Some(number), _) => match known.register.member(number) {
                Some((staff, _)) => (State::StaffPin(staff), Act::Nothing),
                None => (State::Closed, Act::Tell(words::no_such_number())),
            },
            (State::StaffPin(staff), Some(pin), _) => {
                let member = known.register.staff.get(&staff);
                match member.map(|member| self.pins.check(&staff, &member.pin, pin, at_ms)) {
                    Some(Pin::Right) => (State::Menu(staff), Act::Nothing),
                    Some(Pin::Locked) => (State::Closed, Act::Tell(words::locked())),
                    Some(Pin::Wrong) | None => (State::Closed, Act::Tell(words::wrong_pin())),
                }
            }
            (State::Menu(staff), _, Some(key)) => match key {
                menu::CONFIRM => (State::Choose(staff, Errand::Confirm), Act::Nothing),
                menu::ENROL => (State::Choose(staff, Errand::Enrol), Act::Nothing),
                menu::PIN => (State::Choose(staff, Errand::Pin), Act::Nothing),
                menu::WITHDRAW => (State::Choose(staff, Errand::Withdraw), Act::Nothing),
                menu::ROLL => (State::Room(staff), Act::CallRoll),
                menu::ROOM => (State::Room(staff), Act::Nothing),
                _ => (State::Menu(staff), Act::Nothing),
            },
            (State::Choose(staff, errand), _, Some(key)) => {
                let Some(person) = panel::chosen(known.site, key) else {
                    return (State::Menu(staff), Act::Nothing);
                };
                match errand {
                    Errand::Confirm => {
                        let unseen = Unseen { person, staff: Some(staff), right: true };
                        (State::Menu(staff), Act::Decide(unseen))
                    }
                    Errand::Enrol => (State::Consent(staff, person), Act::Nothing),
                    Errand::Pin => (State::NewPin(staff, person, None), Act::Nothing),
                    Errand::Withdraw => (State::Withdraw(staff, person), Act::Nothing),
                }
            }
            (State::Consent(staff, person), _, Some(YES)) => {
                (State::Collecting(staff), Act::Enrol(person))
            }
            (State::Consent(staff, person), _, Some(DECLINE)) => {
                (State::NewPin(staff, person, None), Act::Nothing)
            }
            (State::NewPin(staff, person, first), Some(pin), _) => match first {
                None if may_be_pin(pin) => {
                    (State::NewPin(staff, person, Some(pin.into())), Act::Nothing)
                }
                None => (State::NewPin(staff, person, None), Act::Tell(words::poor_pin())),
                Some(first) if first == pin => {
                    (State::Menu(staff), Act::SetPin(person, Verifier::new(&person, pin, salt)))
                }
                Some(_) => (State::NewPin(staff, person, None), Act::Tell(words::unlike_pins())),
            },
            (State::Withdraw(staff, person), _, Some(YES)) => {
                (State::Menu(staff), Act::Withdraw(person))
            }
            (State::Room(staff), _, Some(menu::ROLL)) => (State::Room(staff), Act::CallRoll),
            // A word that does not belong here: a card read by mistake, a second press.
            (state, ..) => (state, Act::Nothing),
        }
    }

    /// One step back: out of a dialog, or from an errand to the menu.
    fn back(&mut self, state: State) -> (State, Act) {
        self.claim.over();
        match state {
            State::Closed
            | State::UnseenNumber
            | State::UnseenPin(_)
            | State::StaffNumber
            | State::StaffPin(_)
            | State::Menu(_) => (State::Closed, Act::Nothing),
            State::Collecting(staff) => (State::Menu(staff), Act::GiveUp),
            State::Choose(staff, _)
            | State::Consent(staff, _)
            | State::NewPin(staff, ..)
            | State::Withdraw(staff, _)
            | State::Room(staff) => (State::Menu(staff), Act::Nothing),
        }
    }

    /// A trainee says who she is. Who has a PIN and no template comes without a face: her PIN is asked
    /// for at once, so that she needs no more steps than the others.
    fn claims(&mut self, said: &Said, known: &Known<'_>, at_ms: u64) -> (State, Act) {
        match self.claim.hear(said, known.site, at_ms) {
            Err(unknown) => (State::Closed, Act::Tell(unknown)),
            Ok(()) => match self.claim.holds(at_ms) {
                Some(person)
                    if known.register.pin(&person).is_some() && !(known.has_template)(&person) =>
                {
                    self.unseen(person, known)
                }
                Some(_) | None => (State::Closed, Act::Nothing),
            },
        }
    }

    fn unseen(&mut self, person: PersonId, known: &Known<'_>) -> (State, Act) {
        self.claim.over();
        match known.register.pin(&person) {
            Some(_) => (State::UnseenPin(person), Act::Nothing),
            None => (State::Closed, Act::Tell(words::no_pin_yet())),
        }
    }

    fn types_pin(
        &mut self,
        person: PersonId,
        pin: &str,
        known: &Known<'_>,
        at_ms: u64,
    ) -> (State, Act) {
        let verifier = known.register.pin(&person);
        let act = match verifier.map(|verifier| self.pins.check(&person, verifier, pin, at_ms)) {
            Some(Pin::Right) => Act::Decide(Unseen { person, staff: None, right: true }),
            Some(Pin::Wrong) => Act::Decide(Unseen { person, staff: None, right: false }),
            Some(Pin::Locked) => Act::Tell(words::locked()),
            None => Act::Tell(words::no_pin_yet()),
        };
        (State::Closed, act)
    }
}
