//! Which findings on a plan are news: compared with what the rules find in the network as it is now.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::finding::{Category, Finding, Related, Severity, Standing};
use crate::resource::Action;
use crate::rules::{self, Context, Rule};
use crate::topology::{Header, ResourceId, ResourceNode, Topology};

/// So many removed resources are named for one finding.
const REMOVED_NAMED: usize = 3;

/// Says for each finding whether it was there before the plan, and for news what the plan removes that bears on it.
pub(super) fn compare(
    findings: &mut [Finding],
    topology: &Topology,
    before: &Topology,
    rules: &[&'static Rule],
) {
    let changes =
        |rule: &str| rules.iter().any(|other| other.name == rule && other.category == Category::PlanChange);
    // Where there is nothing to be matched, the rules need not run again.
    let standing: BTreeSet<&str> =
        findings.iter().map(|finding| finding.rule).filter(|rule| !changes(rule)).collect();
    let again: Vec<&'static Rule> =
        rules.iter().copied().filter(|rule| standing.contains(rule.name)).collect();
    let earlier = rules::run(&again, &Context::new(before, None));

    let mut known: BTreeMap<Substance, Vec<Earlier>> = BTreeMap::new();
    for finding in &earlier.findings {
        let entry = known.entry(Substance::of(finding, before)).or_default();
        let earlier = Earlier { severity: finding.severity, message: finding.message.clone() };
        if !entry.contains(&earlier) {
            entry.push(earlier);
        }
    }
    let mut now: BTreeMap<Substance, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        let same = now.entry(Substance::of(finding, topology)).or_default();
        same.entry(&finding.message).or_default().push(index);
    }
    let mut matched = Vec::new();
    for (substance, messages) in &now {
        let mut before = known.remove(substance).unwrap_or_default();
        let mut open = Vec::new();
        for (message, indices) in messages {
            match before.iter().position(|other| other.message == *message) {
                Some(position) if before[position].severity >= severity(findings, indices) => {
                    before.remove(position);
                    matched.extend(indices);
                }
                _ => open.push(indices),
            }
        }
        // The same defect in other words: a range that is still too small after it has changed.
        for indices in open {
            if let Some(position) =
                before.iter().position(|other| other.severity >= severity(findings, indices))
            {
                before.remove(position);
                matched.extend(indices);
            }
        }
    }
    let matched: BTreeSet<usize> = matched.into_iter().collect();
    let removals = Removals::new(before);
    for (index, finding) in findings.iter_mut().enumerate() {
        if matched.contains(&index) {
            finding.standing = Some(Standing::Known);
            continue;
        }
        finding.standing = Some(Standing::New);
        if let Some(rule) = rules.iter().find(|rule| rule.name == finding.rule) {
            removals.explain(finding, rule.category, topology);
        }
    }
}

/// The worst of some findings.
fn severity(findings: &[Finding], indices: &[usize]) -> Severity {
    let all = indices.iter().filter_map(|index| findings.get(*index));
    all.map(|finding| finding.severity).max().unwrap_or(Severity::Note)
}

/// A finding of the model before.
#[derive(PartialEq, Eq)]
struct Earlier {
    severity: Severity,
    message: String,
}

/// What makes a finding the same before and after: its rule, its resource, and the other resources that take part. Places
/// and words may differ.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Substance {
    rule: &'static str,
    root: u32,
    resource: String,
    part: Option<String>,
    others: BTreeSet<String>,
}

impl Substance {
    fn of(finding: &Finding, topology: &Topology) -> Self {
        let own = topology.resources.get(finding.place.resource.index());
        let address = |id: ResourceId| {
            topology.resources.get(id.index()).map(|node| node.key.address.to_string()).unwrap_or_default()
        };
        let resource = address(finding.place.resource);
        // Of a part that is its own resource, the address says it; its path may be known only in part.
        let part = finding
            .resource_id
            .as_ref()
            .filter(|part| own.is_some_and(|own| own.resource_id.as_ref() != Some(part)))
            .map(|part| last_name(part));
        let others = finding.related.iter().map(|related| address(related.place.resource));
        let others = others.filter(|other| *other != resource).collect();
        Self { rule: finding.rule, root: own.map_or(0, |own| own.key.root), resource, part, others }
    }
}

/// The last name of a path, which is known wherever the part has a name.
fn last_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase()
}

/// The parts of the network that a plan removes, each with what it joined.
struct Removals<'a> {
    before: &'a Topology,
    /// The removed resources, with the categories of rules that they can bear on.
    all: Vec<(ResourceId, &'static [Category])>,
    /// Positions in `all` by the paths of what the removed resource joined.
    by_path: HashMap<String, Vec<usize>>,
}

const NAMES: &[Category] = &[Category::Dns];
const FILTERS: &[Category] = &[Category::Nsg, Category::Exposure, Category::LoadBalancing];
const ROUTES: &[Category] = &[Category::Route];
const REACH: &[Category] = &[Category::Peering, Category::Dns, Category::Route];
const OUTBOUND: &[Category] = &[Category::Route, Category::Gateway, Category::Nsg];

impl<'a> Removals<'a> {
    fn new(before: &'a Topology) -> Self {
        let mut removals = Self { before, all: Vec::new(), by_path: HashMap::new() };
        for link in &before.zone_links {
            let zone = link.zone.to().map(|id| &before[id].header);
            let network = link.network.to().map(|id| &before[id].header);
            removals.add(link.header.resource, NAMES, [zone, network]);
        }
        for record in &before.zone_records {
            let zone = record.zone.to().map(|id| &before[id].header);
            removals.add(record.header.resource, NAMES, [zone]);
        }
        for peering in &before.peerings {
            let ends = [peering.network.to(), peering.remote.to()];
            let ends = ends.map(|end| end.map(|id| &before[id].header));
            removals.add(peering.header.resource, REACH, ends);
        }
        for group in &before.security_groups {
            for rule in group.rules.known() {
                removals.add(rule.header.resource, FILTERS, [Some(&group.header)]);
            }
        }
        for table in &before.route_tables {
            for route in table.routes.known() {
                removals.add(route.header.resource, ROUTES, [Some(&table.header)]);
            }
        }
        for subnet in &before.subnets {
            let own = Some(&subnet.header);
            let group = subnet.security_group.to().map(|id| &before[id].header);
            let table = subnet.route_table.to().map(|id| &before[id].header);
            let gateway = subnet.nat_gateway.to().map(|id| &before[id].header);
            // The association, where it is a resource of its own, and what it brings.
            removals.add(subnet.security_group.place.resource, FILTERS, [own, group]);
            removals.add(subnet.route_table.place.resource, ROUTES, [own, table]);
            removals.add(subnet.nat_gateway.place.resource, OUTBOUND, [own, gateway]);
        }
        removals
    }

    fn add<const N: usize>(
        &mut self,
        resource: ResourceId,
        categories: &'static [Category],
        joined: [Option<&Header>; N],
    ) {
        let Some(node) = self.before.resources.get(resource.index()) else { return };
        if node.action != Some(Action::Delete) {
            return;
        }
        for path in joined.into_iter().flatten().filter_map(|header| header.resource_id.as_ref()) {
            self.by_path.entry(path.to_ascii_lowercase()).or_default().push(self.all.len());
        }
        self.all.push((resource, categories));
    }

    /// Names what the plan removes beside a finding that it explains.
    fn explain(&self, finding: &mut Finding, category: Category, topology: &Topology) {
        if self.all.is_empty() {
            return;
        }
        let path = |id: ResourceId| topology.resources.get(id.index())?.resource_id.as_deref();
        let own = std::iter::once((finding.resource_id.as_deref(), finding.place.resource));
        let related = finding.related.iter().map(|part| (part.resource_id.as_deref(), part.place.resource));
        let named: BTreeSet<String> = own
            .chain(related)
            .flat_map(|(part, resource)| [part, path(resource)])
            .flatten()
            .map(str::to_ascii_lowercase)
            .chain(homes(topology, finding.place.resource))
            .collect();
        let mut removed: Vec<&ResourceNode> = named
            .iter()
            .filter_map(|path| self.by_path.get(path))
            .flatten()
            .filter_map(|position| self.all.get(*position))
            .filter(|(_, categories)| categories.contains(&category))
            .filter_map(|(resource, _)| self.before.resources.get(resource.index()))
            .collect();
        removed.sort_by(|a, b| a.key.cmp(&b.key));
        removed.dedup_by(|a, b| a.key == b.key);
        for resource in removed.into_iter().take(REMOVED_NAMED) {
            finding.related.push(Related {
                message: "this plan removes it".into(),
                place: resource.place,
                resource_id: resource.resource_id.clone(),
                before: true,
            });
        }
    }
}

/// The subnets and networks that a resource lives in.
fn homes(topology: &Topology, resource: ResourceId) -> Vec<String> {
    let subnets = topology
        .occupancies
        .iter()
        .filter(|occupancy| occupancy.resource == resource)
        .filter_map(|occupancy| Some(&topology[occupancy.subnet.to()?]));
    let paths = subnets.flat_map(|subnet| {
        let network = subnet.network.to().and_then(|id| topology[id].header.resource_id.clone());
        [subnet.header.resource_id.clone(), network]
    });
    paths.flatten().map(|path| path.to_ascii_lowercase()).collect()
}
