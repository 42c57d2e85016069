//! Plays the script on the stage, through the real pipeline, and tells what happens.

use std::time::Duration;

use tokio::time::timeout;

use super::attacker;
use super::pictures::{Album, Passing};
use super::script::{Act, Scene, TerminalNo};
use super::stage::Stage;
use super::wiretap::Wiretap;
use super::world::{PEOPLE, TERMINALS, person_id};
use super::{DemoError, Narrator};
use crate::camera::FrameSource;
use crate::domain::{Outcome, TerminalId};
use crate::face::Pipeline;
use crate::platform::chance;
use crate::platform::clock::{Clock, Stopwatch};
use crate::record::SigningKey;
use crate::terminal::Answer;

/// How long the demo waits for the centre before it goes on and lets the verdict tell.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Play<'p> {
    pub(super) stage: &'p mut Stage,
    pub(super) pipeline: &'p mut Pipeline,
    pub(super) albums: &'p [Album],
    pub(super) narrator: &'p Narrator,
    pub(super) wiretap: &'p Wiretap,
    /// Which picture of a face comes next, so that no two visits are the same picture.
    pub(super) turn: Vec<usize>,
}

fn terminal_id(no: TerminalNo) -> TerminalId {
    TERMINALS[no].0.parse().expect("the demo's names are names")
}

impl Play<'_> {
    /// One scene.
    pub(super) async fn scene(&mut self, scene: &Scene) -> Result<(), DemoError> {
        self.stage.clock.set(scene.at);
        if let Some(note) = scene.note {
            self.narrator.say(&format!("      ── {note}"));
        }
        let judged = self.stage.watch.judged_so_far();
        match &scene.act {
            Act::Stand { terminal, face, claim } => {
                tokio::task::block_in_place(|| self.stand(*terminal, *face, *claim))?;
                let (terminal, _) = &self.stage.terminals[*terminal];
                if terminal.view().borrow().online {
                    self.settle(terminal.drained()).await;
                }
                return Ok(());
            }
            Act::GoOffline(terminal) => {
                self.stage.terminals[*terminal].0.disconnect();
                return Ok(());
            }
            Act::GoOnline(terminal) => {
                let (terminal, _) = &self.stage.terminals[*terminal];
                self.narrator.say(&format!("      {} records wait", terminal.waiting()));
                terminal.connect();
                self.settle(terminal.drained()).await;
                return Ok(());
            }
            Act::Redeliver(terminal) => {
                if let Some(message) = self.wiretap.newest_message(&terminal_id(*terminal)) {
                    self.wiretap.send(message).await?;
                }
                return Ok(());
            }
            Act::Forge(terminal) => {
                let own_key = SigningKey::from_secret(&chance::random_bytes());
                let now = self.stage.clock.now();
                let message = attacker::forge(&terminal_id(*terminal), &own_key, now);
                self.wiretap.send(message).await?;
            }
            Act::Alter(terminal) => {
                let id = terminal_id(*terminal);
                let genuine = self.wiretap.newest_parcel(&id);
                if let Some(message) = genuine.and_then(|g| attacker::alter(&id, &g)) {
                    self.wiretap.send(message).await?;
                }
            }
            Act::Replay { from, to } => {
                if let Some(genuine) = self.wiretap.newest_parcel(&terminal_id(*from)) {
                    let message = attacker::replay(&terminal_id(*to), &genuine);
                    self.wiretap.send(message).await?;
                }
            }
            Act::SendUnregistered => {
                let own_key = SigningKey::from_secret(&chance::random_bytes());
                let nobody: TerminalId = "nobody-01".parse().expect("a name");
                let now = self.stage.clock.now();
                self.wiretap.send(attacker::forge(&nobody, &own_key, now)).await?;
            }
        }
        // Every hostile message becomes one refusal in the ledger.
        self.settle(self.stage.watch.judged(judged + 1)).await;
        self.narrator.say(&format!(
            "{} the centre refuses it and keeps it as evidence / 中心拒收并留证",
            clock_of(scene)
        ));
        Ok(())
    }

    /// Waits, but not for ever: what is missing then shows in the verdict.
    async fn settle(&self, done: impl Future<Output = ()>) {
        if timeout(PATIENCE, done).await.is_err() {
            self.narrator.say("      (the centre did not answer in time)");
        }
    }

    /// Somebody stands before a terminal and looks into its camera until it answers.
    fn stand(
        &mut self,
        terminal: TerminalNo,
        face: usize,
        claim: Option<usize>,
    ) -> Result<(), DemoError> {
        let face_no = PEOPLE[face].face;
        let mut pictures = self.albums[face_no].attend.clone();
        let count = pictures.len();
        pictures.rotate_left(self.turn[face_no] % count);
        let mut camera = Passing::of(pictures);
        let stage = &mut *self.stage;
        let (device, door) = &mut stage.terminals[terminal];
        let (clock, claimed) = (&*stage.clock, claim.map(person_id));
        let watch = Stopwatch::start();
        while let Some(frame) = camera.next()? {
            self.turn[face_no] += 1;
            let answer = door.attend(self.pipeline, device, clock, &frame, claimed)?;
            let Some(text) = stage.board.take().map(|message| message.line()) else { continue };
            let name = claim.map_or_else(
                || "(no name given / 未报姓名)".to_owned(),
                |claim| format!("{} {}", PEOPLE[claim].name.0, PEOPLE[claim].name.1),
            );
            self.narrator.say(&format!(
                "{} {} {name}: {} {}  [{} ms]",
                clock.now().shanghai().strftime("%H:%M"),
                device.id(),
                text.zh,
                text.en,
                watch.elapsed().as_millis()
            ));
            match answer {
                // As at a real kiosk: not recognised, so he looks again.
                Answer::Wait(_) | Answer::Look | Answer::Asked(_) | Answer::Same => {}
                Answer::Stored { checkin, .. } => match checkin.outcome {
                    Outcome::NotRecognised | Outcome::Ambiguous | Outcome::NotLive => {}
                    Outcome::Accepted
                    | Outcome::AlreadyIn
                    | Outcome::LooksLikeOther
                    | Outcome::NotOnRoster
                    | Outcome::TooEarly
                    | Outcome::TooLate
                    | Outcome::NoLesson
                    | Outcome::RefusedByPolicy => return Ok(()),
                },
            }
        }
        Ok(())
    }
}

fn clock_of(scene: &Scene) -> String {
    scene.at.shanghai().strftime("%H:%M").to_string()
}
