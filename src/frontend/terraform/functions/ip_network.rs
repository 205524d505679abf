//! Functions on IP networks.
//!
//! Addresses are read as Terraform reads them: octets of IPv4 may have leading zeros and are decimal all the same.

use std::net::{Ipv4Addr, Ipv6Addr};

use num_bigint::BigInt;

use super::arguments::{Call, Function, invalid, number, string};
use crate::value::{Number, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("cidrhost", &[string("prefix"), number("hostnum")], cidrhost),
    Function::strict("cidrnetmask", &[string("prefix")], cidrnetmask),
    Function::strict("cidrsubnet", &[string("prefix"), number("newbits"), number("netnum")], cidrsubnet),
    Function::strict("cidrsubnets", &[string("prefix")], cidrsubnets).with_variadic(number("newbits")),
];

/// A network: its first address (IPv4 in the low 32 bits), how long addresses of its family are, and its prefix length.
#[derive(Clone, Copy)]
struct Network {
    first: u128,
    width: u32,
    prefix: u32,
}

impl Network {
    fn parse(text: &str) -> Result<Network, String> {
        let wrong = || format!("invalid CIDR expression: invalid CIDR address: {text}");
        let (address, length) = text.split_once('/').ok_or_else(wrong)?;
        let (address, width) = match parse_ipv4(address) {
            Some(address) => (u128::from(address), 32),
            None => (parse_ipv6(address).ok_or_else(wrong)?, 128),
        };
        if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let prefix = length.parse::<u32>().ok().filter(|prefix| *prefix <= width).ok_or_else(wrong)?;
        Ok(Network { first: address & !host_mask(width - prefix), width, prefix })
    }

    fn address(&self, address: u128) -> String {
        let mapped = self.width == 128 && address >> 32 == 0xffff;
        if self.width == 32 || mapped {
            // The lower 32 bits are the address.
            Ipv4Addr::from(address as u32).to_string()
        } else {
            Ipv6Addr::from(address).to_string()
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // IPv4-mapped networks are shown in IPv4's terms.
        let mapped = self.width == 128 && self.first >> 32 == 0xffff && self.prefix >= 96;
        let prefix = if mapped { self.prefix - 96 } else { self.prefix };
        write!(f, "{}/{prefix}", self.address(self.first))
    }
}

/// `bits` ones at the low end.
fn host_mask(bits: u32) -> u128 {
    1u128.checked_shl(bits).map_or(u128::MAX, |power| power - 1)
}

fn parse_ipv4(text: &str) -> Option<u32> {
    let mut address = 0u32;
    let mut count = 0;
    for octet in text.split('.') {
        if octet.is_empty() || octet.len() > 32 || !octet.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let significant = octet.trim_start_matches('0');
        let value: u8 = if significant.is_empty() { 0 } else { significant.parse().ok()? };
        address = address << 8 | u32::from(value);
        count += 1;
        if count > 4 {
            return None;
        }
    }
    (count == 4).then_some(address)
}

fn parse_ipv6(text: &str) -> Option<u128> {
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Some(address.into());
    }
    // An IPv4 tail with leading zeros.
    let (head, tail) = text.rsplit_once(':')?;
    let address = Ipv4Addr::from(parse_ipv4(tail)?);
    format!("{head}:{address}").parse::<Ipv6Addr>().ok().map(Into::into)
}

fn whole_big(number: &Number) -> Result<BigInt, String> {
    match number.as_i128() {
        Some(value) => Ok(BigInt::from(value)),
        None if number.is_whole() => {
            number.to_fixed(0).parse().map_err(|_| "value must be a whole number".to_string())
        }
        None => Err("value must be a whole number".to_string()),
    }
}

fn cidrhost(call: &Call) -> Result<Value, String> {
    let network = Network::parse(call.text(0)?)?;
    if network.width == 128 && network.first >> 32 == 0xffff {
        // Terraform mixes up the two notations here.
        return Ok(call.unsupported("`cidrhost` of an IPv4-mapped IPv6 network"));
    }
    let wanted = whole_big(call.number(1)?)?;
    let mask = host_mask(network.width - network.prefix);
    // Negative numbers count from the end.
    let host = if wanted.sign() == num_bigint::Sign::Minus {
        BigInt::from(mask) + 1u32 + &wanted
    } else {
        wanted.clone()
    };
    let host = u128::try_from(&host).ok().filter(|host| *host <= mask).ok_or_else(|| {
        format!("prefix of {} does not accommodate a host numbered {wanted}", network.prefix)
    })?;
    Ok(call.string(network.address(network.first | host)))
}

fn cidrnetmask(call: &Call) -> Result<Value, String> {
    let text = call.text(0)?;
    let network = Network::parse(text)?;
    if network.width != 32 {
        return Err(format!("IPv6 addresses cannot have a netmask: {text}"));
    }
    let mask = !(host_mask(32 - network.prefix) as u32);
    Ok(call.string(Ipv4Addr::from(mask).to_string()))
}

fn cidrsubnet(call: &Call) -> Result<Value, String> {
    let network = Network::parse(call.text(0)?)?;
    let new_bits = call.integer(1)?;
    let number = whole_big(call.number(2)?)?;
    let wanted = i64::from(network.prefix).saturating_add(new_bits);
    let Ok(prefix) = u32::try_from(wanted) else {
        return Err(format!("cannot shorten prefix of {} by {}", network.prefix, new_bits.unsigned_abs()));
    };
    if prefix > network.width {
        return Err(format!(
            "insufficient address space to extend prefix of {} by {new_bits}",
            network.prefix
        ));
    }
    if number.sign() == num_bigint::Sign::Minus {
        // Terraform makes an address of it that has nothing to do with the network.
        return Ok(call.unsupported("a negative subnet number"));
    }
    // A negative number of bits is not refused: the network grows, and any number is put in.
    let most = u32::try_from(new_bits).map_or(u128::MAX, host_mask);
    let number = u128::try_from(&number).ok().filter(|number| *number <= most).ok_or_else(|| {
        format!("prefix extension of {new_bits} does not accommodate a subnet numbered {number}")
    })?;
    let shifted = number.checked_shl(network.width - prefix).unwrap_or(0) & host_mask(network.width);
    let first = network.first | shifted;
    Ok(call.string(Network { first, prefix, ..network }.to_string()))
}

fn cidrsubnets(call: &Call) -> Result<Value, String> {
    let network = Network::parse(call.text(0)?)?;
    let wrong = |problem: String| invalid("newbits", &problem);
    let last = network.first | host_mask(network.width - network.prefix);
    let mut next = Some(network.first);
    let mut previous: Option<Network> = None;
    let mut subnets = Vec::new();
    for index in 1..call.arguments.len() {
        let new_bits = call.integer(index)?;
        if new_bits < 1 {
            return Err(wrong("must extend prefix by at least one bit".into()));
        }
        if new_bits > 32 {
            return Err(wrong("may not extend prefix by more than 32 bits".into()));
        }
        let prefix = network.prefix + new_bits as u32;
        if prefix > network.width {
            let family = if network.width == 32 { "IPv4" } else { "IPv6" };
            return Err(wrong(format!(
                "would extend prefix to {prefix} bits, which is too long for an {family} address"
            )));
        }
        let mask = host_mask(network.width - prefix);
        let exhausted = || {
            let after = previous.map_or(String::new(), |previous| format!(" after {previous}"));
            wrong(format!(
                "not enough remaining address space for a subnet with a prefix of {prefix} bits{after}"
            ))
        };
        // The next address that a network of this size can start at.
        let first = next
            .and_then(|next| next.checked_add(mask))
            .map(|next| next & !mask)
            .filter(|first| first | mask <= last)
            .ok_or_else(exhausted)?;
        let subnet = Network { first, prefix, ..network };
        subnets.push(call.string(subnet.to_string()));
        next = (first | mask).checked_add(1);
        previous = Some(subnet);
    }
    Ok(call.list(subnets))
}
