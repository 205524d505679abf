//! Hash functions and version 5 UUIDs.

use base64::Engine;
use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};

use super::arguments::{Call, Function, string};
use super::encoding::BASE64;
use super::filesystem;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("base64sha256", &[string("str")], |call| of_text(call, base64_of::<Sha256>)),
    Function::strict("base64sha512", &[string("str")], |call| of_text(call, base64_of::<Sha512>)),
    Function::strict("filebase64sha256", &[string("path")], |call| {
        filesystem::with_bytes(call, base64_of::<Sha256>)
    }),
    Function::strict("filebase64sha512", &[string("path")], |call| {
        filesystem::with_bytes(call, base64_of::<Sha512>)
    }),
    Function::strict("filemd5", &[string("path")], |call| filesystem::with_bytes(call, hex_of::<Md5>)),
    Function::strict("filesha1", &[string("path")], |call| filesystem::with_bytes(call, hex_of::<Sha1>)),
    Function::strict("filesha256", &[string("path")], |call| filesystem::with_bytes(call, hex_of::<Sha256>)),
    Function::strict("filesha512", &[string("path")], |call| filesystem::with_bytes(call, hex_of::<Sha512>)),
    Function::strict("md5", &[string("str")], |call| of_text(call, hex_of::<Md5>)),
    Function::strict("sha1", &[string("str")], |call| of_text(call, hex_of::<Sha1>)),
    Function::strict("sha256", &[string("str")], |call| of_text(call, hex_of::<Sha256>)),
    Function::strict("sha512", &[string("str")], |call| of_text(call, hex_of::<Sha512>)),
    Function::strict("uuidv5", &[string("namespace"), string("name")], uuidv5),
];

fn of_text(call: &Call, compute: fn(&[u8]) -> String) -> Result<Value, String> {
    Ok(call.string(compute(call.text(0)?.as_bytes())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex_of<D: Digest>(bytes: &[u8]) -> String {
    hex(&D::digest(bytes))
}

fn base64_of<D: Digest>(bytes: &[u8]) -> String {
    BASE64.encode(D::digest(bytes))
}

/// The namespaces of RFC 4122, appendix C, which differ in one byte.
fn namespace(name: &str) -> Option<[u8; 16]> {
    let known = match name {
        "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
        "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
        "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
        other => other,
    };
    let groups: Vec<&str> = known.split('-').collect();
    if !groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) {
        return None;
    }
    let digits = groups.concat();
    let mut bytes = [0; 16];
    for (index, byte) in bytes.iter_mut().enumerate() {
        let pair = digits
            .get(index * 2..index * 2 + 2)
            .filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

fn uuidv5(call: &Call) -> Result<Value, String> {
    let name = call.text(0)?;
    let namespace = namespace(name).ok_or_else(|| format!("uuidv5() doesn't support namespace {name}"))?;
    let digest = Sha1::new().chain_update(namespace).chain_update(call.text(1)?).finalize();
    let mut bytes = [0u8; 16];
    bytes.iter_mut().zip(digest).for_each(|(byte, computed)| *byte = computed);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes);
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32];
    let groups: Vec<&str> = groups.into_iter().filter_map(|range| digits.get(range)).collect();
    Ok(call.string(groups.join("-")))
}
