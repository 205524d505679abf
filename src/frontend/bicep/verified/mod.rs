//! Azure Verified Modules for networks, modelled for when they are not on disk.
//!
//! Each model is a small Bicep file that takes the parameters the module's README documents and declares the network
//! resources they come to. Parameters that change nothing about the network are accepted and not used; resources other
//! than network ones (locks, role assignments, diagnostic settings, telemetry) are left out. Which versions a model is
//! right for was read from the modules' history.
//! Source: github.com/Azure/bicep-registry-modules, `avm/res/network/*` (README.md, CHANGELOG.md).

/// The model of a module.
pub(super) struct Source {
    /// Its path below `avm/`.
    pub name: &'static str,
    /// The first and the last minor version whose parameters are modelled: major, minor.
    versions: [(u32, u32); 2],
    /// A Bicep file with the parameters and what is made of them.
    pub text: &'static str,
}

const SOURCES: &[Source] = &[
    Source {
        name: "res/network/virtual-network",
        versions: [(0, 3), (0, 10)],
        text: include_str!("virtual-network.bicep"),
    },
    Source {
        name: "res/network/virtual-network/subnet",
        versions: [(0, 1), (0, 2)],
        text: include_str!("subnet.bicep"),
    },
    Source {
        name: "res/network/virtual-network/virtual-network-peering",
        versions: [(0, 1), (0, 1)],
        text: include_str!("virtual-network-peering.bicep"),
    },
    Source {
        name: "res/network/network-security-group",
        versions: [(0, 3), (0, 5)],
        text: include_str!("network-security-group.bicep"),
    },
    Source {
        name: "res/network/route-table",
        versions: [(0, 1), (0, 5)],
        text: include_str!("route-table.bicep"),
    },
    Source {
        name: "res/network/private-dns-zone",
        versions: [(0, 1), (0, 8)],
        text: include_str!("private-dns-zone.bicep"),
    },
    Source {
        name: "res/network/private-dns-zone/virtual-network-link",
        versions: [(0, 1), (0, 1)],
        text: include_str!("private-dns-zone-link.bicep"),
    },
    Source {
        name: "res/network/private-endpoint",
        versions: [(0, 3), (0, 12)],
        text: include_str!("private-endpoint.bicep"),
    },
    Source {
        name: "res/network/public-ip-address",
        versions: [(0, 4), (0, 13)],
        text: include_str!("public-ip-address.bicep"),
    },
    Source {
        name: "res/network/nat-gateway",
        versions: [(1, 1), (2, 1)],
        text: include_str!("nat-gateway.bicep"),
    },
];

/// What is known of a module.
pub(super) enum Found {
    /// This version is modelled.
    Modelled(&'static Source),
    /// Only other versions are.
    OtherVersion(&'static Source),
    /// It is not modelled.
    No,
}

impl Source {
    /// The versions as shown.
    pub fn versions(&self) -> String {
        let [(major, minor), (last_major, last_minor)] = self.versions;
        if (major, minor) == (last_major, last_minor) {
            format!("{major}.{minor}")
        } else {
            format!("{major}.{minor} to {last_major}.{last_minor}")
        }
    }
}

/// The model of a module and version (`0.5.1`).
pub(super) fn find(name: &str, version: &str) -> Found {
    let Some(source) = SOURCES.iter().find(|source| source.name == name) else { return Found::No };
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor))
            if ((source.versions[0])..=(source.versions[1])).contains(&(major, minor)) =>
        {
            Found::Modelled(source)
        }
        _ => Found::OtherVersion(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::bicep::syntax;
    use crate::source::SourceMap;
    use std::path::Path;

    #[test]
    fn every_model_is_valid_and_starts_by_saying_what_it_models() {
        for source in SOURCES {
            let file = SourceMap::new().add(Path::new("main.bicep"), source.text);
            assert_eq!(syntax::parse(&file).diagnostics, [], "{}", source.name);
            assert!(
                source.text.starts_with(&format!("// What avm/{} makes", source.name)),
                "{}",
                source.name
            );
        }
    }

    #[test]
    fn versions_outside_the_range_are_not_guessed() {
        let modelled = |version| matches!(find("res/network/virtual-network", version), Found::Modelled(_));
        assert!(modelled("0.3.0") && modelled("0.10.1"));
        for version in ["0.2.9", "0.11.0", "1.0.0", "sha256:00", ""] {
            assert!(!modelled(version), "{version}");
        }
        assert!(matches!(find("res/storage/storage-account", "0.1.0"), Found::No));
    }
}
