use std::io::Cursor;

use image::{ImageFormat, RgbImage};
use proptest::prelude::*;

use super::*;

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
