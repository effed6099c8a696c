//! The one parser of options whose words are the codes of an enum, as they stand in plans and policy files.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::de::value::Error;
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// Takes a word as serde does. The help lists the words in the order of the variants.
pub fn code<T>() -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    let words = PossibleValuesParser::new(codes::<T>());
    words.try_map(|word| {
        let word = IntoDeserializer::<Error>::into_deserializer(word.as_str());
        T::deserialize(word)
    })
}

/// The codes of an enum: serde tells them to whoever shall read one.
fn codes<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut codes: &[&str] = &[];
    drop(T::deserialize(CodesOf(&mut codes)));
    codes
}

/// Reads nothing, and keeps what it was asked for.
struct CodesOf<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for CodesOf<'_> {
    type Error = Error;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        codes: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = codes;
        self.deserialize_any(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("there is nothing to read"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OnDamaged, Protect};

    #[test]
    fn the_words_are_the_codes_in_their_order() {
        assert_eq!(
            codes::<Protect>(),
            ["auto", "guard", "iunlink", "verity", "immutable", "none"]
        );
        assert_eq!(codes::<OnDamaged>(), ["exclude-guest", "care-rules-only"]);
        assert_eq!(codes::<u64>(), [""; 0]);
    }
}
