//! From bytes to text.

use std::io::{Error, ErrorKind, Result};

/// The text of a document that a program wrote: UTF-8, or UTF-16 as PowerShell writes it when output is redirected.
///
/// # Errors
/// `InvalidData` when it is neither.
pub fn decode(bytes: Vec<u8>) -> Result<String> {
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // Without a byte order mark: an opening brace or bracket, and the other half of its unit.
        [b'{' | b'[', 0, ..] => utf16(&bytes, u16::from_le_bytes),
        [0, b'{' | b'[', ..] => utf16(&bytes, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

/// The text of a file in UTF-8.
pub(super) fn utf8(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|problem| {
        let at = problem.utf8_error().valid_up_to();
        Error::new(ErrorKind::InvalidData, format!("not UTF-8 text (byte {at})"))
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text = String::with_capacity(bytes.len() / 2);
    for character in char::decode_utf16(units) {
        text.push(character.map_err(|_| Error::new(ErrorKind::InvalidData, "not UTF-16 text"))?);
    }
    if odd.is_empty() {
        Ok(text)
    } else {
        Err(Error::new(ErrorKind::InvalidData, "UTF-16 text that is cut off"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf16_is_read_in_either_order_with_and_without_a_mark() {
        let text = "{\"a\":\"ü 🐟\"}";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode([&[0xff, 0xfe], little.as_slice()].concat()).unwrap(), text);
        assert_eq!(decode([&[0xfe, 0xff], big.as_slice()].concat()).unwrap(), text);
        assert_eq!(decode(little.clone()).unwrap(), text);
        assert_eq!(decode(big).unwrap(), text);
        assert!(decode(little[..little.len() - 1].to_vec()).is_err());
        assert!(decode(vec![0xff, 0xfe, 0x00, 0xd8, 0x41, 0x00]).is_err());
        assert!(decode(vec![b'a', 0xff]).is_err());
        assert_eq!(decode(Vec::new()).unwrap(), "");
    }
}
