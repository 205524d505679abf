//! Damaged, circular and oversized files.

use super::*;

#[test]
fn a_circle_of_modules_or_imports_ends() {
    let case = case(&[
        (
            "main.bicep",
            "import { a } from 'a.bicep'\nmodule m 'm.bicep' = { name: 'm' }\noutput x string = a\n",
        ),
        ("m.bicep", "module back 'main.bicep' = { name: 'back' }\nvar v = v\noutput o string = v\n"),
        ("a.bicep", "import { a } from 'b.bicep'\n"),
        ("b.bicep", "import { a } from 'a.bicep'\n"),
    ]);
    assert!(case.problems().contains(&(Level::Warning, "module-not-found", 1)), "{:?}", case.problems());
    assert_eq!(case.output("x"), "?");
}

#[test]
fn damage_leaves_the_healthy_declarations() {
    let text = "
resource vnet 'Microsoft.Network/virtualNetworks@2023-04-01' = {
  name: 'vnet'
  properties: {
    addressSpace: {
      addressPrefixes: ['10.0.0.0/16'
    }
}
resource nsg 'Microsoft.Network/networkSecurityGroups@2023-04-01' = {
  name: 'nsg'
}
";
    let case = case(&[("main.bicep", text)]);
    assert!(case.problems().iter().any(|(level, code, _)| *level == Level::Error && *code == "syntax-error"));
    assert_eq!(case.at("nsg", &["name"]), "nsg");
    assert_eq!(case.at("vnet", &["name"]), "vnet");
    assert!(!case.loaded.unreadable);
}

#[test]
fn files_that_cannot_be_read_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("binary.bicep");
    std::fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    for path in [folder.path().join("none.bicep"), binary] {
        let loaded = load(&path, &Options::default(), &SourceMap::new(), 0);
        assert!(loaded.unreadable);
        assert_eq!(loaded.diagnostics.len(), 1);
    }
    let junk = case(&[("main.bicep", "{ \"not\": \"bicep\" }\n")]);
    assert!(junk.loaded.unreadable);
    assert!(!case(&[("main.bicep", "// nothing yet\n")]).loaded.unreadable);
}

#[test]
fn nothing_is_too_deep_or_too_long() {
    let bodies = [
        format!("var x = a{}", ".b".repeat(50_000)),
        format!("var x = 1{}", " - 1".repeat(50_000)),
        format!("var x = true{}", " && true".repeat(50_000)),
        format!("var x = {}1{}", "[".repeat(5_000), "]".repeat(5_000)),
        (0..3_000).map(|i| format!("var v{i} = v{}\n", i + 1)).collect(),
        "var x = map(range(0, 1000000), i => map(range(0, 1000000), j => j))".to_string(),
        format!(
            "var a0 = 'aaaaaaaaaa'\n{}",
            (1..60).map(|i| format!("var a{i} = '${{a{}}}${{a{}}}'\n", i - 1, i - 1)).collect::<String>()
        ),
        format!(
            "type t0 = string\n{}",
            (1..60).map(|i| format!("type t{i} = t{} | t{}\n", i - 1, i - 1)).collect::<String>()
                + "param p t59\n"
        ),
    ];
    for body in bodies {
        let last = body.matches("var ").count().saturating_sub(1);
        let text = format!(
            "{body}\noutput done string = 'yes'\noutput last object = {}\n",
            match last {
                0 => "x".to_string(),
                2_999 => "v0".to_string(),
                _ => format!("a{last}"),
            }
        );
        let case = case(&[("main.bicep", &text)]);
        assert_eq!(case.output("done"), "yes");
    }
}

#[test]
fn modules_and_functions_that_call_each_other_end() {
    let again = "module b 'b.bicep' = [for i in range(0, 800): { name: 'b${i}' }]\n";
    let circle = case(&[("main.bicep", again), ("b.bicep", "module a 'main.bicep' = { name: 'a' }\n")]);
    assert!(
        circle.problems().iter().any(|(_, code, _)| *code == "module-not-found"),
        "{:?}",
        circle.problems()
    );
    // Each module deploys the next one twice.
    let names: Vec<String> = (0..30).map(|n| format!("m{n}.bicep")).collect();
    let mut files: Vec<(String, String)> = names
        .windows(2)
        .map(|pair| {
            let text =
                format!("module a '{0}' = {{ name: 'a' }}\nmodule b '{0}' = {{ name: 'b' }}\n", pair[1]);
            (pair[0].clone(), text)
        })
        .collect();
    files.push(("m29.bicep".into(), "param x string = 'x'\n".into()));
    files.push(("main.bicep".into(), "module a 'm0.bicep' = { name: 'a' }\n".into()));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert!(case(&files).problems().iter().any(|(_, code, _)| *code == "limit"));
    let functions = "func f(x int) int => g(x)\nfunc g(x int) int => f(x)\noutput o int = f(1)\n";
    assert!(!case(&[("main.bicep", functions)]).problems().is_empty());
}

#[test]
fn texts_of_other_encodings_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = "param a string\n";
    let wide = |swap: bool| -> Vec<u8> {
        let unit = |unit: u16| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() };
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect()
    };
    for bytes in [wide(false), wide(true), b"var x = '\xff'\n".to_vec()] {
        let path = folder.path().join("main.bicep");
        std::fs::write(&path, bytes).unwrap();
        let loaded = load(&path, &Options::default(), &SourceMap::new(), 0);
        assert!(loaded.unreadable);
        assert_eq!(loaded.diagnostics.len(), 1);
    }
    // A mark of UTF-8 is no part of the text.
    let path = folder.path().join("main.bicep");
    std::fs::write(&path, format!("\u{feff}{text}")).unwrap();
    assert_eq!(load(&path, &Options::default(), &SourceMap::new(), 0).diagnostics, []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// A valid file with pieces cut out, doubled or exchanged: evaluation ends and says what it says without a panic.
    #[test]
    fn mutated_files(cuts in proptest::collection::vec((0..NETWORK.len(), 0..NETWORK.len(), 0..4_u8), 1..6)) {
        let mut text = NETWORK.to_string();
        for (from, length, kind) in cuts {
            let start = from.min(text.len());
            let end = (start + length % 40).min(text.len());
            let piece = text[start..end].to_string();
            match kind {
                0 => text.replace_range(start..end, ""),
                1 => text.insert_str(start, &piece),
                2 => text.replace_range(start..end, "'"),
                _ => text.insert_str(end, "}{"),
            }
        }
        let case = case(&[("main.bicep", &text)]);
        for diagnostic in &case.loaded.diagnostics {
            prop_assert!(diagnostic.span.end as usize <= text.len());
        }
        drop(case.folder);
    }
}
