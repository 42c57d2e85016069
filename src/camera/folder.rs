//! A folder of pictures, replayed in the order of their names: the camera of the demo, of tests
//! and of `rollcall models bench`.

use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use super::{CaptureError, Frame, FrameSource, picture};

/// One hour of frames at five a second: a replay, not an archive.
const PICTURES_MAX: usize = 18_000;

/// Replays the pictures of one folder, sorted by name; other files are passed over.
#[derive(Debug)]
pub struct Folder {
    rest: IntoIter<PathBuf>,
}

impl Folder {
    /// Lists the folder once. A folder without a picture is an error, not a silent camera.
    pub fn open(folder: &Path) -> Result<Self, CaptureError> {
        let list = |io| CaptureError::List { folder: folder.to_owned(), io };
        let mut pictures = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(list)? {
            let path = entry.map_err(list)?.path();
            if is_picture(&path) {
                pictures.push(path);
            }
            if pictures.len() > PICTURES_MAX {
                return Err(CaptureError::TooMany {
                    folder: folder.to_owned(),
                    pictures_max: PICTURES_MAX,
                });
            }
        }
        if pictures.is_empty() {
            return Err(CaptureError::Empty { folder: folder.to_owned() });
        }
        pictures.sort();
        Ok(Self::of(pictures))
    }

    /// Replays these files, in this order.
    pub fn of(pictures: Vec<PathBuf>) -> Self {
        Self { rest: pictures.into_iter() }
    }
}

impl FrameSource for Folder {
    fn next(&mut self) -> Result<Option<Frame>, CaptureError> {
        match self.rest.next() {
            None => Ok(None),
            Some(path) => match picture::read(&path) {
                Ok(frame) => Ok(Some(frame)),
                Err(why) => Err(CaptureError::Picture { path, why }),
            },
        }
    }
}

fn is_picture(path: &Path) -> bool {
    path.extension().and_then(|e| e.to_str()).is_some_and(|extension| {
        ["jpg", "jpeg", "png"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    })
}
