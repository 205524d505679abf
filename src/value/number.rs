//! Numbers: exact integers where possible, floating point else.

use std::cmp::Ordering;

/// A number. Whole numbers within ±2^127 are exact; others are 64-bit floating point.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A whole number.
    Integer(i128),
    /// Any other number.
    Float(f64),
}

impl Number {
    /// The number as a whole one, when it is.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_i128().and_then(|value| i64::try_from(value).ok())
    }

    /// The number as a whole one, when it is.
    pub fn as_i128(&self) -> Option<i128> {
        match self {
            Number::Integer(value) => Some(*value),
            Number::Float(value) if value.fract() == 0.0 && value.abs() < 1e38 => Some(*value as i128),
            Number::Float(_) => None,
        }
    }

    /// The nearest floating-point number.
    pub fn as_f64(&self) -> f64 {
        match self {
            Number::Integer(value) => *value as f64,
            Number::Float(value) => *value,
        }
    }

    /// A float, or the whole number that it is.
    pub fn from_f64(value: f64) -> Number {
        if value.fract() == 0.0 && value.abs() < 9.0e15 {
            Number::Integer(value as i128)
        } else {
            Number::Float(value)
        }
    }

    /// Reads a decimal number (`12`, `-1.5`, `1e3`); `None` when the text is not one.
    pub fn parse(text: &str) -> Option<Number> {
        if let Ok(value) = text.parse::<i128>() {
            return Some(Number::Integer(value));
        }
        let value = text.parse::<f64>().ok()?;
        let plausible =
            text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
        (plausible && value.is_finite()).then(|| Number::from_f64(value))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Number::Integer(a), Number::Integer(b)) => Some(a.cmp(b)),
            _ => self.as_f64().partial_cmp(&other.as_f64()),
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Integer(value) => write!(f, "{value}"),
            Number::Float(value) => write!(f, "{value}"),
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Number::Integer(value.into())
    }
}

impl From<i128> for Number {
    fn from(value: i128) -> Self {
        Number::Integer(value)
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Number::Integer(value as i128)
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Number::from_f64(value)
    }
}
