//! Who the person before the camera says to be: from her card, her number, or the list.

use super::{SitePlan, panel};
use crate::domain::{Bilingual, PersonId};
use crate::kiosk::Said;

/// A claim holds so long, in milliseconds: to come back before the camera from the card reader. Then
/// it is forgotten, so that nobody checks in under the name of the person before.
const CLAIM_MS: u64 = 20_000;

/// The claim that holds now.
#[derive(Debug, Default)]
pub struct Claim(Option<(PersonId, u64)>);

impl Claim {
    /// Takes note of what was said. Who is not known here is told so; any earlier claim is over.
    pub fn hear(&mut self, said: &Said, site: &SitePlan, at_ms: u64) -> Result<(), Bilingual> {
        self.0 = None;
        let person = match said {
            Said::Nothing | Said::Typed(_) | Said::Chose(_) | Said::WithoutFace | Said::Staff => {
                return Ok(());
            }
            Said::Number(number) => site.holder(number.trim()),
            Said::Listed(key) => panel::chosen(site, *key),
        };
        let unknown = || Bilingual::new("没有这个编号", "There is no such number");
        self.0 = Some((person.ok_or_else(unknown)?, at_ms.saturating_add(CLAIM_MS)));
        Ok(())
    }

    /// Whom the person before the camera says to be.
    pub fn holds(&self, at_ms: u64) -> Option<PersonId> {
        self.0.filter(|(_, until_ms)| at_ms < *until_ms).map(|(person, _)| person)
    }

    /// It was answered.
    pub fn over(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::terminal::Attendee;

    fn site() -> SitePlan {
        let attendee = |name: &str, number: &str| Attendee {
            name: name.into(),
            number: number.into(),
            pin: None,
        };
        let people = BTreeMap::from([
            (PersonId([1; 16]), attendee("李娜", "20260001")),
            (PersonId([2; 16]), attendee("王强", "")),
        ]);
        SitePlan { people, ..SitePlan::default() }
    }

    #[test]
    fn number_and_list_name_their_holder_for_a_while() {
        let mut claim = Claim::default();
        claim.hear(&Said::Number(" 20260001\n".into()), &site(), 1_000).unwrap();
        assert_eq!(claim.holds(1_000), Some(PersonId([1; 16])));
        assert_eq!(claim.holds(1_000 + CLAIM_MS), None);
        claim.hear(&Said::Listed(1), &site(), 5_000).unwrap();
        assert_eq!(claim.holds(5_000), Some(PersonId([2; 16])));
        claim.over();
        assert_eq!(claim.holds(5_001), None);
    }

    #[test]
    fn unknown_number_is_told_and_ends_the_claim_before_it() {
        let mut claim = Claim::default();
        for wrong in [Said::Number("7".into()), Said::Number(String::new()), Said::Listed(9)] {
            claim.hear(&Said::Listed(0), &site(), 0).unwrap();
            assert!(claim.hear(&wrong, &site(), 0).is_err(), "{wrong:?}");
            assert_eq!(claim.holds(0), None);
        }
        claim.hear(&Said::Listed(0), &site(), 0).unwrap();
        claim.hear(&Said::Nothing, &site(), 0).unwrap();
        assert_eq!(claim.holds(0), None);
    }
}
