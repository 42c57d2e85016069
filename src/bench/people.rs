//! The generated people who play in the demo and in the bench: pictures of nobody, part of the
//! program, so that neither needs a folder. assets/README.md says how they were made.

/// How many faces there are.
pub const FACES: usize = 14;

macro_rules! picture {
    ($id:literal, $number:literal) => {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/assets/people/",
            $id,
            "/",
            $number,
            ".jpg"
        ))
    };
}

macro_rules! person {
    ($id:literal) => {
        [
            picture!($id, "1"),
            picture!($id, "2"),
            picture!($id, "3"),
            picture!($id, "4"),
            picture!($id, "5"),
            picture!($id, "6"),
        ]
    };
}

/// Each person's pictures, JPEG, in the order of their folders in assets/people/.
pub const PEOPLE: [[&[u8]; 6]; FACES] = [
    person!("p01"),
    person!("p02"),
    person!("p03"),
    person!("p04"),
    person!("p05"),
    person!("p06"),
    person!("p07"),
    person!("p08"),
    person!("p09"),
    person!("p10"),
    person!("p11"),
    person!("p12"),
    person!("p13"),
    person!("p14"),
];
