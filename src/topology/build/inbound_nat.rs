//! Inbound NAT rules of load balancers, pools of such rules, and what they lead to.

use std::sync::Arc;

use crate::topology::*;
use crate::value::{Unknown, Value};

use super::Builder;
use super::balancing::frontend_name;
use super::source::Source;
use super::view::{Found, Paths, View, paths};

pub(super) const RULE_TYPE: &str = "Microsoft.Network/loadBalancers/inboundNatRules";
const POOL_TYPE: &str = "Microsoft.Network/loadBalancers/inboundNatPools";

/// The rules that an address of an interface names (ARM only: azurerm has a resource for that).
const RULES_OF_ADDRESS: Paths = paths!([], ["properties.loadBalancerInboundNatRules"]);

/// The pools that an address of a scale set's machines names.
const POOLS_OF_ADDRESS: Paths =
    paths!(["load_balancer_inbound_nat_rules_ids"], ["properties.loadBalancerInboundNatPools"]);

impl<'a> Builder<'a> {
    /// The rules that a load balancer has inline. Returns why there may be more.
    pub(super) fn inline_nat_rules(
        &mut self,
        source: &'a Source,
        id: Id<LoadBalancer>,
    ) -> Option<Arc<Unknown>> {
        let view = source.view();
        let parent = self.topology[id].header.name.known().cloned();
        let mut rest = None;
        for (paths, arm_type) in [
            (paths!([], ["properties.inboundNatRules"]), RULE_TYPE),
            (paths!([], ["properties.inboundNatPools"]), POOL_TYPE),
        ] {
            let blocks = view.blocks(paths);
            rest = rest.or(blocks.rest);
            for block in &blocks.items {
                let header = self.inline_header(source, block, arm_type, parent.as_deref());
                let rule = self.nat_rule(&block.view, header, id);
                self.topology.load_balancers[id.index()].nat_rules.push(rule);
            }
        }
        rest
    }

    /// A rule that is a resource of its own.
    pub(super) fn add_nat_rule(&mut self, source: &'a Source) {
        let Some(balancer) = self.parent::<LoadBalancer>(source, &["loadbalancer_id"], "").to() else {
            return;
        };
        let header = self.child_header(source, RULE_TYPE, balancer);
        let rule = self.nat_rule(&source.view(), header, balancer);
        let rules = &mut self.topology.load_balancers[balancer.index()].nat_rules;
        self.nat_slots.insert(source.id, (balancer, rules.len()));
        rules.push(rule);
    }

    fn nat_rule(&self, view: &View, header: Header, balancer: Id<LoadBalancer>) -> NatRule {
        let pool = match view.find(paths!(["backend_address_pool_id"], ["properties.backendAddressPool"])) {
            Found::Value(value, _) => self
                .slot(value, balancer, "backendaddresspools")
                .and_then(|(owner, position)| (owner == balancer).then_some(position)),
            Found::Absent | Found::Unknown(..) => None,
        };
        NatRule {
            header,
            protocol: view.choice(paths!(["protocol"], ["properties.protocol"]), &["Tcp", "Udp", "All"]),
            frontend: frontend_name(view),
            frontend_port: view.number(paths!(["frontend_port"], ["properties.frontendPort"])),
            backend_port: view.number(paths!(["backend_port"], ["properties.backendPort"])),
            interfaces: Vec::new(),
            scale_sets: Vec::new(),
            pool,
        }
    }

    /// What names the rules: interfaces in ARM, associations in azurerm, scale sets in all vocabularies.
    pub(super) fn targets_of_nat_rules(&mut self) {
        if self.topology.load_balancers.iter().all(|balancer| balancer.nat_rules.is_empty()) {
            return;
        }
        for source in self.sources.iter().filter(|source| source.managed) {
            if source.written == "azurerm_network_interface_nat_rule_association" {
                let view = source.view();
                let interface =
                    self.link::<NetworkInterface>(source, &view, paths!(["network_interface_id"], []));
                if let Found::Value(value, _) = view.find(paths!(["nat_rule_id"], [])) {
                    let link = Link { place: source.place, ..interface };
                    self.change_nat_rules(value, "inboundnatrules", |rule| {
                        rule.interfaces.push(link.clone())
                    });
                }
            } else if source.is_arm() && source.is::<NetworkInterface>() {
                let Some(id) = self.own_part::<NetworkInterface>(source) else { continue };
                for block in source.view().blocks(paths!([], ["properties.ipConfigurations"])).items {
                    let Found::Value(value, place) = block.view.find(RULES_OF_ADDRESS) else { continue };
                    let link = Link { state: LinkState::To(id), place };
                    self.change_nat_rules(value, "inboundnatrules", |rule| {
                        rule.interfaces.push(link.clone())
                    });
                }
            } else if source.is::<ScaleSet>() {
                let Some(id) = self.own_part::<ScaleSet>(source) else { continue };
                let templates = source.view().blocks(paths!(
                    ["network_interface", "network_profile"],
                    ["properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations"]
                ));
                let paths = paths!(["ip_configuration"], ["properties.ipConfigurations"]);
                for block in templates.items.iter().flat_map(|template| template.view.blocks(paths).items) {
                    let Found::Value(value, place) = block.view.find(POOLS_OF_ADDRESS) else { continue };
                    let link = Link { state: LinkState::To(id), place };
                    self.change_nat_rules(value, "inboundnatpools", |rule| {
                        rule.scale_sets.push(link.clone())
                    });
                }
            }
        }
    }

    fn change_nat_rules(&mut self, value: &Value, collection: &str, change: impl Fn(&mut NatRule)) {
        let items = value.as_sequence().map_or(std::slice::from_ref(value), |list| &list.items);
        for item in items {
            let Some((balancer, position)) = self.slot_anywhere(item, collection) else { continue };
            if let Some(rule) = self.topology.load_balancers[balancer.index()].nat_rules.get_mut(position) {
                change(rule);
            }
        }
    }
}
