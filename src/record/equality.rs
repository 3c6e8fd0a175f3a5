//! Comparing JSON values.

use serde_json::from_str;
use serde_json::value::RawValue;

use crate::record::fields;

/// How deep values are compared; deeper ones count as different.
const MAX_DEPTH: u8 = 64;

/// An `f64` distinguishes numbers that have at most this many digits.
const MAX_DIGITS: usize = 15;

/// Returns whether two JSON values are the same, whatever their spelling: spaces, escapes, the order of
/// the members of an object, and `1` or `1.0`. No two different numbers are ever the same.
pub(crate) fn is_same(a: &RawValue, b: &RawValue) -> bool {
    same(a, b, 0).unwrap_or(false)
}

fn same(a: &RawValue, b: &RawValue, depth: u8) -> serde_json::Result<bool> {
    let (a, b) = (a.get().trim(), b.get().trim());
    if a == b || depth == MAX_DEPTH {
        return Ok(a == b);
    }
    let same_part = |a, b| same(a, b, depth + 1).unwrap_or(false);
    Ok(match (a.as_bytes().first(), b.as_bytes().first()) {
        (Some(b'{'), Some(b'{')) => {
            let (a, b) = (fields(a)?, fields(b)?);
            let mut pairs = a.iter().map(|(name, value)| (value, b.get(name)));
            a.len() == b.len() && pairs.all(|(a, b)| b.is_some_and(|b| same_part(a, b)))
        }
        (Some(b'['), Some(b'[')) => {
            let (a, b): (Vec<&RawValue>, Vec<&RawValue>) = (from_str(a)?, from_str(b)?);
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same_part(a, b))
        }
        (Some(b'"'), Some(b'"')) => from_str::<String>(a)? == from_str::<String>(b)?,
        _ => number(a).is_some_and(|a| Some(a) == number(b)),
    })
}

/// Returns the value of a number, if no other number of at most [`MAX_DIGITS`] is rounded to it. Words
/// such as `null` are not numbers.
fn number(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let mantissa = text.split(['e', 'E']).next()?;
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let is_zero = !mantissa.contains(|c| matches!(c, '1'..='9'));
    // Below the normal numbers, and above the largest, many texts have one value.
    (digits <= MAX_DIGITS && (is_zero || value.is_normal())).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(a: &str, b: &str) -> bool {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let (a, b) = (raw(a), raw(b));
        assert_eq!(is_same(&a, &b), is_same(&b, &a), "symmetric");
        is_same(&a, &b)
    }

    #[test]
    fn values_are_compared_whatever_their_spelling() {
        let same = r#"1 = 1.0; 1e3 = 1000; 0.50 = 5e-1; 0 = -0.0; "\u00e9" = "é"; [1, 2] = [1,2.0];
            {"a":1,"b":[]} = { "b": [ ], "a": 1 }; {"a":1,"a":2} = {"a":2}"#;
        let different = r#"1 = 2; 1 = "1"; null = false; null = 0; [] = {}; [1] = [1,1];
            {"a":null} = {}; 9007199254740993 = 9007199254740992; 0 = 1e-400; 1e400 = 1e500;
            9007199254740993 = 9007199254740992.0; 0.1 = 0.1000000000000000055; 4e-324 = 5e-324"#;
        for (pairs, expected) in [(same, true), (different, false)] {
            for pair in pairs.split(';') {
                let (a, b) = pair.trim().split_once(" = ").unwrap();
                assert_eq!(compare(a, b), expected, "{pair}");
            }
        }
    }

    #[test]
    fn nesting_does_not_exhaust_the_stack() {
        let deep = |leaf: &str| format!("{}{leaf}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(!compare(&deep("1"), &deep("2")));
    }
}
