//! Which rules run.

use crate::finding::Category;
use crate::rules::{self, Rule};

/// A choice of rules by name or category.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only these. Empty: all that are not pedantic.
    pub select: Vec<String>,
    /// Not these.
    pub ignore: Vec<String>,
    /// Pedantic rules too.
    pub pedantic: bool,
}

/// A name that is neither a rule's nor a category's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no rule or category `{name}`{}", .similar.map(|similar| format!("; did you mean `{similar}`?")).unwrap_or_default())]
pub struct UnknownSelector {
    /// The name.
    pub name: String,
    /// The most similar name that there is.
    pub similar: Option<&'static str>,
}

impl Selection {
    /// The chosen rules, in the order of [`rules::ALL`]. A pedantic rule is chosen by its name, or by its category
    /// together with `pedantic`.
    ///
    /// # Errors
    /// A name that is neither a rule's nor a category's.
    pub fn rules(&self) -> Result<Vec<&'static Rule>, UnknownSelector> {
        for name in self.select.iter().chain(&self.ignore) {
            let known = rules::ALL.iter().any(|rule| rule.name == name) || category(name).is_some();
            if !known {
                return Err(UnknownSelector { name: name.clone(), similar: similar(name) });
            }
        }
        let names = |list: &[String], rule: &Rule| list.iter().any(|name| name == rule.name);
        let covers =
            |list: &[String], rule: &Rule| list.iter().any(|name| category(name) == Some(rule.category));
        let chosen = |rule: &Rule| {
            let named = names(&self.select, rule);
            let wanted = named
                || (self.select.is_empty() || covers(&self.select, rule))
                    && (self.pedantic || !rule.pedantic);
            // A rule that is asked for by name runs even when its category is ignored.
            wanted && !names(&self.ignore, rule) && (named || !covers(&self.ignore, rule))
        };
        Ok(rules::ALL.iter().copied().filter(|rule| chosen(rule)).collect())
    }
}

/// The category of a name. Categories without rules yet are categories too.
fn category(name: &str) -> Option<Category> {
    Category::ALL.iter().copied().find(|category| category.as_str() == name)
}

/// The rule or category whose name is nearest, when it is near.
pub fn similar(name: &str) -> Option<&'static str> {
    nearest(name, rules::ALL.iter().map(|rule| rule.name).chain(Category::ALL.iter().map(|c| c.as_str())))
}

/// The name among some that is nearest, when it is near.
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // What nobody would type for a name is compared with none.
    if name.len() > 80 {
        return None;
    }
    names
        .map(|candidate| (distance(name, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len() / 3)
        .map(|(_, candidate)| candidate)
}

/// How many characters to insert, delete or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&row, j) + usize::from(from != *to);
            next.push(replaced.min(at(&row, j + 1) + 1).min(at(&next, j) + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(select: &[&str], ignore: &[&str]) -> Result<Vec<&'static str>, UnknownSelector> {
        let own = |list: &[&str]| list.iter().map(|name| (*name).to_string()).collect();
        let selection = Selection { select: own(select), ignore: own(ignore), pedantic: false };
        Ok(selection.rules()?.iter().map(|rule| rule.name).collect())
    }

    #[test]
    fn a_rule_is_chosen_by_its_name_or_its_category() {
        assert_eq!(chosen(&["subnets-overlap"], &[]), Ok(vec!["subnets-overlap"]));
        let of_category = chosen(&["peering"], &[]).expect("a category");
        assert!(of_category.contains(&"peering-one-way") && !of_category.contains(&"subnets-overlap"));
        let without = chosen(&[], &["peering", "subnets-overlap"]).expect("a choice");
        assert!(!without.contains(&"peering-one-way") && !without.contains(&"subnets-overlap"));
        assert!(!without.is_empty());
        assert_eq!(chosen(&["peering-one-way"], &["peering"]), Ok(vec!["peering-one-way"]));
    }

    #[test]
    fn a_name_that_is_nobodys_is_refused_with_a_suggestion() {
        let problem = chosen(&["subnet-overlap"], &[]).expect_err("no such rule");
        assert_eq!(problem.similar, Some("subnets-overlap"));
        assert_eq!(
            problem.to_string(),
            "there is no rule or category `subnet-overlap`; did you mean `subnets-overlap`?"
        );
        assert_eq!(chosen(&[], &["xyz"]).expect_err("no such rule").similar, None);
    }
}
