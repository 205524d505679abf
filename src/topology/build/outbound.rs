//! Outbound rules of load balancers.

use std::sync::Arc;

use crate::topology::*;
use crate::value::Unknown;

use super::Builder;
use super::balancing::last_segment;
use super::source::Source;
use super::view::{View, paths};

const RULE_TYPE: &str = "Microsoft.Network/loadBalancers/outboundRules";

impl<'a> Builder<'a> {
    /// The rules that a load balancer has inline. Returns why there may be more.
    pub(super) fn inline_outbound_rules(
        &mut self,
        source: &'a Source,
        id: Id<LoadBalancer>,
    ) -> Option<Arc<Unknown>> {
        let parent = self.topology[id].header.name.known().cloned();
        let blocks = source.view().blocks(paths!([], ["properties.outboundRules"]));
        for block in &blocks.items {
            let header = self.inline_header(source, block, RULE_TYPE, parent.as_deref());
            let rule = outbound_rule(&block.view, header);
            self.topology.load_balancers[id.index()].outbound_rules.push(rule);
        }
        blocks.rest
    }

    /// A rule that is a resource of its own.
    pub(super) fn add_outbound_rule(&mut self, source: &'a Source) {
        let Some(balancer) = self.parent::<LoadBalancer>(source, &["loadbalancer_id"], "").to() else {
            return;
        };
        let header = self.child_header(source, RULE_TYPE, balancer);
        let rule = outbound_rule(&source.view(), header);
        self.topology.load_balancers[balancer.index()].outbound_rules.push(rule);
    }
}

fn outbound_rule(view: &View, header: Header) -> OutboundRule {
    let blocks = view.blocks(paths!(["frontend_ip_configuration"], ["properties.frontendIPConfigurations"]));
    let mut frontends = List { items: Vec::new(), rest: blocks.rest.clone(), place: blocks.place };
    for block in &blocks.items {
        frontends.items.push(if view.is_arm() {
            block.view.read(paths!([], ["id"]), last_segment)
        } else {
            block.view.text(paths!(["name"], []))
        });
    }
    OutboundRule { header, frontends }
}
