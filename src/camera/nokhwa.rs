//! A camera that is plugged into this machine, by Video4Linux2 through nokhwa. Built in with the feature
//! `camera` alone: it needs libclang to build.

//!
//! The device is read by a thread of its own: it may wait for ever for a camera that hangs, and the
//! terminal must not.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use nokhwa::Camera;
use nokhwa::utils::{
    CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution,
};

use super::{CaptureError, Format, Frame, FrameSource, Pixels, decode, yuyv};

/// Whether this program can look through a device.
pub(super) const BUILT_IN: bool = true;

/// A camera that is silent for so long is lost. Cheap ones take seconds to begin.
const SILENCE: Duration = Duration::from_secs(5);

/// A picture as the device gave it, or why there is none.
type Given = Result<Raw, String>;

struct Raw {
    format: FrameFormat,
    sides: Resolution,
    bytes: Vec<u8>,
}

/// An open device that gives frames.
pub(super) struct Device {
    pictures: Receiver<Given>,
    name: String,
}

impl Device {
    /// Opens the device, as near to the wanted format as it can.
    pub(super) fn open(device: &Path, format: &Format) -> Result<Self, CaptureError> {
        let name = device.display().to_string();
        let failed =
            |why: String| CaptureError::Open { camera: name.clone(), io: io::Error::other(why) };
        // A link of /dev/v4l/by-id leads to the device.
        let real = device.canonicalize().map_err(|io| failed(io.to_string()))?;
        let real = real.display().to_string();
        let digits = real.rsplit("video").next().and_then(|digits| digits.parse().ok());
        let index = digits.ok_or_else(|| failed("it is none of /dev/video0, 1, …".into()))?;
        let pixels = match format.pixels {
            Pixels::Mjpeg => FrameFormat::MJPEG,
            Pixels::Yuyv => FrameFormat::YUYV,
        };
        let sides = Resolution::new(format.width, format.height);
        let wanted = RequestedFormatType::Closest(CameraFormat::new(sides, pixels, format.rate));
        // One picture waits; those that come meanwhile are passed over.
        let (sender, pictures) = sync_channel(1);
        std::thread::Builder::new()
            .name("camera".into())
            .spawn(move || watch(index, wanted, &sender))
            .map_err(|io| failed(io.to_string()))?;
        Ok(Self { pictures, name })
    }
}

/// Reads the device until it fails or nobody wants its pictures any more.
fn watch(index: u32, wanted: RequestedFormatType, sender: &SyncSender<Given>) {
    let ended = look(index, wanted, sender);
    if let Err(why) = ended {
        // Nobody listens: it does not matter any more.
        sender.send(Err(why)).ok();
    }
}

fn look(index: u32, wanted: RequestedFormatType, sender: &SyncSender<Given>) -> Result<(), String> {
    let known = [FrameFormat::MJPEG, FrameFormat::YUYV];
    let wanted = RequestedFormat::with_formats(wanted, &known);
    let mut camera = Camera::new(CameraIndex::Index(index), wanted).map_err(|e| e.to_string())?;
    camera.open_stream().map_err(|error| error.to_string())?;
    loop {
        let picture = camera.frame().map_err(|error| error.to_string())?;
        let raw = Raw {
            format: picture.source_frame_format(),
            sides: picture.resolution(),
            bytes: picture.buffer().to_vec(),
        };
        match sender.try_send(Ok(raw)) {
            Ok(()) | Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => return Ok(()),
        }
    }
}

impl FrameSource for Device {
    fn next(&mut self) -> Result<Option<Frame>, CaptureError> {
        let lost = |why: String| CaptureError::Lost {
            camera: self.name.clone(),
            io: io::Error::other(why),
        };
        let raw = match self.pictures.recv_timeout(SILENCE) {
            Ok(given) => given.map_err(lost)?,
            Err(RecvTimeoutError::Timeout) => return Err(lost("it gives no pictures".into())),
            Err(RecvTimeoutError::Disconnected) => return Err(lost("it has ended".into())),
        };
        let frame = match raw.format {
            FrameFormat::MJPEG => decode(&raw.bytes)
                .map_err(|why| CaptureError::Picture { path: self.name.clone().into(), why })?,
            FrameFormat::YUYV => yuyv::decode(raw.sides.width(), raw.sides.height(), &raw.bytes)
                .ok_or_else(|| lost("it gave less than one picture".into()))?,
            other @ (FrameFormat::NV12
            | FrameFormat::GRAY
            | FrameFormat::RAWRGB
            | FrameFormat::RAWBGR) => {
                return Err(lost(format!("it gives {other}, and neither MJPEG nor YUYV")));
            }
        };
        Ok(Some(frame))
    }
}
