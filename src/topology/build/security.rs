//! Network security groups and their rules.

use std::sync::Arc;

use ecow::EcoString;
use rayon::prelude::*;

use crate::topology::*;
use crate::value::{Cause, Unknown, Value};

use super::Builder;
use super::network::replace_list;
use super::part::Part;
use super::source::Source;
use super::view::{Paths, View, paths, text_of};

const RULE_TYPE: &str = "Microsoft.Network/networkSecurityGroups/securityRules";

const PROTOCOLS: &[&str] = &["Tcp", "Udp", "Icmp", "Esp", "Ah", "*"];

/// Where one side of a rule stands.
struct Side {
    prefix: Paths,
    prefixes: Paths,
    port: Paths,
    ports: Paths,
    groups: Paths,
}

const SOURCE: Side = Side {
    prefix: paths!(["source_address_prefix"], ["properties.sourceAddressPrefix"]),
    prefixes: paths!(["source_address_prefixes"], ["properties.sourceAddressPrefixes"]),
    port: paths!(["source_port_range"], ["properties.sourcePortRange"]),
    ports: paths!(["source_port_ranges"], ["properties.sourcePortRanges"]),
    groups: paths!(["source_application_security_group_ids"], ["properties.sourceApplicationSecurityGroups"]),
};

const DESTINATION: Side = Side {
    prefix: paths!(["destination_address_prefix"], ["properties.destinationAddressPrefix"]),
    prefixes: paths!(["destination_address_prefixes"], ["properties.destinationAddressPrefixes"]),
    port: paths!(["destination_port_range"], ["properties.destinationPortRange"]),
    ports: paths!(["destination_port_ranges"], ["properties.destinationPortRanges"]),
    groups: paths!(
        ["destination_application_security_group_ids"],
        ["properties.destinationApplicationSecurityGroups"]
    ),
};

impl<'a> Builder<'a> {
    /// Reads security groups and rules.
    pub fn fill_security(&mut self) {
        // What changes something comes after what makes it.
        for patch in [false, true] {
            let is_wanted = |source: &&Source| source.patch == patch && source.is::<SecurityGroup>();
            let groups: Vec<&'a Source> = self.sources.iter().filter(is_wanted).collect();
            let builder = &*self;
            let read: Vec<_> =
                groups.into_par_iter().filter_map(|source| builder.read_security_group(source)).collect();
            for group in read {
                self.keep_security_group(group);
            }
        }
        let rule_type = RULE_TYPE.to_lowercase();
        for source in self
            .sources
            .iter()
            .filter(|source| source.what == rule_type && source.managed && !source.superseded)
        {
            self.add_rule(source);
        }
    }

    /// What a group says, but for the application security groups in its rules: those may lead to parts that are not there
    /// yet.
    fn read_security_group(&self, source: &'a Source) -> Option<ReadGroup<'a>> {
        let id = self.part::<SecurityGroup>(source.id)?;
        if self.own_part::<SecurityGroup>(source).is_none() && !source.patch {
            return None;
        }
        let blocks = source.view().blocks(paths!(["security_rule"], ["properties.securityRules"]));
        let parent = self.topology[id].header.name.known().map(EcoString::as_str);
        let rules = blocks
            .items
            .into_iter()
            .map(|block| {
                let header = self.inline_header(source, &block, RULE_TYPE, parent);
                (read_rule(&block.view, header), block.view)
            })
            .collect();
        Some(ReadGroup { id, source, rules, rest: blocks.rest, place: blocks.place })
    }

    fn keep_security_group(&mut self, group: ReadGroup<'a>) {
        let mut rules =
            List { items: Vec::with_capacity(group.rules.len()), rest: group.rest, place: group.place };
        for (mut rule, view) in group.rules {
            self.link_groups(group.source, &view, &mut rule);
            rules.items.push(Field { state: State::Known(rule), place: view.place });
        }
        replace_list(&mut self.topology.security_groups[group.id.index()].rules, rules, group.source);
    }

    fn add_rule(&mut self, source: &'a Source) {
        let group = self.parent::<SecurityGroup>(source, &[], "network_security_group_name");
        let parent = group.to().and_then(|group| self.topology[group].header.name.known().cloned());
        let header = Header {
            resource: source.id,
            place: source.place,
            name: source.name.clone(),
            declared: Declared::Separate,
            uncertain: source.uncertain.clone(),
            resource_id: super::resolve::path(RULE_TYPE, parent.as_deref(), source.name.known()),
        };
        let mut rule = read_rule(&source.view(), header);
        self.link_groups(source, &source.view(), &mut rule);
        match group.state {
            LinkState::To(id) => {
                let rules = &mut self.topology.security_groups[id.index()].rules;
                if rules.rest.is_none() {
                    rules.rest.clone_from(&source.uncertain);
                }
                // ARM: the same rule inline and as a resource of its own is one rule, and the latter is deployed last.
                if source.is_arm() {
                    rules.items.retain(|other| !is_same_inline(other, &rule));
                }
                rules.items.push(Field { state: State::Known(rule), place: source.place });
            }
            LinkState::Unknown(unknown) => self.scattered.push((SecurityGroup::TYPE, source.id, unknown)),
            LinkState::Absent => {}
        }
    }

    fn link_groups(&mut self, source: &'a Source, view: &View<'a>, rule: &mut SecurityRule) {
        for (side, end) in [(&SOURCE, &mut rule.source), (&DESTINATION, &mut rule.destination)] {
            (end.groups, end.more_groups) = self.links(source, view, side.groups);
            if end.groups.is_empty() && end.more_groups.is_none() {
                to_be_filled_in(&mut end.prefixes, view.left_empty(side.prefix));
            }
        }
    }
}

/// A group whose rules are read, but for application security groups.
struct ReadGroup<'a> {
    id: Id<SecurityGroup>,
    source: &'a Source,
    rules: Vec<(SecurityRule, View<'a>)>,
    rest: Option<Arc<Unknown>>,
    place: Place,
}

/// A rule, but for its application security groups.
fn read_rule(view: &View, header: Header) -> SecurityRule {
    SecurityRule {
        header,
        priority: view.number(paths!(["priority"], ["properties.priority"])),
        direction: view.read(paths!(["direction"], ["properties.direction"]), direction),
        access: view.read(paths!(["access"], ["properties.access"]), access),
        protocol: view.choice(paths!(["protocol"], ["properties.protocol"]), PROTOCOLS),
        source: read_side(view, &SOURCE),
        destination: read_side(view, &DESTINATION),
    }
}

fn read_side(view: &View, side: &Side) -> RuleEndpoint {
    let single_prefix = view.text(side.prefix);
    let single_port = view.text(side.port);
    let prefixes = joined(&single_prefix, view.texts(side.prefixes));
    let mut ports = joined(&single_port, view.texts(side.ports));
    to_be_filled_in(&mut ports, view.left_empty(side.port));
    RuleEndpoint { prefixes, groups: Vec::new(), more_groups: None, ports, single_prefix, single_port }
}

/// A field without which there is no rule, and whose only value is an empty default, is one that is not known.
fn to_be_filled_in(list: &mut List<EcoString>, left_empty: Option<Place>) {
    if let Some(place) = left_empty.filter(|_| list.is_certainly_empty()) {
        let cause = Cause::Error("a field that has to be given is left empty by default".into());
        list.rest = Some(Arc::new(Unknown { cause, span: place.site }));
    }
}

/// The singular and the plural attribute together.
fn joined(single: &Field<EcoString>, mut list: List<EcoString>) -> List<EcoString> {
    if !single.is_absent() {
        if list.items.is_empty() && list.rest.is_none() {
            list.place = single.place;
        }
        // Most rules have the singular only: room for one is enough.
        list.items.reserve_exact(1);
        list.items.insert(0, single.clone());
    }
    list
}

fn is_same_inline(other: &Field<SecurityRule>, rule: &SecurityRule) -> bool {
    let Some(other) = other.known() else { return false };
    let name = |header: &Header| header.name.known().map(|name| name.to_lowercase());
    other.header.declared == Declared::Inline
        && name(&other.header).is_some()
        && name(&other.header) == name(&rule.header)
}

fn direction(value: &Value) -> Option<Direction> {
    let text = text_of(value)?;
    if text.eq_ignore_ascii_case("inbound") {
        Some(Direction::Inbound)
    } else if text.eq_ignore_ascii_case("outbound") {
        Some(Direction::Outbound)
    } else {
        None
    }
}

fn access(value: &Value) -> Option<Access> {
    let text = text_of(value)?;
    if text.eq_ignore_ascii_case("allow") {
        Some(Access::Allow)
    } else if text.eq_ignore_ascii_case("deny") {
        Some(Access::Deny)
    } else {
        None
    }
}
