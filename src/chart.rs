//! The part of the network that findings are about, as a picture's data: networks with their subnets, what lives in those,
//! peerings, private DNS zones and their links. It knows the model and no format.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ecow::EcoString;

use crate::finding::Severity;
use crate::topology::{
    Declared, Header, Id, List, Prefix, PrivateDnsZone, ResourceId, Subnet, Topology, VirtualNetwork,
    ZoneLink,
};

/// A picture with more parts says nothing to anybody.
const NETWORKS: usize = 20;
const SUBNETS: usize = 40;
const ZONES: usize = 15;
const RESOURCES: usize = 30;

/// Parts of the network and what connects them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Chart {
    /// The parts. A network comes before its subnets.
    pub parts: Vec<Part>,
    /// What connects them.
    pub connections: Vec<Connection>,
    /// How many parts there was no room for.
    pub left_out: usize,
}

/// A part of the network.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// Its name in Azure, or its address.
    pub name: String,
    /// Its ranges, its delegation, its groups.
    pub details: Vec<String>,
    /// The severest finding about it.
    pub severity: Option<Severity>,
    /// The position of the network that a subnet is in.
    pub within: Option<usize>,
}

/// What a part is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Kind {
    Network,
    Subnet,
    Zone,
    Resource,
}

/// What connects two parts, by their positions.
#[derive(Clone, PartialEq, Debug)]
pub struct Connection {
    /// From here.
    pub from: usize,
    /// To here.
    pub to: usize,
    /// As what.
    pub kind: ConnectionKind,
}

/// How two parts are connected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ConnectionKind {
    /// A peering in one direction.
    PeeringOneWay,
    /// Peerings in both directions.
    Peering,
    /// A zone is linked to a network.
    ZoneLink,
    /// A resource lives in a subnet.
    Occupancy,
}

/// What a finding is about: a resource, or a part of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Touched {
    /// The resource.
    pub resource: ResourceId,
    /// The ARM path of the part, where it is not the resource as a whole.
    pub path: Option<String>,
}

impl Chart {
    /// The picture for some findings, each with its severity and what it is about; empty when that is nothing that can be
    /// drawn.
    pub fn new<'a>(topology: &Topology, findings: impl Iterator<Item = (Severity, &'a [Touched])>) -> Self {
        let mut concerned = Concerned::new(topology, findings);
        concerned.follow();
        concerned.draw()
    }

    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// What findings touch, and the parts that this brings into the picture with their severest finding.
struct Concerned<'a> {
    topology: &'a Topology,
    /// Resources that findings are about as a whole.
    whole: HashMap<usize, Severity>,
    /// Resources that findings are about, or about a part of them.
    touched: BTreeMap<usize, Severity>,
    /// ARM paths, in lower case.
    paths: HashMap<String, Severity>,
    networks: BTreeMap<Id<VirtualNetwork>, Option<Severity>>,
    subnets: BTreeMap<Id<Subnet>, Option<Severity>>,
    zones: BTreeMap<Id<PrivateDnsZone>, Option<Severity>>,
    links: BTreeSet<Id<ZoneLink>>,
}

impl<'a> Concerned<'a> {
    fn new<'f>(topology: &'a Topology, findings: impl Iterator<Item = (Severity, &'f [Touched])>) -> Self {
        let mut concerned = Self {
            topology,
            whole: HashMap::new(),
            touched: BTreeMap::new(),
            paths: HashMap::new(),
            networks: BTreeMap::new(),
            subnets: BTreeMap::new(),
            zones: BTreeMap::new(),
            links: BTreeSet::new(),
        };
        for (severity, touched) in findings {
            for touched in touched {
                concerned.touch(touched, severity);
            }
        }
        concerned
    }

    fn touch(&mut self, touched: &Touched, severity: Severity) {
        let index = touched.resource.index();
        let Some(resource) = self.topology.resources.get(index) else { return };
        raise(self.touched.entry(index).or_insert(severity), severity);
        match &touched.path {
            Some(path) if resource.resource_id.as_ref() != Some(path) => {
                raise(self.paths.entry(path.to_lowercase()).or_insert(severity), severity);
            }
            _ => raise(self.whole.entry(index).or_insert(severity), severity),
        }
    }

    /// The severest finding about a part itself.
    fn about(&self, header: &Header) -> Option<Severity> {
        let path = header.resource_id.as_ref().and_then(|path| self.paths.get(&path.to_lowercase())).copied();
        let own = match header.declared {
            Declared::Inline => None,
            _ => self.whole.get(&header.resource.index()).copied(),
        };
        path.max(own)
    }

    /// The severest finding about what stands in a part's resource, its inline parts included.
    fn around(&self, header: &Header) -> Option<Severity> {
        self.touched.get(&header.resource.index()).copied().max(self.about(header))
    }

    /// From what findings touch to what has to be drawn with it.
    fn follow(&mut self) {
        let topology = self.topology;
        for (id, subnet) in topology.all::<Subnet>() {
            let group = subnet.security_group.to().and_then(|id| self.around(&topology[id].header));
            let table = subnet.route_table.to().and_then(|id| self.around(&topology[id].header));
            let gateway = subnet.nat_gateway.to().and_then(|id| self.around(&topology[id].header));
            let severity = self.about(&subnet.header).max(group).max(table).max(gateway);
            let occupied = subnet
                .occupancies
                .iter()
                .any(|id| self.touched.contains_key(&topology[*id].resource.index()));
            if severity.is_some() || occupied {
                self.subnets.insert(id, severity);
            }
        }
        for id in self.subnets.keys() {
            if let Some(network) = topology[*id].network.to() {
                self.networks.entry(network).or_default();
            }
        }
        for (id, network) in topology.all::<VirtualNetwork>() {
            if let Some(severity) = self.about(&network.header) {
                self.networks.insert(id, Some(severity));
            }
        }
        for peering in &topology.peerings {
            if self.about(&peering.header).is_some() {
                for network in [peering.network.to(), peering.remote.to()].into_iter().flatten() {
                    self.networks.entry(network).or_default();
                }
            }
        }
        self.follow_names();
    }

    fn follow_names(&mut self) {
        let topology = self.topology;
        for (id, zone) in topology.all::<PrivateDnsZone>() {
            if let Some(severity) = self.about(&zone.header) {
                self.zones.insert(id, Some(severity));
            }
        }
        let touched = |header: &Header| self.touched.contains_key(&header.resource.index());
        let servers = topology.flexible_servers.iter().filter(|server| touched(&server.header));
        let groups = topology
            .private_endpoints
            .iter()
            .filter(|endpoint| touched(&endpoint.header))
            .flat_map(|endpoint| endpoint.zone_groups.known())
            .flat_map(|group| &group.zones);
        let zones: Vec<_> = servers
            .filter_map(|server| server.zone.to())
            .chain(groups.filter_map(|zone| zone.to()))
            .collect();
        for zone in zones {
            self.zones.entry(zone).or_default();
        }
        for (id, link) in topology.all::<ZoneLink>() {
            let Some(zone) = link.zone.to() else { continue };
            if self.about(&link.header).is_some() {
                self.zones.entry(zone).or_default();
            }
            if self.zones.contains_key(&zone) {
                self.links.insert(id);
                if let Some(network) = link.network.to() {
                    self.networks.entry(network).or_default();
                }
            }
        }
    }

    fn draw(&self) -> Chart {
        let topology = self.topology;
        let mut chart = Chart::default();
        let mut networks = HashMap::new();
        for (id, severity) in severest(&self.networks, NETWORKS, &mut chart.left_out) {
            let network = &topology[id];
            let position = chart.add(Part {
                kind: Kind::Network,
                name: self.name(&network.header),
                details: ranges(&network.address_space),
                severity,
                within: None,
            });
            networks.insert(id, position);
        }
        let mut subnets = HashMap::new();
        for (id, severity) in severest(&self.subnets, SUBNETS, &mut chart.left_out) {
            let subnet = &topology[id];
            let part = Part {
                kind: Kind::Subnet,
                name: self.name(&subnet.header),
                details: self.details(subnet),
                severity,
                within: subnet.network.to().and_then(|network| networks.get(&network).copied()),
            };
            subnets.insert(id, chart.add(part));
        }
        let mut zones = HashMap::new();
        for (id, severity) in severest(&self.zones, ZONES, &mut chart.left_out) {
            let name = self.name(&topology[id].header);
            let part = Part { kind: Kind::Zone, name, details: Vec::new(), severity, within: None };
            zones.insert(id, chart.add(part));
        }
        self.draw_occupants(&subnets, &mut chart);
        self.draw_peerings(&networks, &mut chart);
        let mut linked = BTreeSet::new();
        for link in self.links.iter().map(|id| &topology[*id]) {
            let ends = link.zone.to().and_then(|zone| zones.get(&zone)).copied();
            let ends = ends.zip(link.network.to().and_then(|network| networks.get(&network)).copied());
            linked.extend(ends);
        }
        let linked = linked.into_iter();
        chart.connections.extend(linked.map(|(from, to)| Connection {
            from,
            to,
            kind: ConnectionKind::ZoneLink,
        }));
        chart
    }

    /// The resources that findings are about, where they live.
    fn draw_occupants(&self, subnets: &HashMap<Id<Subnet>, usize>, chart: &mut Chart) {
        let mut lives = BTreeMap::<usize, BTreeSet<usize>>::new();
        for occupancy in &self.topology.occupancies {
            let subnet = occupancy.subnet.to().and_then(|subnet| subnets.get(&subnet));
            let index = occupancy.resource.index();
            if let Some(subnet) = subnet.filter(|_| self.touched.contains_key(&index)) {
                lives.entry(index).or_default().insert(*subnet);
            }
        }
        let lives: BTreeMap<usize, (Option<Severity>, BTreeSet<usize>)> = lives
            .into_iter()
            .map(|(index, subnets)| (index, (self.whole.get(&index).copied(), subnets)))
            .collect();
        chart.left_out += lives.len().saturating_sub(RESOURCES);
        for (index, (severity, subnets)) in lives.into_iter().take(RESOURCES) {
            let Some(resource) = self.topology.resources.get(index) else { continue };
            let name = resource.name.known().cloned().unwrap_or_else(|| resource.key.address.clone());
            let kind = resource.arm_type.as_ref().unwrap_or(&resource.written_type);
            let kind = kind.rsplit('/').next().unwrap_or(kind).to_string();
            let part =
                Part { kind: Kind::Resource, name: name.into(), details: vec![kind], severity, within: None };
            let from = chart.add(part);
            let kind = ConnectionKind::Occupancy;
            chart.connections.extend(subnets.into_iter().map(|to| Connection { from, to, kind }));
        }
    }

    fn draw_peerings(&self, networks: &HashMap<Id<VirtualNetwork>, usize>, chart: &mut Chart) {
        let mut directions = BTreeSet::new();
        for peering in &self.topology.peerings {
            let from = peering.network.to().and_then(|network| networks.get(&network)).copied();
            let to = peering.remote.to().and_then(|network| networks.get(&network)).copied();
            directions.extend(from.zip(to).filter(|(from, to)| from != to));
        }
        for (from, to) in &directions {
            let both = directions.contains(&(*to, *from));
            if both && from > to {
                continue;
            }
            let kind = if both { ConnectionKind::Peering } else { ConnectionKind::PeeringOneWay };
            chart.connections.push(Connection { from: *from, to: *to, kind });
        }
    }

    fn details(&self, subnet: &Subnet) -> Vec<String> {
        let mut details = ranges(&subnet.prefixes);
        details.extend(
            subnet.delegations.known().map(|delegation| format!("delegated to {}", delegation.service)),
        );
        let groups = subnet.security_group.to().map(|id| &self.topology[id].header);
        let tables = subnet.route_table.to().map(|id| &self.topology[id].header);
        for header in groups.into_iter().chain(tables).filter(|header| self.around(header).is_some()) {
            details.push(self.name(header));
        }
        details
    }

    fn name(&self, header: &Header) -> String {
        let address = || self.topology.resources.get(header.resource.index()).map(|r| r.key.address.clone());
        header.name.known().cloned().or_else(address).map(EcoString::into).unwrap_or_default()
    }
}

impl Chart {
    fn add(&mut self, part: Part) -> usize {
        self.parts.push(part);
        self.parts.len() - 1
    }
}

fn raise(known: &mut Severity, severity: Severity) {
    *known = (*known).max(severity);
}

/// The parts with the severest findings, as many as there is room for, in the order of the model.
fn severest<T: Copy + Ord>(
    parts: &BTreeMap<T, Option<Severity>>,
    room: usize,
    left_out: &mut usize,
) -> Vec<(T, Option<Severity>)> {
    let mut order: Vec<(T, Option<Severity>)> = parts.iter().map(|(id, severity)| (*id, *severity)).collect();
    order.sort_by_key(|(_, severity)| std::cmp::Reverse(*severity));
    *left_out += order.len().saturating_sub(room);
    order.truncate(room);
    order.sort_by_key(|(id, _)| *id);
    order
}

/// So many ranges are named.
const RANGES: usize = 3;

fn ranges(prefixes: &List<Prefix>) -> Vec<String> {
    let mut texts: Vec<String> = prefixes.known().map(|prefix| prefix.text.to_string()).collect();
    if texts.len() > RANGES {
        let more = texts.len() - RANGES;
        texts.truncate(RANGES);
        texts.push(format!("and {more} more"));
    }
    if texts.is_empty() { texts } else { vec![texts.join(", ")] }
}
