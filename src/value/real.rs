//! Binary floating point of up to 512 bits, rounded to nearest, halves to even.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use num_bigint::BigUint;

/// A number other than zero: ±mantissa · 2^exponent, the mantissa odd.
#[derive(Clone, Debug)]
pub struct Real {
    negative: bool,
    mantissa: BigUint,
    exponent: i64,
    /// To how many bits the number was computed: decides how many digits tell it apart from its neighbours.
    precision: u32,
}

/// The decimal digits of a number: `0.d₀d₁d₂… · 10^point`, without trailing zeros.
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

impl Real {
    /// Terraform's precision in bits.
    const PRECISION: u32 = 512;

    /// Decimal exponents beyond ± this are refused: printing them would take as many digits.
    pub const MAX_EXPONENT: i64 = 5_000;

    /// A number from its parts; `None` when it is zero or beyond the limits.
    pub(super) fn from_parts(negative: bool, mantissa: BigUint, exponent: i64) -> Option<Real> {
        Self::rounded(negative, mantissa, exponent, Self::PRECISION, false)
    }

    /// Rounds to `precision` bits. `sticky`: a part below the mantissa's last bit was cut off.
    fn rounded(
        negative: bool,
        mut mantissa: BigUint,
        mut exponent: i64,
        precision: u32,
        sticky: bool,
    ) -> Option<Real> {
        let bits = mantissa.bits();
        if bits == 0 {
            return None;
        }
        let excess = bits.saturating_sub(u64::from(precision));
        if excess > 0 {
            let half = mantissa.bit(excess - 1);
            let below = sticky || mantissa.trailing_zeros().is_some_and(|zeros| zeros < excess - 1);
            mantissa >>= excess;
            exponent = exponent.checked_add(i64::try_from(excess).ok()?)?;
            if half && (below || mantissa.bit(0)) {
                mantissa += 1u32;
            }
        }
        let zeros = mantissa.trailing_zeros().unwrap_or(0);
        mantissa >>= zeros;
        exponent = exponent.checked_add(i64::try_from(zeros).ok()?)?;
        // A decimal digit is worth 3.32 bits.
        let limit = Self::MAX_EXPONENT * 10 / 3;
        (exponent.abs() <= limit).then_some(Real { negative, mantissa, exponent, precision })
    }

    pub(super) fn from_i128(value: i128) -> Option<Real> {
        Self::from_parts(value < 0, BigUint::from(value.unsigned_abs()), 0)
    }

    pub(super) fn from_f64(value: f64) -> Option<Real> {
        if !value.is_finite() || value == 0.0 {
            return None;
        }
        let bits = value.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let biased = ((bits >> 52) & 0x7ff) as i64;
        let (mantissa, exponent) =
            if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
        Self::rounded(value < 0.0, BigUint::from(mantissa), exponent, 53, false)
    }

    /// `Some(None)` is zero; `None` is not a number, or one beyond the limits.
    pub(super) fn parse(text: &str) -> Option<Option<Real>> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (number, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((number, exponent)) => {
                let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
                if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                (number, exponent.parse::<i64>().ok()?)
            }
            None => (unsigned, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if whole.len() + fraction.len() > Self::MAX_EXPONENT as usize || exponent.abs() > Self::MAX_EXPONENT {
            return None;
        }
        let mut digits = String::with_capacity(whole.len() + fraction.len());
        digits.push_str(whole);
        digits.push_str(fraction);
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let mantissa = BigUint::parse_bytes(digits.as_bytes(), 10)?;
        if mantissa.bits() == 0 {
            return Some(None);
        }
        let exponent = exponent - i64::try_from(fraction.len()).ok()?;
        let power = BigUint::from(10u32).pow(u32::try_from(exponent.unsigned_abs()).ok()?);
        let real = if exponent >= 0 {
            Self::from_parts(negative, mantissa * power, 0)
        } else {
            Self::quotient(negative, &mantissa, &power, 0, Self::PRECISION)
        };
        Some(Some(real?))
    }

    /// ±dividend / divisor · 2^exponent, rounded. The divisor is not zero.
    fn quotient(
        negative: bool,
        dividend: &BigUint,
        divisor: &BigUint,
        exponent: i64,
        precision: u32,
    ) -> Option<Real> {
        let wanted = u64::from(precision) + 2 + divisor.bits();
        let shift = wanted.saturating_sub(dividend.bits());
        let shifted = dividend << shift;
        let quotient = &shifted / divisor;
        let sticky = &quotient * divisor != shifted;
        // The quotient has more than `precision` bits, so that the cut-off remainder lies below the rounding bit.
        let exponent = exponent.checked_sub(i64::try_from(shift).ok()?)?;
        Self::rounded(negative, quotient, exponent, precision, sticky)
    }

    pub(super) fn is_negative(&self) -> bool {
        self.negative
    }

    pub(super) fn is_whole(&self) -> bool {
        self.exponent >= 0
    }

    /// The absolute value without what is after the point.
    pub(super) fn whole_magnitude(&self) -> BigUint {
        if self.exponent >= 0 {
            &self.mantissa << self.exponent.unsigned_abs()
        } else {
            &self.mantissa >> self.exponent.unsigned_abs()
        }
    }

    pub(super) fn to_i128(&self) -> Option<i128> {
        if !self.is_whole() || self.mantissa.bits().saturating_add(self.exponent.unsigned_abs()) > 127 {
            return None;
        }
        let value = i128::try_from(self.whole_magnitude()).ok()?;
        Some(if self.negative { -value } else { value })
    }

    pub(super) fn to_f64(&self) -> f64 {
        // The standard library's reader rounds correctly, subnormal numbers and overflow included.
        let text = format!("{}{}", if self.negative { "-" } else { "" }, self.scientific());
        text.parse().unwrap_or(0.0)
    }

    fn scientific(&self) -> String {
        let decimal = Decimal::exact(&self.mantissa, self.exponent);
        format!("0.{}e{}", String::from_utf8_lossy(&decimal.digits), decimal.point)
    }

    pub(super) fn negate(&self) -> Real {
        Real { negative: !self.negative, ..self.clone() }
    }

    /// `Some(None)` is zero.
    pub(super) fn add(&self, other: &Real) -> Option<Option<Real>> {
        let exponent = self.exponent.min(other.exponent);
        let left = &self.mantissa << (self.exponent - exponent).unsigned_abs();
        let right = &other.mantissa << (other.exponent - exponent).unsigned_abs();
        let precision = self.precision.max(other.precision);
        let (negative, magnitude) = if self.negative == other.negative {
            (self.negative, left + right)
        } else {
            match left.cmp(&right) {
                Ordering::Equal => return Some(None),
                Ordering::Greater => (self.negative, left - right),
                Ordering::Less => (other.negative, right - left),
            }
        };
        Self::rounded(negative, magnitude, exponent, precision, false).map(Some)
    }

    pub(super) fn multiply(&self, other: &Real) -> Option<Real> {
        // The product is computed in full precision and keeps what it needs of it, as Terraform does.
        let mut product = Self::from_parts(
            self.negative != other.negative,
            &self.mantissa * &other.mantissa,
            self.exponent.checked_add(other.exponent)?,
        )?;
        let needed = u32::try_from(product.mantissa.bits()).unwrap_or(Self::PRECISION);
        product.precision = self.precision.max(other.precision).max(needed);
        Some(product)
    }

    pub(super) fn divide(&self, other: &Real) -> Option<Real> {
        Self::quotient(
            self.negative != other.negative,
            &self.mantissa,
            &other.mantissa,
            self.exponent.checked_sub(other.exponent)?,
            self.precision.max(other.precision),
        )
    }

    pub(super) fn compare(&self, other: &Real) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.compare_magnitude(other),
            (true, true) => other.compare_magnitude(self),
        }
    }

    fn compare_magnitude(&self, other: &Real) -> Ordering {
        let exponent = self.exponent.min(other.exponent);
        let left = &self.mantissa << (self.exponent - exponent).unsigned_abs();
        let right = &other.mantissa << (other.exponent - exponent).unsigned_abs();
        left.cmp(&right)
    }

    pub(super) fn hash_value<H: Hasher>(&self, state: &mut H) {
        self.negative.hash(state);
        self.mantissa.hash(state);
        self.exponent.hash(state);
    }

    pub(super) fn digits(&self, count: Option<usize>) -> (Vec<u8>, i64) {
        let mut decimal = Decimal::exact(&self.mantissa, self.exponent);
        match count {
            Some(count) => decimal.round(count),
            None => self.shorten(&mut decimal),
        }
        (decimal.digits, decimal.point)
    }

    pub(super) fn zero_fixed(decimals: usize) -> String {
        if decimals == 0 { "0".to_string() } else { format!("0.{}", "0".repeat(decimals)) }
    }

    pub(super) fn to_fixed(&self, decimals: usize) -> String {
        let mut decimal = Decimal::exact(&self.mantissa, self.exponent);
        let kept = decimal.point.saturating_add(i64::try_from(decimals).unwrap_or(i64::MAX));
        match usize::try_from(kept) {
            Ok(count) => decimal.round(count),
            Err(_) => decimal = Decimal { digits: Vec::new(), point: 0 },
        }
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{}", decimal.positional(decimals))
    }

    /// Shortens exact digits to the fewest that still lie nearer to this number than to its neighbours.
    fn shorten(&self, decimal: &mut Decimal) {
        let bits = self.mantissa.bits();
        // One bit more than the precision, so that one unit is half the distance to a neighbour.
        let shift = u64::from(self.precision + 1).saturating_sub(bits);
        let scaled = &self.mantissa << shift;
        let exponent = self.exponent - i64::try_from(shift).unwrap_or(0);
        let lower = Decimal::exact(&(&scaled - 1u32), exponent);
        let upper = Decimal::exact(&(&scaled + 1u32), exponent);
        let inclusive = !scaled.bit(1);
        for index in 0..decimal.digits.len() {
            let (below, here, above) = (lower.at(index), decimal.at(index), upper.at(index));
            let may_cut = below != here || (inclusive && index + 1 == lower.digits.len());
            let may_raise =
                here != above && (inclusive || here + 1 < above || index + 1 < upper.digits.len());
            match (may_cut, may_raise) {
                (true, true) => return decimal.round(index + 1),
                (true, false) => return decimal.cut(index + 1),
                (false, true) => return decimal.raise(index + 1),
                (false, false) => {}
            }
        }
    }
}

impl Decimal {
    /// All digits of mantissa · 2^exponent.
    fn exact(mantissa: &BigUint, exponent: i64) -> Decimal {
        let (digits, places) = if exponent >= 0 {
            ((mantissa << exponent.unsigned_abs()).to_string(), 0)
        } else {
            let power = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
            ((mantissa * BigUint::from(5u32).pow(power)).to_string(), i64::from(power))
        };
        let digits = digits.into_bytes();
        let point = i64::try_from(digits.len()).unwrap_or(i64::MAX) - places;
        let mut decimal = Decimal { digits, point };
        decimal.trim();
        decimal
    }

    fn at(&self, index: usize) -> u8 {
        self.digits.get(index).copied().unwrap_or(b'0')
    }

    fn trim(&mut self) {
        let kept = self.digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
        self.digits.truncate(kept);
        if self.digits.is_empty() {
            self.point = 0;
        }
    }

    fn cut(&mut self, count: usize) {
        self.digits.truncate(count);
        self.trim();
    }

    fn raise(&mut self, count: usize) {
        self.digits.truncate(count);
        while let Some(last) = self.digits.pop() {
            if last < b'9' {
                self.digits.push(last + 1);
                return;
            }
        }
        self.digits.push(b'1');
        self.point += 1;
    }

    fn round(&mut self, count: usize) {
        let Some(next) = self.digits.get(count).copied() else { return };
        let halfway = next == b'5' && count + 1 == self.digits.len();
        let up = if halfway {
            count.checked_sub(1).is_some_and(|last| self.at(last) % 2 == 1)
        } else {
            next >= b'5'
        };
        if up { self.raise(count) } else { self.cut(count) }
    }

    /// The digits with a point; at least `decimals` digits after it.
    fn positional(&self, decimals: usize) -> String {
        let mut text = String::new();
        let before = usize::try_from(self.point).unwrap_or(0);
        if before == 0 {
            text.push('0');
        }
        for index in 0..before {
            text.push(char::from(self.at(index)));
        }
        let leading = usize::try_from(-self.point).unwrap_or(0);
        let after =
            if self.digits.is_empty() { 0 } else { (leading + self.digits.len()).saturating_sub(before) };
        let after = after.max(decimals);
        if after > 0 {
            text.push('.');
            for place in 0..after {
                let digit = if place < leading { b'0' } else { self.at(before + place - leading) };
                text.push(char::from(digit));
            }
        }
        text
    }
}

impl std::fmt::Display for Real {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut decimal = Decimal::exact(&self.mantissa, self.exponent);
        self.shorten(&mut decimal);
        write!(f, "{}{}", if self.negative { "-" } else { "" }, decimal.positional(0))
    }
}
