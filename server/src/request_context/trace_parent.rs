//! The header `traceparent`.

use http::{HeaderMap, HeaderName};

/// The length of version 00. Later versions may append fields.
const LEN: usize = 55;

/// The position of a request in a distributed trace (W3C Trace Context, section 3.2).
#[derive(Clone, Copy)]
pub(crate) struct TraceParent([u8; LEN]);

impl TraceParent {
    /// The header in requests and responses.
    pub(super) const HEADER: HeaderName = HeaderName::from_static("traceparent");

    /// Returns the position that the headers contain; `None` without one, and for one that is
    /// invalid. Of a later version, only the fields of version 00 are kept.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(&Self::HEADER).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return None;
        };
        let (fields, rest) = value.as_bytes().split_first_chunk::<LEN>()?;
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_valid = |(index, byte): (usize, &u8)| match index {
            2 | 35 | 52 => *byte == b'-',
            _ => is_hex(*byte),
        };
        let is_zero = |field: &[u8]| field.iter().all(|byte| *byte == b'0');
        let version = &fields[..2];
        let has_valid_end = match version {
            b"00" => rest.is_empty(),
            b"ff" => false,
            _ => rest.first().is_none_or(|byte| *byte == b'-'),
        };
        let is_valid = has_valid_end
            && fields.iter().enumerate().all(is_valid)
            && !is_zero(&fields[3..35])
            && !is_zero(&fields[36..52]);
        let mut kept = *fields;
        kept[..2].copy_from_slice(b"00");
        is_valid.then_some(Self(kept))
    }

    /// Returns the header in version 00.
    pub(super) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the trace id: 32 hexadecimal digits.
    pub(super) fn trace_id(&self) -> &str {
        std::str::from_utf8(&self.0[3..35]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_valid_positions_are_kept() {
        const TRACE: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let valid = format!("00-{TRACE}");
        let (zero_trace, zero_parent) = ("0".repeat(32), "0".repeat(16));
        for (lines, is_valid) in [
            (vec![valid.clone()], true),
            (vec![format!("cc-{TRACE}")], true),
            (vec![format!("cc-{TRACE}-later fields")], true),
            (vec![], false),
            (vec![valid.clone(), valid.clone()], false),
            (vec![String::new()], false),
            (vec![format!("ff-{TRACE}")], false),
            (vec![format!("{valid}-later")], false),
            (vec![format!("cc-{TRACE}.later")], false),
            (vec![valid[..54].to_owned()], false),
            (vec![valid.to_uppercase()], false),
            (vec![valid.replace('-', "_")], false),
            (vec![valid.replace("b7", "g7")], false),
            (vec![valid.replacen("0af7", "h1dd", 1)], false),
            (vec![valid.replace(&valid[3..35], &zero_trace)], false),
            (vec![valid.replace(&valid[36..52], &zero_parent)], false),
        ] {
            let values = lines
                .iter()
                .map(|line| HeaderValue::try_from(line).unwrap());
            let headers = HeaderMap::from_iter(values.map(|value| (TraceParent::HEADER, value)));
            let found = TraceParent::of(&headers);
            let found = found.as_ref().map(TraceParent::as_bytes);
            let expected = is_valid.then_some(valid.as_bytes());
            assert_eq!(found, expected, "{lines:?}");
        }
    }
}
