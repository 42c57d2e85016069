//! Rotated templates compare as before, and with nobody once the key is another.

use proptest::prelude::*;

use super::unit;
use crate::face::embed::Embedding;
use crate::face::transform::Transform;

const FLOATS: usize = 128;

fn face(seed: u32) -> Embedding {
    unit(&[1.0; FLOATS]).of_nobody(seed).unwrap()
}

proptest! {
    #[test]
    fn rotation_keeps_every_similarity_and_can_be_undone(
        key in any::<[u8; 32]>(), one in 0_u32..10_000, other in 0_u32..10_000,
    ) {
        let transform = Transform::new(key, FLOATS);
        // Something alike, and something unlike.
        let (one, other) = (face(one), face(other));
        let between = Embedding::mean([&one, &other]).unwrap();
        for (a, b) in [(&one, &other), (&one, &between), (&one, &one)] {
            let (before, after) = (a.cosine(b), transform.apply(a).cosine(&transform.apply(b)));
            prop_assert!((before - after).abs() < 1e-5, "{before} became {after}");
        }
        prop_assert!((transform.undo(&transform.apply(&one)).cosine(&one) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn templates_of_two_keys_have_nothing_in_common(
        old in any::<[u8; 32]>(), new in any::<[u8; 32]>(), seed in 0_u32..10_000,
    ) {
        prop_assume!(old != new);
        let face = face(seed);
        let (old, new) = (Transform::new(old, FLOATS), Transform::new(new, FLOATS));
        // Six standard deviations of what chance gives in 128 dimensions.
        let alike = old.apply(&face).cosine(&new.apply(&face));
        prop_assert!(alike.abs() < 6.0 / 128.0_f32.sqrt(), "{alike}");
    }
}

#[test]
fn key_of_zeros_rotates_nothing() {
    let none = Transform::new([0; 32], FLOATS);
    assert!(none.apply(&face(1)) == face(1));
    let some = Transform::new([1; 32], FLOATS);
    assert!(some.apply(&face(1)).cosine(&face(1)).abs() < 0.53);
}
