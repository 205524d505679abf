//! References to modules in registries, and where the Bicep compiler keeps what it has downloaded.
//!
//! Nothing is ever downloaded here: a module is read when the compiler's cache has it.
//! Sources: learn.microsoft.com/azure/azure-resource-manager/bicep/modules (references),
//! …/bicep/bicep-config-modules (aliases); the cache's layout is the compiler's (`BicepRegistryArtifact`, `TagEncoder`
//! and `TemplateSpecModuleArtifact` in Azure/bicep).

use std::path::{Path, PathBuf};

use ecow::{EcoString, eco_format};

use crate::frontend::arm::json;
use crate::source::SourceFile;

/// A reference to a module that is not a file beside the template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Reference {
    /// `br:registry/repository:tag`, `br:registry/repository@sha256:…`, aliases replaced.
    Registry {
        /// The registry's host.
        registry: EcoString,
        /// The path in the registry.
        repository: EcoString,
        /// The version; starts with `sha256:` if it is a digest.
        version: EcoString,
    },
    /// `ts:subscription/resource-group/name:version`, aliases replaced.
    TemplateSpec {
        /// Subscription, resource group and name, separated by slashes.
        path: EcoString,
        /// The version.
        version: EcoString,
    },
}

/// What a `bicepconfig.json` says of modules.
#[derive(Clone, Debug, Default)]
pub(super) struct Configuration {
    /// Aliases of registries: name, registry, path before the module's.
    registries: Vec<(EcoString, EcoString, EcoString)>,
    /// Aliases of template specs: name, subscription, resource group.
    specs: Vec<(EcoString, EcoString, EcoString)>,
    /// Where downloaded modules are kept.
    pub cache: Option<PathBuf>,
}

impl Configuration {
    /// Reads a `bicepconfig.json`. What cannot be read is left out.
    pub fn read(file: &SourceFile) -> Configuration {
        let mut configuration = Configuration::default();
        let Some(root) = json::parse(file.text(), file.id()).root else { return configuration };
        let text = |node: &json::Node, name: &str| -> EcoString {
            node.get(name).and_then(json::Node::as_str).unwrap_or("").into()
        };
        if let Some(aliases) = root.get("moduleAliases") {
            for alias in aliases.get("br").map_or(&[][..], json::Node::properties) {
                let (registry, path) = (text(&alias.value, "registry"), text(&alias.value, "modulePath"));
                configuration.registries.push((alias.key.clone(), registry, path));
            }
            for alias in aliases.get("ts").map_or(&[][..], json::Node::properties) {
                let (subscription, group) =
                    (text(&alias.value, "subscription"), text(&alias.value, "resourceGroup"));
                configuration.specs.push((alias.key.clone(), subscription, group));
            }
        }
        let cache = text(&root, "cacheRootDirectory");
        if !cache.is_empty() && !cache.starts_with('~') {
            let folder = file.path().parent().unwrap_or(Path::new(""));
            configuration.cache = Some(folder.join(cache.as_str()));
        }
        configuration
    }
}

impl Reference {
    /// Reads a reference. `None` if the text is a path.
    ///
    /// # Errors
    /// A sentence without a full stop, if it begins like a reference and is none.
    pub fn parse(text: &str, configuration: Option<&Configuration>) -> Option<Result<Reference, EcoString>> {
        let (scheme, rest) = text.split_once([':', '/'])?;
        let aliased = text.as_bytes().get(scheme.len()) == Some(&b'/');
        match scheme {
            "br" => Some(registry(rest, aliased, configuration)),
            "ts" => Some(spec(rest, aliased, configuration)),
            _ => None,
        }
    }

    /// The file in a cache folder.
    pub fn cached(&self, cache: &Path) -> PathBuf {
        let folder = match self {
            Reference::Registry { registry, repository, version } => {
                let version = match version.strip_prefix("sha256:") {
                    Some(digest) => format!("sha256#{digest}"),
                    None => encode_tag(version),
                };
                let registry = registry.replace(":", "$").to_lowercase();
                cache
                    .join("br")
                    .join(registry.as_str())
                    .join(repository.replace("/", "$").as_str())
                    .join(version)
            }
            Reference::TemplateSpec { path, version } => {
                let mut folder = cache.join("ts");
                folder.extend(path.to_lowercase().split('/'));
                folder.join(version.to_lowercase().as_str())
            }
        };
        folder.join("main.json")
    }

    /// The module of Azure Verified Modules that this is: its path below `avm/` and its version.
    pub fn verified_module(&self) -> Option<(&str, &str)> {
        match self {
            Reference::Registry { registry, repository, version } if registry == "mcr.microsoft.com" => {
                Some((repository.strip_prefix("bicep/avm/")?, version))
            }
            _ => None,
        }
    }
}

fn registry(
    rest: &str,
    aliased: bool,
    configuration: Option<&Configuration>,
) -> Result<Reference, EcoString> {
    let (registry, prefix, module) = if aliased {
        let (alias, module) = rest
            .split_once(':')
            .ok_or_else(|| EcoString::from("a module reference is written `br/alias:path:version`"))?;
        let found = configuration
            .and_then(|configuration| configuration.registries.iter().rev().find(|(name, ..)| name == alias));
        match found {
            Some((_, registry, path)) => (registry.clone(), path.clone(), module),
            None if alias == "public" => ("mcr.microsoft.com".into(), "bicep".into(), module),
            None => return Err(eco_format!("no `bicepconfig.json` defines the module alias `{alias}`")),
        }
    } else {
        let (registry, module) = rest
            .split_once('/')
            .ok_or_else(|| EcoString::from("a module reference is written `br:registry/path:version`"))?;
        (registry.into(), EcoString::new(), module)
    };
    let (path, version) = match module.split_once('@') {
        Some(parts) => parts,
        None => module
            .rsplit_once(':')
            .ok_or_else(|| eco_format!("the module reference `{module}` names no version"))?,
    };
    let repository =
        if prefix.is_empty() { path.into() } else { eco_format!("{}/{path}", prefix.trim_end_matches('/')) };
    // These become names of folders.
    let harmless = |part: &str| !part.is_empty() && !part.contains("..") && !part.contains('\\');
    if !harmless(&registry)
        || registry.contains('/')
        || !harmless(&repository)
        || !harmless(version)
        || version.contains('/')
    {
        return Err(eco_format!("`{module}` is no module reference"));
    }
    Ok(Reference::Registry { registry, repository, version: version.into() })
}

fn spec(rest: &str, aliased: bool, configuration: Option<&Configuration>) -> Result<Reference, EcoString> {
    let wrong =
        || EcoString::from("a template spec is referred to as `ts:subscription/resource-group/name:version`");
    let (path, version) = rest.rsplit_once(':').ok_or_else(wrong)?;
    let path: EcoString = if aliased {
        let (alias, name) = path.split_once(':').ok_or_else(wrong)?;
        let found = configuration
            .and_then(|configuration| configuration.specs.iter().rev().find(|(n, ..)| n == alias));
        match found {
            Some((_, subscription, group)) => eco_format!("{subscription}/{group}/{name}"),
            None => {
                return Err(eco_format!("no `bicepconfig.json` defines the template spec alias `{alias}`"));
            }
        }
    } else {
        path.into()
    };
    let harmless = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\\');
    if path.split('/').count() != 3
        || !path.split('/').all(harmless)
        || !harmless(version)
        || version.contains('/')
    {
        return Err(wrong());
    }
    Ok(Reference::TemplateSpec { path, version: version.into() })
}

/// A tag as the name of a folder on a file system that may ignore case: upper-case letters are marked in a mask.
fn encode_tag(tag: &str) -> String {
    let mut mask = 0_u128;
    for (index, character) in tag.chars().enumerate().take(128) {
        if character.is_uppercase() {
            mask |= 1 << index;
        }
    }
    if mask == 0 { format!("{tag}$") } else { format!("{tag}${mask:x}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    #[test]
    fn references_and_their_place_in_the_cache() {
        let map = SourceMap::new();
        let text = r#"{ // aliases
            "moduleAliases": {
                "br": { "corp": { "registry": "corp.azurecr.io", "modulePath": "bicep/modules" } },
                "ts": { "net": { "subscription": "Sub", "resourceGroup": "Group" } },
            },
        }"#;
        let configuration = Configuration::read(&map.add(Path::new("bicepconfig.json"), text));
        for (reference, want) in [
            (
                "br/public:avm/res/network/virtual-network:0.5.1",
                "br/mcr.microsoft.com/bicep$avm$res$network$virtual-network/0.5.1$",
            ),
            ("br:Example.azurecr.io:443/a/b:v1", "br/example.azurecr.io$443/a$b/v1$"),
            ("br:e.azurecr.io/a:V1-Rc", "br/e.azurecr.io/a/V1-Rc$9"),
            ("br:e.azurecr.io/a@sha256:0a", "br/e.azurecr.io/a/sha256#0a"),
            ("br/corp:net/hub:1.0", "br/corp.azurecr.io/bicep$modules$net$hub/1.0$"),
            ("ts:0-1/Group/Name:1.0", "ts/0-1/group/name/1.0"),
            ("ts/net:hub:2.0", "ts/sub/group/hub/2.0"),
        ] {
            let found = Reference::parse(reference, Some(&configuration)).unwrap().unwrap();
            assert_eq!(
                found.cached(Path::new("cache")),
                Path::new("cache").join(want).join("main.json"),
                "{reference}"
            );
        }
        for path in ["./module.bicep", "../br/module.bicep", "module.bicep", "C:\\module.bicep"] {
            assert_eq!(Reference::parse(path, None), None, "{path}");
        }
        for wrong in [
            "br:x",
            "br/none:a:1",
            "br:e.io/../../a:1",
            "br:e.io/a:../1",
            "ts:a/b:1",
            "ts:a/../c:1",
            "br/public:a",
        ] {
            assert!(Reference::parse(wrong, None).unwrap().is_err(), "{wrong}");
        }
    }

    #[test]
    fn verified_modules() {
        let parse = |text| Reference::parse(text, None).unwrap().unwrap();
        assert_eq!(
            parse("br/public:avm/res/network/virtual-network:0.5.1").verified_module(),
            Some(("res/network/virtual-network", "0.5.1"))
        );
        assert_eq!(
            parse("br:mcr.microsoft.com/bicep/avm/res/network/nat-gateway:1.2.0").verified_module(),
            Some(("res/network/nat-gateway", "1.2.0"))
        );
        assert_eq!(parse("br:corp.azurecr.io/avm/res/network/nat-gateway:1.2.0").verified_module(), None);
    }
}
