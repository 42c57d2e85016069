use std::io::Cursor;

use image::{ImageFormat, RgbImage};
use proptest::prelude::*;

use super::*;
use crate::platform::durable::{self, Access};

fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 7])
    })
    .write_to(&mut Cursor::new(&mut bytes), format)
    .expect("a small picture encodes");
    bytes
}

#[test]
fn png_keeps_every_pixel() {
    let frame = decode(&encoded(5, 3, ImageFormat::Png)).unwrap();
    assert_eq!((frame.width(), frame.height()), (5, 3));
    assert_eq!(frame.pixel(4, 2), [4, 2, 7]);
}

#[test]
fn picture_wider_than_the_bound_is_refused_with_its_size() {
    let why = decode(&encoded(PICTURE_SIDE_PX_MAX + 1, 1, ImageFormat::Png)).unwrap_err();
    assert!(
        matches!(why, PictureError::TooLarge { width, height: 1 } if width > PICTURE_SIDE_PX_MAX)
    );
}

#[test]
fn picture_that_claims_a_gigantic_size_is_refused_before_its_pixels_are_allocated() {
    // The PNG header of a 2,000,000,000 × 2,000,000,000 picture on a file of a few bytes.
    let mut png = encoded(1, 1, ImageFormat::Png);
    png[16..20].copy_from_slice(&2_000_000_000_u32.to_be_bytes());
    png[20..24].copy_from_slice(&2_000_000_000_u32.to_be_bytes());
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    assert!(decode(&png).is_err());
}

#[test]
fn picture_in_a_deep_colour_is_refused_before_its_pixels_are_allocated() {
    // Within the sides, but 8000 × 8000 × 8 bytes: sixteen bits in each of four channels.
    let mut png = encoded(1, 1, ImageFormat::Png);
    png[16..20].copy_from_slice(&8_000_u32.to_be_bytes());
    png[20..24].copy_from_slice(&8_000_u32.to_be_bytes());
    (png[24], png[25]) = (16, 6);
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    let why = decode(&png).unwrap_err();
    assert!(matches!(why, PictureError::TooLarge { width: 8_000, height: 8_000 }), "{why:?}");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[test]
fn file_over_the_bound_is_refused_unread() {
    assert!(matches!(decode(&vec![0; PICTURE_BYTES_MAX + 1]), Err(PictureError::TooManyBytes)));
}

#[test]
fn empty_file_and_other_files_are_told_apart_from_broken_pictures() {
    assert!(matches!(decode(&[]), Err(PictureError::Empty)));
    assert!(matches!(decode(b"GIF89a and so on"), Err(PictureError::NotAPicture)));
    assert!(matches!(decode(b"name,class\n"), Err(PictureError::NotAPicture)));
    let png = encoded(64, 64, ImageFormat::Png);
    assert!(matches!(decode(&png[..png.len() / 2]), Err(PictureError::Broken(_))));
}

proptest! {
    #[test]
    fn damaged_pictures_never_panic(at in 0_usize..4000, to: u8, cut in 0_usize..4000, jpeg: bool) {
        let format = if jpeg { ImageFormat::Jpeg } else { ImageFormat::Png };
        let mut bytes = encoded(48, 40, format);
        let at = at % bytes.len();
        bytes[at] = to;
        drop(decode(&bytes));
        bytes.truncate(cut % bytes.len());
        drop(decode(&bytes));
    }
}

#[test]
fn folder_replays_in_the_order_of_names_and_goes_on_after_a_broken_picture() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        crate::platform::durable::write(
            &folder.path().join(name),
            bytes,
            crate::platform::durable::Access::Everyone,
        )
        .unwrap();
    };
    put("2.png", &encoded(2, 1, ImageFormat::Png));
    put("1.PNG", &encoded(1, 1, ImageFormat::Png));
    put("3.jpg", b"no picture");
    put("4.jpeg", &encoded(4, 1, ImageFormat::Jpeg));
    put("readme.txt", b"passed over");
    let mut source = Folder::open(folder.path()).unwrap();
    assert_eq!(source.next().unwrap().unwrap().width(), 1);
    assert_eq!(source.next().unwrap().unwrap().width(), 2);
    assert!(matches!(source.next(), Err(CaptureError::Picture { .. })));
    assert_eq!(source.next().unwrap().unwrap().width(), 4);
    assert!(source.next().unwrap().is_none());
}

#[test]
fn empty_or_missing_folder_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let empty = Folder::open(folder.path()).unwrap_err();
    assert!(empty.to_string().contains("no picture"), "{empty}");
    assert!(matches!(Folder::open(&folder.path().join("none")), Err(CaptureError::List { .. })));
}

#[test]
fn debug_shows_no_pixel() {
    let frame = Frame::from_rgb(1, 1, vec![201, 202, 203]).unwrap();
    assert_eq!(format!("{frame:?}"), "Frame(<1 × 1 pixels>)");
}

// ---- Motion JPEG --------------------------------------------------------------------------------

/// A picture of one colour, as JPEG.
fn jpeg(grey: u8) -> Vec<u8> {
    preview(&Frame::from_rgb(16, 8, vec![grey; 16 * 8 * 3]).unwrap())
}

fn recorded(bytes: &[u8]) -> (tempfile::TempDir, MjpegFile) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.mjpeg");
    durable::write(&path, bytes, Access::Everyone).unwrap();
    let file = MjpegFile::open(&path).unwrap();
    (folder, file)
}

#[test]
fn recording_gives_its_pictures_in_order_and_ends() {
    let pictures = [jpeg(10), b"what lies between".to_vec(), jpeg(120), jpeg(240)].concat();
    let (_folder, mut file) = recorded(&pictures);
    for grey in [10_u8, 120, 240] {
        let frame = file.next().unwrap().expect("a picture is there");
        assert!(frame.pixel(3, 3)[0].abs_diff(grey) < 4, "{grey}");
    }
    assert!(file.next().unwrap().is_none());
}

#[test]
fn picture_is_found_whole_however_its_bytes_come() {
    let pictures = [jpeg(10), jpeg(200)].concat();
    for chunk in [1, 2, 3, 7, 100] {
        let mut splitter = mjpeg::Splitter::default();
        let mut found = Vec::new();
        for bytes in pictures.chunks(chunk) {
            splitter.push(bytes);
            while let Some(picture) = splitter.picture() {
                found.push(picture.unwrap());
            }
        }
        assert_eq!(found, [jpeg(10), jpeg(200)], "{chunk} at a time");
    }
}

#[test]
fn end_marker_inside_of_a_segment_does_not_end_the_picture() {
    let mut picture = jpeg(99);
    // A comment that holds the end of another picture, as a thumbnail does.
    let comment = [0xff, 0xfe, 0, 6, 0xff, 0xd9, 0xff, 0xd8];
    picture.splice(2..2, comment);
    let mut splitter = mjpeg::Splitter::default();
    splitter.push(&picture);
    assert_eq!(splitter.picture(), Some(Ok(picture)));
}

#[test]
fn damaged_picture_costs_one_frame_and_a_file_that_is_none_is_told() {
    let mut damaged = jpeg(50);
    damaged[2] = 0;
    let (_folder, mut file) = recorded(&[damaged, jpeg(200)].concat());
    let why = file.next().unwrap_err();
    assert!(matches!(why, CaptureError::Picture { why: PictureError::Damaged, .. }), "{why:?}");
    let frame = std::iter::repeat_with(|| file.next()).find_map(Result::ok).flatten();
    assert!(frame.expect("the next picture is sound").pixel(3, 3)[0].abs_diff(200) < 4);

    let (_folder, mut file) = recorded(b"no picture at all");
    assert!(matches!(
        file.next(),
        Err(CaptureError::Picture { why: PictureError::NotAPicture, .. })
    ));
    let whole = jpeg(7);
    let (_folder, mut file) = recorded(&whole[..whole.len() - 2]);
    assert!(matches!(file.next(), Err(CaptureError::Picture { why: PictureError::Cut, .. })));
    assert!(file.next().unwrap().is_none(), "told once");
}

proptest::proptest! {
    #[test]
    fn any_bytes_never_panic_and_pictures_hold_what_was_given(
        chunks in proptest::collection::vec(proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40), 0..12),
    ) {
        let mut splitter = mjpeg::Splitter::default();
        let given: usize = chunks.iter().map(Vec::len).sum();
        let mut found = 0;
        for chunk in chunks {
            splitter.push(&chunk);
            while let Some(picture) = splitter.picture() {
                found += picture.map_or(0, |picture| picture.len());
            }
        }
        proptest::prop_assert!(found <= given);
    }
}

#[test]
fn yuyv_gives_grey_white_black_and_red_and_needs_all_of_its_bytes() {
    // Two grey pixels, white and black, two red ones (BT.601, limited range).
    let bytes = [126, 128, 126, 128, 235, 128, 16, 128, 81, 90, 81, 240];
    let frame = yuyv::decode(2, 3, &bytes).unwrap();
    let rows = frame.rgb().as_chunks::<3>().0.to_vec();
    assert_eq!(rows[..4], [[128; 3], [128; 3], [255; 3], [0; 3]]);
    assert!(rows[4..].iter().all(|[r, g, b]| *r >= 253 && *g <= 2 && *b <= 2), "{rows:?}");
    for cut in 0..bytes.len() {
        assert!(yuyv::decode(2, 3, &bytes[..cut]).is_none());
    }
    assert!(yuyv::decode(u32::MAX, u32::MAX, &bytes).is_none());
}
