//! Five points in a picture, and what they say about the thing in space that they lie on.
//!
//! Eyes and corners of the mouth lie in one plane, on a head as on a photograph. Four points of a
//! plane fix its homography (Hartley and Zisserman, *Multiple View Geometry*, 2nd edition, 4.1), so
//! wherever a camera stands and however a *flat* picture is held, the tip of the nose has the same
//! place in the coordinates that these four give: two numbers that no projection of a plane changes
//! (the projective invariants that De Marsico and others use, ICB 2012). The nose of a head stands
//! in front of that plane, so there its place moves with each turn: by the nose's height, times
//! the tangent of the turn, in the direction of the turn. That motion is the third rank that
//! Tomasi and Kanade (IJCV 9, 1992) look for in the matrix of all points over all frames; this way it
//! needs no affine camera and is read in each frame.
//!
//! How far the *plane* is turned shows in how much the four points are foreshortened. Both
//! together give the height of the nose, and by it paper that is only bent is told from a face.

/// Right and down are positive, as in pictures.
pub(super) type Point = [f64; 2];

/// Pixels beyond which a coordinate is not believed: no camera has them.
const PIXELS_MAX: f32 = 100_000.0;

/// Points nearer to each other than this, in pixels, are no face that could be measured.
const EYES_PX_MIN: f64 = 4.0;

/// Eye left, eye right, mouth left, mouth right of a usual face, in distances of its eyes. Only a
/// ruler: any four corners would do, these make the nose's place readable as eye distances.
const CORNERS: [Point; 4] = [[-0.5, 0.0], [0.5, 0.0], [-0.4, 1.05], [0.4, 1.05]];

/// A nose further than this from its face, in eye distances, belongs to points that are no face.
const NOSE_MAX: f64 = 4.0;

/// Five points, measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Face {
    /// Where the tip of the nose is in the plane of the other four, in eye distances.
    pub(super) nose: Point,
    /// The other four, in pixels, around their middle.
    pub(super) corners: [Point; 4],
    /// Their middle, in pixels.
    pub(super) middle: Point,
}

/// How a face stands, seen from how the same face stood at the beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Motion {
    /// How far the nose went against the plane of eyes and mouth, in eye distances.
    pub(super) parallax: Point,
    /// How much nearer: the natural logarithm of the growth.
    pub(super) nearer: f64,
    /// Tangent of the angle by which the plane of eyes and mouth seems turned away.
    pub(super) tilt: f64,
}

impl Face {
    /// Measures; `None` for points that cannot be a face: not numbers, one in another, in one line,
    /// crossed.
    pub(super) fn measure(points: &[[f32; 2]; 5]) -> Option<Self> {
        let sound = |value: &f32| value.is_finite() && value.abs() <= PIXELS_MAX;
        if !points.iter().flatten().all(sound) {
            return None;
        }
        let [eye_left, eye_right, nose, mouth_left, mouth_right] =
            points.map(|[x, y]| [f64::from(x), f64::from(y)]);
        let corners = [eye_left, eye_right, mouth_left, mouth_right];
        let middle = mean(&corners);
        let face = Self {
            nose: in_plane(&corners, nose)?,
            corners: corners.map(|corner| minus(corner, middle)),
            middle,
        };
        let usable = face.size() >= EYES_PX_MIN
            && convex(&corners)
            && face.nose.iter().all(|place| place.abs() <= NOSE_MAX);
        usable.then_some(face)
    }

    /// Size in pixels: the root of the mean squared distance of the corners from their middle.
    pub(super) fn size(&self) -> f64 {
        (self.corners.iter().map(|[x, y]| x * x + y * y).sum::<f64>() / 4.0).sqrt()
    }

    /// The median of several, value by value: one misplaced point moves nothing.
    pub(super) fn median(faces: &[Face]) -> Option<Self> {
        let of = |read: &dyn Fn(&Face) -> f64| median(faces.iter().map(read).collect());
        let mut face = *faces.first()?;
        for axis in 0..2 {
            face.nose[axis] = of(&|face| face.nose[axis])?;
            face.middle[axis] = of(&|face| face.middle[axis])?;
            for corner in 0..4 {
                face.corners[corner][axis] = of(&|face| face.corners[corner][axis])?;
            }
        }
        Some(face)
    }

    /// How this face stands against `base`; `None` where the base is no area.
    pub(super) fn since(&self, base: &Face) -> Option<Motion> {
        let (large, small) = stretches(&base.corners, &self.corners)?;
        let foreshortened = (small / large).clamp(0.0, 1.0);
        let motion = Motion {
            parallax: minus(self.nose, base.nose),
            // The larger one: turning the head makes a face narrower, not further away.
            nearer: large.ln(),
            tilt: (1.0 - foreshortened * foreshortened).max(0.0).sqrt() / foreshortened.max(0.05),
        };
        motion.nearer.is_finite().then_some(motion)
    }
}

impl Motion {
    /// The median of several, value by value.
    pub(super) fn median(motions: &[Motion]) -> Option<Self> {
        let of = |read: &dyn Fn(&Motion) -> f64| median(motions.iter().map(read).collect());
        Some(Self {
            parallax: [of(&|one| one.parallax[0])?, of(&|one| one.parallax[1])?],
            nearer: of(&|one| one.nearer)?,
            tilt: of(&|one| one.tilt)?,
        })
    }
}

/// The middle one; the upper one of an even number; `None` of none.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn mean(points: &[Point; 4]) -> Point {
    let sum = points.iter().fold([0.0, 0.0], |sum, point| [sum[0] + point[0], sum[1] + point[1]]);
    [sum[0] / 4.0, sum[1] / 4.0]
}

pub(super) fn minus(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

/// Whether left eye, right eye, right and left corner of the mouth go around in one sense, as in
/// every view of a plane from its front.
fn convex([eye_left, eye_right, mouth_left, mouth_right]: &[Point; 4]) -> bool {
    let round = [*eye_left, *eye_right, *mouth_right, *mouth_left];
    (0..4).all(|at| {
        let (a, b, c) = (round[at], round[(at + 1) % 4], round[(at + 2) % 4]);
        let ([x, y], [p, q]) = (minus(b, a), minus(c, b));
        x * q - y * p > 0.0
    })
}

// ---- the homography of four points ------------------------------------------------------------

type Matrix = [[f64; 3]; 3];

/// Where `point` of the picture lies in the plane whose [`CORNERS`] are seen at `corners`.
fn in_plane(corners: &[Point; 4], point: Point) -> Option<Point> {
    let seen = adjugate(&frame_of(corners)?);
    let ruler = frame_of(&CORNERS)?;
    let [x, y, w] = apply(&ruler, apply(&seen, [point[0], point[1], 1.0]));
    let place = [x / w, y / w];
    place.iter().all(|value| value.is_finite()).then_some(place)
}

/// The projection that sends the three axes and (1, 1, 1) to four points: its columns are the first
/// three, scaled so that their sum is the fourth.
fn frame_of([a, b, c, d]: &[Point; 4]) -> Option<Matrix> {
    let columns = [[a[0], b[0], c[0]], [a[1], b[1], c[1]], [1.0, 1.0, 1.0]];
    let scales = apply(&adjugate(&columns), [d[0], d[1], 1.0]);
    // Three in one line have no such projection.
    if !scales.iter().all(|scale| scale.abs() > 1e-6) {
        return None;
    }
    Some(columns.map(|row| [row[0] * scales[0], row[1] * scales[1], row[2] * scales[2]]))
}

/// The inverse but for a factor, which projections do not mind.
fn adjugate(m: &Matrix) -> Matrix {
    let minor = |r: usize, c: usize| {
        let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    [0, 1, 2].map(|row| [0, 1, 2].map(|column| minor(column, row)))
}

fn apply(m: &Matrix, v: [f64; 3]) -> [f64; 3] {
    m.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
}

// ---- foreshortening ---------------------------------------------------------------------------

/// The largest and the smallest stretch of the linear map that brings `from` nearest to `to`
/// (least squares): its singular values. A plane that turns is shortened across its axis only.
fn stretches(from: &[Point; 4], to: &[Point; 4]) -> Option<(f64, f64)> {
    let sum = |a: &[Point; 4], i: usize, b: &[Point; 4], j: usize| -> f64 {
        a.iter().zip(b).map(|(a, b)| a[i] * b[j]).sum()
    };
    let (xx, xy, yy) = (sum(from, 0, from, 0), sum(from, 0, from, 1), sum(from, 1, from, 1));
    let area = xx * yy - xy * xy;
    if area.is_nan() || area <= 1e-9 {
        return None;
    }
    let row = |i: usize| {
        let (x, y) = (sum(to, i, from, 0), sum(to, i, from, 1));
        [(x * yy - y * xy) / area, (y * xx - x * xy) / area]
    };
    let ([a, b], [c, d]) = (row(0), row(1));
    let (sum, difference) = ((a + d).hypot(c - b), (a - d).hypot(b + c));
    let (large, small) = (f64::midpoint(sum, difference), (sum - difference).abs() / 2.0);
    (large > 0.0 && large.is_finite()).then_some((large, small))
}
