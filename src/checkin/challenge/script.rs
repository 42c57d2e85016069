//! What is asked, and in which order: drawn anew for each challenge, so that no recording of an
//! earlier one answers it.

use crate::domain::Bilingual;

/// More moves than this are asked of nobody, whatever the numbers say.
const MOVES_MAX: usize = 6;

/// What the person is asked to do. Left and right are her own; the camera's picture is not
/// mirrored, so her left is on the right of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Turn the head to her left.
    TurnLeft,
    /// Turn the head to her right.
    TurnRight,
    /// Lift the chin.
    LookUp,
    /// Bring the face nearer to the camera.
    ComeCloser,
}

impl Move {
    /// All of them.
    pub const ALL: [Move; 4] = [Move::TurnLeft, Move::TurnRight, Move::LookUp, Move::ComeCloser];

    /// Its stable word.
    pub fn code(self) -> &'static str {
        match self {
            Move::TurnLeft => "turn_left",
            Move::TurnRight => "turn_right",
            Move::LookUp => "look_up",
            Move::ComeCloser => "come_closer",
        }
    }

    /// The instruction as the screen shows it.
    pub fn text(self) -> Bilingual {
        match self {
            Move::TurnLeft => Bilingual::new("请慢慢向左转头", "Slowly turn your head to the left"),
            Move::TurnRight => {
                Bilingual::new("请慢慢向右转头", "Slowly turn your head to the right")
            }
            Move::LookUp => Bilingual::new("请慢慢抬头", "Slowly lift your chin"),
            Move::ComeCloser => Bilingual::new("请靠近镜头一些", "Please come a little closer"),
        }
    }

    /// Where the tip of the nose goes, seen against eyes and mouth: right and down in the picture
    /// count positive. `None` where it stays.
    pub(super) fn direction(self) -> Option<[f64; 2]> {
        match self {
            Move::TurnLeft => Some([1.0, 0.0]),
            Move::TurnRight => Some([-1.0, 0.0]),
            Move::LookUp => Some([0.0, -1.0]),
            Move::ComeCloser => None,
        }
    }
}

/// So many moves, none twice in a row, every such order as likely as any other (128 bits of chance
/// over at most 4 · 3⁵ orders: no order is favoured by more than 2⁻¹¹⁷).
///
/// Two moves give 12 orders, three give 36; at least every second move is a turn of the head, which
/// is what tells a head from a picture.
pub(super) fn draw(random: [u8; 16], moves: usize) -> Vec<Move> {
    let mut chance = u128::from_be_bytes(random);
    let mut script = Vec::new();
    while script.len() < moves.clamp(1, MOVES_MAX) {
        let last = script.last().copied();
        script.push(pick(&mut chance, |one| Some(one) != last));
    }
    // One move alone must be a turn.
    if script == [Move::ComeCloser] {
        script = vec![pick(&mut chance, |one| one != Move::ComeCloser)];
    }
    script
}

/// The script for somebody who is too near already to come closer.
pub(super) fn without_coming_closer(script: &[Move], random: [u8; 16]) -> Vec<Move> {
    // The bits that drew the script stand at the other end.
    let mut chance = u128::from_le_bytes(random);
    let mut changed = script.to_vec();
    for place in 0..changed.len() {
        if changed[place] == Move::ComeCloser {
            let before = place.checked_sub(1).and_then(|before| changed.get(before)).copied();
            let after = changed.get(place + 1).copied();
            changed[place] = pick(&mut chance, |one| {
                one != Move::ComeCloser && Some(one) != before && Some(one) != after
            });
        }
    }
    changed
}

/// One of those that may be taken, and uses up as much chance as that takes.
fn pick(chance: &mut u128, may: impl Fn(Move) -> bool) -> Move {
    let open: Vec<Move> = Move::ALL.into_iter().filter(|one| may(*one)).collect();
    // At most three are closed at once, so one is always open.
    let sides = open.len().max(1) as u128;
    let place = usize::try_from(*chance % sides).unwrap_or(0);
    *chance /= sides;
    open.get(place).copied().unwrap_or(Move::TurnLeft)
}
