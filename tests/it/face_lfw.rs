//! The gate on accuracy: Labeled Faces in the Wild with a fixed tenth of its 6,000 pairs, every
//! tenth of the genuine and of the impostor pairs of each fold, so that all folds weigh the same.
//!
//! The protocol is LFW's own: each fold is judged at the threshold that is best on the nine others,
//! here of the tenth as well. No threshold is chosen on a pair that it judges, and none of the
//! packs' own is asked: `match` stands for a FAR of 1e-4, where accuracy says little. Of 600 pairs
//! one more or less right is 0.17 %; the floors lie further below the figures than that
//! (docs/accuracy.md has those of all pairs).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use rollcall::camera;
use rollcall::domain::Score;
use rollcall::face::accuracy::{Pair, across_folds};
use rollcall::face::{Embedding, Manifest, Pipeline, RuntimeChoice, Settings};

use super::face_data::{data_folder, settings};

/// What each pack must reach. Packs that are named here and not in the manifest gate nothing yet;
/// the default pack must be named.
const FLOORS: [(&str, f64); 2] = [("mobilefacenet", 0.98), ("rollcall-default", 0.955)];

/// Every so many pairs of a fold are asked.
const EVERY: usize = 10;

/// A picture: whose, and its number.
type Picture = (String, u32);

#[test]
fn default_pack_has_a_floor() {
    let manifest = Manifest::shipped();
    let default = manifest.pack(None).unwrap();
    assert!(FLOORS.iter().any(|(pack, _)| *pack == default.name), "{}", default.name);
}

#[test]
fn each_pack_reaches_its_floor_on_a_tenth_of_lfw() {
    let Some(data) = data_folder() else { return };
    let mut tar = Tar::open(&data.join("faces/lfw-pairs.tar"));
    let pairs = tenth(&tar.text("lfw-pairs/pairs.txt"));
    assert_eq!(pairs.len(), 600);
    let mut pictures: BTreeMap<Picture, Vec<u8>> = BTreeMap::new();
    for (name, number) in pairs.iter().flat_map(|(_, _, pair)| pair) {
        let path = format!("lfw-pairs/{name}/{name}_{number:04}.jpg");
        pictures.entry((name.clone(), *number)).or_insert_with(|| tar.bytes(&path));
    }
    let manifest = without_liveness();
    let mut asked = 0;
    for (pack, floor) in FLOORS.into_iter().filter(|(pack, _)| manifest.has_pack(pack)) {
        let settings = Settings {
            manifest: manifest.clone(),
            pack: Some(pack.to_owned()),
            ..settings(&data, RuntimeChoice::Auto)
        };
        let faces = faces(&settings, &pictures);
        let judged: Vec<Pair> = pairs
            .iter()
            .map(|(fold, genuine, [a, b])| {
                let both = faces[a].as_ref().zip(faces[b].as_ref());
                let score = both.map(|(a, b)| Score::from_f32(a.cosine(b)));
                Pair { fold: *fold, genuine: *genuine, score }
            })
            .collect();
        let accuracy = across_folds(&judged).expect("ten folds have pairs").accuracy;
        println!("{pack}: accuracy {accuracy:.4} over {} pairs, floor {floor}", judged.len());
        assert!(accuracy >= floor, "{pack}: accuracy {accuracy:.4}, must be {floor}");
        asked += 1;
    }
    assert!(asked > 0, "no pack of the manifest has a floor");
}

/// Of `pairs.txt`: fold, whether one person is shown twice, and the pictures.
fn tenth(text: &str) -> Vec<(usize, bool, [Picture; 2])> {
    let mut lines = text.lines();
    let head = lines.next().expect("the file has a first line");
    let numbers: Vec<usize> = head.split_whitespace().map(|one| one.parse().unwrap()).collect();
    let [_, each] = numbers[..] else { panic!("folds and pairs stand in the first line: {head}") };
    let picture = |name: &str, number: &str| (name.to_owned(), number.parse().unwrap());
    lines
        .enumerate()
        .filter(|(index, _)| index % EVERY == 0)
        .map(|(index, line)| match line.split_whitespace().collect::<Vec<_>>()[..] {
            [name, a, b] => (index / (2 * each), true, [picture(name, a), picture(name, b)]),
            [name, a, other, b] => {
                (index / (2 * each), false, [picture(name, a), picture(other, b)])
            }
            _ => panic!("a pair has three or four words: {line}"),
        })
        .collect()
}

/// The shipped manifest; liveness takes half of the time and says nothing about who it is.
fn without_liveness() -> Manifest {
    let text = include_str!("../../models/manifest.toml");
    let lines = text.lines().filter(|line| !line.starts_with("liveness = "));
    Manifest::parse(&lines.flat_map(|line| [line, "\n"]).collect::<String>()).unwrap()
}

/// Each picture's face, by as many threads as the machine has cores.
fn faces(
    settings: &Settings,
    pictures: &BTreeMap<Picture, Vec<u8>>,
) -> BTreeMap<Picture, Option<Embedding>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let part = |thread: usize| {
        let mut pipeline = Pipeline::open(settings).unwrap();
        let look = |bytes: &[u8]| {
            let frame = camera::decode(bytes).expect("the picture is sound");
            pipeline.look(&frame).expect("the nets run").face.map(|face| face.embedding)
        };
        let mut look = look;
        let mine = pictures.iter().skip(thread).step_by(threads);
        mine.map(|(picture, bytes)| (picture.clone(), look(bytes))).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads).map(|thread| scope.spawn(move || part(thread))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}

/// A tar file that is read in place: its plain files, by path.
struct Tar {
    file: File,
    places: BTreeMap<String, (u64, usize)>,
}

impl Tar {
    /// Reads the headers of POSIX ustar: blocks of 512 bytes, the name in the first 100, the size
    /// in octal digits from 124 on, the kind at 156.
    fn open(path: &Path) -> Self {
        let mut file = File::open(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let mut places = BTreeMap::new();
        let (mut at, mut header) = (0, [0; 512]);
        while file.read_exact(&mut header).is_ok() && header[0] != 0 {
            let text = |bytes: &[u8]| {
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
            };
            let size = usize::from_str_radix(&text(&header[124..136]), 8).unwrap();
            if header[156] == b'0' {
                places.insert(text(&header[..100]), (at + 512, size));
            }
            at += 512 + size.next_multiple_of(512) as u64;
            file.seek(SeekFrom::Start(at)).unwrap();
        }
        Self { file, places }
    }

    fn bytes(&mut self, path: &str) -> Vec<u8> {
        let (at, size) = *self.places.get(path).unwrap_or_else(|| panic!("{path} is in the tar"));
        let mut bytes = vec![0; size];
        self.file.seek(SeekFrom::Start(at)).unwrap();
        self.file.read_exact(&mut bytes).unwrap();
        bytes
    }

    fn text(&mut self, path: &str) -> String {
        String::from_utf8(self.bytes(path)).unwrap()
    }
}
