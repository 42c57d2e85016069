//! Brings shares to the centre and takes those of others in, between two frames. Each step is kept before
//! the next one: what a crash cuts off is asked for again, or found in the register and done.

use std::collections::{BTreeMap, BTreeSet};

use super::books;
use super::key::InstitutionKey;
use super::merge::{Newest, Rank, Verdict, What, judge};
use super::parcel::{Inside, Template};
use super::post::Post;
use crate::domain::{Candidate, Note, NoticeKind, OtherPerson, PersonId, Policy, Timestamp};
use crate::face::{Gallery, Transform};
use crate::platform::chance;
use crate::platform::telemetry::Chain;
use crate::record::open_statement;
use crate::record::share::{Share, ShareAsk, Shared};
use crate::terminal::register::{Register, Trainee};
use crate::terminal::service::{At, Service};
use crate::terminal::{AttendError, CabinetError, TakeError};

/// Parcels that are sent between two frames: what waits for the uplink is bounded, and sealing them takes
/// some milliseconds.
const SEND_AT_ONCE: usize = 16;

/// See the file's head.
pub struct Exchange {
    key: InstitutionKey,
    /// The rotation of the templates here.
    turn: Transform,
    floats: usize,
    /// Whether the policy of the configuration lets templates be shared; a dispatch's goes before it.
    allowed: bool,
    begun: bool,
    post: Post,
    /// What was told already.
    told: BTreeSet<&'static str>,
}

impl Exchange {
    /// For the templates of this gallery, each of which has so many numbers.
    pub fn new(key: InstitutionKey, gallery: &Gallery, floats: usize, allowed: bool) -> Self {
        let (turn, post) = (Transform::new(gallery.transform(), floats), Post::default());
        Self { key, turn, floats, allowed, begun: false, post, told: BTreeSet::new() }
    }

    /// Tells what is passed over, once of each kind: an operator can do something about the kind alone.
    fn tell(&mut self, code: &'static str, why: &str) {
        if self.told.insert(code) {
            tracing::warn!(code, "Passed over another terminal's template: {why}.");
        }
    }

    fn opened(&mut self, bytes: &[u8], at: &At<'_>) -> Option<Shared> {
        let key = at.terminal.delivered().borrow().keys.newest();
        let answer = match open_statement::<Shared>(bytes, &key) {
            Ok(answer) => answer,
            Err(error) => {
                self.tell("shared_not_the_centres", &Chain(&error).to_string());
                return None;
            }
        };
        (answer.terminal == *at.terminal.id() && self.post.answers(&answer.nonce)).then_some(answer)
    }
}

/// Somebody whose template has come.
pub(super) struct Fresh {
    pub(super) person: PersonId,
    pub(super) template: Template,
    pub(super) rank: Rank,
}

/// Somebody who is not taken, and whose face it is.
type Refused = (Fresh, OtherPerson);

impl Service {
    /// The same, exchanging templates with the other terminals of the institution.
    #[must_use]
    pub fn with_exchange(mut self, exchange: Option<Exchange>) -> Self {
        self.exchange = exchange;
        self
    }

    /// Takes in what has come, asks for more, and sends what is new here.
    pub(in crate::terminal) fn exchange(&mut self, at: &mut At<'_>) -> Result<(), AttendError> {
        let Some(mut exchange) = self.exchange.take() else { return Ok(()) };
        let done = self.exchange_by(&mut exchange, at);
        self.exchange = Some(exchange);
        done
    }

    fn exchange_by(&mut self, exchange: &mut Exchange, at: &mut At<'_>) -> Result<(), AttendError> {
        let at_ms = at.clock.uptime().as_ms();
        let by_plan = at.site.policy.as_deref().map(Policy::templates_shared);
        if !by_plan.unwrap_or(exchange.allowed) {
            // Nothing is asked, so nothing comes; what was on its way is dropped.
            while at.terminal.shared().is_some() {}
            return Ok(());
        }
        if !exchange.begun {
            let (mark, gallery) = (exchange.key.mark(), at.door.gallery());
            let (model, has) = (*gallery.model(), |person: &PersonId| gallery.contains(person));
            let kept = self.cabinet.change(|register| books::begin(register, mark, model, &has));
            if let Err(error) = kept {
                self.not_kept(&error, at);
                return Ok(());
            }
            exchange.begun = true;
        }
        exchange.post.connected(at.terminal.connection(), at_ms);
        while let Some(bytes) = at.terminal.shared() {
            if bytes.is_empty() {
                exchange.post.hear(at_ms);
            } else if let Some(answer) = exchange.opened(&bytes, at) {
                self.take_in(exchange, &answer, at)?;
            }
        }
        if exchange.post.may_ask(at_ms) {
            let have = self.cabinet.register().share.as_ref().map(|standing| standing.have.clone());
            let ask = ShareAsk { nonce: chance::random_bytes(), have };
            if at.terminal.share(ask.encode()) {
                exchange.post.asked(ask.nonce, at_ms);
            }
        }
        self.send(exchange, at);
        Ok(())
    }

    fn send(&self, exchange: &mut Exchange, at: &At<'_>) {
        let at_ms = at.clock.uptime().as_ms();
        let register = self.cabinet.register();
        let mut sent = 0;
        for (person, trainee) in &register.trainees {
            let Some(known) = trainee.share.as_ref().filter(|known| known.unsaid) else { continue };
            if !exchange.post.may_send(person, known.changed, at_ms) {
                continue;
            }
            let Some(share) = packed(exchange, register, *person, trainee, known, at) else {
                continue;
            };
            if !at.terminal.share(at.terminal.seal_share(&share)) {
                return;
            }
            exchange.post.sent(*person, known.changed, at_ms);
            sent += 1;
            if sent == SEND_AT_ONCE {
                return;
            }
        }
    }

    /// Takes an answer of the centre: deletions first, since a face may have come under another name.
    fn take_in(
        &mut self,
        exchange: &mut Exchange,
        answer: &Shared,
        at: &mut At<'_>,
    ) -> Result<(), AttendError> {
        let at_ms = at.clock.uptime().as_ms();
        // Until all of it is done, it is asked for again.
        exchange.post.again(at_ms);
        let mut register = self.cabinet.register().clone();
        let (mark, model) = (exchange.key.mark(), *at.door.gallery().model());
        if books::place(&mut register, mark, model, &answer.institution, answer.epoch) {
            exchange.post.forgotten();
        }
        let from = upto(&register);
        let fresh = sort(&mut register, exchange, answer, at.door.gallery());
        // A crash after this line leaves deletions that the next start does.
        if let Err(error) = self.cabinet.change(|kept| *kept = register) {
            self.not_kept(&error, at);
            return Ok(());
        }
        self.tidy(at)?;
        let mut gallery = at.door.gallery().clone();
        let (taken, refused) = self.choose(exchange, fresh, &mut gallery, at);
        match self.keep_taken(&taken, gallery, at) {
            Ok(()) => {}
            Err(error) => {
                self.not_kept(&error, at);
                return Ok(());
            }
        }
        if let Err(error) = on_record(&taken, &refused, at) {
            return self.not_stored(error, at);
        }
        let kept = self.cabinet.change(|register| {
            for Fresh { person, rank, .. } in &taken {
                register.of(*person).share = Some(Newest::came(rank.clone(), What::Held));
            }
            for (Fresh { person, rank, .. }, _) in &refused {
                register.of(*person).share = Some(Newest::came(rank.clone(), What::Refused));
            }
            // Elsewhere it was set back in between: somebody who was refused is to come again.
            if let Some(standing) = register.share.as_mut().filter(|it| it.have.upto == from) {
                standing.have.upto = answer.upto;
            }
        });
        match kept {
            Ok(()) => {
                let more = answer.more || upto(self.cabinet.register()) != answer.upto;
                exchange.post.done(more, at_ms);
            }
            Err(error) => self.not_kept(&error, at),
        }
        Ok(())
    }

    /// Who of those who have come is taken.
    fn choose(
        &self,
        exchange: &mut Exchange,
        fresh: Vec<Fresh>,
        gallery: &mut Gallery,
        at: &At<'_>,
    ) -> (Vec<Fresh>, Vec<Refused>) {
        let oldest = self.oldest(at.clock.now());
        let (mut taken, mut refused) = (Vec::new(), Vec::new());
        for one in fresh {
            let Fresh { person, template, .. } = &one;
            if template.made < oldest {
                continue;
            }
            if template.model != *gallery.model() || template.floats.len() != exchange.floats * 4 {
                exchange.tell("share_other_model", "it was made by another face model");
                continue;
            }
            let before = match gallery.take(*person, &template.floats, &exchange.turn) {
                Ok(before) => before,
                Err(error) => {
                    exchange.tell("share_not_enrolled", &Chain(&error).to_string());
                    continue;
                }
            };
            match gallery.somebody_else(person, &self.thresholds, self.fpir_max) {
                None => taken.push(one),
                Some(Candidate { person: other, score }) => {
                    gallery.put_back(*person, before);
                    refused.push((one, OtherPerson { person: other, score }));
                }
            }
        }
        (taken, refused)
    }

    fn keep_taken(
        &mut self,
        taken: &[Fresh],
        gallery: Gallery,
        at: &mut At<'_>,
    ) -> Result<(), CabinetError> {
        if taken.is_empty() {
            return Ok(());
        }
        // A crash after this line leaves people who are taken anew when they come again.
        self.cabinet.change(|register| {
            for Fresh { person, template, rank } in taken {
                let trainee = register.of(*person);
                trainee.template_made = Some(template.made);
                trainee.consent = template.consent;
                trainee.share = Some(Newest::came(rank.clone(), What::Taking));
            }
        })?;
        self.cabinet.keep(&gallery)?;
        at.door.regard(gallery, &self.thresholds, self.fpir_max);
        Ok(())
    }

    /// Does deletions that are known and were cut off, or have come.
    pub(in crate::terminal) fn tidy(&mut self, at: &mut At<'_>) -> Result<(), AttendError> {
        let gallery = at.door.gallery();
        let undone = books::undone(self.cabinet.register(), &|person| gallery.contains(person));
        for person in undone {
            if let Err(error) = self.delete(person, at) {
                return self.not_deleted(error, at);
            }
        }
        Ok(())
    }

    /// Once an hour: what is old is forgotten, and whoever agreed to it before is offered.
    pub(in crate::terminal) fn keep_books(&mut self, at: &At<'_>) {
        let oldest = self.oldest(at.clock.now());
        let (text, here, gallery) = (self.consent.digest, at.terminal.id(), at.door.gallery());
        let shares = self.exchange.is_some();
        let kept = self.cabinet.change(|register| {
            books::forget(register, oldest);
            if shares {
                books::offer(register, here, text, &|person| gallery.contains(person));
            }
        });
        if let Err(error) = kept {
            tracing::error!("Could not keep what is known of shares: {}.", Chain(&error));
        }
    }
}

fn upto(register: &Register) -> u64 {
    register.share.as_ref().map_or(0, |standing| standing.have.upto)
}

/// Weighs what has come: deletions and what is said of it go into the register, templates are given back.
pub(super) fn sort(
    register: &mut Register,
    exchange: &mut Exchange,
    answer: &Shared,
    gallery: &Gallery,
) -> Vec<Fresh> {
    // A centre sends one of each person; of several the newest counts, whoever sent them.
    let mut newest: BTreeMap<PersonId, (Rank, Option<Template>)> = BTreeMap::new();
    for parcel in &answer.parcels {
        match Inside::open(parcel, &exchange.key, &answer.institution) {
            Ok((Inside { person, template, .. }, rank)) => {
                if newest.get(&person).is_none_or(|(before, _)| *before < rank) {
                    newest.insert(person, (rank, template));
                }
            }
            Err(passed) => exchange.tell(passed.code(), &Chain(&passed).to_string()),
        }
    }
    let mut fresh = Vec::new();
    for (person, (rank, template)) in newest {
        let known = register.trainees.get(&person).and_then(|trainee| trainee.share.as_ref());
        match (judge(known, gallery.contains(&person), &rank), template) {
            (Verdict::Nothing, _) => {}
            (Verdict::Same, _) => {
                if let Some(known) = &mut register.of(person).share {
                    known.unsaid = false;
                }
            }
            (Verdict::Older(known), _) => register.of(person).share = Some(known),
            (Verdict::Newer, None) => {
                let trainee = register.of(person);
                trainee.consent = None;
                trainee.share = Some(Newest::came(rank, What::Deleted));
            }
            (Verdict::Newer, Some(template)) => fresh.push(Fresh { person, template, rank }),
        }
    }
    fresh
}

/// What is on record of an answer. A record that says so never lies: the templates are kept already.
fn on_record(taken: &[Fresh], refused: &[Refused], at: &At<'_>) -> Result<(), TakeError> {
    for Fresh { person, .. } in taken {
        at.terminal.note(&Note::about(*person, NoticeKind::TemplateShared, None))?;
    }
    for (Fresh { person, .. }, other) in refused {
        let note = Note::about(*person, NoticeKind::TemplateRefused, None);
        at.terminal.note(&Note { other: Some(*other), ..note })?;
    }
    Ok(())
}

/// A person's parcel; `None` where there is nothing that could be sent.
fn packed(
    exchange: &mut Exchange,
    register: &Register,
    person: PersonId,
    trainee: &Trainee,
    known: &Newest,
    at: &At<'_>,
) -> Option<Share> {
    let gallery = at.door.gallery();
    let template = match known.what {
        What::Deleted => None,
        What::Held => Some(Template {
            made: trainee.template_made?,
            model: *gallery.model(),
            consent: trainee.consent,
            floats: gallery.give(&person, &exchange.turn)?,
        }),
        What::Taking | What::Refused | What::Local => return None,
    };
    let inside = Inside { person, origin: known.origin.clone(), template };
    let institution = register.share.as_ref()?.have.institution.clone();
    let nonce = chance::random_bytes();
    let sealed =
        inside.seal(&exchange.key, at.terminal.id().clone(), institution, known.changed, nonce);
    sealed.inspect_err(|error| exchange.tell("share_too_long", &error.to_string())).ok()
}

impl Service {
    /// Templates that were made before this have expired.
    pub(in crate::terminal) fn oldest(&self, now: Timestamp) -> Timestamp {
        const DAY_MS: i64 = 86_400_000;
        now.plus_ms(-i64::from(self.template_days) * DAY_MS)
    }
}
