//! Numbers: exact integers where possible, else binary floating point of up to 512 bits.
//!
//! Terraform computes with 512-bit floating point and prints the shortest decimal that reads back as the same number.
//! [`Real`] does the same, so that `0.1 + 0.2`, `1.1 * 10` and `2 / 3 * 3` come out as Terraform has them.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use num_bigint::BigUint;

use super::real::Real;

/// A number. Whole numbers within ±2^127 are exact; others carry up to 512 bits.
#[derive(Clone, Debug)]
pub enum Number {
    /// A whole number.
    Integer(i128),
    /// Any other number, and whole numbers that were computed to fewer digits than they have (`pow(2, 64)`).
    Real(Arc<Real>),
}

impl Number {
    /// The number as a whole one, when it is.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_i128().and_then(|value| i64::try_from(value).ok())
    }

    /// The number as a whole one, when it is one within ±2^127.
    pub fn as_i128(&self) -> Option<i128> {
        match self {
            Number::Integer(value) => Some(*value),
            Number::Real(value) => value.to_i128(),
        }
    }

    /// The nearest floating-point number.
    pub fn as_f64(&self) -> f64 {
        match self {
            Number::Integer(value) => *value as f64,
            Number::Real(value) => value.to_f64(),
        }
    }

    /// Whether there is nothing after the decimal point.
    pub fn is_whole(&self) -> bool {
        match self {
            Number::Integer(_) => true,
            Number::Real(value) => value.is_whole(),
        }
    }

    /// -1, 0 or 1.
    pub fn signum(&self) -> i8 {
        match self {
            Number::Integer(value) => value.signum() as i8,
            Number::Real(value) if value.is_negative() => -1,
            Number::Real(_) => 1,
        }
    }

    /// The number that a float is; `None` for infinities and NaN.
    pub fn from_f64(value: f64) -> Option<Number> {
        if value.fract() == 0.0 && value.abs() < 9.0e15 {
            return Some(Number::Integer(value as i128));
        }
        // Larger whole numbers keep their precision, which decides how they print.
        Real::from_f64(value).map(|real| Number::Real(Arc::new(real)))
    }

    /// A whole number of any size (up to the limits of [`Real`]): digits in a base from 2 to 36, lower or upper case,
    /// without a sign. `None` when the text has other characters, is empty, or is too long.
    pub fn from_digits(negative: bool, digits: &BigUint) -> Option<Number> {
        Real::from_parts(negative, digits.clone(), 0).map_or_else(
            || (digits.bits() == 0).then_some(Number::Integer(0)),
            |real| Some(Number::from_real(real)),
        )
    }

    /// Reads a decimal number (`12`, `-1.5`, `1e3`); `None` when the text is not one, or is beyond all reason
    /// (more than [`Real::MAX_EXPONENT`] digits).
    pub fn parse(text: &str) -> Option<Number> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if digits.len() <= 38
            && !digits.is_empty()
            && digits.bytes().all(|b| b.is_ascii_digit())
            && let Ok(value) = text.parse::<i128>()
        {
            return Some(Number::Integer(value));
        }
        Real::parse(text).map(|real| real.map_or(Number::Integer(0), Number::from_real))
    }

    fn from_real(real: Real) -> Number {
        match real.to_i128() {
            Some(value) => Number::Integer(value),
            None => Number::Real(Arc::new(real)),
        }
    }

    /// `None` stands for zero.
    fn to_real(&self) -> Option<Real> {
        match self {
            Number::Integer(value) => Real::from_i128(*value),
            Number::Real(value) => Some(Real::clone(value)),
        }
    }

    /// `self + other`; `None` beyond the limits of [`Real`].
    pub fn add(&self, other: &Number) -> Option<Number> {
        if let (Number::Integer(a), Number::Integer(b)) = (self, other)
            && let Some(sum) = a.checked_add(*b)
        {
            return Some(Number::Integer(sum));
        }
        match (self.to_real(), other.to_real()) {
            (None, _) => Some(other.clone()),
            (_, None) => Some(self.clone()),
            (Some(a), Some(b)) => Some(a.add(&b)?.map_or(Number::Integer(0), Number::from_real)),
        }
    }

    /// `self - other`; `None` beyond the limits of [`Real`].
    pub fn subtract(&self, other: &Number) -> Option<Number> {
        self.add(&other.negate())
    }

    /// `self * other`; `None` beyond the limits of [`Real`].
    pub fn multiply(&self, other: &Number) -> Option<Number> {
        if let (Number::Integer(a), Number::Integer(b)) = (self, other)
            && let Some(product) = a.checked_mul(*b)
        {
            return Some(Number::Integer(product));
        }
        match (self.to_real(), other.to_real()) {
            (Some(a), Some(b)) => Some(Number::from_real(a.multiply(&b)?)),
            _ => Some(Number::Integer(0)),
        }
    }

    /// `self / other`; `None` when `other` is zero or the result is beyond the limits of [`Real`].
    pub fn divide(&self, other: &Number) -> Option<Number> {
        if let (Number::Integer(a), Number::Integer(b)) = (self, other)
            && *b != 0
            && a.checked_rem(*b) == Some(0)
        {
            return a.checked_div(*b).map(Number::Integer);
        }
        let divisor = other.to_real()?;
        match self.to_real() {
            None => Some(Number::Integer(0)),
            Some(dividend) => Some(Number::from_real(dividend.divide(&divisor)?)),
        }
    }

    /// `self % other`: what is left after dividing and cutting off the fraction, with the sign of `self`. `self` when
    /// `other` is zero (as Terraform has it). `None` beyond the limits of [`Real`].
    pub fn remainder(&self, other: &Number) -> Option<Number> {
        if other.signum() == 0 {
            return Some(self.clone());
        }
        if let (Number::Integer(a), Number::Integer(b)) = (self, other)
            && let Some(rest) = a.checked_rem(*b)
        {
            return Some(Number::Integer(rest));
        }
        self.subtract(&other.multiply(&self.divide(other)?.truncate()?)?)
    }

    /// `-self`.
    pub fn negate(&self) -> Number {
        match self {
            Number::Integer(value) => match value.checked_neg() {
                Some(negated) => Number::Integer(negated),
                None => Number::from_digits(false, &BigUint::from(value.unsigned_abs()))
                    .unwrap_or(Number::Integer(i128::MAX)),
            },
            Number::Real(value) => Number::from_real(value.negate()),
        }
    }

    /// Without what is after the decimal point. `None` beyond the limits of [`Real`].
    pub fn truncate(&self) -> Option<Number> {
        match self {
            Number::Integer(_) => Some(self.clone()),
            Number::Real(value) if value.is_whole() => Some(self.clone()),
            Number::Real(value) => Number::from_digits(value.is_negative(), &value.whole_magnitude()),
        }
    }

    /// The next whole number below, or the number itself when it is whole. `None` beyond the limits of [`Real`].
    pub fn floor(&self) -> Option<Number> {
        let whole = self.truncate()?;
        if self < &whole { whole.subtract(&Number::Integer(1)) } else { Some(whole) }
    }

    /// The next whole number above, or the number itself when it is whole. `None` beyond the limits of [`Real`].
    pub fn ceil(&self) -> Option<Number> {
        self.negate().floor().map(|value| value.negate())
    }

    /// The number with exactly `decimals` digits after the point, halves to even.
    pub fn to_fixed(&self, decimals: usize) -> String {
        match self {
            Number::Integer(0) => Real::zero_fixed(decimals),
            Number::Integer(_) => match self.to_real() {
                Some(real) => real.to_fixed(decimals),
                None => Real::zero_fixed(decimals),
            },
            Number::Real(real) => real.to_fixed(decimals),
        }
    }

    /// The significant decimal digits (no leading or trailing zeros, at least one digit) and how many of them stand
    /// before the point. With `count`, rounded to so many digits, halves to even; else the shortest that
    /// reads back as the same number.
    pub fn digits(&self, count: Option<usize>) -> (Vec<u8>, i64) {
        match self.to_real() {
            None => (vec![b'0'], 1),
            Some(real) => real.digits(count),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Number::Integer(value) => value.hash(state),
            Number::Real(value) => match value.to_i128() {
                Some(whole) => whole.hash(state),
                None => value.hash_value(state),
            },
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Number::Integer(a), Number::Integer(b)) => a.cmp(b),
            _ => match (self.to_real(), other.to_real()) {
                (Some(a), Some(b)) => a.compare(&b),
                (None, _) => 0.cmp(&other.signum()),
                (_, None) => self.signum().cmp(&0),
            },
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Integer(value) => write!(f, "{value}"),
            Number::Real(value) => write!(f, "{value}"),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn decimals_print_as_written() {
        for text in ["0", "12", "-7", "0.1", "0.5", "-1.25", "0.0000001", "123456789012345678901234567890"] {
            assert_eq!(number(text).to_string(), text);
        }
        assert_eq!(number("1e3").to_string(), "1000");
        assert_eq!(number("1.50").to_string(), "1.5");
        assert_eq!(number("-0").to_string(), "0");
        assert_eq!(number("0.0e5").to_string(), "0");
        assert_eq!(number("1e50").to_string(), format!("1{}", "0".repeat(50)));
        let nines = "9".repeat(60);
        assert_eq!(number(&nines).to_string(), nines);
    }

    #[test]
    fn what_is_not_a_decimal_number_is_refused() {
        for text in
            ["", "-", "+", ".", "e3", "1e", "0x10", "inf", "NaN", "1_000", " 1", "1 ", "1.2.3", "1e999999999"]
        {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn arithmetic_agrees_with_terraform() {
        assert_eq!(number("0.1").add(&number("0.2")).unwrap().to_string(), "0.3");
        assert_eq!(number("1.1").multiply(&number("10")).unwrap().to_string(), "11");
        let third = number("2").divide(&number("3")).unwrap();
        assert_eq!(third.multiply(&number("3")).unwrap().to_string(), "2");
        assert_eq!(
            number("1").divide(&number("3")).unwrap().to_string(),
            format!("0.{}5", "3".repeat(154)),
            "the shortest decimal that tells 512 bits apart"
        );
        assert_eq!(
            number("1.1").multiply(&number("1.1")).unwrap().to_string(),
            format!("1.21{}1", "0".repeat(151))
        );
        assert_eq!(number("7").divide(&number("2")).unwrap().to_string(), "3.5");
        assert_eq!(number("-7").remainder(&number("3")).unwrap().to_string(), "-1");
        assert_eq!(number("5.5").remainder(&number("2")).unwrap().to_string(), "1.5");
        assert!(number("1").divide(&number("0")).is_none());
        let large = Number::Integer(i128::MAX);
        assert_eq!(large.add(&number("1")).unwrap().to_string(), "170141183460469231731687303715884105728");
        assert_eq!(
            Number::Integer(i128::MIN).negate().to_string(),
            "170141183460469231731687303715884105728"
        );
    }

    #[test]
    fn rounding_goes_towards_the_named_side() {
        for (text, floor, ceil) in
            [("1.5", "1", "2"), ("-1.5", "-2", "-1"), ("3", "3", "3"), ("0.1", "0", "1")]
        {
            assert_eq!(number(text).floor().unwrap().to_string(), floor);
            assert_eq!(number(text).ceil().unwrap().to_string(), ceil);
        }
    }

    #[test]
    fn floats_keep_their_own_precision() {
        assert_eq!(Number::from_f64(2f64.sqrt()).unwrap().to_string(), "1.4142135623730951");
        assert_eq!(Number::from_f64(0.25).unwrap(), number("0.25"));
        let power = Number::from_f64(2f64.powi(64)).unwrap();
        assert_eq!(power.to_string(), "18446744073709550000", "16 digits are all that a float is sure of");
        assert_eq!(power, number("18446744073709551616"));
        assert_eq!(power.as_i128(), Some(1 << 64));
        assert!(Number::from_f64(f64::NAN).is_none());
        assert!(Number::from_f64(f64::INFINITY).is_none());
        assert_eq!(number("0.1").as_f64(), 0.1);
        assert_eq!(number("1e300").as_f64(), 1e300);
        assert_eq!(number("1e-320").as_f64(), 1e-320);
    }

    #[test]
    fn order_is_by_size() {
        let mut numbers: Vec<Number> =
            ["2", "-0.5", "10", "0", "1e40", "-1e40", "0.25"].into_iter().map(number).collect();
        numbers.sort();
        let shown: Vec<String> = numbers.iter().take(6).map(Number::to_string).collect();
        assert_eq!(shown[1..], ["-0.5", "0", "0.25", "2", "10"]);
        assert_eq!(number("1.50"), number("1.5"));
    }

    #[test]
    fn fixed_decimals_round_half_to_even() {
        for (text, decimals, want) in [
            ("2.5", 0, "2"),
            ("3.5", 0, "4"),
            ("0.333", 2, "0.33"),
            ("9.999", 2, "10.00"),
            ("0.04", 1, "0.0"),
            ("7", 2, "7.00"),
            ("-0.5", 1, "-0.5"),
            ("0", 3, "0.000"),
        ] {
            assert_eq!(number(text).to_fixed(decimals), want, "{text}");
        }
    }
}
