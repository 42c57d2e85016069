//! Bytes of a JPEG or PNG picture to a [`Frame`]. Size and dimensions are checked before anything
//! is allocated for pixels, so that a small file which claims to be huge costs nothing.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::Frame;

/// Largest picture file. A phone's 50-megapixel JPEG stays below.
pub const PICTURE_BYTES_MAX: usize = 32 << 20;

/// Longest side of a picture. Beyond it a file is a mistake or an attack, not a photograph of a
/// face.
pub const PICTURE_SIDE_PX_MAX: u32 = 8192;

/// Decoders may allocate this much: one picture of the largest size in RGBA, and some room.
const DECODE_BYTES_MAX: u64 = 320 << 20;

/// Bytes are no usable picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The file could not be read.
    #[error("could not read the file")]
    Read(#[source] std::io::Error),
    /// Nothing there.
    #[error("the file is empty")]
    Empty,
    /// Too many bytes.
    #[error("the file has more than {PICTURE_BYTES_MAX} bytes")]
    TooManyBytes,
    /// Too many pixels.
    #[error(
        "the picture has {width} × {height} pixels; at most {PICTURE_SIDE_PX_MAX} a side are taken, and fewer in a deep colour"
    )]
    TooLarge {
        /// As the file says.
        width: u32,
        /// As the file says.
        height: u32,
    },
    /// A picture without pixels.
    #[error("the picture has no pixels ({width} × {height})")]
    NoPixels {
        /// As the file says.
        width: u32,
        /// As the file says.
        height: u32,
    },
    /// Some other kind of file.
    #[error("the file is neither JPEG nor PNG")]
    NotAPicture,
    /// A recording is damaged at one place.
    #[error("the recording is damaged here, or holds a picture of more than 8 MiB")]
    Damaged,
    /// The last picture of a recording ends in the middle.
    #[error("the recording ends in the middle of a picture")]
    Cut,
    /// It begins like a picture and is damaged or cut off.
    #[error("could not decode the picture")]
    Broken(#[source] image::ImageError),
}

impl PictureError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read(_) => "check that the file exists and that this user may read it",
            Self::Damaged => "copy the recording again; the next picture follows",
            Self::Cut => "nothing, if the recording was stopped; else copy it again",
            Self::Empty | Self::NoPixels { .. } | Self::Broken(_) => {
                "take or copy the picture again"
            }
            Self::TooManyBytes | Self::TooLarge { .. } => {
                "make the picture smaller: 1,000 pixels a side are plenty for one face"
            }
            Self::NotAPicture => "save the picture as JPEG or PNG",
        }
    }
}

/// Reads and decodes one file; reads no more than [`PICTURE_BYTES_MAX`] of it.
pub fn read(path: &Path) -> Result<Frame, PictureError> {
    let file = File::open(path).map_err(PictureError::Read)?;
    let mut bytes = Vec::new();
    file.take(PICTURE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(PictureError::Read)?;
    decode(&bytes)
}

/// Decodes a JPEG or PNG, upright as its EXIF orientation says.
pub fn decode(bytes: &[u8]) -> Result<Frame, PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    if bytes.len() > PICTURE_BYTES_MAX {
        return Err(PictureError::TooManyBytes);
    }
    let format = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png)) => format,
        Ok(_) | Err(_) => return Err(PictureError::NotAPicture),
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODE_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(PictureError::Broken)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(PictureError::NoPixels { width, height });
    }
    // The reader's limits bound what a decoder needs for itself, not the picture that it makes.
    let too_deep = decoder.total_bytes() > DECODE_BYTES_MAX;
    if width > PICTURE_SIDE_PX_MAX || height > PICTURE_SIDE_PX_MAX || too_deep {
        return Err(PictureError::TooLarge { width, height });
    }
    let orientation = decoder.orientation().map_err(PictureError::Broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(PictureError::Broken)?;
    picture.apply_orientation(orientation);
    // No copy where the file was 8-bit RGB already.
    let picture = picture.into_rgb8();
    let (width, height) = picture.dimensions();
    Frame::from_rgb(width, height, picture.into_raw())
        .ok_or(PictureError::NoPixels { width, height })
}
