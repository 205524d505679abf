//! From root modules to evaluated resources.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::discover::Discovery;
use super::evaluator::{Evaluator, Node};
use super::load::ModuleStore;
use super::module::Module;
use super::providers::{azurerm_major, locked_azurerm_major, provider_of};
use super::variables::{Inputs, Options, undeclared_arguments};
use crate::frontend::Sandbox;
use crate::resource::{Configuration, Diagnostic, Language, Multiplicity, Opaque, Resource, Root, Schema};
use crate::source::{SourceMap, display_path};

/// Evaluates root modules.
///
/// Their numbers in [`crate::value::ResourceKey::root`] begin with `first_root`, so that several frontends can share one
/// numbering.
pub fn load(discovery: &Discovery, first_root: u32, options: &Options, sources: &SourceMap) -> Configuration {
    let mut configuration = Configuration::default();
    configuration.diagnostics.extend(discovery.diagnostics.iter().cloned());
    configuration.diagnostics.extend(discovery.store.diagnostics.iter().cloned());
    let modules: Vec<&Module> = discovery
        .roots
        .iter()
        .filter_map(|root| discovery.store.module(root))
        .map(|module| &**module)
        .collect();
    configuration.diagnostics.extend(undeclared_arguments(options, &modules));
    let evaluated: Vec<_> = discovery
        .roots
        .par_iter()
        .enumerate()
        .map(|(index, root)| load_root(discovery, root, first_root + index as u32, options, sources))
        .collect();
    for (root, (found, diagnostics)) in discovery.roots.iter().zip(evaluated) {
        configuration.roots.push(Root { path: display_path(root), language: Language::Terraform });
        configuration.resources.extend(found.resources);
        configuration.opaque.extend(found.opaque);
        configuration.diagnostics.extend(diagnostics);
    }
    // Roots share modules, and modules have many instances: each thing is said once.
    let mut said = FxHashSet::default();
    configuration
        .diagnostics
        .retain(|diagnostic| said.insert((diagnostic.span, diagnostic.code, diagnostic.message.clone())));
    configuration
}

/// What file functions may read: the repository that a root belongs to, or else the folder that was given, or else its
/// own, and the folders of the modules that it calls.
pub(super) fn sandbox_of(store: &ModuleStore, given: &[PathBuf], root: &Path) -> Sandbox {
    Sandbox::of_root(root, given).with(store.reached_from(root))
}

fn load_root(
    discovery: &Discovery,
    root_dir: &Path,
    root: u32,
    options: &Options,
    sources: &SourceMap,
) -> (Found, Vec<Diagnostic>) {
    let store = &discovery.store;
    let mut diagnostics = Vec::new();
    let inputs = Inputs::collect(root_dir, options, sources, &mut diagnostics);
    let Some(module) = store.module(root_dir) else { return (Found::default(), diagnostics) };
    let evaluator = Evaluator::new(
        sources,
        store,
        &inputs,
        sandbox_of(store, &discovery.folders, root_dir),
        &options.workspace,
        root,
        root_dir,
    );
    let locked = locked_azurerm_major(root_dir);
    let node = Node::new(std::sync::Arc::clone(module), "".into(), "".into(), None);
    let mut found = Found::default();
    collect(&evaluator, &node, locked, &mut found);
    for name in module.outputs.keys() {
        evaluator.output(&node, name, crate::source::Span::NOWHERE);
    }
    diagnostics.extend(evaluator.into_diagnostics());
    (found, diagnostics)
}

/// What a root holds.
#[derive(Default)]
struct Found {
    resources: Vec<Resource>,
    opaque: Vec<Opaque>,
}

/// The resources of a module instance, then those of the modules that it calls.
fn collect(evaluator: &Evaluator, node: &Rc<Node>, locked: Option<u8>, found: &mut Found) {
    let azurerm_major = locked.or_else(|| azurerm_major(node));
    for (index, resource) in node.module.resources.values().enumerate() {
        let provider = provider_of(node, &resource.resource_type, &resource.block);
        let expansion = evaluator.expand_resource(node, index);
        for instance in &expansion.instances {
            found.resources.push(Resource {
                key: evaluator.key(&instance.address),
                mode: resource.mode,
                resource_type: resource.resource_type.clone(),
                schema: Schema::Terraform { azurerm_major },
                body: evaluator.body(instance),
                multiplicity: match &instance.uncertain {
                    Some(why) => Multiplicity::ZeroOrMore(std::sync::Arc::clone(why)),
                    None => Multiplicity::One,
                },
                span: resource.block.span,
                header: resource.block.header,
                dependencies: evaluator.resource_dependencies(instance),
                scope: None,
                provider: provider.clone(),
                action: None,
                because: None,
                replaced_for: Vec::new(),
            });
        }
    }
    for (index, name) in node.module.calls.keys().enumerate() {
        let expansion = evaluator.expand_call(node, index);
        if let (None, Some(because)) = (&expansion.nodes, &expansion.missing) {
            let receives = evaluator.call_dependencies(node, index);
            found.opaque.push(Opaque {
                key: evaluator.key(&node.absolute(&ecow::eco_format!("module.{name}"))),
                receives: receives.iter().map(|address| evaluator.key(address)).collect(),
                because: std::sync::Arc::clone(because),
            });
        }
        for child in expansion.nodes.iter().flat_map(|nodes| nodes.iter()) {
            stacker::maybe_grow(64 * 1024, 1024 * 1024, || collect(evaluator, child, locked, found));
        }
    }
}
