#![allow(missing_docs, clippy::all, clippy::unwrap_used, clippy::expect_used)]
use portolan::frontend::terraform::*;
use portolan::source::SourceMap;
use portolan::value::*;
use std::path::PathBuf;
fn show(v: &Value, out: &mut String, d: usize) {
    use std::fmt::Write;
    if d > 60 {
        out.push_str("…");
        return;
    }
    if v.repeated {
        out.push_str("*")
    }
    if v.sensitive {
        out.push_str("!")
    }
    match &v.kind {
        ValueKind::Null => out.push_str("null"),
        ValueKind::Bool(b) => write!(out, "{b}").unwrap(),
        ValueKind::Number(b) => write!(out, "{b}").unwrap(),
        ValueKind::String(b) => write!(out, "{b:?}").unwrap(),
        ValueKind::Template(p) => {
            out.push_str("T\"");
            for x in p.iter() {
                match x {
                    TemplatePart::Literal(s) => out.push_str(s),
                    TemplatePart::Value(v) => {
                        out.push_str("${");
                        show(v, out, d + 1);
                        out.push('}')
                    }
                }
            }
            out.push('"')
        }
        ValueKind::Sequence(s) => {
            out.push_str(match s.kind {
                SequenceKind::List => "L[",
                SequenceKind::Set => "S[",
                SequenceKind::Tuple => "[",
            });
            for (i, x) in s.items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ")
                }
                show(x, out, d + 1)
            }
            out.push(']')
        }
        ValueKind::Mapping(s) => {
            out.push_str(match s.kind {
                MappingKind::Map => "M{",
                MappingKind::Object => "{",
            });
            for (i, (k, x)) in s.entries.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ")
                }
                write!(out, "{k}=").unwrap();
                show(&x.value, out, d + 1)
            }
            if let Some(r) = &s.rest {
                write!(out, " ..<{}>", r.cause).unwrap()
            }
            out.push('}')
        }
        ValueKind::Reference(r) => write!(out, "<{r}>").unwrap(),
        ValueKind::Unknown(u) => write!(out, "?({})", u.cause).unwrap(),
    }
}
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut options = Options::default();
    let mut paths = vec![];
    let mut quiet = false;
    let mut diags = false;
    let mut eval = None;
    let mut it = args.into_iter();
    while let Some(a) = it.next() {
        match a.as_str() {
            "-q" => quiet = true,
            "-d" => diags = true,
            "-e" => eval = it.next(),
            "-var" => {
                let x = it.next().unwrap();
                let (k, v) = x.split_once('=').unwrap();
                options.variables.push(VariableArgument::Text(k.into(), v.into()))
            }
            "-var-file" => options.variables.push(VariableArgument::File(it.next().unwrap().into())),
            _ => paths.push(PathBuf::from(a)),
        }
    }
    let sources = SourceMap::new();
    if let Some(e) = eval {
        if e == "-" {
            for line in std::io::stdin().lines() {
                let line = line.unwrap();
                let v: serde_json::Value = serde_json::from_str(&line).unwrap();
                let sources = SourceMap::new();
                let r = evaluate_expression(
                    paths.first().map(|p| p.as_path()),
                    v.as_str().unwrap(),
                    &options,
                    &sources,
                );
                let mut o = String::new();
                if let Ok(v) = &r {
                    show(v, &mut o, 0)
                }
                println!("{}", serde_json::json!([answer_json(&r), o]));
            }
            return;
        }
        let r = evaluate_expression(paths.first().map(|p| p.as_path()), &e, &options, &sources);
        println!("{}", answer_json(&r));
        if let Ok(v) = r {
            let mut o = String::new();
            show(&v, &mut o, 0);
            println!("{o}")
        }
        return;
    }
    let t = std::time::Instant::now();
    let d = discover(&paths, &sources);
    let t1 = t.elapsed();
    let c = load(&d, 0, &options, &sources);
    eprintln!(
        "roots {} files {} resources {} diagnostics {} discover {:?} load {:?}",
        c.roots.len(),
        sources.len(),
        c.resources.len(),
        c.diagnostics.len(),
        t1,
        t.elapsed() - t1
    );
    if !quiet {
        for r in &c.resources {
            let mut o = String::new();
            show(&r.body, &mut o, 0);
            println!(
                "{}#{} {:?} prov={:?} deps={:?} {}",
                r.key.root, r.key.address, r.multiplicity, r.provider, r.dependencies, o
            );
        }
    }
    if diags {
        for d in &c.diagnostics {
            let p = sources.position(d.span);
            println!(
                "{:?} {} {}:{} {}",
                d.level,
                d.code,
                sources.display(d.span).unwrap_or_default(),
                p.map(|p| p.line).unwrap_or(0),
                d.message
            );
        }
    }
}
