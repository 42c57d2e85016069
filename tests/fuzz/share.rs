//! Shares: content has one form, nothing opens to something else than was put in, and no bytes make the
//! reader of a code or of a question stumble.

use minicbor::bytes::ByteVec;
use rollcall::domain::{PersonId, Timestamp};
use rollcall::record::seal_statement;
use rollcall::record::share::{Have, Share, ShareAsk, Shared};
use rollcall::terminal::share::{Inside, InstitutionKey, Template};

use crate::corpus::centre;
use crate::targets::{Target, statement, target};

fn inside(template: bool) -> Inside {
    let floats = (0..64_u8).flat_map(|n| f32::from(u8::from(n == 3)).to_le_bytes()).collect();
    let made = Template { made: Timestamp::from_ms(5), model: [2; 32], consent: None, floats };
    let origin = "t-1".parse().expect("a name");
    Inside { person: PersonId([1; 16]), origin, template: template.then_some(made) }
}

pub(crate) fn all() -> Vec<Target> {
    let key = InstitutionKey::from_secret([9; 32]);
    let institution = || "i-1".parse().expect("a name");
    let sealed: Vec<_> = [true, false]
        .map(|template| {
            let (terminal, changed) = ("t-1".parse().expect("a name"), Timestamp::from_ms(7));
            let share = inside(template).seal(&key, terminal, institution(), changed, [3; 24]);
            seal_statement(&share.expect("it fits"), &centre())
        })
        .into();
    let answer = Shared {
        terminal: "t-1".parse().expect("a name"),
        nonce: [1; 16],
        institution: institution(),
        epoch: [2; 16],
        upto: 3,
        more: true,
        parcels: sealed.iter().cloned().map(ByteVec::from).collect(),
    };
    let have = Have { institution: institution(), epoch: [2; 16], upto: 3 };
    let asks = [None, Some(have)].map(|have| ShareAsk { nonce: [1; 16], have }.encode());
    let code = key.code();
    vec![
        statement::<Share>("share", "rollcall-share-v1", &sealed),
        statement::<Shared>(
            "share_answer",
            "rollcall-shared-v1",
            &[seal_statement(&answer, &centre())],
        ),
        target("share_content", 2, sealed, move |input| {
            let Ok((opened, _)) = Inside::open(input, &key, &institution()) else {
                return Ok(false);
            };
            if [true, false].map(inside).contains(&opened) {
                Ok(true)
            } else {
                Err("a share opened to what nobody put in".into())
            }
        }),
        target("share_question", 4, asks.into(), |input| match ShareAsk::decode(input) {
            Ok(ask) if ask.encode() == input => Ok(true),
            Ok(ask) => Err(format!("{ask:?} was read from another form")),
            Err(_) => Ok(false),
        }),
        target("share_code", 2, vec![code.into_bytes()], |input| {
            let Ok(text) = std::str::from_utf8(input) else { return Ok(false) };
            let Ok(read) = InstitutionKey::from_code(text) else { return Ok(false) };
            if read == InstitutionKey::from_secret([9; 32]) {
                Ok(true)
            } else {
                Err("another key was read from a mistyped code".into())
            }
        }),
    ]
}
