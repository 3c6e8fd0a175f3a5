//! Times in tokens (RFC 7519 section 2, `NumericDate`).

/// 2^53: JSON readers that use doubles hold integers exactly up to here.
pub(super) const MAX_SECONDS: i64 = 1 << 53;

/// Parses a JSON number of seconds from 0 to 2^53 into Unix milliseconds, truncating smaller
/// fractions; `None` for any other JSON value.
pub(super) fn parse(json: &str) -> Option<i64> {
    if let Ok(seconds) = json.parse::<i64>() {
        return (0..=MAX_SECONDS).contains(&seconds).then(|| seconds * 1000);
    }
    let seconds: f64 = json.parse().ok()?;
    let in_range = (0.0..=MAX_SECONDS as f64).contains(&seconds);
    // In this range the cast only truncates: the largest product, 2^53 * 1000, fits an `i64`.
    in_range.then_some((seconds * 1000.0) as i64)
}
