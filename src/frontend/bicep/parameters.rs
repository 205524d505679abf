//! `.bicepparam` files: which template they are for, and the values they give.

use std::path::{Path, PathBuf};

use ecow::EcoString;
use indexmap::IndexMap;

use super::lower::Compiler;
use crate::frontend::arm::evaluate::{self, Inputs};
use crate::frontend::arm::lower::lower_case;
use crate::value::Value;

/// What a parameters file says.
pub(super) struct Parameters {
    /// The template it is for; `None` for `using none` and when there is no such file.
    pub template: Option<PathBuf>,
    /// The values, by lower-case name.
    pub values: IndexMap<EcoString, Value>,
}

/// Reads a parameters file and those it extends.
///
/// # Errors
/// A sentence without a full stop, if the file cannot be read.
pub(super) fn read(compiler: &mut Compiler<'_>, path: &Path) -> Result<Parameters, String> {
    let (real, file) = compiler.open_root(path)?;
    let unit = compiler.unit(real, file);
    let (template_path, template) = compiler.parameters_template(unit);
    // The values are the outputs of a template without resources.
    let deployed = evaluate::deploy(template, &Inputs::default(), &evaluate::NoFiles, 0);
    compiler.diagnostics.extend(deployed.diagnostics);
    let values = deployed.outputs.into_iter().map(|(name, value)| (lower_case(&name), value)).collect();
    Ok(Parameters { template: template_path, values })
}
