//! Packets on their way through small estates.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::*;
use crate::topology::model_of;

/// An estate in few words: `network NAME RANGE`, `subnet NETWORK NAME RANGE [TABLE]`, `peer FROM TO [forwarded] [remote]`,
/// `route TABLE PREFIX HOP [ADDRESS]`, `nic SUBNET NAME ADDRESS FORWARDS`, `machine NIC…`.
fn estate(lines: &[&str]) -> Topology {
    let mut text = String::new();
    let mut tables = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["network", name, range] => write!(
                text,
                r#"resource "azurerm_virtual_network" "{name}" {{
  name = "{name}"
  resource_group_name = "rg"
  location = "westeurope"
  address_space = ["{range}"]
}}
"#
            ),
            ["subnet", network, name, range, rest @ ..] => {
                if let [table] = rest {
                    let _ = write!(
                        text,
                        r#"resource "azurerm_subnet_route_table_association" "{name}" {{
  subnet_id = azurerm_subnet.{name}.id
  route_table_id = azurerm_route_table.{table}.id
}}
"#
                    );
                }
                write!(
                    text,
                    r#"resource "azurerm_subnet" "{name}" {{
  name = "{name}"
  resource_group_name = "rg"
  virtual_network_name = azurerm_virtual_network.{network}.name
  address_prefixes = ["{range}"]
}}
"#
                )
            }
            ["peer", from, to, flags @ ..] => write!(
                text,
                r#"resource "azurerm_virtual_network_peering" "{from}_{to}" {{
  name = "{from}-{to}"
  resource_group_name = "rg"
  virtual_network_name = azurerm_virtual_network.{from}.name
  remote_virtual_network_id = azurerm_virtual_network.{to}.id
  allow_forwarded_traffic = {}
  use_remote_gateways = {}
}}
"#,
                flags.contains(&"forwarded"),
                flags.contains(&"remote")
            ),
            ["route", table, prefix, hop, address @ ..] => {
                if !tables.contains(table) {
                    tables.push(table);
                    let _ = write!(
                        text,
                        r#"resource "azurerm_route_table" "{table}" {{
  name = "{table}"
  resource_group_name = "rg"
  location = "westeurope"
}}
"#
                    );
                }
                let index = text.len();
                let address =
                    address.first().map_or(String::new(), |a| format!("next_hop_in_ip_address = \"{a}\""));
                write!(
                    text,
                    r#"resource "azurerm_route" "r{index}" {{
  name = "r{index}"
  resource_group_name = "rg"
  route_table_name = azurerm_route_table.{table}.name
  address_prefix = "{prefix}"
  next_hop_type = "{hop}"
  {address}
}}
"#
                )
            }
            ["nic", subnet, name, address, forwards] => write!(
                text,
                r#"resource "azurerm_network_interface" "{name}" {{
  name = "{name}"
  resource_group_name = "rg"
  location = "westeurope"
  ip_forwarding_enabled = {forwards}
  ip_configuration {{
    name = "main"
    subnet_id = azurerm_subnet.{subnet}.id
    private_ip_address_allocation = "Static"
    private_ip_address = "{address}"
  }}
}}
"#
            ),
            ["machine", name, interfaces @ ..] => {
                let ids: Vec<_> =
                    interfaces.iter().map(|nic| format!("azurerm_network_interface.{nic}.id")).collect();
                write!(
                    text,
                    r#"resource "azurerm_linux_virtual_machine" "{name}" {{
  name = "{name}"
  resource_group_name = "rg"
  location = "westeurope"
  network_interface_ids = [{}]
}}
"#,
                    ids.join(", ")
                )
            }
            other => panic!("{other:?}"),
        }
        .unwrap();
    }
    model_of(&text)
}

fn named(topology: &Topology, name: &str) -> Id<Subnet> {
    let mut all = topology.all::<Subnet>();
    all.find(|(_, subnet)| subnet.header.name.known().is_some_and(|known| known == name)).unwrap().0
}

fn walk(lines: &[&str], from: &str, to: &str) -> String {
    let topology = estate(lines);
    let reach = Reach::new(&topology);
    let path = reach.walk(named(&topology, from), to.parse::<IpAddr>().unwrap());
    let way: Vec<String> =
        path.hops.iter().map(|hop| topology[hop.subnet].header.name.known().unwrap().to_string()).collect();
    let end = match path.verdict {
        Verdict::Delivered(subnet) => {
            format!("delivered to {}", topology[subnet].header.name.known().unwrap())
        }
        Verdict::Dropped(Drop::NotForwarding(_)) => "not forwarded".into(),
        Verdict::Dropped(Drop::ForwardedRefused(half)) => {
            format!("refused by {}", topology[half].header.name.known().unwrap())
        }
        Verdict::Dropped(Drop::NoSubnet(_)) => "no subnet".into(),
        Verdict::Dropped(Drop::Nowhere) => "nowhere".into(),
        Verdict::Dropped(Drop::Route) => "dropped".into(),
        Verdict::Dropped(Drop::Unreachable(_)) => "unreachable".into(),
        Verdict::Loop(_) => "loop".into(),
        Verdict::Internet => "Internet".into(),
        Verdict::Gateway => "gateway".into(),
        Verdict::Service => "service".into(),
        Verdict::Undecided(why) => format!("undecided: {why}"),
    };
    format!("{}: {end}", way.join(" "))
}

const SPOKES: [&str; 10] = [
    "network hub 10.0.0.0/16",
    "network a 10.1.0.0/16",
    "network b 10.2.0.0/16",
    "subnet hub nva 10.0.1.0/24",
    "subnet b two 10.2.1.0/24",
    "peer hub a",
    "peer hub b",
    "peer a hub forwarded",
    "nic nva nva 10.0.1.4 true",
    "subnet hub desk 10.0.2.0/24",
];

fn spokes<'a>(more: &[&'a str]) -> Vec<&'a str> {
    SPOKES.iter().copied().chain(more.iter().copied()).collect()
}

#[test]
fn peering_leads_to_the_neighbour_only() {
    let plain = spokes(&["subnet a one 10.1.1.0/24", "peer b hub"]);
    assert_eq!(walk(&plain, "one", "10.0.2.4"), "one: delivered to desk");
    assert_eq!(walk(&plain, "one", "10.2.1.4"), "one: nowhere");
    assert_eq!(walk(&plain, "one", "10.0.9.4"), "one: no subnet");
    assert_eq!(walk(&plain, "one", "8.8.8.8"), "one: Internet");
}

#[test]
fn one_half_is_no_peering() {
    let half = spokes(&["subnet a one 10.1.1.0/24"]);
    assert_eq!(walk(&half, "desk", "10.2.1.4"), "desk: nowhere");
}

#[test]
fn an_appliance_forwards_where_the_receiving_half_allows_it() {
    let routed = ["subnet a one 10.1.1.0/24 t", "route t 10.2.0.0/16 VirtualAppliance 10.0.1.4"];
    let mut open = spokes(&routed);
    open.push("peer b hub forwarded");
    assert_eq!(walk(&open, "one", "10.2.1.4"), "one nva: delivered to two");
    let mut closed = spokes(&routed);
    closed.push("peer b hub");
    assert_eq!(walk(&closed, "one", "10.2.1.4"), "one nva: refused by b-hub");
}

#[test]
fn an_appliance_needs_forwarding_and_routes_of_its_own() {
    let lines = |forwards: &'static str, extra: &'static str| {
        vec![
            "network n 10.0.0.0/16",
            "subnet n app 10.0.2.0/24 t",
            "route t 0.0.0.0/0 VirtualAppliance 10.0.1.4",
            if forwards == "true" { "nic nva nic 10.0.1.4 true" } else { "nic nva nic 10.0.1.4 false" },
            extra,
        ]
    };
    let plain = "subnet n nva 10.0.1.0/24";
    assert_eq!(walk(&lines("true", plain), "app", "8.8.8.8"), "app nva: Internet");
    assert_eq!(walk(&lines("false", plain), "app", "8.8.8.8"), "app: not forwarded");
    let same = "subnet n nva 10.0.1.0/24 t";
    assert_eq!(walk(&lines("true", same), "app", "8.8.8.8"), "app nva: loop");
}

#[test]
fn a_second_interface_leaves_the_way_open() {
    let lines = [
        "network n 10.0.0.0/16",
        "subnet n app 10.0.2.0/24 t",
        "subnet n inside 10.0.1.0/24 t",
        "subnet n outside 10.0.3.0/24",
        "route t 0.0.0.0/0 VirtualAppliance 10.0.1.4",
        "nic inside in 10.0.1.4 true",
        "nic outside out 10.0.3.4 true",
        "machine nva in out",
    ];
    assert_eq!(
        walk(&lines, "app", "8.8.8.8"),
        "app: undecided: an appliance has interfaces in several subnets"
    );
}

#[test]
fn a_gateway_leaves_open_what_lies_behind_it_but_not_other_networks() {
    let lines = spokes(&[
        "subnet hub GatewaySubnet 10.0.0.0/27",
        "subnet a one 10.1.1.0/24 t",
        "route t 10.0.0.0/8 VirtualAppliance 10.0.1.4",
        "peer b hub forwarded",
    ]);
    assert_eq!(walk(&lines, "one", "10.2.1.4"), "one nva: delivered to two");
    assert_eq!(
        walk(&lines, "desk", "192.168.1.1"),
        ": undecided: the prefixes behind a gateway are not known"
    );
}

#[test]
fn a_route_may_drop() {
    let lines = [
        "network n 10.0.0.0/16",
        "subnet n app 10.0.2.0/24 t",
        "route t 10.0.3.0/24 None",
        "subnet n db 10.0.3.0/24",
    ];
    assert_eq!(walk(&lines, "app", "10.0.3.4"), "app: dropped");
    assert_eq!(walk(&lines, "db", "10.0.2.4"), "db: delivered to app");
}
