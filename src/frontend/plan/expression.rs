//! The expressions of a plan's configuration: what they refer to. Operators and functions are not in a plan.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// An expression, or the arguments of a block.
#[derive(Debug)]
pub(super) enum Expression<'a> {
    /// Refers to nothing: a value that is written, or none.
    Constant,
    /// Refers to these, the most specific first and each with its prefixes behind it: `azurerm_subnet.db.id`,
    /// `azurerm_subnet.db`.
    References(Vec<Cow<'a, str>>),
    /// The arguments of a block, in the order of their names.
    Block(Vec<(Cow<'a, str>, Expression<'a>)>),
    /// Blocks of one type.
    List(Vec<Expression<'a>>),
    /// A text that is no expression.
    Text(Cow<'a, str>),
}

impl<'a> Expression<'a> {
    /// Reads an expression. `None` for what is no JSON.
    pub fn parse(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }

    /// The expression of an argument of a block.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Expression::Block(arguments) = self else { return None };
        let at = arguments.binary_search_by(|(other, _)| other.as_ref().cmp(name)).ok()?;
        arguments.get(at).map(|(_, expression)| expression)
    }

    /// The blocks, if these are several.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Expression::List(blocks) => Some(blocks),
            _ => None,
        }
    }

    /// What is inside of it, one level deeper.
    pub fn inside(&self) -> impl Iterator<Item = &Self> {
        let (arguments, blocks) = match self {
            Expression::Block(arguments) => (arguments.as_slice(), &[][..]),
            Expression::List(blocks) => (&[][..], blocks.as_slice()),
            Expression::Constant | Expression::References(_) | Expression::Text(_) => (&[][..], &[][..]),
        };
        arguments.iter().map(|(_, expression)| expression).chain(blocks)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Expression<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Expression<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an expression of a configuration")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Expression::Constant)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Expression::Constant)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Expression::Constant)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Expression::Constant)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Expression::Constant)
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Expression::Text(Cow::Owned(text.to_string())))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Expression::Text(Cow::Borrowed(text)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Expression::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                #[derive(serde::Deserialize)]
                struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

                let (mut arguments, mut references, mut constant) = (Vec::new(), None, false);
                while let Some(Name(name)) = members.next_key()? {
                    if name == "constant_value" {
                        members.next_value::<IgnoredAny>()?;
                        constant = true;
                        continue;
                    }
                    match (name.as_ref(), members.next_value()?) {
                        ("references", Expression::List(list)) => references = Some(list),
                        (_, argument) => arguments.push((name, argument)),
                    }
                }
                if let Some(list) = references {
                    let texts = list.into_iter().filter_map(|item| match item {
                        Expression::Text(text) => Some(text),
                        _ => None,
                    });
                    return Ok(Expression::References(texts.collect()));
                }
                if constant {
                    return Ok(Expression::Constant);
                }
                // Terraform writes them in this order.
                arguments.sort_by(|(one, _), (other, _)| one.cmp(other));
                Ok(Expression::Block(arguments))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}
