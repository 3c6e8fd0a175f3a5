//! Comparing JSON values.

use serde_json::value::RawValue;

use crate::record::json::{Fields, fields};

/// How deep values are compared; deeper ones count as different.
const MAX_DEPTH: u8 = 64;

/// An `f64` distinguishes numbers that have at most this many digits.
const MAX_DIGITS: usize = 15;

/// Whether two JSON values are the same, whatever their spelling: spaces, escapes, the order of
/// the members of an object, and `1` or `1.0`. No two different numbers are ever the same.
pub(crate) fn is_same(a: &RawValue, b: &RawValue) -> bool {
    same(a.get(), b.get(), 0)
}

fn same(a: &str, b: &str, depth: u8) -> bool {
    let (a, b) = (a.trim(), b.trim());
    if a == b {
        return true;
    }
    if depth == MAX_DEPTH {
        return false;
    }
    match (a.as_bytes().first(), b.as_bytes().first()) {
        (Some(b'{'), Some(b'{')) => match (fields(a), fields(b)) {
            (Ok(a), Ok(b)) => same_fields(&a, &b, depth + 1),
            _ => false,
        },
        (Some(b'['), Some(b'[')) => match (elements(a), elements(b)) {
            (Ok(a), Ok(b)) => {
                let pairs = || a.iter().zip(&b);
                a.len() == b.len() && pairs().all(|(a, b)| same(a.get(), b.get(), depth + 1))
            }
            _ => false,
        },
        (Some(b'"'), Some(b'"')) => match (text(a), text(b)) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        },
        _ => same_number(a, b),
    }
}

fn same_fields(a: &Fields<'_>, b: &Fields<'_>, depth: u8) -> bool {
    a.len() == b.len()
        && a.iter().all(|(name, value)| {
            let other = b.get(name);
            other.is_some_and(|other| same(value.get(), other.get(), depth))
        })
}

fn elements(array: &str) -> serde_json::Result<Vec<&RawValue>> {
    serde_json::from_str(array)
}

fn text(string: &str) -> serde_json::Result<String> {
    serde_json::from_str(string)
}

fn same_number(a: &str, b: &str) -> bool {
    number(a).is_some_and(|a| Some(a) == number(b))
}

/// The value of a number, if no other number of at most [`MAX_DIGITS`] is rounded to it. Words
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
    fn spelling_does_not_matter() {
        for (a, b) in [
            ("1", "1.0"),
            ("1e3", "1000"),
            ("0.50", "5e-1"),
            ("0", "-0.0"),
            (r#""\u00e9""#, "\"é\""),
            ("[1, 2]", "[1,2.0]"),
            (r#"{"a":1,"b":[]}"#, r#"{ "b": [ ], "a": 1 }"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        ] {
            assert!(compare(a, b), "{a} {b}");
        }
    }

    #[test]
    fn different_values_are_different() {
        for (a, b) in [
            ("1", "2"),
            ("1", "\"1\""),
            ("null", "false"),
            ("null", "0"),
            ("[]", "{}"),
            ("[1]", "[1,1]"),
            (r#"{"a":null}"#, "{}"),
            ("9007199254740993", "9007199254740992"),
            ("9007199254740993", "9007199254740992.0"),
            ("0.1", "0.1000000000000000055"),
            ("1e400", "1e500"),
            ("0", "1e-400"),
            ("4e-324", "5e-324"),
        ] {
            assert!(!compare(a, b), "{a} {b}");
        }
    }

    #[test]
    fn nesting_does_not_exhaust_the_stack() {
        let deep = |leaf: &str| format!("{}{leaf}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(!compare(&deep("1"), &deep("2")));
    }
}
