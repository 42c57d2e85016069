//! Replays a Motion JPEG file, picture by picture, with no more of it in memory than one picture.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::mjpeg::Splitter;
use super::{CaptureError, Frame, FrameSource, PictureError, decode};

/// Read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// A recording.
#[derive(Debug)]
pub struct MjpegFile {
    path: PathBuf,
    file: File,
    splitter: Splitter,
    pictures: u64,
    over: bool,
}

impl MjpegFile {
    /// Opens it; whether it holds pictures shows with the first one.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let failed = |io| CaptureError::Recording { path: path.to_owned(), io };
        let file = File::open(path).map_err(failed)?;
        let (path, splitter) = (path.to_owned(), Splitter::default());
        Ok(Self { path, file, splitter, pictures: 0, over: false })
    }

    fn damaged(&self, why: PictureError) -> CaptureError {
        CaptureError::Picture { path: self.path.clone(), why }
    }
}

impl FrameSource for MjpegFile {
    fn next(&mut self) -> Result<Option<Frame>, CaptureError> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            if let Some(picture) = self.splitter.picture() {
                self.pictures += 1;
                let picture = picture.map_err(|_| self.damaged(PictureError::Damaged))?;
                return decode(&picture).map(Some).map_err(|why| self.damaged(why));
            }
            if self.over {
                return Ok(None);
            }
            let failed = |io| CaptureError::Recording { path: self.path.clone(), io };
            let count = self.file.read(&mut chunk).map_err(failed)?;
            self.splitter.push(&chunk[..count]);
            self.over = count == 0;
            if self.over && self.pictures == 0 && !self.splitter.is_cut() {
                return Err(self.damaged(PictureError::NotAPicture));
            }
            if self.over && self.splitter.is_cut() {
                return Err(self.damaged(PictureError::Cut));
            }
        }
    }
}
