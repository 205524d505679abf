//! Dates. Only what depends on nothing but the arguments; `utcNow` does not.

use super::{Call, Failure, Outcome, error};
use crate::value::Value;

/// A moment in UTC.
#[derive(Clone, Copy)]
struct Moment {
    /// Since 1970-01-01T00:00:00Z.
    seconds: i64,
    nanoseconds: u32,
}

/// Days since 1970-01-01 of a date in the Gregorian calendar.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month, day of a number of days since 1970-01-01.
fn date_of(days: i64) -> (i64, i64, i64) {
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

fn days_in_month(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_of(next_year, next, 1) - days_of(year, month, 1)
}

impl Moment {
    /// Reads `2020-04-07T14:53:14.5Z`, with a space or nothing but a date, with or without an offset.
    fn parse(text: &str) -> Option<Moment> {
        let text = text.trim();
        let (date, rest) = text.split_at_checked(10)?;
        let mut fields = date.split('-').map(|field| field.parse::<i64>().ok());
        let (year, month, day) = (fields.next()??, fields.next()??, fields.next()??);
        if !(1..=9999).contains(&year)
            || !(1..=12).contains(&month)
            || !(1..=days_in_month(year, month)).contains(&day)
        {
            return None;
        }
        let rest = rest.strip_prefix(['T', 't', ' ']).unwrap_or(rest);
        let end = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
        let (time, zone) = rest.split_at(end);
        let (clock, fraction) = time.trim().split_once('.').unwrap_or((time.trim(), ""));
        let mut seconds = 0;
        if !clock.is_empty() {
            let fields =
                clock.split(':').map(|field| field.parse::<i64>().ok()).collect::<Option<Vec<_>>>()?;
            let (hour, minute, second) = match fields.as_slice() {
                [hour, minute] => (*hour, *minute, 0),
                [hour, minute, second] => (*hour, *minute, *second),
                _ => return None,
            };
            if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..60).contains(&second) {
                return None;
            }
            seconds = hour * 3600 + minute * 60 + second;
        }
        let nanoseconds = match fraction {
            "" => 0,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("{digits:0<9}").get(..9)?.parse().ok()?
            }
            _ => return None,
        };
        let offset = match zone.trim() {
            "" | "Z" | "z" => 0,
            zone => {
                let sign = if zone.starts_with('-') { -1 } else { 1 };
                let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
                let hours = digits.get(..2)?.parse::<i64>().ok()?;
                sign * (hours * 3600 + digits.get(2..4).unwrap_or("0").parse::<i64>().ok()? * 60)
            }
        };
        Some(Moment { seconds: days_of(year, month, day) * 86_400 + seconds - offset, nanoseconds })
    }

    fn fields(self) -> (i64, i64, i64, i64, i64, i64) {
        let (year, month, day) = date_of(self.seconds.div_euclid(86_400));
        let second = self.seconds.rem_euclid(86_400);
        (year, month, day, second / 3600, second / 60 % 60, second % 60)
    }

    /// In one of .NET's formats; `None` for those that depend on a culture or are not supported.
    fn format(self, format: &str) -> Option<String> {
        let (year, month, day, hour, minute, second) = self.fields();
        match format {
            "u" => return Some(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")),
            "s" => return Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")),
            "o" | "O" => {
                let ticks = self.nanoseconds / 100;
                return Some(format!(
                    "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ticks:07}Z"
                ));
            }
            _ if format.chars().count() < 2 => return None,
            _ => {}
        }
        let mut out = String::new();
        let mut rest = format;
        while let Some(first) = rest.chars().next() {
            let run = rest.chars().take_while(|c| *c == first).count();
            let length = run * first.len_utf8();
            match (first, run) {
                ('y', 4) => out.push_str(&format!("{year:04}")),
                ('y', 2) => out.push_str(&format!("{:02}", year % 100)),
                ('M', 2) => out.push_str(&format!("{month:02}")),
                ('M', 1) => out.push_str(&month.to_string()),
                ('d', 2) => out.push_str(&format!("{day:02}")),
                ('d', 1) => out.push_str(&day.to_string()),
                ('H', 2) => out.push_str(&format!("{hour:02}")),
                ('H', 1) => out.push_str(&hour.to_string()),
                ('h', 2) => out.push_str(&format!("{:02}", (hour + 11) % 12 + 1)),
                ('h', 1) => out.push_str(&((hour + 11) % 12 + 1).to_string()),
                ('m', 2) => out.push_str(&format!("{minute:02}")),
                ('s', 2) => out.push_str(&format!("{second:02}")),
                ('t', 2) => out.push_str(if hour < 12 { "AM" } else { "PM" }),
                ('f', 1..=7) => out.push_str(format!("{:09}", self.nanoseconds).get(..run)?),
                ('-' | ':' | '/' | ' ' | '.' | ',' | 'T' | 'Z' | '_', _) => out.push_str(rest.get(..length)?),
                ('\'', _) => {
                    let quoted = rest.get(1..)?;
                    let end = quoted.find('\'')?;
                    out.push_str(quoted.get(..end)?);
                    rest = quoted.get(end + 1..)?;
                    continue;
                }
                _ => return None,
            }
            rest = rest.get(length..)?;
        }
        Some(out)
    }
}

/// Months and seconds of an ISO 8601 duration such as `P1Y2M3DT4H5M6S`, `-P9D`, `P2W`.
fn duration(text: &str) -> Option<(i64, i64)> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let rest = rest.strip_prefix('P')?;
    let (mut months, mut seconds) = (0i64, 0i64);
    let mut in_time = false;
    let mut number = String::new();
    let mut any = false;
    for c in rest.chars() {
        if c == 'T' && !in_time && number.is_empty() {
            in_time = true;
            continue;
        }
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let amount =
            std::mem::take(&mut number).parse::<i64>().ok().filter(|amount| *amount <= 1_000_000_000)?;
        any = true;
        match (c, in_time) {
            ('Y', false) => months += amount * 12,
            ('M', false) => months += amount,
            ('W', false) => seconds += amount * 7 * 86_400,
            ('D', false) => seconds += amount * 86_400,
            ('H', true) => seconds += amount * 3600,
            ('M', true) => seconds += amount * 60,
            ('S', true) => seconds += amount,
            _ => return None,
        }
    }
    (any && number.is_empty()).then_some((sign * months, sign * seconds))
}

fn moment(call: &Call<'_, '_, '_>, index: usize) -> Result<Moment, Failure> {
    match Moment::parse(call.text(index)?) {
        Some(moment) => Ok(moment),
        None => error("the text is not a date in the form `2020-04-07T14:53:14Z`"),
    }
}

pub(super) fn add(call: &Call<'_, '_, '_>) -> Outcome {
    let start = moment(call, 0)?;
    let Some((months, seconds)) = duration(call.text(1)?) else {
        return error("the second argument is not a duration such as `P1D`");
    };
    let (year, month, day, ..) = start.fields();
    let month_number = year * 12 + month - 1 + months;
    let (year, month) = (month_number.div_euclid(12), month_number.rem_euclid(12) + 1);
    if !(1..=9999).contains(&year) {
        return error("the result is not a date");
    }
    let day = day.min(days_in_month(year, month));
    let shifted = days_of(year, month, day) * 86_400 + start.seconds.rem_euclid(86_400) + seconds;
    let moment = Moment { seconds: shifted, ..start };
    if !(1..=9999).contains(&moment.fields().0) {
        return error("the result is not a date");
    }
    // Without a format the form of the result is not documented.
    match (call.values.len() == 3).then(|| call.text(2)).transpose()?.and_then(|format| moment.format(format))
    {
        Some(text) => call.string(text),
        None => {
            let what = "the form in which `dateTimeAdd` writes this date";
            Ok(Value::unknown(crate::value::Cause::Unsupported(what.into()), call.span))
        }
    }
}

pub(super) fn from_epoch(call: &Call<'_, '_, '_>) -> Outcome {
    let moment = Moment { seconds: call.integer(0)?, nanoseconds: 0 };
    if !(0..=253_402_300_799).contains(&moment.seconds) {
        return error("the number is not a date");
    }
    match moment.format("s") {
        Some(text) => call.string(format!("{text}Z")),
        None => Err(Failure::Unknown),
    }
}

pub(super) fn to_epoch(call: &Call<'_, '_, '_>) -> Outcome {
    Ok(Value::number(moment(call, 0)?.seconds, call.span))
}
