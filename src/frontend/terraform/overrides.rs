//! Override files: what they declare replaces, argument by argument, what other files declare.
//!
//! The rules are those of <https://developer.hashicorp.com/terraform/language/files/override>.

use super::syntax::ast::{Attribute, Block, Body, ExpressionKind};
use crate::resource::Diagnostic;

/// Merges the body of an override file into the body of the other files.
pub(super) fn apply_override(base: &mut Body, over: Body, diagnostics: &mut Vec<Diagnostic>) {
    for block in over.blocks {
        match block.block_type.as_str() {
            "locals" => override_locals(base, block),
            "terraform" => override_settings(base, block),
            _ => {
                let original = base.blocks.iter_mut().find(|original| same_block(original, &block));
                match original {
                    Some(original) => merge_block(original, block),
                    // A provider or a variable that is only declared here is simply declared here.
                    None if matches!(
                        block.block_type.as_str(),
                        "provider" | "moved" | "import" | "removed"
                    ) =>
                    {
                        base.blocks.push(block);
                    }
                    None => {
                        let message = "this override has nothing to override";
                        diagnostics.push(Diagnostic::warning("unsupported", message, block.header));
                    }
                }
            }
        }
    }
}

fn same_block(a: &Block, b: &Block) -> bool {
    let labels = |block: &Block| block.labels.iter().map(|label| label.text.clone()).collect::<Vec<_>>();
    let alias = |block: &Block| match block.block_type.as_str() {
        "provider" => block.body.attribute("alias").and_then(|attribute| attribute.value.plain_string()),
        _ => None,
    };
    a.block_type == b.block_type && labels(a) == labels(b) && alias(a) == alias(b)
}

fn merge_block(original: &mut Block, over: Block) {
    merge_attributes(&mut original.body.attributes, over.body.attributes);
    let replaced: Vec<_> =
        over.body.blocks.iter().map(nested_type).filter(|name| *name != "lifecycle").collect();
    let keep = |block: &Block| !replaced.contains(&nested_type(block));
    let mut blocks: Vec<Block> = std::mem::take(&mut original.body.blocks).into_iter().filter(keep).collect();
    for block in over.body.blocks.clone() {
        // `lifecycle` is merged argument by argument, all other nested blocks replace those of their type.
        match blocks
            .iter_mut()
            .find(|original| block.block_type == "lifecycle" && original.block_type == "lifecycle")
        {
            Some(lifecycle) => merge_attributes(&mut lifecycle.body.attributes, block.body.attributes),
            None => blocks.push(block),
        }
    }
    original.body.blocks = blocks;
}

/// The type of a nested block; that of the blocks it makes for a `dynamic` one.
fn nested_type(block: &Block) -> ecow::EcoString {
    match (block.block_type.as_str(), block.labels.first()) {
        ("dynamic", Some(label)) => label.text.clone(),
        _ => block.block_type.clone(),
    }
}

fn merge_attributes(original: &mut Vec<Attribute>, over: Vec<Attribute>) {
    for attribute in over {
        match original.iter_mut().find(|existing| existing.name == attribute.name) {
            Some(existing) => *existing = attribute,
            None => original.push(attribute),
        }
    }
}

fn override_locals(base: &mut Body, over: Block) {
    let mut rest = over;
    for attribute in std::mem::take(&mut rest.body.attributes) {
        let locals = base.blocks.iter_mut().filter(|block| block.block_type == "locals");
        let mut existing = locals.flat_map(|block| &mut block.body.attributes);
        match existing.find(|existing| existing.name == attribute.name) {
            Some(existing) => *existing = attribute,
            None => rest.body.attributes.push(attribute),
        }
    }
    base.blocks.push(rest);
}

/// `required_providers` is overridden provider by provider; that is all that matters here of the settings.
fn override_settings(base: &mut Body, over: Block) {
    for over in over.body.blocks.iter().filter(|block| block.block_type == "required_providers") {
        let settings = base.blocks.iter_mut().filter(|block| block.block_type == "terraform");
        let mut all = settings.flat_map(|block| &mut block.body.blocks);
        if let Some(existing) = all.find(|block| block.block_type == "required_providers") {
            let plain = over.body.attributes.iter().filter(|attribute| {
                matches!(attribute.value.kind, ExpressionKind::Object(_) | ExpressionKind::String(_))
            });
            merge_attributes(&mut existing.body.attributes, plain.cloned().collect());
        }
    }
}
