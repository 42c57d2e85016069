//! How far apart two places are.

use crate::domain::GeoPoint;

/// Mean radius of the earth (IUGG), metres.
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Great-circle distance by the haversine formula, in whole metres. The earth's flattening makes
/// it wrong by up to half a percent, far below what a rule on travel can care about.
pub(super) fn metres(one: GeoPoint, other: GeoPoint) -> u32 {
    let radians = |e6: i32| (f64::from(e6) / 1e6).to_radians();
    let (lat1, lat2) = (radians(one.latitude_e6), radians(other.latitude_e6));
    let dlat = lat2 - lat1;
    let dlon = radians(other.longitude_e6) - radians(one.longitude_e6);
    let h = (dlat / 2.0).sin().powi(2) + lat1.cos() * lat2.cos() * (dlon / 2.0).sin().powi(2);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to half the earth's circumference, some 20,015,115 m, before the cast"
    )]
    let metres = (2.0 * EARTH_RADIUS_M * h.clamp(0.0, 1.0).sqrt().asin()).round() as u32;
    metres
}
