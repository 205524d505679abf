//! Rules that can never match, because earlier rules of their group take every packet.

use super::compile::{CompiledRule, Compiler, Reading, Verb};
use super::input::{Direction, Network, SecurityGroup, SecurityRule};
use super::outcome::RuleRef;
use crate::net::{Budget, Condition, PacketSet, TooComplex};

/// A rule that can never match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shadowed {
    /// The rule.
    pub rule: RuleRef,
    /// The earlier rules that take its packets, in their order. Rules that may take some, depending on the addresses of
    /// tags or on what is not known, are left out where others certainly take some.
    pub by: Vec<RuleRef>,
    /// Those of them that certainly take some, and do the opposite.
    pub opposed_by: Vec<RuleRef>,
    /// What the rule's author loses.
    pub effect: ShadowEffect,
}

/// What becomes of the packets of a shadowed rule.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ShadowEffect {
    /// The same as the rule would do: it is superfluous.
    Redundant,
    /// The opposite of what the rule would do, for all of them.
    Defeated,
    /// The opposite for some of them, or it is not known.
    Mixed,
}

/// What was found out about the rules of a group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shadows {
    /// Rules that can never match, by direction and priority.
    pub shadowed: Vec<Shadowed>,
    /// Rules, by the caller's number, that are too entangled to be judged.
    pub too_complex: Vec<usize>,
}

/// The rules of a group that can never match, whatever is unknown. Rules whose priority, direction or existence is not
/// known are neither judged nor counted on.
pub fn shadowed_rules(group: &SecurityGroup, network: &Network) -> Shadows {
    let compiler = Compiler::new(network);
    let mut found = Shadows::default();
    for direction in [Direction::Inbound, Direction::Outbound] {
        let mut rules: Vec<&SecurityRule> = group.rules.iter().collect();
        rules.retain(|r| {
            r.uncertain.is_none() && r.direction.known() == Some(&direction) && r.priority.known().is_some()
        });
        rules.sort_by_key(|rule| (rule.priority.known().copied(), rule.index));
        let read = |rule: &SecurityRule, reading| compiler.rule(rule, direction, &group.identity, reading);
        let mut earlier: Vec<CompiledRule> = Vec::with_capacity(rules.len());
        for rule in rules {
            let Some(compiled) = read(rule, Reading::default()) else { continue };
            // Rules for the platform's own services act on packets that other rules never see.
            if !compiled.names_platform && earlier.iter().any(|other| other.packets.meets(&compiled.packets))
            {
                // What a rule may do beyond what is documented does not save it.
                let judged = read(rule, Reading { only_documented: true, ..Reading::default() });
                match judged.map_or(Ok(None), |judged| covered(&judged, &earlier)) {
                    Ok(Some(shadowed)) => found.shadowed.push(shadowed),
                    Ok(None) => {}
                    Err(TooComplex) => found.too_complex.push(rule.index),
                }
            }
            earlier.push(compiled);
        }
    }
    found
}

fn covered(rule: &CompiledRule, earlier: &[CompiledRule]) -> Result<Option<Shadowed>, TooComplex> {
    /// Enough for a rule with hundreds of prefixes against a thousand others.
    const STEPS: u64 = 200_000;
    let mut budget = Budget::new(5_000, STEPS);
    let mut rest = rule.packets.clone();
    // A rule that matches nothing has another defect.
    if rest.is_empty() {
        return Ok(None);
    }
    let assumed = rest.clone();
    let mut by = Vec::new();
    let mut perhaps = Vec::new();
    let mut opposed_by = Vec::new();
    let (mut same, mut opposite) = (true, true);
    for other in earlier {
        let taken = rest.take(&other.packets, &mut budget)?;
        if taken.is_empty() {
            continue;
        }
        let mut opposes = false;
        match (&rule.access, &other.access) {
            (Verb::Certain(mine), Verb::Certain(theirs)) => {
                same &= mine == theirs;
                opposite &= mine != theirs;
                opposes = mine != theirs;
            }
            _ => (same, opposite) = (false, false),
        }
        if is_certain(&taken, &assumed) {
            opposed_by.extend(opposes.then(|| other.reference.clone()));
            by.push(other.reference.clone());
        } else {
            perhaps.push(other.reference.clone());
        }
        if rest.is_empty() {
            let effect = match (same, opposite) {
                (true, _) => ShadowEffect::Redundant,
                (false, true) => ShadowEffect::Defeated,
                (false, false) => ShadowEffect::Mixed,
            };
            return Ok(Some(Shadowed {
                rule: rule.reference.clone(),
                by: if by.is_empty() { perhaps } else { by },
                opposed_by,
                effect,
            }));
        }
    }
    Ok(None)
}

/// Whether a part of what one rule takes of another is there whatever tags and unknown fields stand for.
fn is_certain(taken: &PacketSet, of: &PacketSet) -> bool {
    taken.boxes().iter().any(|part| {
        let assumed = |c: &Condition| !c.holds || of.boxes().iter().any(|whole| whole.conditions().entail(c));
        part.conditions().iter().all(assumed)
    })
}

#[cfg(test)]
mod tests {
    use super::super::input::*;
    use super::*;
    use crate::net::{AddressSet, PortSet};

    fn rule(name: &str, priority: u32, access: Access, from: &str, ports: &str) -> SecurityRule {
        let rule = SecurityRule::new(name, priority as usize, priority, Direction::Inbound, access);
        let destination_ports = Ports::exactly(PortSet::parse(ports).unwrap());
        SecurityRule { source: vec![Selector::parse(from)], destination_ports, ..rule }
    }

    fn shadows(rules: Vec<SecurityRule>) -> Vec<(String, Vec<String>, ShadowEffect)> {
        let group = SecurityGroup { identity: "group".into(), rules, more_rules: None };
        let network = Network::new(AddressSet::parse("10.0.0.0/16").unwrap());
        let found = shadowed_rules(&group, &network);
        assert!(found.too_complex.is_empty());
        let names = |by: Vec<RuleRef>| by.into_iter().map(|r| r.name.to_string()).collect();
        found.shadowed.into_iter().map(|s| (s.rule.name.to_string(), names(s.by), s.effect)).collect()
    }

    #[test]
    fn a_deny_below_a_wider_allow_is_defeated() {
        let found = shadows(vec![
            rule("DenySsh", 300, Access::Deny, "Internet", "22"),
            rule("AllowAll", 100, Access::Allow, "*", "*"),
        ]);
        assert_eq!(found, [("DenySsh".into(), vec!["AllowAll".into()], ShadowEffect::Defeated)]);
    }

    #[test]
    fn several_rules_may_cover_one_together() {
        let found = shadows(vec![
            rule("AllowLow", 100, Access::Allow, "0.0.0.0/1", "22"),
            rule("Unrelated", 110, Access::Allow, "0.0.0.0/0", "80"),
            rule("DenyHigh", 120, Access::Deny, "128.0.0.0/1", "20-30"),
            rule("AllowSsh", 200, Access::Allow, "203.0.113.0/24", "22"),
            rule("AllowInternetSsh", 210, Access::Allow, "0.0.0.0/0", "22"),
            rule("AllowStorage", 220, Access::Allow, "Storage", "*"),
        ]);
        assert_eq!(
            found,
            [
                ("AllowSsh".into(), vec!["DenyHigh".into()], ShadowEffect::Defeated),
                ("AllowInternetSsh".into(), vec!["AllowLow".into(), "DenyHigh".into()], ShadowEffect::Mixed),
            ]
        );
    }

    #[test]
    fn tags_shadow_the_tags_inside_them() {
        let found = shadows(vec![
            rule("AllowCloud", 100, Access::Allow, "AzureCloud", "443"),
            rule("AllowVault", 110, Access::Allow, "AzureKeyVault", "443"),
            rule("AllowStorage", 120, Access::Allow, "Storage", "443"),
            rule("DenyInternet", 130, Access::Deny, "Internet", "*"),
            rule("AllowRegion", 140, Access::Allow, "Storage.WestEurope", "*"),
        ]);
        assert_eq!(
            found,
            [
                ("AllowVault".into(), vec!["AllowCloud".into()], ShadowEffect::Redundant),
                ("AllowRegion".into(), vec!["AllowCloud".into(), "DenyInternet".into()], ShadowEffect::Mixed),
            ]
        );
    }

    #[test]
    fn what_is_not_known_shadows_nothing() {
        let cause = || Cause::new("unknown");
        let mut perhaps = rule("AllowSome", 100, Access::Allow, "*", "*");
        perhaps.source = vec![Selector::Unknown(cause())];
        let mut unplaced = rule("Unplaced", 110, Access::Allow, "*", "*");
        unplaced.priority = Setting::Unknown(cause());
        let mut optional = rule("Optional", 120, Access::Allow, "*", "*");
        optional.uncertain = Some(cause());
        let deny = rule("DenyAll", 200, Access::Deny, "*", "*");
        let mut after = rule("After", 300, Access::Allow, "*", "22");
        after.source = vec![Selector::Unknown(cause())];
        let found = shadows(vec![perhaps, unplaced, optional, deny, after]);
        // Whatever the last one names, all of it is taken: most by the deny, perhaps some by the first.
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].0.as_str(), found[0].2), ("After", ShadowEffect::Mixed));
    }
}
