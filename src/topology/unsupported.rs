//! What the input contains of networks that the model has no part for.

use std::collections::BTreeMap;

use ecow::EcoString;

use crate::azure::resource_types;

use super::Topology;

/// Types of `Microsoft.Network` that the model holds, or reads into other parts, in lower case.
const MODELLED: &[&str] = &[
    "applicationgateways",
    "applicationsecuritygroups",
    "azurefirewalls",
    "bastionhosts",
    "dnsforwardingrulesets",
    "dnsforwardingrulesets/forwardingrules",
    "dnsforwardingrulesets/virtualnetworklinks",
    "dnsresolvers",
    "dnsresolvers/inboundendpoints",
    "dnsresolvers/outboundendpoints",
    "loadbalancers",
    "loadbalancers/backendaddresspools",
    "loadbalancers/backendaddresspools/addresses",
    "loadbalancers/inboundnatpools",
    "loadbalancers/inboundnatrules",
    "loadbalancers/loadbalancingrules",
    "loadbalancers/probes",
    "natgateways",
    "networkinterfaces",
    "networkprofiles",
    "networksecuritygroups",
    "networksecuritygroups/securityrules",
    "privatednszones",
    "privatednszones/a",
    "privatednszones/aaaa",
    "privatednszones/cname",
    "privatednszones/mx",
    "privatednszones/ptr",
    "privatednszones/soa",
    "privatednszones/srv",
    "privatednszones/txt",
    "privatednszones/virtualnetworklinks",
    "privateendpoints",
    "privateendpoints/privatednszonegroups",
    "privatelinkservices",
    "publicipaddresses",
    "routetables",
    "routetables/routes",
    "virtualhubs/ipconfigurations",
    "virtualnetworkgateways",
    "virtualnetworks",
    "virtualnetworks/dnsservers",
    "virtualnetworks/subnets",
    "virtualnetworks/virtualnetworkpeerings",
];

/// Types of `Microsoft.Network` that say nothing about what reaches what, in lower case; their children neither.
const WITHOUT_EFFECT: &[&str] =
    &["ddosprotectionplans", "dnszones", "networkwatchers", "trafficmanagerprofiles"];

impl Topology {
    /// Types of Azure's that are not known at all, and known types of networks that the model has no part for, with how many
    /// of each there are. Checks that depend on them may miss something; the summary names them. Types of other providers
    /// have nothing to do with Azure's network.
    pub fn unsupported(&self) -> BTreeMap<EcoString, usize> {
        let mut types = BTreeMap::new();
        for resource in self.resources.iter().filter(|resource| !resource.is_context()) {
            let unsupported = match &resource.arm_type {
                Some(arm_type) => is_unsupported(arm_type),
                None => {
                    let written = resource.written_type.as_str();
                    let of_azure = ["azurerm_", "azapi_"].iter().any(|start| written.starts_with(start));
                    (of_azure || written.contains('/')) && !resource_types::is_connection(written)
                }
            };
            if unsupported {
                let name = resource.arm_type.as_ref().unwrap_or(&resource.written_type);
                *types.entry(name.clone()).or_default() += 1;
            }
        }
        types
    }
}

fn is_unsupported(arm_type: &str) -> bool {
    let lower = arm_type.to_ascii_lowercase();
    let Some(kind) = lower.strip_prefix("microsoft.network/") else { return false };
    let top = kind.split('/').next().unwrap_or(kind);
    MODELLED.binary_search(&kind).is_err() && !WITHOUT_EFFECT.contains(&top)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order() {
        assert!(MODELLED.is_sorted());
    }

    #[test]
    fn hubs_are_not_modelled_and_watchers_do_not_matter() {
        assert!(is_unsupported("Microsoft.Network/virtualHubs"));
        assert!(is_unsupported("Microsoft.Network/networkManagers/securityAdminConfigurations"));
        assert!(!is_unsupported("Microsoft.Network/networkWatchers/flowLogs"));
        assert!(!is_unsupported("Microsoft.Network/virtualNetworks/subnets"));
        assert!(!is_unsupported("Microsoft.Storage/storageAccounts"));
    }
}
