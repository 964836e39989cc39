//! Points in time as UniPile wants them: UTC, exactly three decimals, `Z`.

use channel_domain::Micros;
use jiff::Timestamp;

/// The years that UniPile's pattern lets through, in microseconds: 1000 to 2999.
const FIRST: i64 = -30_610_224_000_000_000;
const LAST: i64 = 32_503_679_999_999_000;

/// For `after`, which is exclusive: rounded down, so that nothing is left out.
pub(super) fn after(at: Micros) -> String {
    millisecond(at.0.div_euclid(1000))
}

/// For `before`, which is exclusive: rounded up, so that nothing is left out.
pub(super) fn before(at: Micros) -> String {
    millisecond(at.0.div_euclid(1000) + i64::from(at.0.rem_euclid(1000) != 0))
}

fn millisecond(at: i64) -> String {
    let at = at.clamp(FIRST / 1000, LAST / 1000);
    let at = Timestamp::from_millisecond(at).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_decimals_always_and_nothing_lost_by_rounding() {
        let second = 1_769_940_312_000_000;
        let cases = [
            (second, "2026-02-01T10:05:12.000Z", "2026-02-01T10:05:12.000Z"),
            (second + 120_000, "2026-02-01T10:05:12.120Z", "2026-02-01T10:05:12.120Z"),
            (second + 1, "2026-02-01T10:05:12.000Z", "2026-02-01T10:05:12.001Z"),
            (-1, "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z"),
            (i64::MIN, "1000-01-01T00:00:00.000Z", "1000-01-01T00:00:00.000Z"),
            (i64::MAX, "2999-12-31T23:59:59.999Z", "2999-12-31T23:59:59.999Z"),
        ];
        for (at, floor, ceiling) in cases {
            assert_eq!((after(Micros(at)).as_str(), before(Micros(at)).as_str()), (floor, ceiling));
        }
    }
}
