//! Functions on dates and times, which are strings as RFC 3339 has them.

use super::arguments::{Call, Function, invalid, string};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("formatdate", &[string("format"), string("time")], formatdate),
    Function::strict("timeadd", &[string("timestamp"), string("duration")], |call| {
        let time = Timestamp::parse(call.text(0)?)?;
        Ok(call.string(time.plus(parse_duration(call.text(1)?)?)?.to_string()))
    }),
    Function::strict("timecmp", &[string("timestamp_a"), string("timestamp_b")], |call| {
        let parse = |index: usize, name: &str| {
            Timestamp::parse(call.text(index)?).map_err(|problem| invalid(name, &problem))
        };
        let order = parse(0, "timestamp_a")?.instant().cmp(&parse(1, "timestamp_b")?.instant());
        Ok(Value::number(order as i64, call.span))
    }),
];

const NANOSECONDS: i128 = 1_000_000_000;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// From Monday, the weekday of day 4 of the epoch.
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A moment and the offset of the clock that showed it.
#[derive(Clone, Copy)]
pub(super) struct Timestamp {
    /// Seconds since 1970 on that clock.
    local_seconds: i64,
    nanoseconds: u32,
    offset_minutes: i32,
}

/// The parts of a date and a time of day.
struct Fields {
    year: i64,
    month: usize,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    weekday: usize,
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, counting years from March so that leap days come last.
fn days_from_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn date_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

impl Timestamp {
    /// Reads `2006-01-02T15:04:05.999+07:00`.
    pub fn parse(text: &str) -> Result<Timestamp, String> {
        let wrong = |what: &str| format!("not a valid RFC3339 timestamp: {what}");
        let bytes = text.as_bytes();
        let number = |from: usize, length: usize| {
            let digits = bytes.get(from..from + length)?;
            digits
                .iter()
                .all(u8::is_ascii_digit)
                .then(|| digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
        };
        let mark = |at: usize, wanted: u8| bytes.get(at) == Some(&wanted);
        let year = number(0, 4).ok_or_else(|| wrong("no year"))?;
        let month = number(5, 2).filter(|month| mark(4, b'-') && (1..=12).contains(month));
        let month = month.ok_or_else(|| wrong("no month"))?;
        let day = number(8, 2).filter(|day| mark(7, b'-') && (1..=days_in_month(year, month)).contains(day));
        let day = day.ok_or_else(|| wrong("no day of month"))?;
        if !mark(10, b'T') {
            return Err(wrong("missing required time introducer 'T'"));
        }
        let hour = number(11, 2).filter(|hour| *hour < 24).ok_or_else(|| wrong("no hour"))?;
        let minute = number(14, 2).filter(|minute| mark(13, b':') && *minute < 60);
        let minute = minute.ok_or_else(|| wrong("no minute"))?;
        let second = number(17, 2).filter(|second| mark(16, b':') && *second < 60);
        let second = second.ok_or_else(|| wrong("no second"))?;
        let mut at = 19;
        let mut nanoseconds = 0;
        if mark(at, b'.') {
            let digits = bytes.iter().skip(at + 1).take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 {
                return Err(wrong("no fraction of a second"));
            }
            for place in 0..9 {
                let digit =
                    if place < digits { bytes.get(at + 1 + place).map_or(0, |b| b - b'0') } else { 0 };
                nanoseconds = nanoseconds * 10 + u32::from(digit);
            }
            at += 1 + digits;
        }
        let offset_minutes = match bytes.get(at) {
            Some(b'Z') if bytes.len() == at + 1 => 0,
            Some(sign @ (b'+' | b'-')) if bytes.len() == at + 6 && mark(at + 3, b':') => {
                let hours = number(at + 1, 2).filter(|hours| *hours < 24);
                let minutes = number(at + 4, 2).filter(|minutes| *minutes < 60);
                let (Some(hours), Some(minutes)) = (hours, minutes) else {
                    return Err(wrong("no UTC offset"));
                };
                let minutes = (hours * 60 + minutes) as i32;
                if *sign == b'-' { -minutes } else { minutes }
            }
            _ => return Err(wrong("no UTC offset")),
        };
        let local_seconds = days_from_date(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
        Ok(Timestamp { local_seconds, nanoseconds, offset_minutes })
    }

    /// Nanoseconds since 1970, the same on all clocks.
    fn instant(&self) -> i128 {
        (i128::from(self.local_seconds) - i128::from(self.offset_minutes) * 60) * NANOSECONDS
            + i128::from(self.nanoseconds)
    }

    fn plus(&self, nanoseconds: i64) -> Result<Timestamp, String> {
        let local = i128::from(self.local_seconds) * NANOSECONDS
            + i128::from(self.nanoseconds)
            + i128::from(nanoseconds);
        let seconds = i64::try_from(local.div_euclid(NANOSECONDS)).map_err(|_| "the time is out of range")?;
        Ok(Timestamp {
            local_seconds: seconds,
            nanoseconds: local.rem_euclid(NANOSECONDS) as u32,
            offset_minutes: self.offset_minutes,
        })
    }

    fn fields(&self) -> Fields {
        let days = self.local_seconds.div_euclid(86_400);
        let seconds = self.local_seconds.rem_euclid(86_400);
        let (year, month, day) = date_from_days(days);
        Fields {
            year,
            month: usize::try_from(month).unwrap_or(1),
            day,
            hour: seconds / 3_600,
            minute: seconds % 3_600 / 60,
            second: seconds % 60,
            // 1970-01-01 was a Thursday.
            weekday: (days + 3).rem_euclid(7) as usize,
        }
    }

    fn offset(&self, colon: &str) -> String {
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let minutes = self.offset_minutes.unsigned_abs();
        format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
    }
}

impl std::fmt::Display for Timestamp {
    /// To the second, as Terraform writes results.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Fields { year, month, day, hour, minute, second, .. } = self.fields();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.offset_minutes == 0 { write!(f, "Z") } else { write!(f, "{}", self.offset(":")) }
    }
}

/// Reads a duration such as `1h30m` or `-1.5s`, in nanoseconds.
fn parse_duration(text: &str) -> Result<i64, String> {
    let wrong = || format!("time: invalid duration {text:?}");
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let length = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let (number, after) = rest.split_at(length);
        let length = after.bytes().take_while(|b| !b.is_ascii_digit() && *b != b'.').count();
        let (unit, after) = after.split_at(length);
        let size: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => NANOSECONDS,
            "m" => 60 * NANOSECONDS,
            "h" => 3_600 * NANOSECONDS,
            "" => return Err(format!("time: missing unit in duration {text:?}")),
            other => return Err(format!("time: unknown unit {other:?} in duration {text:?}")),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || whole.len() > 19 {
            return Err(wrong());
        }
        let parse = |digits: &str| if digits.is_empty() { Ok(0) } else { digits.parse::<i128>() };
        total += parse(whole).map_err(|_| wrong())? * size;
        let fraction = fraction.get(..fraction.len().min(15)).unwrap_or("");
        let scale = 10i128.pow(u32::try_from(fraction.len()).unwrap_or(0));
        total += parse(fraction).map_err(|_| wrong())? * size / scale;
        if total > i128::from(i64::MAX) {
            return Err(wrong());
        }
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).map_err(|_| wrong())
}

fn formatdate(call: &Call) -> Result<Value, String> {
    let time = Timestamp::parse(call.text(1)?).map_err(|problem| invalid("time", &problem))?;
    let fields = time.fields();
    let mut rest = call.text(0)?;
    let mut text = String::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => quoted_length(rest).ok_or_else(|| invalid("format", "unterminated literal '"))?,
            verb if verb.is_ascii_alphabetic() => rest.chars().take_while(|c| *c == verb).count(),
            _ => rest.find(|c: char| c == '\'' || c.is_ascii_alphabetic()).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        match first {
            '\'' if token == "''" => text.push('\''),
            '\'' => text.push_str(&token.get(1..length - 1).unwrap_or("").replace("''", "'")),
            verb if verb.is_ascii_alphabetic() => match field(&time, &fields, verb, length) {
                Some(shown) => text.push_str(&shown),
                None => return Err(invalid("format", &format!("invalid date format verb {token:?}"))),
            },
            _ => text.push_str(token),
        }
    }
    Ok(call.string(text))
}

/// The length of a quoted literal with its quotes; doubled quotes inside belong to it.
fn quoted_length(text: &str) -> Option<usize> {
    if text.starts_with("''") {
        return Some(2);
    }
    let mut from = 1;
    loop {
        let quote = from + text.get(from..)?.find('\'')?;
        if text.get(quote + 1..)?.starts_with('\'') {
            from = quote + 2;
        } else {
            return Some(quote + 1);
        }
    }
}

/// One verb of a date format: a letter and how often it stands.
fn field(time: &Timestamp, fields: &Fields, verb: char, count: usize) -> Option<String> {
    let number = |value: i64| match count {
        1 => Some(value.to_string()),
        2 => Some(format!("{value:02}")),
        _ => None,
    };
    let name = |name: &str| match count {
        3 => name.get(..3).map(str::to_string),
        4 => Some(name.to_string()),
        _ => None,
    };
    match verb {
        'Y' if count == 2 => Some(format!("{:02}", fields.year.rem_euclid(100))),
        'Y' if count == 4 => Some(format!("{:04}", fields.year)),
        'M' if count <= 2 => number(i64::try_from(fields.month).unwrap_or(1)),
        'M' => MONTHS.get(fields.month.checked_sub(1)?).and_then(|month| name(month)),
        'D' => number(fields.day),
        'E' => WEEKDAYS.get(fields.weekday).and_then(|day| name(day)),
        'h' => number(fields.hour),
        'H' => number((fields.hour + 11) % 12 + 1),
        'A' | 'a' if count == 2 => {
            let half = if fields.hour < 12 { "am" } else { "pm" };
            Some(if verb == 'A' { half.to_uppercase() } else { half.to_string() })
        }
        'm' => number(fields.minute),
        's' => number(fields.second),
        'Z' => match (count, time.offset_minutes) {
            (1, 0) => Some("Z".to_string()),
            (1 | 5, _) => Some(time.offset(":")),
            (3, 0) => Some("UTC".to_string()),
            (3 | 4, _) => Some(time.offset("")),
            _ => None,
        },
        _ => None,
    }
}
