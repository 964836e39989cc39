//! JSON as a tree that borrows from the body: one pass, no copy of a string that has no escapes.

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Containers inside containers. UniPile nests four deep; below `serde_json`'s own limit of 128, so
/// that this limit is the one that answers.
pub(in crate::v1) const DEPTH_MAX: u8 = 100;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::v1) enum Node<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Object(Object<'a>),
}

/// A JSON object, in the order of the body.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::v1) struct Object<'a>(Vec<(Cow<'a, str>, Node<'a>)>);

impl<'a> Object<'a> {
    /// The value of a key: of a repeated key the last, and none if it is null.
    pub(in crate::v1) fn get(&self, key: &str) -> Option<&Node<'a>> {
        let (_, node) = self.0.iter().rev().find(|(name, _)| name == key)?;
        (*node != Node::Null).then_some(node)
    }

    /// The object under a key.
    pub(in crate::v1) fn object(&self, key: &str) -> Option<&Object<'a>> {
        match self.get(key)? {
            Node::Object(object) => Some(object),
            _ => None,
        }
    }

    /// All keys with their values, in the order of the body.
    #[cfg(feature = "client")]
    pub(in crate::v1) fn entries(&self) -> impl Iterator<Item = (&str, &Node<'a>)> {
        self.0.iter().map(|(name, node)| (name.as_ref(), node))
    }

    /// The values of a list under a key; none if there is no list.
    #[cfg(feature = "client")]
    pub(in crate::v1) fn list(&self, key: &str) -> Option<&[Node<'a>]> {
        match self.get(key)? {
            Node::List(list) => Some(list),
            _ => None,
        }
    }

    /// What `read` makes of the first of several spellings of a key that it can make something of.
    pub(in crate::v1) fn pick<T>(
        &self,
        keys: &[&str],
        read: impl Fn(&Node<'a>) -> Option<T>,
    ) -> Option<T> {
        keys.iter().find_map(|key| self.get(key).and_then(&read))
    }
}

/// Reads a whole text as JSON.
///
/// # Errors
///
/// Errors of the category `Data` mean that it is nested too deep; nothing else makes one.
pub(in crate::v1) fn tree(text: &str) -> Result<Node<'_>, serde_json::Error> {
    let mut source = serde_json::Deserializer::from_str(text);
    let node = Level(DEPTH_MAX).deserialize(&mut source)?;
    source.end()?;
    Ok(node)
}

/// How many levels of containers may still be opened.
#[derive(Clone, Copy)]
struct Level(u8);

impl Level {
    fn below<E: Error>(self) -> Result<Self, E> {
        let left = self.0.checked_sub(1);
        left.map(Self).ok_or_else(|| E::custom("nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Node<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, source: D) -> Result<Node<'de>, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        // A number that large fits no field; infinity fits none either.
        Ok(i64::try_from(value).map_or(Node::Float(f64::INFINITY), Node::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(Node::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Node<'de>, A::Error> {
        let level = self.below()?;
        let mut list = Vec::new();
        while let Some(node) = source.next_element_seed(level)? {
            list.push(node);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Node<'de>, A::Error> {
        let level = self.below()?;
        let mut entries = Vec::new();
        while let Some(key) = source.next_key_seed(Key)? {
            entries.push((key, source.next_value_seed(level)?));
        }
        Ok(Node::Object(Object(entries)))
    }
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, source: D) -> Result<Self::Value, D::Error> {
        source.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}
