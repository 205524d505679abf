//! Name resolution: which networks can resolve the names of a private DNS zone, and how.
//!
//! Azure's own DNS (168.63.129.16) answers a network from the zones that are *linked* to that network; peering does not
//! matter. A network with DNS servers of its own asks those servers, and then what counts is the link to the network
//! that the server is in, since that is where its question to 168.63.129.16 comes from. A forwarding rule set that is
//! linked to a network sends questions for a domain to other servers, after linked zones and before public DNS.
//!
//! Sources: <https://learn.microsoft.com/azure/dns/private-dns-virtual-network-links>,
//! <https://learn.microsoft.com/azure/dns/dns-private-resolver-overview>,
//! <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>.

use std::net::IpAddr;
use std::sync::Arc;

use super::nameless::{self, Leads};
use crate::topology::{Firewall, Id, Place, PrivateDnsZone, ResourceId, Subnet, Topology, VirtualNetwork};
use crate::value::{Cause, Unknown};

/// Azure's DNS server, the same in every network.
pub const AZURE_DNS: &str = "168.63.129.16";

/// How deep servers may forward to servers.
const MAXIMUM_DEPTH: usize = 4;

/// Whether a network can resolve the names of a zone.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It can.
    Yes,
    /// It cannot, and the steps that show it, in order.
    No(Vec<String>),
    /// It cannot be decided from the input.
    Unknown(Arc<Unknown>),
}

/// Whether a network can resolve the names of a zone.
pub fn resolves(topology: &Topology, network: Id<VirtualNetwork>, zone: Id<PrivateDnsZone>) -> Answer {
    resolves_from(topology, network, zone, 0)
}

fn resolves_from(
    topology: &Topology,
    network: Id<VirtualNetwork>,
    zone: Id<PrivateDnsZone>,
    depth: usize,
) -> Answer {
    if depth > MAXIMUM_DEPTH {
        return unknown(Cause::Limit("DNS servers that forward to each other".into()), topology, network);
    }
    let servers = match servers(topology, network) {
        // A direct link answers whatever the servers are only when they are Azure's; with servers of its own it may not.
        Err(why) => return Answer::Unknown(why),
        Ok(servers) => servers,
    };
    let own: Vec<&Server> = servers.iter().filter(|server| server.kind != ServerKind::Azure).collect();
    if own.is_empty() {
        return azure_dns_answers(topology, network, zone, depth);
    }
    let mut steps = Vec::new();
    let mut undecided = None;
    for server in own {
        match server_answers(topology, network, server, zone, depth) {
            Answer::Yes => return Answer::Yes,
            Answer::No(why) => steps.extend(why),
            Answer::Unknown(why) => undecided = undecided.or(Some(why)),
        }
    }
    match undecided {
        Some(why) => Answer::Unknown(why),
        None => Answer::No(steps),
    }
}

/// A DNS server that a network is told to use.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its address or, where that is not known, the name of what has it; for messages.
    pub name: String,
    /// Its address, where it is known.
    pub address: Option<IpAddr>,
    /// The network that it is in, where that is known.
    pub network: Option<Id<VirtualNetwork>>,
    /// What it is.
    pub kind: ServerKind,
    /// Where it is named.
    pub place: Place,
}

/// What a DNS server is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServerKind {
    /// Azure's own.
    Azure,
    /// An inbound endpoint of a DNS private resolver.
    Resolver,
    /// An Azure Firewall, which answers only as a proxy.
    Firewall(Id<Firewall>),
    /// Something else: a machine, or something that is not seen.
    Other,
}

/// The DNS servers of a network, none for Azure's own; or why they are not all known.
pub fn servers(topology: &Topology, network: Id<VirtualNetwork>) -> Result<Vec<Server>, Arc<Unknown>> {
    let list = &topology[network].dns_servers;
    if let Some(why) = &list.rest {
        return Err(Arc::clone(why));
    }
    let owners = &topology[network].dns_server_owners;
    let owners = if owners.len() == list.items.len() { owners.as_slice() } else { &[] };
    let mut servers = Vec::with_capacity(list.items.len());
    for (index, item) in list.items.iter().enumerate() {
        let owner = owners.get(index).and_then(|link| link.to());
        let server = match (item.known(), owner) {
            (Some(text), _) => server_of(topology, network, text, item.place),
            (None, Some(owner)) => owned_server(topology, owner, item.place),
            (None, None) => None,
        };
        match (server, item.unknown()) {
            (Some(server), _) => servers.push(server),
            (None, Some(why)) => return Err(Arc::clone(why)),
            (None, None) => {}
        }
    }
    Ok(servers)
}

fn server_of(topology: &Topology, from: Id<VirtualNetwork>, text: &str, place: Place) -> Option<Server> {
    let address = text.parse::<IpAddr>().ok();
    let network = address.and_then(|address| network_of(topology, from, address));
    let kind = match (address, network) {
        _ if text == AZURE_DNS => ServerKind::Azure,
        (Some(address), Some(network)) => kind_of(topology, network, address),
        _ => ServerKind::Other,
    };
    Some(Server { name: text.to_string(), address, network, kind, place })
}

/// What has an address in a network.
fn kind_of(topology: &Topology, network: Id<VirtualNetwork>, address: IpAddr) -> ServerKind {
    let in_network =
        |subnet: Option<Id<Subnet>>| subnet.is_some_and(|id| topology[id].network.to() == Some(network));
    let is_endpoint = topology.dns_resolvers.iter().flat_map(|resolver| &resolver.inbound).any(|endpoint| {
        in_network(endpoint.subnet.to())
            && endpoint.address.known().is_some_and(|text| text.parse() == Ok(address))
    });
    if is_endpoint {
        return ServerKind::Resolver;
    }
    // Nothing but the firewall lives in its subnet.
    let holds = |id: Id<Subnet>| {
        topology[id].prefixes.known().filter_map(|prefix| prefix.net).any(|net| net.contains(&address))
    };
    let firewall = topology.all::<Firewall>().find(|(_, firewall)| {
        let subnets = firewall.ip_configurations.iter().filter_map(|one| one.subnet.to());
        subnets.into_iter().any(|subnet| in_network(Some(subnet)) && holds(subnet))
    });
    firewall.map_or(ServerKind::Other, |(id, _)| ServerKind::Firewall(id))
}

/// A server whose address is an attribute of a resource.
fn owned_server(topology: &Topology, owner: ResourceId, place: Place) -> Option<Server> {
    let name = match topology[owner].name.known() {
        Some(name) => format!("`{name}`"),
        None => format!("`{}`", topology[owner].key.address),
    };
    let network = |subnet: Option<Id<Subnet>>| subnet.and_then(|subnet| topology[subnet].network.to());
    let is =
        |kind: &str| topology[owner].arm_type.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(kind));
    let (kind, network) = if is("Microsoft.Network/azureFirewalls") {
        let (id, firewall) = topology.all::<Firewall>().find(|(_, part)| part.header.resource == owner)?;
        (ServerKind::Firewall(id), network(firewall.ip_configurations.iter().find_map(|one| one.subnet.to())))
    } else if is("Microsoft.Network/dnsResolvers/inboundEndpoints") {
        let mut endpoints = topology.dns_resolvers.iter().flat_map(|resolver| &resolver.inbound);
        let endpoint = endpoints.find(|endpoint| endpoint.header.resource == owner)?;
        (ServerKind::Resolver, network(endpoint.subnet.to()))
    } else if is("Microsoft.Network/networkInterfaces") {
        let interface = topology.network_interfaces.iter().find(|part| part.header.resource == owner)?;
        (ServerKind::Other, network(interface.ip_configurations.iter().find_map(|one| one.subnet.to())))
    } else {
        return None;
    };
    Some(Server { name, address: None, network, kind, place })
}

/// What Azure's DNS says in a network: its linked zones, then its forwarding rules.
fn azure_dns_answers(
    topology: &Topology,
    network: Id<VirtualNetwork>,
    zone: Id<PrivateDnsZone>,
    depth: usize,
) -> Answer {
    match linked(topology, network, zone) {
        Linked::Yes => return Answer::Yes,
        Linked::Unknown(why) => return Answer::Unknown(why),
        Linked::No => {}
    }
    let mut steps = vec![format!(
        "{} asks Azure's DNS ({AZURE_DNS}), and the zone {} is not linked to it",
        name_of(topology, network),
        zone_name(topology, zone)
    )];
    for rule_set in &topology.forwarding_rule_sets {
        if let Some(why) = rule_set.networks.iter().find_map(|link| link.unknown()) {
            return Answer::Unknown(Arc::clone(why));
        }
        if !rule_set.networks.iter().any(|link| link.to() == Some(network)) {
            continue;
        }
        if let Some(why) = &rule_set.rules.rest {
            return Answer::Unknown(Arc::clone(why));
        }
        for rule in rule_set.rules.items.iter() {
            let Some(rule) = rule.known() else {
                if let Some(why) = rule.unknown() {
                    return Answer::Unknown(Arc::clone(why));
                }
                continue;
            };
            let (Some(domain), Some(zone_name)) = (rule.domain.known(), topology[zone].header.name.known())
            else {
                match rule.domain.unknown().or(topology[zone].header.name.unknown()) {
                    Some(why) => return Answer::Unknown(Arc::clone(why)),
                    None => continue,
                }
            };
            if !covers(domain, zone_name) {
                continue;
            }
            if let Some(why) = rule.targets.unknown() {
                return Answer::Unknown(Arc::clone(why));
            }
            for target in rule.targets.known() {
                let Some(server) = server_of(topology, network, target, rule.targets.place) else { continue };
                match server_answers(topology, network, &server, zone, depth + 1) {
                    Answer::No(why) => steps.extend(why),
                    decided => return decided,
                }
            }
        }
    }
    Answer::No(steps)
}

/// What a DNS server at an address answers about a zone.
fn server_answers(
    topology: &Topology,
    asking: Id<VirtualNetwork>,
    server: &Server,
    zone: Id<PrivateDnsZone>,
    depth: usize,
) -> Answer {
    let name = &server.name;
    let Some(place) = server.network else {
        return match server.address {
            Some(_) => unknown(Cause::Lookup(format!("the DNS server {name}").into()), topology, asking),
            None => unknown(Cause::Unsupported(format!("the DNS server {name}").into()), topology, asking),
        };
    };
    // A resolver's endpoint, a firewall's proxy and a forwarder on a machine all ask Azure's DNS from where they are.
    match linked(topology, place, zone) {
        Linked::Yes => Answer::Yes,
        Linked::Unknown(why) => Answer::Unknown(why),
        Linked::No if depth >= MAXIMUM_DEPTH => {
            unknown(Cause::Limit("DNS servers that forward to each other".into()), topology, asking)
        }
        Linked::No => match forwarding_rules(topology, place) {
            Some(why) => Answer::Unknown(why),
            None => Answer::No(vec![format!(
                "{} asks the DNS server {name}, which is in {}, and the zone {} is not linked to that network",
                name_of(topology, asking),
                name_of(topology, place),
                zone_name(topology, zone)
            )]),
        },
    }
}

/// Whether forwarding rules apply to what a network asks; a server there then answers from somewhere else.
fn forwarding_rules(topology: &Topology, network: Id<VirtualNetwork>) -> Option<Arc<Unknown>> {
    topology
        .forwarding_rule_sets
        .iter()
        .filter(|set| set.networks.iter().any(|link| link.to().is_none_or(|id| id == network)))
        .map(|set| {
            Arc::new(Unknown {
                cause: Cause::Unsupported("forwarding rules behind a DNS server of one's own".into()),
                span: set.header.place.site,
            })
        })
        .next()
}

/// Why a zone may have links that are not seen to be its own: links of zones that are not known.
pub fn hidden_link(topology: &Topology, zone: Id<PrivateDnsZone>) -> Option<&Arc<Unknown>> {
    topology.zone_links.iter().find_map(|link| {
        match nameless::leads(&link.zone, zone, |id| &topology[id].header) {
            Leads::Perhaps(why) => Some(why),
            Leads::Yes | Leads::No => None,
        }
    })
}

enum Linked {
    Yes,
    No,
    Unknown(Arc<Unknown>),
}

/// Whether a zone (or another zone of the same name) is linked to a network.
fn linked(topology: &Topology, network: Id<VirtualNetwork>, zone: Id<PrivateDnsZone>) -> Linked {
    let mut undecided: Option<Arc<Unknown>> = None;
    for link in &topology.zone_links {
        let to_zone = nameless::leads(&link.zone, zone, |id| &topology[id].header);
        let to_network = nameless::leads(&link.network, network, |id| &topology[id].header);
        match (to_zone, to_network) {
            (Leads::No, _) | (_, Leads::No) => {}
            (Leads::Yes, Leads::Yes) => match &link.header.uncertain {
                None => return Linked::Yes,
                Some(why) => undecided = undecided.or(Some(Arc::clone(why))),
            },
            (Leads::Perhaps(why), _) | (_, Leads::Perhaps(why)) => {
                undecided = undecided.or(Some(Arc::clone(why)));
            }
        }
    }
    let (zone_header, network_header) = (&topology[zone].header, &topology[network].header);
    if let Some(why) = undecided {
        return Linked::Unknown(why);
    }
    for header in [zone_header, network_header] {
        if let Some(why) = topology.unseen(header) {
            return Linked::Unknown(Arc::clone(why));
        }
        if !header.is_managed() {
            let what = topology[header.resource].key.address.clone();
            return Linked::Unknown(Arc::new(Unknown {
                cause: Cause::Lookup(what),
                span: header.place.site,
            }));
        }
    }
    Linked::No
}

/// The network that holds an address, as seen from a network: itself first, then its peers, then the only other network of
/// the input that has it.
fn network_of(topology: &Topology, from: Id<VirtualNetwork>, address: IpAddr) -> Option<Id<VirtualNetwork>> {
    let holds = |id: Id<VirtualNetwork>| {
        topology[id].address_space.known().filter_map(|prefix| prefix.net).any(|net| net.contains(&address))
    };
    if holds(from) {
        return Some(from);
    }
    if let Some(peer) = super::peers::of(topology, from).into_iter().find(|peer| holds(peer.network)) {
        return Some(peer.network);
    }
    let mut others = topology.all::<VirtualNetwork>().map(|(id, _)| id).filter(|id| holds(*id));
    let only = others.next()?;
    others.next().is_none().then_some(only)
}

/// Whether questions about a zone fall under a domain of a forwarding rule (`contoso.com.`, `.`).
fn covers(domain: &str, zone: &str) -> bool {
    let (domain, zone) =
        (domain.trim_end_matches('.').to_ascii_lowercase(), zone.trim_end_matches('.').to_ascii_lowercase());
    // Clients ask for the public name; a rule for the public suffix covers the `privatelink` zone below it.
    domain.is_empty()
        || zone == domain
        || zone.ends_with(&format!(".{domain}"))
        || zone
            .strip_prefix("privatelink.")
            .is_some_and(|public| domain == public || domain.ends_with(&format!(".{public}")))
}

fn name_of(topology: &Topology, network: Id<VirtualNetwork>) -> String {
    match topology[network].header.name.known() {
        Some(name) => format!("`{name}`"),
        None => format!("`{}`", topology[topology[network].header.resource].key.address),
    }
}

fn zone_name(topology: &Topology, zone: Id<PrivateDnsZone>) -> String {
    match topology[zone].header.name.known() {
        Some(name) => format!("`{name}`"),
        None => format!("`{}`", topology[topology[zone].header.resource].key.address),
    }
}

fn unknown(cause: Cause, topology: &Topology, network: Id<VirtualNetwork>) -> Answer {
    Answer::Unknown(Arc::new(Unknown { cause, span: topology[network].dns_servers.place.site }))
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_rule_covers_its_domain_and_what_lies_below() {
        assert!(covers(".", "privatelink.blob.core.windows.net"));
        assert!(covers("blob.core.windows.net.", "privatelink.blob.core.windows.net"));
        assert!(covers("Contoso.com.", "db.contoso.com"));
        assert!(!covers("contoso.com.", "notcontoso.com"));
        assert!(!covers("file.core.windows.net.", "privatelink.blob.core.windows.net"));
    }
}
