//! Writing application values as JSON.

use std::fmt;

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::{JsonError, JsonErrorKind};

/// Writes `value` as JSON. Rejects NaN and infinities, which `serde_json` writes as `null`.
pub(crate) fn to_raw(value: &impl Serialize) -> Result<Box<RawValue>, JsonError> {
    let raw = serde_json::value::to_raw_value(value)?;
    // A number that is not finite leaves a `null`. Without one, a second pass is not needed.
    if raw.get().contains("null") && value.serialize(FiniteOnly).is_err() {
        return Err(JsonErrorKind::NotFinite.into());
    }
    Ok(raw)
}

/// Writes `value`, which must serialize to a JSON object, as [`to_raw`].
pub(crate) fn to_map(value: &impl Serialize) -> Result<Map<String, Value>, JsonError> {
    let raw = to_raw(value)?;
    match serde_json::from_str(raw.get())? {
        Value::Object(map) => Ok(map),
        _ => Err(JsonErrorKind::NotAnObject.into()),
    }
}

/// Serializer that writes nothing and fails at the first number that is not finite.
#[derive(Clone, Copy)]
struct FiniteOnly;

type Checked<T = ()> = Result<T, fmt::Error>;

/// Defines serializer methods that ignore their arguments.
macro_rules! accept {
    ($result:ty, $value:expr; $($method:ident($($arg:ty),*)),* $(,)?) => {
        $(fn $method(self, $(_: $arg),*) -> Checked<$result> { Ok($value) })*
    };
}

/// Implements a trait for compound values, whose parts are checked one by one.
macro_rules! compound {
    ($($trait:ident :: $method:ident ( $($name:ty)? ) $($key:ident)?),*) => {
        $(impl $trait for FiniteOnly {
            type Ok = ();
            type Error = fmt::Error;

            $(fn $key<T: Serialize + ?Sized>(&mut self, _: &T) -> Checked {
                Ok(())
            })?

            fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Checked {
                value.serialize(Self)
            }

            fn end(self) -> Checked {
                Ok(())
            }
        })*
    };
}

compound!(
    SerializeSeq::serialize_element(),
    SerializeTuple::serialize_element(),
    SerializeTupleStruct::serialize_field(),
    SerializeTupleVariant::serialize_field(),
    SerializeMap::serialize_value() serialize_key,
    SerializeStruct::serialize_field(&'static str),
    SerializeStructVariant::serialize_field(&'static str)
);

impl Serializer for FiniteOnly {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    accept!((), ();
        serialize_bool(bool), serialize_char(char), serialize_str(&str), serialize_bytes(&[u8]),
        serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
        serialize_i128(i128), serialize_u8(u8), serialize_u16(u16), serialize_u32(u32),
        serialize_u64(u64), serialize_u128(u128), serialize_none(), serialize_unit(),
        serialize_unit_struct(&'static str),
        serialize_unit_variant(&'static str, u32, &'static str),
    );

    accept!(Self, Self;
        serialize_seq(Option<usize>), serialize_map(Option<usize>), serialize_tuple(usize),
        serialize_struct(&'static str, usize), serialize_tuple_struct(&'static str, usize),
        serialize_struct_variant(&'static str, u32, &'static str, usize),
        serialize_tuple_variant(&'static str, u32, &'static str, usize),
    );

    fn serialize_f32(self, value: f32) -> Checked {
        value.is_finite().then_some(()).ok_or(fmt::Error)
    }

    fn serialize_f64(self, value: f64) -> Checked {
        value.is_finite().then_some(()).ok_or(fmt::Error)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Checked {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, v: &T) -> Checked {
        v.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Checked {
        value.serialize(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    struct Nested {
        rate: Option<f32>,
        list: Vec<(u8, f64)>,
    }

    #[test]
    fn numbers_that_are_not_finite_are_rejected_at_any_depth() {
        let nested = |rate, number| {
            let list = vec![(1, 0.5), (2, number)];
            to_raw(&BTreeMap::from([("a", Nested { rate, list })])).map(drop)
        };
        let not_finite = Err(JsonErrorKind::NotFinite.into());
        assert_eq!(to_raw(&f64::NAN).map(drop), not_finite);
        assert_eq!(nested(None, f64::NEG_INFINITY), not_finite);
        assert_eq!(nested(Some(f32::NAN), 1.0), not_finite);
        assert_eq!(nested(None, 1.0), Ok(()));
        let nulls = to_raw(&json!({"null": [null, "null"]})).unwrap();
        assert_eq!(to_raw(&nulls).map(drop), Ok(()));
    }
}
