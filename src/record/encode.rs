//! Writing application values as JSON.

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::{JsonError, JsonErrorKind};

/// Writes `value` as JSON.
///
/// # Errors
///
/// [`JsonErrorKind::NotFinite`] for NaN and infinities, which `serde_json` writes as `null`.
pub(crate) fn to_raw(value: &impl Serialize) -> Result<Box<RawValue>, JsonError> {
    let raw = serde_json::value::to_raw_value(value)?;
    check_finite(value, raw.get())?;
    Ok(raw)
}

/// Writes `value` as a JSON object.
///
/// # Errors
///
/// As [`to_raw`]; [`JsonErrorKind::NotAnObject`].
pub(crate) fn to_map(value: &impl Serialize) -> Result<Map<String, Value>, JsonError> {
    let raw = to_raw(value)?;
    match serde_json::from_str(raw.get())? {
        Value::Object(map) => Ok(map),
        _ => Err(JsonErrorKind::NotAnObject.into()),
    }
}

/// A number that is not finite leaves a `null` in the text, so that most values are serialized
/// only once.
fn check_finite(value: &impl Serialize, text: &str) -> Result<(), JsonError> {
    if !text.contains("null") {
        return Ok(());
    }
    value
        .serialize(FiniteOnly)
        .map_err(|NotFinite| JsonErrorKind::NotFinite.into())
}

/// Serializer that writes nothing and fails at the first number that is not finite.
#[derive(Clone, Copy)]
struct FiniteOnly;

#[derive(Debug)]
struct NotFinite;

impl std::fmt::Display for NotFinite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number is not finite")
    }
}

impl std::error::Error for NotFinite {}

impl serde::ser::Error for NotFinite {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

type Checked<T = ()> = Result<T, NotFinite>;

/// Defines the methods that accept a scalar.
macro_rules! accept {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, _: $type) -> Checked { Ok(()) })*
    };
}

/// Implements a trait for compound values, whose parts are checked one by one.
macro_rules! compound {
    ($($trait:ident :: $method:ident ( $($name:ty)? )),*) => {
        $(impl $trait for FiniteOnly {
            type Ok = ();
            type Error = NotFinite;

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
    SerializeStruct::serialize_field(&'static str),
    SerializeStructVariant::serialize_field(&'static str)
);

impl SerializeMap for FiniteOnly {
    type Ok = ();
    type Error = NotFinite;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Checked {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Checked {
        value.serialize(Self)
    }

    fn end(self) -> Checked {
        Ok(())
    }
}

impl Serializer for FiniteOnly {
    type Ok = ();
    type Error = NotFinite;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    accept!(
        serialize_bool: bool, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_u128: u128, serialize_unit_struct: &'static str
    );

    fn serialize_f32(self, value: f32) -> Checked {
        value.is_finite().then_some(()).ok_or(NotFinite)
    }

    fn serialize_f64(self, value: f64) -> Checked {
        value.is_finite().then_some(()).ok_or(NotFinite)
    }

    fn serialize_unit(self) -> Checked {
        Ok(())
    }

    fn serialize_none(self) -> Checked {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Checked {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Checked {
        Ok(())
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

    fn serialize_seq(self, _: Option<usize>) -> Checked<Self> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Checked<Self> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Checked<Self> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Checked<Self> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Checked<Self> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Checked<Self> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Checked<Self> {
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;

    #[derive(Serialize)]
    struct Nested {
        rate: Option<f32>,
        list: Vec<(u8, f64)>,
        unit: (),
    }

    fn kind(value: impl Serialize) -> Option<JsonErrorKind> {
        to_raw(&value).err().map(|error| error.kind())
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused_at_any_depth() {
        let nested = |rate, number| Nested {
            rate,
            list: vec![(1, 0.5), (2, number)],
            unit: (),
        };
        let refused = Some(JsonErrorKind::NotFinite);
        assert_eq!(kind(f64::NAN), refused);
        assert_eq!(kind(Some(f32::INFINITY)), refused);
        assert_eq!(kind(nested(None, f64::NEG_INFINITY)), refused);
        assert_eq!(kind(nested(Some(f32::NAN), 1.0)), refused);
        assert_eq!(kind(nested(None, 1.0)), None);
        assert_eq!(kind(serde_json::json!({"null": [null, "null"]})), None);
    }

    #[test]
    fn values_that_are_no_object_have_a_kind_of_error() {
        let error = to_map(&5).unwrap_err();
        assert_eq!(error.kind(), JsonErrorKind::NotAnObject);
        let raw = RawValue::from_string("null".to_owned()).unwrap();
        assert_eq!(to_raw(&raw).unwrap().get(), "null");
    }
}
