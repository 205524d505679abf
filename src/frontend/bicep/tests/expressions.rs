//! Expressions, imports and what is loaded from files.

use super::*;

#[test]
fn expressions() {
    let text = "
param given string = 'x'
param nothing string?
var list = [3, 1, 2]
var people = [{ name: 'Ada', age: 36 }, { name: 'Bo', age: 7 }]
var object = { a: { b: [10, 20] }, 'c d': null }
func double(x int) int => x * 2
func twice(x int) int => double(double(x))
";
    for (expression, want) in [
        ("1 + 2 * 3 - 8 / 3 % 2", "7"),
        ("-(4) < 3 && !(2 >= 3)", "true"),
        ("'A' =~ 'a' && 'A' != 'a' && 'A' !~ 'b'", "true"),
        ("nothing ?? given", "x"),
        ("empty(nothing) ? 'none' : nothing!", "none"),
        ("'${given}-${1}-${true}-${list}'", "x-1-True-[3,1,2]"),
        ("$'''\na${given}'''", "ax"),
        ("'''${given}'''", "${given}"),
        ("object.a.b[0] + object.a.b[^1]", "30"),
        ("object.?x.?y", "null"),
        ("object.?x.y[0]", "null"),
        ("object.a.b[?7]", "null"),
        ("object['c d'] ?? 'null'", "null"),
        ("[for x in list: x * 2]", "[6, 2, 4]"),
        ("[for (x, i) in list: '${i}${x}']", "[03, 11, 22]"),
        ("[for i in range(10, 2): [for j in range(0, i - 9): j]]", "[[0], [0, 1]]"),
        ("[for item in items({ k: 'v' }): '${item.key}=${item.value}']", "[k=v]"),
        ("[...list, 4, ...[5]]", "[3, 1, 2, 4, 5]"),
        ("{ z: 1, ...{ a: 2, z: 3 } }", "{z: 3, a: 2}"),
        ("map(people, p => p.name)", "[Ada, Bo]"),
        ("filter(people, (p, i) => i == 0 || p.age > 10)[0].name", "Ada"),
        ("sort(list, (a, b) => a < b)", "[1, 2, 3]"),
        ("reduce(list, 0, (sum, next) => sum + next)", "6"),
        ("toObject(people, p => p.name, p => p.age)", "{Ada: 36, Bo: 7}"),
        ("groupBy(people, p => p.age > 10 ? 'old' : 'young', p => p.name)", "{old: [Ada], young: [Bo]}"),
        ("nameof(object['c d'])", "c d"),
        ("twice(3)", "12"),
        ("sys.max(list) + sys.length('abc')", "6"),
        ("cidrSubnet('10.0.0.0/16', 24, 2)", "10.0.2.0/24"),
        ("parseCidr('10.0.0.0/28').lastUsable", "10.0.0.14"),
        ("any(1)", "1"),
        ("nameof(object.a)", "a"),
        ("contains(object, 'a') && contains(list, 2) && contains('abc', 'b')", "true"),
        ("join(split('a,b', ','), '-')", "a-b"),
        ("uniqueString('a') == uniqueString('a')", "true"),
        ("true || fail('never') == 1", "true"),
    ] {
        let case = case(&[("main.bicep", &format!("{text}output result object = {expression}\n"))]);
        assert_eq!(case.problems(), [], "{expression}");
        assert_eq!(case.output("result"), want, "{expression}");
    }
}

#[test]
fn single_expressions() {
    let evaluate = |text: &str| {
        let file = SourceMap::new().add(Path::new("expression"), text);
        evaluate_expression(&file, &arm::Options::default())
    };
    assert_eq!(shown(&evaluate("cidrHost('10.0.0.0/24', 3)").unwrap()), "10.0.0.4");
    assert_eq!(shown(&evaluate("[for i in range(0, 2): 'a${i}']\n").unwrap()), "[a0, a1]");
    for wrong in ["1 +", "nothing", "1 2", "int('x')"] {
        assert!(!evaluate(wrong).unwrap_err().is_empty(), "{wrong}");
    }
}

#[test]
fn imports_bring_what_they_need() {
    let shared = "
import { base } from 'base.bicep'
var hidden = 'hidden'
@export()
var prefix = '${base}-${hidden}'
@export()
func named(kind string) string => '${prefix}-${kind}'
@export()
type names = string[]
@export()
@secure()
type secret = string?
";
    let main = "
import { prefix, named as nameOf, secret } from 'shared.bicep'
import * as shared from 'shared.bicep'
param password secret
param list shared.names = ['a']
output a string = prefix
output b string = nameOf('vnet')
output c string = shared.named('nsg')
output d string = shared.prefix
output e string = password ?? 'none'
output f array = map(list, item => shared.named(item))
";
    let case = case(&[
        ("main.bicep", main),
        ("shared.bicep", shared),
        ("base.bicep", "@export()\nvar base = 'base'\nparam unused string\n"),
    ]);
    assert_eq!(case.problems(), []);
    let outputs: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(|name| case.output(name)).into();
    let want =
        ["base-hidden", "base-hidden-vnet", "base-hidden-nsg", "base-hidden", "none", "[base-hidden-a]"];
    assert_eq!(outputs, want);
}

#[test]
fn files_are_loaded_inside_the_sandbox_only() {
    let main = "
var path = 'data'
var file = '${path}/rules.json'
output json array = map(loadJsonContent(file), rule => rule.name)
output part string = loadJsonContent('data/rules.json', '[1].name')
output deep string = loadJsonContent('data/deep.json', '$.a[\\'b c\\'].d')
output yaml object = loadYamlContent('data/rules.yaml')
output text string = loadTextContent('data/note.txt')
output base string = loadFileAsBase64('data/note.txt')
output outside string = loadTextContent('../../../../../../../etc/hostname')
output missing object = loadJsonContent('data/none.json')
";
    let case = case(&[
        ("main.bicep", main),
        ("data/rules.json", "[ { \"name\": \"a\" }, { \"name\": \"b\" } ]"),
        ("data/deep.json", "{ \"a\": { \"b c\": { \"d\": \"e\" } } }"),
        ("data/rules.yaml", "list:\n  - 1\n  - '2'\n"),
        ("data/note.txt", "hé"),
    ]);
    let outputs: Vec<_> = ["json", "part", "deep", "yaml", "text", "base", "outside", "missing"]
        .map(|name| case.output(name))
        .into();
    assert_eq!(outputs, ["[a, b]", "b", "e", "{list: [1, 2]}", "hé", "aMOp", "?", "?"]);
    let want = [(Level::Warning, "unreadable-file", 10), (Level::Warning, "unreadable-file", 11)];
    assert_eq!(case.problems(), want);
}
