//! Hubs of Virtual WANs and the networks that are connected with them.

use crate::topology::*;

use super::Builder;
use super::network::prefix_of;
use super::part::Part;
use super::source::Source;
use super::view::paths;

impl<'a> Builder<'a> {
    /// Reads virtual hubs and their connections.
    pub fn fill_hubs(&mut self) {
        for source in self.sources.iter().filter(|source| !source.superseded) {
            if source.is::<VirtualHub>() {
                self.fill_hub(source);
            } else if source.managed && source.what.eq_ignore_ascii_case(HubConnection::TYPE) {
                self.add_hub_connection(source);
            }
        }
    }

    fn fill_hub(&mut self, source: &'a Source) {
        let Some(id) = self.own_part::<VirtualHub>(source) else { return };
        let prefix = source.view().read(paths!(["address_prefix"], ["properties.addressPrefix"]), prefix_of);
        self.topology.virtual_hubs[id.index()].address_prefix = prefix;
    }

    fn add_hub_connection(&mut self, source: &'a Source) {
        let hub = self.parent::<VirtualHub>(source, &["virtual_hub_id"], "");
        let parent = hub.to().and_then(|hub| self.topology[hub].header.name.known().cloned());
        let network = self.link(
            source,
            &source.view(),
            paths!(["remote_virtual_network_id"], ["properties.remoteVirtualNetwork.id"]),
        );
        let header = self.header::<HubConnection>(source, parent.as_deref());
        let position = self.add(HubConnection { header, hub, network });
        self.parts[source.id.index()] = Some((HubConnection::TYPE, position));
    }
}
