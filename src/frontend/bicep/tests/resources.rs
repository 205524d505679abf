//! Resources: loops, parents, conditions, places.

use super::*;

#[test]
fn resources_loops_parents_and_conditions() {
    let case = case(&[("main.bicep", NETWORK)]);
    assert_eq!(
        case.resources(),
        [
            "nsg Microsoft.Network/networkSecurityGroups nsg",
            "nsg::deny Microsoft.Network/networkSecurityGroups/securityRules nsg/deny",
            "table Microsoft.Network/routeTables table",
            "vnet Microsoft.Network/virtualNetworks vnet",
            "subnet[0] Microsoft.Network/virtualNetworks/subnets vnet/one",
            "subnet[1] Microsoft.Network/virtualNetworks/subnets vnet/two",
            "hub Microsoft.Network/virtualNetworks hub",
        ]
    );
    assert_eq!(case.at("subnet[1]", &["properties", "addressPrefix"]), "10.0.1.0/24");
    assert_eq!(case.at("subnet[1]", &["properties", "networkSecurityGroup", "id"]), "<nsg.id>");
    assert_eq!(case.resource("subnet[0]").dependencies, ["nsg", "nsg::deny", "vnet"]);
    assert_eq!(case.resource("hub").mode, Mode::Existing);
    assert!(matches!(case.resource("table").multiplicity, Multiplicity::ZeroOrMore(_)));
    assert_eq!(case.resource("vnet").multiplicity, Multiplicity::One);
    assert_eq!(case.output("first"), "<subnet[0].id>");
    assert_eq!(case.output("range"), "10.0.0.0/16");
    let header = case.resource("subnet[0]").header;
    let file = case.map.get(header.file).unwrap();
    assert!(file.slice(header).starts_with("resource subnet 'Microsoft"), "{}", file.slice(header));
}
