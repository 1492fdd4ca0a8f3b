//! Jitter that is a pure function of a name and a time: the same world shows the same numbers again.

use jiff::{SignedDuration, Timestamp};

/// A smooth wander between -1 and 1 that finds a new direction every `pace`.
pub(super) fn wander(name: &str, at: Timestamp, pace: SignedDuration) -> f64 {
    let pace_ms = pace.as_millis().clamp(1, i128::from(i64::MAX)) as i64;
    let now_ms = at.as_millisecond();
    let from = now_ms.div_euclid(pace_ms);
    let way = now_ms.rem_euclid(pace_ms) as f64 / pace_ms as f64;
    let eased = way * way * (3.0 - 2.0 * way);
    let (before, after) = (unit(name, from), unit(name, from.wrapping_add(1)));
    before + (after - before) * eased
}

/// A number between -1 and 1 for a name and a count.
fn unit(name: &str, count: i64) -> f64 {
    let bits = scramble(hash(name) ^ count.cast_unsigned());
    (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// A number that stays with a name.
pub(super) fn hash(name: &str) -> u64 {
    // FNV-1a, 64 bits (draft-eastlake-fnv).
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
fn scramble(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_bounds_wanders_smoothly_and_repeats() {
        let pace = SignedDuration::from_secs(10);
        let at = |ms: i64| Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap();
        let walk: Vec<f64> = (0..5000).map(|step| wander("a", at(step * 200), pace)).collect();
        assert!(walk.iter().all(|value| value.abs() <= 1.0));
        assert!(walk.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.1));
        assert!(walk.iter().any(|value| *value > 0.5) && walk.iter().any(|value| *value < -0.5));
        assert_eq!(wander("a", at(1234), pace), wander("a", at(1234), pace));
        assert_ne!(wander("a", at(1234), pace), wander("b", at(1234), pace));
    }
}
