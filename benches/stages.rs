//! How long each stage takes on estates of several sizes. `cargo bench --bench stages`.

#![allow(clippy::expect_used)]

mod support;

use std::path::Path;

use divan::Bencher;
use portolan::analyzer::{self, Options};
use portolan::frontend::terraform;
use portolan::rules::{self, Context};
use portolan::source::SourceMap;
use portolan::topology;
use support::Estate;

/// How many spokes.
const SIZES: [u32; 3] = [1, 10, 100];

fn main() {
    divan::main();
}

/// From text to syntax trees.
#[divan::bench(args = SIZES)]
fn parse(bencher: Bencher, spokes: u32) {
    let sources = SourceMap::new();
    let files: Vec<_> =
        support::files(spokes).into_iter().map(|(name, text)| sources.add(Path::new(&name), text)).collect();
    let bytes: usize = files.iter().map(|file| file.text().len()).sum();
    bencher
        .counter(divan::counter::BytesCount::new(bytes))
        .bench(|| files.iter().map(|file| terraform::syntax::parse_hcl(file)).collect::<Vec<_>>());
}

/// From a folder to evaluated resources, reading and parsing included.
#[divan::bench(args = SIZES)]
fn evaluate(bencher: Bencher, spokes: u32) {
    let estate = Estate::new(spokes);
    bencher.bench(|| {
        let sources = SourceMap::new();
        let discovery = terraform::discover(&[estate.path()], &sources);
        terraform::load(&discovery, 0, &terraform::Options::default(), &sources)
    });
}

/// From resources to the model.
#[divan::bench(args = SIZES)]
fn build(bencher: Bencher, spokes: u32) {
    let estate = Estate::new(spokes);
    let sources = SourceMap::new();
    let discovery = terraform::discover(&[estate.path()], &sources);
    let configuration = terraform::load(&discovery, 0, &terraform::Options::default(), &sources);
    bencher.bench(|| topology::build(&configuration));
}

/// All rules on a model.
#[divan::bench(args = SIZES)]
fn check(bencher: Bencher, spokes: u32) {
    let estate = Estate::new(spokes);
    let options = Options { paths: vec![estate.path()], ..Options::default() };
    let model = analyzer::model(&SourceMap::new(), &options, &|_| {});
    bencher.bench(|| rules::run(rules::ALL, &Context::new(&model.topology, None)));
}

/// The whole way, from a folder to a report.
#[divan::bench(args = SIZES)]
fn whole(bencher: Bencher, spokes: u32) {
    let estate = Estate::new(spokes);
    let options = Options { paths: vec![estate.path()], rules: rules::ALL.to_vec(), ..Options::default() };
    bencher.bench(|| analyzer::check(&SourceMap::new(), &options).summary);
}

/// Each rule by itself on the model of a large estate.
#[divan::bench(args = rules::ALL.iter().map(|rule| rule.name))]
fn rule(bencher: Bencher, name: &str) {
    let estate = Estate::new(SIZES[SIZES.len() - 1]);
    let options = Options { paths: vec![estate.path()], ..Options::default() };
    let model = analyzer::model(&SourceMap::new(), &options, &|_| {});
    let rule = rules::find(name).expect("the name comes out of the list");
    bencher.bench(|| rules::run(&[rule], &Context::new(&model.topology, None)));
}
