//! Network security groups and their rules.

use std::sync::Arc;

use ecow::EcoString;

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
            for source in
                self.sources.iter().filter(|source| source.patch == patch && source.is::<SecurityGroup>())
            {
                self.fill_security_group(source);
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

    fn fill_security_group(&mut self, source: &'a Source) {
        let Some(id) = self.part::<SecurityGroup>(source.id) else { return };
        if self.own_part::<SecurityGroup>(source).is_none() && !source.patch {
            return;
        }
        let blocks = source.view().blocks(paths!(["security_rule"], ["properties.securityRules"]));
        let parent = self.topology[id].header.name.known().cloned();
        let mut rules = List { items: Vec::new(), rest: blocks.rest.clone(), place: blocks.place };
        for block in &blocks.items {
            let header = self.inline_header(source, block, RULE_TYPE, parent.as_deref());
            let rule = self.read_rule(source, &block.view, header);
            rules.items.push(Field { state: State::Known(rule), place: block.view.place });
        }
        replace_list(&mut self.topology.security_groups[id.index()].rules, rules, source);
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
        let rule = self.read_rule(source, &source.view(), header);
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

    fn read_rule(&mut self, source: &'a Source, view: &View<'a>, header: Header) -> SecurityRule {
        SecurityRule {
            header,
            priority: view.number(paths!(["priority"], ["properties.priority"])),
            direction: view.read(paths!(["direction"], ["properties.direction"]), direction),
            access: view.read(paths!(["access"], ["properties.access"]), access),
            protocol: view.choice(paths!(["protocol"], ["properties.protocol"]), PROTOCOLS),
            source: self.read_side(source, view, &SOURCE),
            destination: self.read_side(source, view, &DESTINATION),
        }
    }

    fn read_side(&mut self, source: &'a Source, view: &View<'a>, side: &Side) -> RuleEndpoint {
        let single_prefix = view.text(side.prefix);
        let single_port = view.text(side.port);
        let (groups, more_groups) = self.links(source, view, side.groups);
        let mut prefixes = joined(&single_prefix, view.texts(side.prefixes));
        if groups.is_empty() && more_groups.is_none() {
            to_be_filled_in(&mut prefixes, view.left_empty(side.prefix));
        }
        let mut ports = joined(&single_port, view.texts(side.ports));
        to_be_filled_in(&mut ports, view.left_empty(side.port));
        RuleEndpoint { prefixes, groups, more_groups, ports, single_prefix, single_port }
    }
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
