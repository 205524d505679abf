//! `uniqueString` and `guid`.

use sha1::{Digest, Sha1};

use super::{Call, Outcome};

/// `uniqueString`: the arguments joined with hyphens, hashed to 64 bits, written as 13 letters and digits.
pub(super) fn unique_string(call: &Call<'_, '_, '_>) -> Outcome {
    let joined = call.texts()?.join("-");
    call.string(base32(murmur64(joined.as_bytes())))
}

/// `guid`: an RFC 4122 version 5 identifier of the arguments joined with hyphens.
pub(super) fn guid(call: &Call<'_, '_, '_>) -> Outcome {
    /// 11fb06fb-712d-4ddd-98c7-e71bbd588830, as the documentation of `guid` names it.
    const NAMESPACE: [u8; 16] =
        [0x11, 0xfb, 0x06, 0xfb, 0x71, 0x2d, 0x4d, 0xdd, 0x98, 0xc7, 0xe7, 0x1b, 0xbd, 0x58, 0x88, 0x30];
    let joined = call.texts()?.join("-");
    let digest = Sha1::new().chain_update(NAMESPACE).chain_update(joined.as_bytes()).finalize();
    let mut bytes = [0u8; 16];
    for (byte, from) in bytes.iter_mut().zip(digest) {
        *byte = from;
    }
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    call.string(text)
}

/// 64 bits as 13 characters of the alphabet of RFC 4648, lower case, high bits first.
fn base32(mut number: u64) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    (0..13)
        .map(|_| {
            // Five bits: always within the alphabet.
            let character = ALPHABET[(number >> 59) as usize] as char;
            number <<= 5;
            character
        })
        .collect()
}

/// MurmurHash3 with two lanes of 32 bits, seed 0.
fn murmur64(data: &[u8]) -> u64 {
    const C1: u32 = 0x239b_961b;
    const C2: u32 = 0xab0e_9789;
    let first = |k: u32| k.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
    let second = |k: u32| k.wrapping_mul(C2).rotate_left(17).wrapping_mul(C1);
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
    let (mut h1, mut h2) = (0u32, 0u32);
    let mut blocks = data.chunks_exact(8);
    for block in &mut blocks {
        let (low, high) = block.split_at(4);
        h1 = (h1 ^ first(word(low))).rotate_left(19).wrapping_add(h2);
        h1 = h1.wrapping_mul(5).wrapping_add(0x561c_cd1b);
        h2 = (h2 ^ second(word(high))).rotate_left(13).wrapping_add(h1);
        h2 = h2.wrapping_mul(5).wrapping_add(0x0bca_a747);
    }
    let tail = blocks.remainder();
    let (low, high) = tail.split_at(tail.len().min(4));
    if !high.is_empty() {
        h2 ^= second(word(high));
    }
    if !low.is_empty() {
        h1 ^= first(word(low));
    }
    let length = data.len() as u32;
    h1 ^= length;
    h2 ^= length;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = mix(h1);
    h2 = mix(h2);
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    u64::from(h2) << 32 | u64::from(h1)
}

fn mix(mut hash: u32) -> u32 {
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}
