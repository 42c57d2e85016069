//! A generated person who stands before a made camera and moves her head.
//!
//! One picture of a face and its five points are bent over a simple head (an ellipsoid with a
//! nose), turned, and drawn into a room with the noise of a webcam. Good enough for detectors to
//! find the points where they are on a turned head, up to some 25 degrees; it is no
//! photograph of a turned head, and figures from it are called simulated.

use crate::camera::Frame;

/// Picture of the made camera, in pixels.
pub const WIDTH_PX: u32 = 640;
/// Picture of the made camera, in pixels.
pub const HEIGHT_PX: u32 = 480;

/// How she stands and looks in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Middle of her picture in the frame, in pixels.
    pub at: [f32; 2],
    /// Side of her picture in the frame, in pixels.
    pub size_px: f32,
    /// Turned to the right of the picture, in degrees.
    pub turn_deg: f32,
    /// Looking up, in degrees.
    pub lift_deg: f32,
}

/// A person's picture on a head.
pub struct Actor {
    picture: Frame,
    /// Middle of the face in the picture, and the distance of the eyes, in pixels.
    middle: [f32; 2],
    eyes_px: f32,
    nose: [f32; 2],
}

/// Half axes of the head and its depth, and the height and width of the nose, in distances of the
/// eyes; orientation values of adult faces, all that the bending needs.
const HALF_WIDTH: f32 = 1.25;
const HALF_HEIGHT: f32 = 1.75;
const DEPTH: f32 = 1.2;
const NOSE_HEIGHT: f32 = 0.5;
const NOSE_WIDTH: f32 = 0.28;

/// Steps of the search for the point of the picture that is seen at a pixel.
const STEPS: usize = 5;

impl Actor {
    /// From a frontal picture and the five points that a detector found in it: eyes, nose, mouth.
    pub fn new(picture: Frame, points: &[[f32; 2]; 5]) -> Self {
        let [left, right, nose, mouth_left, mouth_right] = *points;
        let mean =
            |axis: usize| (left[axis] + right[axis] + mouth_left[axis] + mouth_right[axis]) / 4.0;
        let eyes_px = (right[0] - left[0]).hypot(right[1] - left[1]).max(1.0);
        Self { picture, middle: [mean(0), mean(1)], eyes_px, nose }
    }

    /// Draws her into the room. `seed` makes the noise: another one for each frame.
    pub fn frame(&self, pose: &Pose, seed: u64) -> Frame {
        let mut room = room(seed);
        self.draw(&mut room, pose);
        room
    }

    fn draw(&self, room: &mut Frame, pose: &Pose) {
        #[expect(clippy::cast_precision_loss, reason = "sides of a picture are small")]
        let (side, bottom) = (self.picture.width() as f32, self.picture.height() as f32);
        let scale = pose.size_px / side;
        let (turn, lift) = (pose.turn_deg.to_radians(), pose.lift_deg.to_radians());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let edge = |value: f32, last: u32| value.clamp(0.0, last as f32) as u32;
        let half = pose.size_px / 2.0;
        let columns = edge(pose.at[0] - half, WIDTH_PX)..edge(pose.at[0] + half, WIDTH_PX);
        for y in edge(pose.at[1] - half, HEIGHT_PX)..edge(pose.at[1] + half, HEIGHT_PX) {
            for x in columns.clone() {
                #[expect(clippy::cast_precision_loss, reason = "pixels of a small frame")]
                let seen = [
                    (x as f32 - pose.at[0]) / scale + side / 2.0,
                    (y as f32 - pose.at[1]) / scale + bottom / 2.0,
                ];
                let source = self.behind(seen, turn, lift);
                let inside = (0.0..side - 1.0).contains(&source[0])
                    && (0.0..bottom - 1.0).contains(&source[1]);
                if inside {
                    let at = (y as usize * WIDTH_PX as usize + x as usize) * 3;
                    let noise: [u8; 3] = room.pixel(x, y).map(|value| value % 8);
                    let colour = sampled(&self.picture, source);
                    for (channel, pixel) in room.rgb_mut()[at..at + 3].iter_mut().enumerate() {
                        *pixel = colour[channel].saturating_add(noise[channel]).saturating_sub(4);
                    }
                }
            }
        }
    }

    /// Which point of the picture lies at this point when the head is turned.
    fn behind(&self, seen: [f32; 2], turn: f32, lift: f32) -> [f32; 2] {
        let u = (seen[0] - self.middle[0]) / self.eyes_px;
        let v = (seen[1] - self.middle[1]) / self.eyes_px;
        let (mut x, mut y) = (u, v);
        for _ in 0..STEPS {
            let (depth, solid) = self.depth(x, y);
            // Towards the edge of the head the picture is the room behind it, which stands still.
            let stretch_x = 1.0 - solid * (1.0 - turn.cos());
            let stretch_y = 1.0 - solid * (1.0 - lift.cos());
            x = (u - depth * turn.sin()) / stretch_x;
            y = (v + depth * turn.cos() * lift.sin()) / stretch_y;
        }
        [x * self.eyes_px + self.middle[0], y * self.eyes_px + self.middle[1]]
    }

    /// How far a point of the head lies before its axis, and how far it belongs to the head, 0…1.
    fn depth(&self, x: f32, y: f32) -> (f32, f32) {
        let square = (x / HALF_WIDTH).powi(2) + (y / HALF_HEIGHT).powi(2);
        let solid = (1.0 - square).clamp(0.0, 1.0);
        let nose = [
            (self.nose[0] - self.middle[0]) / self.eyes_px,
            (self.nose[1] - self.middle[1]) / self.eyes_px,
        ];
        let from_nose = ((x - nose[0]).powi(2) + (y - nose[1]).powi(2)) / NOSE_WIDTH.powi(2);
        (DEPTH * solid.sqrt() + NOSE_HEIGHT * (-from_nose).exp(), solid.sqrt())
    }
}

/// An empty room with the noise of a webcam.
pub fn room(seed: u64) -> Frame {
    let mut noise = Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut room = Frame::black(WIDTH_PX, HEIGHT_PX);
    let row_bytes = WIDTH_PX as usize * 3;
    for (at, pixel) in room.rgb_mut().iter_mut().enumerate() {
        let wall = 150 - at / row_bytes / 8;
        *pixel = u8::try_from(wall).unwrap_or(0) + noise.next() % 8;
    }
    room
}

/// Xorshift (Marsaglia 2003): noise for pictures, not for secrets.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_le_bytes()[3]
    }
}

/// Bilinear; `at` lies inside.
fn sampled(picture: &Frame, at: [f32; 2]) -> [u8; 3] {
    let [x, y] = at;
    let (across, down) = (x.fract(), y.fract());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside")]
    let (x, y) = (x as u32, y as u32);
    let corner = |dx: u32, dy: u32| picture.pixel(x + dx, y + dy).map(f32::from);
    let (a, b, c, d) = (corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1));
    std::array::from_fn(|channel| {
        let above = a[channel] * (1.0 - across) + b[channel] * across;
        let below = c[channel] * (1.0 - across) + d[channel] * across;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0…255")]
        let value = (above * (1.0 - down) + below * down) as u8;
        value
    })
}
