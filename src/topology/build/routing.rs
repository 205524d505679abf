//! Route tables and routes.

use crate::topology::*;

use super::Builder;
use super::network::{replace, replace_list};
use super::part::Part;
use super::source::Source;
use super::view::{View, paths};

const ROUTE_TYPE: &str = "microsoft.network/routetables/routes";

const NEXT_HOPS: &[&str] = &["VirtualAppliance", "VnetLocal", "Internet", "VirtualNetworkGateway", "None"];

impl<'a> Builder<'a> {
    /// Reads route tables and routes.
    pub fn fill_routing(&mut self) {
        // What changes something comes after what makes it.
        for patch in [false, true] {
            for source in
                self.sources.iter().filter(|source| source.patch == patch && source.is::<RouteTable>())
            {
                self.fill_route_table(source);
            }
        }
        for source in self
            .sources
            .iter()
            .filter(|source| source.what == ROUTE_TYPE && source.managed && !source.superseded)
        {
            self.add_route(source);
        }
    }

    fn fill_route_table(&mut self, source: &'a Source) {
        let Some(id) = self.part::<RouteTable>(source.id) else { return };
        if self.own_part::<RouteTable>(source).is_none() && !source.patch {
            return;
        }
        let view = source.view();
        let blocks = view.blocks(paths!(["route"], ["properties.routes"]));
        let parent = self.topology[id].header.name.known().cloned();
        let mut routes = List { items: Vec::new(), rest: blocks.rest.clone(), place: blocks.place };
        for block in &blocks.items {
            let header =
                self.inline_header(source, block, "Microsoft.Network/routeTables/routes", parent.as_deref());
            let place = block.view.place;
            routes.items.push(Field { state: State::Known(self.read_route(&block.view, header)), place });
        }
        let table = &mut self.topology.route_tables[id.index()];
        replace_list(&mut table.routes, routes, source);
        replace(&mut table.bgp_route_propagation, propagation(&view), source);
    }

    fn add_route(&mut self, source: &'a Source) {
        let table = self.parent::<RouteTable>(source, &[], "route_table_name");
        let parent = table.to().and_then(|table| self.topology[table].header.name.known().cloned());
        let header = Header {
            resource: source.id,
            place: source.place,
            name: source.name.clone(),
            declared: Declared::Separate,
            uncertain: source.uncertain.clone(),
            resource_id: super::resolve::path(
                "Microsoft.Network/routeTables/routes",
                parent.as_deref(),
                source.name.known(),
            ),
        };
        let uncertain = source.uncertain.clone();
        let route = self.read_route(&source.view(), header);
        match table.state {
            LinkState::To(id) => {
                let routes = &mut self.topology.route_tables[id.index()].routes;
                if routes.rest.is_none() {
                    routes.rest = uncertain;
                }
                // ARM: the same route inline and as a resource of its own is one route, and the latter is deployed last.
                if source.is_arm() {
                    routes.items.retain(|other| !is_same_inline(other, &route));
                }
                routes.items.push(Field { state: State::Known(route), place: source.place });
            }
            LinkState::Unknown(unknown) => {
                self.scattered.push((RouteTable::TYPE, source.id, unknown));
            }
            LinkState::Absent => {}
        }
    }

    fn read_route(&self, view: &View, header: Header) -> Route {
        Route {
            header,
            address_prefix: view.text(paths!(["address_prefix"], ["properties.addressPrefix"])),
            next_hop_type: view.choice(paths!(["next_hop_type"], ["properties.nextHopType"]), NEXT_HOPS),
            next_hop: self
                .address_owner(view, paths!(["next_hop_in_ip_address"], ["properties.nextHopIpAddress"])),
            next_hop_address: view.text(paths!(["next_hop_in_ip_address"], ["properties.nextHopIpAddress"])),
        }
    }
}

fn is_same_inline(other: &Field<Route>, route: &Route) -> bool {
    let Some(other) = other.known() else { return false };
    let name = |header: &Header| header.name.known().map(|name| name.to_lowercase());
    other.header.declared == Declared::Inline
        && name(&other.header).is_some()
        && name(&other.header) == name(&route.header)
}

fn propagation(view: &View) -> Field<bool> {
    let disabled =
        view.flag(paths!(["disable_bgp_route_propagation"], ["properties.disableBgpRoutePropagation"]));
    if view.is_arm() {
        return disabled.or_default(false).map(|disabled| !disabled);
    }
    let enabled: Field<bool> = view.flag(paths!(["bgp_route_propagation_enabled"], []));
    if view.lookup.is_some() || !enabled.is_absent() || disabled.is_absent() {
        return enabled.or_default(true);
    }
    disabled.map(|disabled| !disabled)
}
