//! From evaluated resources to the model.
//!
//! Every resource becomes a node. Then what has an identity of its own is declared (what is made here before what is only
//! looked up, networks before their subnets), so that a lookup, a name or a literal id finds what is declared wherever it
//! stands in the input. Only then are properties read and links resolved. Everything happens in the order of the input.

mod association;
mod azapi;
mod compute;
mod dns;
mod identity;
mod lookup;
mod part;
mod pattern;
mod resolve;
mod source;
mod view;

mod balancing;
mod gateway;
mod hub;
mod inbound_nat;
mod nameless;
mod network;
mod occupancy;
mod outbound;
mod public;
mod routing;
mod security;
mod service;

use std::sync::Arc;

use ecow::EcoString;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::resource::Configuration;
use crate::topology::*;
use crate::value::{ResourceKey, Unknown};

use identity::{Entry, Index, Search};
use part::{Nothing, Part};
use pattern::Pattern;
use source::Source;

/// Builds the model of everything in the input.
pub fn build(configuration: &Configuration) -> Topology {
    let sources = source::prepare(configuration);
    let mut builder = Builder::new(configuration, &sources);
    builder.declare();
    builder.fill();
    builder.topology
}

/// The work in progress.
struct Builder<'a> {
    /// The input; positions are those of the nodes.
    sources: &'a [Source],
    /// The model so far.
    topology: Topology,
    /// Resources by root and address.
    keys: FxHashMap<&'a ResourceKey, ResourceId>,
    /// Resources by root and address without instance keys.
    bases: FxHashMap<(u32, EcoString), Vec<ResourceId>>,
    /// The part of the model that a resource stands for: its type, and its position in its list.
    parts: Vec<Option<(&'static str, usize)>>,
    /// Parts that are children of nothing.
    index: Index,
    /// Subnets by network and name.
    subnets: FxHashMap<(Id<VirtualNetwork>, Pattern), Vec<Id<Subnet>>>,
    /// Subnets with names that are not wholly known, by network.
    open_subnets: FxHashMap<Id<VirtualNetwork>, Vec<(Pattern, Id<Subnet>)>>,
    /// The inline subnets that a resource writes, in its order.
    inline_subnets: FxHashMap<ResourceId, Vec<Id<Subnet>>>,
    /// Peerings by network and name.
    peerings: FxHashMap<(Id<VirtualNetwork>, Pattern), Id<Peering>>,
    /// Links of zones by zone and name.
    zone_links: FxHashMap<(Id<PrivateDnsZone>, Pattern), Id<ZoneLink>>,
    /// Resources that deploy once more what another resource of the same template deploys.
    redeployments: FxHashSet<ResourceId>,
    /// Inline subnets whose properties are still to be read.
    inline_views: Vec<(ResourceId, view::Block<'a>, Id<Subnet>)>,
    /// How many associations are being followed one after the other.
    following: usize,
    /// Rules and routes of which it is not known to which parent they belong: the parent's type, the resource, why.
    scattered: Vec<(&'static str, ResourceId, Arc<Unknown>)>,
    /// The back-end pools that resources of their own stand for.
    pool_slots: FxHashMap<ResourceId, (Id<LoadBalancer>, usize)>,
    /// The probes that resources of their own stand for.
    probe_slots: FxHashMap<ResourceId, (Id<LoadBalancer>, usize)>,
    /// The inbound NAT rules and pools of such rules that resources of their own stand for.
    nat_slots: FxHashMap<ResourceId, (Id<LoadBalancer>, usize)>,
    /// Resources by type in lower case and last name; made when it is first needed.
    nodes_by_name: Option<FxHashMap<(EcoString, Pattern), Vec<ResourceId>>>,
}

/// Declares a resource as the part that it is.
macro_rules! declare {
    ($builder:ident, $source:ident, [$($part:ty),* $(,)?]) => {
        $(if $source.is::<$part>() {
            $builder.declare_part::<$part>($source);
        } else)* {}
    };
}

impl<'a> Builder<'a> {
    fn new(configuration: &Configuration, sources: &'a [Source]) -> Self {
        let mut keys = FxHashMap::default();
        let mut bases: FxHashMap<(u32, EcoString), Vec<ResourceId>> = FxHashMap::default();
        for source in sources {
            keys.entry(&source.key).or_insert(source.id);
            let root = source.key.root;
            let last = without_last_key(&source.key.address);
            let all = without_keys(&source.key.address);
            if last != source.key.address {
                bases.entry((root, last.into())).or_default().push(source.id);
            }
            if all != last && all != source.key.address.as_str() {
                bases.entry((root, all)).or_default().push(source.id);
            }
        }
        let mut builder = Self {
            sources,
            topology: Topology::default(),
            keys,
            bases,
            parts: vec![None; sources.len()],
            index: Index::default(),
            subnets: FxHashMap::default(),
            open_subnets: FxHashMap::default(),
            inline_subnets: FxHashMap::default(),
            peerings: FxHashMap::default(),
            zone_links: FxHashMap::default(),
            redeployments: FxHashSet::default(),
            inline_views: Vec::new(),
            following: 0,
            scattered: Vec::new(),
            pool_slots: FxHashMap::default(),
            probe_slots: FxHashMap::default(),
            nat_slots: FxHashMap::default(),
            nodes_by_name: None,
        };
        builder.topology.resources = builder.nodes(configuration);
        for opaque in &configuration.opaque {
            for key in &opaque.receives {
                for id in builder.at_address(key.root, &key.address).to_vec() {
                    let unseen = &mut builder.topology.resources[id.index()].unseen;
                    unseen.get_or_insert_with(|| Arc::clone(&opaque.because));
                }
            }
        }
        builder
    }

    /// The nodes of all resources.
    fn nodes(&self, configuration: &Configuration) -> Vec<ResourceNode> {
        let nodes = configuration.resources.par_iter().zip(self.sources).map(|(resource, source)| {
            let mut dependencies: Vec<ResourceId> = source
                .dependencies
                .iter()
                .flat_map(|address| self.at_address(source.key.root, address))
                .copied()
                .collect();
            dependencies.sort_unstable();
            dependencies.dedup();
            dependencies.retain(|dependency| *dependency != source.id);
            let view = source.view();
            let root = configuration.roots.get(source.key.root as usize);
            ResourceNode {
                key: source.key.clone(),
                language: root.map_or(crate::resource::Language::Terraform, |root| root.language),
                arm_type: source.arm_type.clone(),
                written_type: resource.resource_type.clone(),
                mode: resource.mode,
                uncertain: source.uncertain.clone(),
                name: source.name.clone(),
                resource_group: self.group_field(source),
                location: view
                    .text(view::paths!(["location"], ["location"]))
                    .map(|location| location.to_lowercase().split_whitespace().collect()),
                resource_id: source.arm_type.as_ref().and_then(|arm_type| self.node_path(arm_type, source)),
                dependencies,
                unseen: None,
                action: resource.action,
                because: resource.because,
                replaced_for: resource.replaced_for.clone(),
                place: source.place,
                body: source.body.clone(),
            }
        });
        nodes.collect()
    }

    fn group_field(&self, source: &Source) -> Field<EcoString> {
        if !source.is_arm() {
            return source.view().text(view::paths!(["resource_group_name"], []));
        }
        let state = match &source.group {
            Some(pattern) => match (pattern.known(), pattern.first_unknown()) {
                (Some(text), _) => State::Known(text.into()),
                (None, Some(unknown)) => State::Unknown(unknown),
                (None, None) => State::Absent,
            },
            None => State::Absent,
        };
        Field { state, place: source.place }
    }

    /// The resources at an address: itself, or the instances of a whole `count` or `for_each`.
    fn at_address(&self, root: u32, address: &EcoString) -> &[ResourceId] {
        if let Some(id) = self.keys.get(&ResourceKey { root, address: address.clone() }) {
            return std::slice::from_ref(id);
        }
        self.bases.get(&(root, address.clone())).map_or(&[], Vec::as_slice)
    }

    /// The resource whose attribute the value at a property is, if it is one.
    fn address_owner(&self, view: &view::View, paths: view::Paths) -> Link<ResourceNode> {
        if let view::Found::Value(value, place) = view.find(paths)
            && let Some(reference) = value.as_reference()
            && let Some(target) = self.target(reference)
        {
            return Link { state: LinkState::To(target), place };
        }
        Link { state: LinkState::Absent, place: view.place }
    }

    /// The resources whose attributes the elements of a list are: for each element, or none at all.
    fn address_owners(&self, view: &view::View, paths: view::Paths) -> Vec<Link<ResourceNode>> {
        let view::Found::Value(value, place) = view.find(paths) else { return Vec::new() };
        let crate::value::ValueKind::Sequence(sequence) = &value.kind else { return Vec::new() };
        let owner = |item: &crate::value::Value| match item.as_reference().and_then(|it| self.target(it)) {
            Some(target) => Link { state: LinkState::To(target), place },
            None => Link { state: LinkState::Absent, place },
        };
        sequence.items.iter().map(owner).collect()
    }

    /// The source of a resource.
    fn source(&self, id: ResourceId) -> &'a Source {
        // Every resource has a source at its own position.
        &self.sources[id.index()]
    }

    fn declare(&mut self) {
        for managed in [true, false] {
            for source in self.sources.iter().filter(|source| source.managed == managed) {
                declare!(
                    self,
                    source,
                    [
                        VirtualNetwork,
                        VirtualHub,
                        SecurityGroup,
                        ApplicationSecurityGroup,
                        RouteTable,
                        PrivateDnsZone,
                        DnsResolver,
                        ForwardingRuleSet,
                        PrivateEndpoint,
                        PrivateLinkService,
                        NetworkInterface,
                        VirtualMachine,
                        ScaleSet,
                        PublicIp,
                        NatGateway,
                        VirtualNetworkGateway,
                        Bastion,
                        Firewall,
                        LoadBalancer,
                        ApplicationGateway
                    ]
                );
            }
        }
        self.declare_subnets();
    }

    /// Declares a part that is no child of another: joins it with what is already declared, or adds it.
    fn declare_part<T: Part>(&mut self, source: &'a Source) {
        let name = source.last_name().cloned();
        if let Some(position) = self.referenced_part::<T>(source) {
            self.parts[source.id.index()] = Some((T::TYPE, position));
            return;
        }
        if !source.managed
            && let Some(name) = &name
            && let Search::Found(position) =
                self.search::<T>(source, name, source.group.as_ref(), source.subscription.as_ref())
        {
            self.parts[source.id.index()] = Some((T::TYPE, position));
            return;
        }
        if let Some(name) = &name
            && self.may_redeploy(source)
            && let Some(position) = self.index.declared_in(
                T::TYPE,
                name,
                source.group.as_ref(),
                source.subscription.as_ref(),
                source.key.root,
            )
            && T::list(&self.topology).get(position).is_some_and(|part| part.header().is_certain())
        {
            self.parts[source.id.index()] = Some((T::TYPE, position));
            self.redeployments.insert(source.id);
            return;
        }
        let header = self.header::<T>(source, None);
        let nothing = Nothing { unknown: source.lookup.clone(), place: source.place };
        let position = self.add(T::blank(header, &nothing));
        self.parts[source.id.index()] = Some((T::TYPE, position));
        if let Some(name) = &name {
            let entry = Entry {
                position,
                group: source.group.clone(),
                subscription: source.subscription.clone(),
                root: Some(source.key.root),
                managed: source.managed,
            };
            self.index.insert(T::TYPE, name, entry);
        }
    }

    /// The part that a resource names by a reference to its id (azapi).
    fn referenced_part<T: Part>(&self, source: &Source) -> Option<usize> {
        let reference = source.whole_id.as_ref()?.as_reference()?;
        if !resolve::names_itself(reference) {
            return None;
        }
        self.part::<T>(self.target(reference)?).map(Id::index)
    }

    /// Whether a resource may be a second deployment of something: nested templates deploy one resource several times to
    /// change it on the way. Alternatives under conditions stay apart.
    fn may_redeploy(&self, source: &Source) -> bool {
        source.managed && source.is_arm() && source.parent.is_none() && source.uncertain.is_none()
    }

    /// Adds a part to its list.
    fn add<T: Part>(&mut self, part: T) -> usize {
        let list = T::list_mut(&mut self.topology);
        list.push(part);
        list.len() - 1
    }

    /// The header of a resource's own part.
    fn header<T: Part>(&self, source: &Source, parent: Option<&str>) -> Header {
        Header {
            resource: source.id,
            place: source.place,
            name: source.name.clone(),
            declared: if source.managed { Declared::Separate } else { Declared::LookedUp },
            uncertain: source.uncertain.clone(),
            resource_id: resolve::path(T::TYPE, parent, source.name.known()),
        }
    }

    /// The header of something inline in a resource.
    fn inline_header(
        &self,
        source: &Source,
        block: &view::Block,
        arm_type: &str,
        parent: Option<&str>,
    ) -> Header {
        let name = block.view.text(view::paths!(["name"], ["name"]));
        // Nested resources of a template may carry their parents' names.
        let name = name.map(|name| name.rsplit('/').next().unwrap_or(&name).into());
        let resource_id = resolve::path(arm_type, parent, name.known());
        Header {
            resource: source.id,
            place: block.view.place,
            name,
            declared: if source.managed { Declared::Inline } else { Declared::LookedUp },
            uncertain: block.repeated.clone().or_else(|| source.uncertain.clone()),
            resource_id,
        }
    }

    /// The part that a resource stands for, when it is of this type.
    fn part<T: Part>(&self, resource: ResourceId) -> Option<Id<T>> {
        match self.parts.get(resource.index()) {
            Some(Some((arm_type, position))) if *arm_type == T::TYPE => Some(Id::new(*position)),
            _ => None,
        }
    }

    /// The part that a resource stands for, when the resource is the one that says what it is like. Lookups of something
    /// that another resource declares say nothing more about it.
    fn own_part<T: Part>(&self, source: &Source) -> Option<Id<T>> {
        let id = self.part::<T>(source.id)?;
        let own = T::list(&self.topology).get(id.index())?.header().resource == source.id;
        (own || self.redeployments.contains(&source.id)).then_some(id)
    }

    fn fill(&mut self) {
        self.fill_networks();
        self.fill_hubs();
        self.fill_security();
        self.fill_routing();
        self.fill_dns();
        self.fill_compute();
        self.fill_gateways();
        self.fill_balancing();
        self.fill_services();
        self.fill_associations();
        self.open_what_nameless_parts_may_add();
        self.fill_occupancies();
        self.fill_admissions();
        self.fill_address_uses();
        self.fill_public_endpoints();
        self.fill_firewall_rules();
    }
}

/// An unknown with the reason that something is not told apart.
fn undecided(what: &str, place: Place) -> Arc<Unknown> {
    let cause = crate::value::Cause::Unsupported(EcoString::from(format!("telling {what} apart")));
    Arc::new(Unknown { cause, span: place.site })
}

/// An address without the instance key at its end: `a.b["c"]` → `a.b`.
fn without_last_key(address: &str) -> &str {
    if !address.ends_with(']') {
        return address;
    }
    let mut depth = 0usize;
    let mut quoted = false;
    let bytes = address.as_bytes();
    for (index, byte) in bytes.iter().enumerate().rev() {
        let escaped = index > 0 && bytes.get(index - 1) == Some(&b'\\');
        match byte {
            b'"' if !escaped => quoted = !quoted,
            b']' if !quoted => depth += 1,
            b'[' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return address.get(..index).unwrap_or(address);
                }
            }
            _ => {}
        }
    }
    address
}

/// An address without any instance keys: `module.m["a"].b.c[0]` → `module.m.b.c`.
fn without_keys(address: &str) -> EcoString {
    let mut out = EcoString::new();
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for character in address.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted && depth > 0 => depth -= 1,
            _ if depth == 0 => out.push(character),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
pub(crate) mod tests;
