//! Address ranges: `parseCidr`, `cidrSubnet`, `cidrHost`
//! (learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-cidr).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ecow::EcoString;
use ipnet::IpNet;

use super::super::place::named_values as mapping;
use super::{Call, Failure, Outcome, error};
use crate::value::Value;

fn network(call: &Call<'_, '_, '_>) -> Result<IpNet, Failure> {
    let text = call.text(0)?;
    match text.trim().parse::<IpNet>() {
        Ok(network) => Ok(network.trunc()),
        Err(_) => error(format!("`{text}` is not an address range such as `10.0.0.0/16`")),
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// The address with this number in the family of a range; `None` if there is none.
fn address(network: &IpNet, number: u128) -> Option<IpAddr> {
    match network {
        IpNet::V4(_) => u32::try_from(number).ok().map(|number| IpAddr::V4(Ipv4Addr::from(number))),
        IpNet::V6(_) => Some(IpAddr::V6(Ipv6Addr::from(number))),
    }
}

pub(super) fn parse(call: &Call<'_, '_, '_>) -> Outcome {
    let network = network(call)?;
    let (first, last) = (number(network.network()), number(network.broadcast()));
    let text = |name: &'static str, address: Option<IpAddr>| {
        let shown = address.map(|address| address.to_string()).unwrap_or_default();
        (EcoString::from(name), Value::string(shown, call.span))
    };
    let mut properties =
        vec![text("network", Some(network.network())), text("netmask", Some(network.netmask()))];
    // In IPv4 the first and the last address are not for hosts, unless there are no others.
    let (first_usable, last_usable) = match network {
        IpNet::V4(_) if network.prefix_len() >= 31 => (first, first),
        IpNet::V4(_) => (first + 1, last - 1),
        IpNet::V6(_) => (first, last),
    };
    if let IpNet::V4(_) = network {
        properties.push(text("broadcast", Some(network.broadcast())));
    }
    properties.push(text("firstUsable", address(&network, first_usable)));
    properties.push(text("lastUsable", address(&network, last_usable)));
    properties.push(("cidr".into(), Value::number(i64::from(network.prefix_len()), call.span)));
    Ok(mapping(properties, call.span))
}

pub(super) fn subnet(call: &Call<'_, '_, '_>) -> Outcome {
    let network = network(call)?;
    let (length, index) = (call.integer(1)?, call.integer(2)?);
    let bits = i64::from(network.max_prefix_len());
    let own = i64::from(network.prefix_len());
    if !(own..=bits).contains(&length) {
        return error(format!("the prefix length {length} is not between {own} and {bits}"));
    }
    let Ok(index) = u128::try_from(index) else { return error("the index of the subnet is negative") };
    let (size_bits, count_bits) = (bits - length, length - own);
    if count_bits < 128 && index >> count_bits != 0 {
        return error(format!("`{network}` has no subnet {index} with the prefix length {length}"));
    }
    let start = number(network.network()) + if size_bits < 128 { index << size_bits } else { 0 };
    match address(&network, start) {
        Some(address) => call.string(format!("{address}/{length}")),
        None => error("there is no such address"),
    }
}

pub(super) fn host(call: &Call<'_, '_, '_>) -> Outcome {
    let network = network(call)?;
    let Ok(index) = u128::try_from(call.integer(1)?) else {
        return error("the index of the host is negative");
    };
    // The first address is the network's own: host 0 is the one after it.
    let wanted = number(network.network()).checked_add(index).and_then(|number| number.checked_add(1));
    match wanted.and_then(|wanted| address(&network, wanted)).filter(|address| network.contains(address)) {
        Some(address) => call.string(address.to_string()),
        None => error(format!("`{network}` has no host {index}")),
    }
}
