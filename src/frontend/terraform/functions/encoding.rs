//! Functions that write text in other forms and read them: Base64, URLs, CSV, other character sets.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ecow::EcoString;

use super::MAX_ELEMENTS;
use super::arguments::{Call, Function, invalid, normalized, string};
use crate::value::{Entry, MappingKind, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("base64decode", &[string("str")], base64decode),
    Function::strict("base64encode", &[string("str")], |call| Ok(call.string(BASE64.encode(call.text(0)?)))),
    // The compressed bytes depend on the compressor; nothing that Portolan looks at is written so.
    Function::partial("base64gzip", &[string("str")], |call| Ok(call.unsupported("`base64gzip`"))),
    Function::strict("csvdecode", &[string("str")], csvdecode),
    Function::strict("textdecodebase64", &[string("source"), string("encoding")], textdecodebase64),
    Function::strict("textencodebase64", &[string("string"), string("encoding")], textencodebase64),
    Function::strict("urlencode", &[string("str")], |call| Ok(call.string(url_encode(call.text(0)?)))),
];

/// Go's reader: padding is required, left-over bits are not looked at.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Line breaks are allowed anywhere.
fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.replace(['\r', '\n'], "")).ok()
}

fn base64decode(call: &Call) -> Result<Value, String> {
    let text = call.text(0)?;
    let bytes = decode(text).ok_or_else(|| "failed to decode base64 data".to_string())?;
    let decoded = String::from_utf8(bytes)
        .map_err(|_| "the result of decoding the provided string is not valid UTF-8".to_string())?;
    Ok(call.string_from(0, &*normalized(&decoded)))
}

/// As in a URL's query: a space becomes `+`.
fn url_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte))
            }
            b' ' => encoded.push('+'),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// A character set by its name.
enum Charset {
    Utf8,
    Utf16 { little_endian: bool },
    Other(&'static encoding_rs::Encoding),
}

/// How the names of character sets begin that Terraform may know where Portolan has no tables: their results are unknown,
/// not errors.
const PERHAPS_KNOWN: [&str; 16] = [
    "ascii", "ansi", "big5", "cp", "cs", "euc", "gb", "hz", "ibm", "iso", "koi", "latin", "mac", "us-",
    "utf", "windows",
];

/// `Err(None)`: known to Terraform but not here.
fn charset(name: &str) -> Result<Charset, Option<String>> {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "utf-8" | "utf8" => return Ok(Charset::Utf8),
        "utf-16le" => return Ok(Charset::Utf16 { little_endian: true }),
        "utf-16be" => return Ok(Charset::Utf16 { little_endian: false }),
        // The web's meaning of these names is not the registry's.
        "us-ascii" | "ascii" | "utf-16" | "iso-8859-1" => return Err(None),
        other if other.starts_with("latin") => return Err(None),
        "cp936" | "ms936" | "windows-936" => return Ok(Charset::Other(encoding_rs::GBK)),
        _ => {}
    }
    if let Some(encoding) = encoding_rs::Encoding::for_label(lower.as_bytes()) {
        return Ok(Charset::Other(encoding));
    }
    if PERHAPS_KNOWN.iter().any(|start| lower.starts_with(start)) {
        return Err(None);
    }
    Err(Some(invalid(
        "encoding",
        &format!("\"{name}\" is not a supported IANA encoding name or alias in this Terraform version"),
    )))
}

fn textencodebase64(call: &Call) -> Result<Value, String> {
    let (text, name) = (call.text(0)?, call.text(1)?);
    let bytes = match charset(name) {
        Ok(Charset::Utf8) => text.as_bytes().to_vec(),
        Ok(Charset::Utf16 { little_endian }) => text
            .encode_utf16()
            .flat_map(|unit| if little_endian { unit.to_le_bytes() } else { unit.to_be_bytes() })
            .collect(),
        Ok(Charset::Other(encoding)) => {
            let (bytes, _, unmappable) = encoding.encode(text);
            if unmappable {
                return Err(invalid(
                    "string",
                    &format!("the given string contains characters that cannot be represented in {name}"),
                ));
            }
            bytes.into_owned()
        }
        Err(None) => return Ok(call.unsupported(format!("the character set \"{name}\""))),
        Err(Some(problem)) => return Err(problem),
    };
    Ok(call.string(BASE64.encode(bytes)))
}

fn textdecodebase64(call: &Call) -> Result<Value, String> {
    let (source, name) = (call.text(0)?, call.text(1)?);
    let charset = charset(name);
    if let Err(Some(problem)) = charset {
        return Err(problem);
    }
    let bytes = decode(source).ok_or_else(|| invalid("source", "the given value is not valid Base64"))?;
    let undefined =
        || invalid("source", &format!("the given string contains symbols that are not defined for {name}"));
    let text = match charset {
        Ok(Charset::Utf8) => String::from_utf8(bytes).map_err(|_| undefined())?,
        Ok(Charset::Utf16 { little_endian }) => {
            let units: Vec<u16> = bytes
                .chunks(2)
                .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
                .map(|pair| if little_endian { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
                .collect();
            String::from_utf16(&units).map_err(|_| undefined())?
        }
        Ok(Charset::Other(encoding)) => {
            let (text, malformed) = encoding.decode_without_bom_handling(&bytes);
            // Bytes without a meaning come out as control characters there.
            if malformed || text.chars().any(|c| ('\u{80}'..='\u{9f}').contains(&c)) {
                return Err(undefined());
            }
            text.into_owned()
        }
        Err(_) => return Ok(call.unsupported(format!("the character set \"{name}\""))),
    };
    Ok(call.string(&*normalized(&text)))
}

fn csvdecode(call: &Call) -> Result<Value, String> {
    let text = call.text(0)?;
    let mut records = Records { text, position: 0, line: 1 };
    let header = records.next_record()?.ok_or_else(|| "missing header line".to_string())?;
    for (index, name) in header.iter().enumerate() {
        if header.iter().take(index).any(|other| other == name) {
            return Err(format!("duplicate column name {name:?}"));
        }
    }
    let mut rows = Vec::new();
    while let Some(record) = records.next_record()? {
        if record.len() != header.len() {
            return Err(format!("CSV parse error on line {}: wrong number of fields", records.line));
        }
        if rows.len() > MAX_ELEMENTS {
            return Ok(call.too_large());
        }
        let entries = header.iter().zip(record).map(|(name, field)| {
            let value = call.string_from(0, &*normalized(&field));
            (EcoString::from(&*normalized(name)), Entry { span: value.span, value })
        });
        rows.push(Value::mapping(MappingKind::Object, entries, call.span));
    }
    Ok(call.list(rows))
}

/// Reads CSV as RFC 4180 has it: fields may be quoted, quotes inside are doubled, empty lines are skipped.
struct Records<'a> {
    text: &'a str,
    position: usize,
    line: usize,
}

impl Records<'_> {
    fn take(&mut self) -> Option<char> {
        let rest = self.text.get(self.position..)?;
        let character = rest.chars().next()?;
        // `\r\n` is one line end.
        let length = if rest.starts_with("\r\n") { 2 } else { character.len_utf8() };
        self.position += length;
        let character = if length == 2 && character == '\r' { '\n' } else { character };
        self.line += usize::from(character == '\n');
        Some(character)
    }

    fn peek(&self) -> Option<char> {
        let rest = self.text.get(self.position..)?;
        if rest.starts_with("\r\n") { Some('\n') } else { rest.chars().next() }
    }

    fn next_record(&mut self) -> Result<Option<Vec<String>>, String> {
        while self.peek() == Some('\n') {
            self.take();
        }
        if self.peek().is_none() {
            return Ok(None);
        }
        let mut fields = Vec::new();
        loop {
            let (field, more) = if self.peek() == Some('"') { self.quoted()? } else { self.plain()? };
            fields.push(field);
            if !more {
                return Ok(Some(fields));
            }
        }
    }

    /// A field, and whether another follows in the record.
    fn plain(&mut self) -> Result<(String, bool), String> {
        let mut field = String::new();
        loop {
            match self.take() {
                Some(',') => return Ok((field, true)),
                Some('\n') | None => return Ok((field, false)),
                Some('"') => {
                    return Err(format!(
                        "CSV parse error on line {}: bare \" in non-quoted-field",
                        self.line
                    ));
                }
                Some(character) => field.push(character),
            }
        }
    }

    fn quoted(&mut self) -> Result<(String, bool), String> {
        let opened = self.line;
        self.take();
        let mut field = String::new();
        loop {
            match self.take() {
                Some('"') if self.peek() == Some('"') => {
                    self.take();
                    field.push('"');
                }
                Some('"') => break,
                Some(character) => field.push(character),
                None => {
                    return Err(format!(
                        "CSV parse error on line {opened}: extraneous or missing \" in quoted-field"
                    ));
                }
            }
        }
        match self.take() {
            Some(',') => Ok((field, true)),
            Some('\n') | None => Ok((field, false)),
            Some(_) => Err(format!(
                "CSV parse error on line {}: extraneous or missing \" in quoted-field",
                self.line
            )),
        }
    }
}
